//! Prints the rows, and writes them as CSV.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::column::{COLUMNS, Column};
use crate::rows::{BYTES, Row, Series, Workload};
use crate::statistics::{median, short};

const NAME: usize = 64;
const OURS: usize = 24;
const OTHERWISE: usize = 17;

/// How wide a column is printed, at the least.
fn width(column: Column) -> usize {
    match column {
        Column::DropIn | Column::Tokio => 21,
        Column::Machine => 18,
        _ => column.head().chars().count(),
    }
}

/// Prints the head of the table.
pub fn head() {
    let mut line =
        format!("| {:NAME$} | {:OURS$} | {:OTHERWISE$}", "workload", "seqcast (min to max)", "seqcast otherwise");
    let mut rule = format!("|{:-<1$}|{2:->3$}:|{2:->4$}:", "", NAME + 2, "", OURS + 1, OTHERWISE + 1);
    for column in &COLUMNS[1..] {
        let width = width(*column);
        let _ = write!(line, " | {:width$}", column.head());
        let _ = write!(rule, "|{:->1$}:", "", width + 1);
    }
    println!("{line} |\n{rule}|");
}

/// Prints how tokio's channel compares with its drop-in.
pub fn drop_in(rows: &[Row]) {
    if rows.iter().any(|row| row.series.iter().any(|series| series.column == Column::DropIn)) {
        println!("\n| {:NAME$} | {:OURS$} | tokio |", "workload", "seqcast::broadcast");
        println!("|{:-<1$}|{2:->3$}:|------:|", "", NAME + 2, "", OURS + 1);
        rows.iter().for_each(Row::print_drop_in);
    }
}

/// The median, the lowest and the highest.
fn spread(values: &[f64]) -> String {
    let (low, high) = values.iter().fold((f64::MAX, 0.0_f64), |(low, high), &value| (low.min(value), high.max(value)));
    format!("{} ({} to {})", short(median(values)), short(low), short(high))
}

impl Series {
    /// Its label, if it has one, to put after a name.
    fn suffix(&self) -> String {
        if self.label.is_empty() { String::new() } else { format!(" ({})", self.label) }
    }
}

impl Row {
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
        let ours = spread(&self.series[0].values);
        let others = &self.series[1..];
        let otherwise = self.cell(others.iter().filter(|series| series.column == Column::Seqcast));
        let name = format!("{}, {}", self.name, self.unit);
        let mut line = format!("| {name:NAME$} | {ours:>OURS$} | {otherwise:>OTHERWISE$}");
        for column in &COLUMNS[1..] {
            let width = width(*column);
            let _ = write!(line, " | {:>width$}", self.cell(others.iter().filter(|series| series.column == *column)));
        }
        println!("{line} |");
        let _ = io::stdout().flush();
    }

    /// The time of the drop-in, and tokio's time divided by it.
    fn print_drop_in(&self) {
        for drop_in in self.series.iter().filter(|series| series.column == Column::DropIn) {
            // A variant that tokio does not have is compared with tokio's only one.
            let tokio = self.find(Column::Tokio, drop_in.label).or_else(|| self.find(Column::Tokio, ""));
            if let Some(tokio) = tokio {
                let name = format!("{}, {}{}", self.name, self.unit, drop_in.suffix());
                println!("| {name:NAME$} | {:>OURS$} | {:>5} |", spread(&drop_in.values), short(tokio.over(drop_in)));
            }
        }
    }

    /// Memory in numbers, since it is the same on every machine.
    pub fn print_bytes(&self) {
        if self.unit == BYTES {
            let one = |series: &Series| {
                format!("{}{} {}", series.column.title(), series.suffix(), short(median(&series.values)))
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

impl Workload {
    /// Its first measure, as an earlier run wrote it; `None` if that run left the workload out.
    pub fn parse_csv(&self, lines: &str) -> Option<Row> {
        let (measure, unit) = self.measures[0];
        let name = format!("{}{measure}", self.name);
        let mut series: Vec<_> = self.runs.iter().map(Series::of).collect();
        for series in &mut series {
            let start = format!("\"{name}\",{unit},{},\"{}\",", series.column.title(), series.label);
            let values =
                lines.lines().filter_map(|line| line.strip_prefix(&start)?.split_once(',')?.1.parse::<f64>().ok());
            series.values.extend(values);
        }
        series.retain(|series| !series.values.is_empty());
        (!series.is_empty()).then_some(Row { name, unit, series, point: self.point })
    }
}
