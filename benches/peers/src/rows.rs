//! Runs workloads round by round: a row for each measure.

use crate::column::Column;
use crate::statistics::median;

/// One run of a workload on one peer: a number for each measure.
pub struct Run {
    pub column: Column,
    /// What distinguishes it from other runs in the column.
    pub label: &'static str,
    pub go: Box<dyn Fn() -> Vec<f64>>,
}

/// The values of a run.
pub trait Figures {
    fn figures(self) -> Vec<f64>;
}

impl Figures for f64 {
    fn figures(self) -> Vec<f64> {
        vec![self]
    }
}

impl<const N: usize> Figures for [f64; N] {
    fn figures(self) -> Vec<f64> {
        self.into()
    }
}

pub struct Workload {
    pub name: String,
    /// One value of a run: its name, which follows the workload's, and its unit.
    pub measures: &'static [(&'static str, &'static str)],
    pub runs: Vec<Run>,
    pub point: Option<Point>,
}

/// The values of one peer, round by round.
pub struct Series {
    pub column: Column,
    pub label: &'static str,
    pub values: Vec<f64>,
}

impl Series {
    /// The median over all rounds of its value divided by the other's.
    pub fn over(&self, base: &Self) -> f64 {
        median(&self.values.iter().zip(&base.values).map(|(own, base)| own / base).collect::<Vec<_>>())
    }

    /// Without values yet.
    pub fn of(run: &Run) -> Self {
        Self { column: run.column, label: run.label, values: Vec::new() }
    }
}

/// A row: one measure of a workload.
pub struct Row {
    pub name: String,
    pub unit: &'static str,
    pub series: Vec<Series>,
    pub point: Option<Point>,
}

impl Workload {
    pub fn run(&self, rounds: usize) -> Vec<Row> {
        let mut rows: Vec<_> = self
            .measures
            .iter()
            .map(|(name, unit)| Row {
                name: format!("{}{name}", self.name),
                unit,
                series: self.runs.iter().map(Series::of).collect(),
                point: self.point,
            })
            .collect();
        for _ in 0..rounds {
            for (which, run) in self.runs.iter().enumerate() {
                for (row, value) in rows.iter_mut().zip((run.go)()) {
                    row.series[which].values.push(value);
                }
            }
        }
        rows
    }
}

impl Row {
    /// The peer's value over ours.
    pub fn ratio(&self, series: &Series) -> f64 {
        series.over(&self.series[0])
    }

    /// What was measured of `column` with this label.
    pub fn find(&self, column: Column, label: &str) -> Option<&Series> {
        self.series.iter().find(|series| series.column == column && series.label == label)
    }
}

/// A picture.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    SameThread,
    Readers,
    Publishers,
    Payload,
}

/// Where a workload stands in which picture.
#[derive(Clone, Copy)]
pub struct Point {
    pub picture: Picture,
    pub at: f64,
}

/// The unit of memory.
pub const BYTES: &str = "bytes a slot";
