//! Runs workloads round by round, and prints what came of it.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::plots::Point;

/// A column of the table. The first run of a workload is what the others are compared with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    Seqcast,
    Photon,
    Tokio,
    AsyncBroadcast,
    Bus,
    Disruptor,
    Crossbeam,
    /// No peer: what the machine takes.
    Machine,
}

pub const COLUMNS: [Column; 8] = [
    Column::Seqcast,
    Column::Photon,
    Column::Tokio,
    Column::AsyncBroadcast,
    Column::Bus,
    Column::Disruptor,
    Column::Crossbeam,
    Column::Machine,
];

impl Column {
    pub fn title(self) -> &'static str {
        match self {
            Column::Seqcast => "seqcast",
            Column::Photon => "photon-ring",
            Column::Tokio => "tokio",
            Column::AsyncBroadcast => "async-broadcast",
            Column::Bus => "bus",
            Column::Disruptor => "disruptor",
            Column::Crossbeam => "crossbeam",
            Column::Machine => "bare machine",
        }
    }

    /// Its publisher looks after its readers by itself.
    fn lossless(self) -> bool {
        matches!(self, Column::Bus | Column::Disruptor | Column::Crossbeam)
    }

    /// How wide it is printed, at the least.
    fn width(self) -> usize {
        match self {
            Column::Tokio => 21,
            Column::Machine => 18,
            _ => self.head().chars().count(),
        }
    }

    pub fn head(self) -> String {
        format!("{}{}", self.title(), if self.lossless() { "†" } else { "" })
    }
}

/// One run of a workload on one peer: a number for each measure.
pub struct Run {
    pub column: Column,
    /// What is different from others in the column.
    pub label: &'static str,
    pub go: Box<dyn Fn() -> Vec<f64>>,
}

/// What a run gives.
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
    /// What comes out of one run: its name, after the workload's, and its unit.
    pub measures: &'static [(&'static str, &'static str)],
    pub runs: Vec<Run>,
    pub point: Option<Point>,
}

/// What one run gave, round by round.
pub struct Series {
    pub column: Column,
    pub label: &'static str,
    pub values: Vec<f64>,
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
                series: self
                    .runs
                    .iter()
                    .map(|run| Series { column: run.column, label: run.label, values: Vec::new() })
                    .collect(),
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

pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// As many digits as mean something.
pub fn short(value: f64) -> String {
    let digits = if value < 9.95 { 2 } else { usize::from(value < 99.5) };
    format!("{value:.digits$}")
}

/// The unit of memory.
pub const BYTES: &str = "bytes a slot";

const NAME: usize = 64;
const OURS: usize = 24;
const OTHERWISE: usize = 17;

/// Prints the head of the table.
pub fn head() {
    let mut line =
        format!("| {:NAME$} | {:OURS$} | {:OTHERWISE$}", "workload", "seqcast (min to max)", "seqcast otherwise");
    let mut rule = format!("|{:-<1$}|{2:->3$}:|{2:->4$}:", "", NAME + 2, "", OURS + 1, OTHERWISE + 1);
    for column in &COLUMNS[1..] {
        let width = column.width();
        let _ = write!(line, " | {:width$}", column.head());
        let _ = write!(rule, "|{:->1$}:", "", width + 1);
    }
    println!("{line} |\n{rule}|");
}

impl Row {
    /// The peer's value over ours, the median of all rounds.
    pub fn ratio(&self, series: &Series) -> f64 {
        let ratios: Vec<_> =
            series.values.iter().zip(&self.series[0].values).map(|(theirs, ours)| theirs / ours).collect();
        median(&ratios)
    }

    fn cell<'a>(&self, series: impl Iterator<Item = &'a Series>) -> String {
        let entries: Vec<_> = series
            .map(|series| match series.label {
                "" => short(self.ratio(series)),
                label => format!("{} {label}", short(self.ratio(series))),
            })
            .collect();
        entries.join(", ")
    }

    pub fn print(&self) {
        let ours = &self.series[0].values;
        let (low, high) = ours.iter().fold((f64::MAX, 0.0_f64), |(low, high), &ours| (low.min(ours), high.max(ours)));
        let ours = format!("{} ({} to {})", short(median(ours)), short(low), short(high));
        let others = &self.series[1..];
        let otherwise = self.cell(others.iter().filter(|series| series.column == Column::Seqcast));
        let name = format!("{}, {}", self.name, self.unit);
        let mut line = format!("| {name:NAME$} | {ours:>OURS$} | {otherwise:>OTHERWISE$}");
        for column in &COLUMNS[1..] {
            let width = column.width();
            let _ = write!(line, " | {:>width$}", self.cell(others.iter().filter(|series| series.column == *column)));
        }
        println!("{line} |");
        let _ = io::stdout().flush();
    }

    /// Memory in numbers, since it is the same on every machine.
    pub fn print_bytes(&self) {
        if self.unit == BYTES {
            let one = |series: &Series| {
                let label = if series.label.is_empty() { String::new() } else { format!(" ({})", series.label) };
                format!("{}{label} {}", series.column.title(), short(median(&series.values)))
            };
            println!("{}, {BYTES}: {}", self.name, self.series.iter().map(one).collect::<Vec<_>>().join(", "));
        }
    }

    /// Every value, as lines of a CSV file.
    pub fn csv(&self, into: &mut String) {
        for series in &self.series {
            for (round, value) in series.values.iter().enumerate() {
                let (name, unit, title) = (&self.name, self.unit, series.column.title());
                let _ = writeln!(into, "\"{name}\",{unit},{title},\"{}\",{round},{value}", series.label);
            }
        }
    }
}
