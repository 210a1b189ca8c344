//! The table of `docs/orderings.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) label: String,
    pub(crate) partners: Vec<String>,
    /// The tests that fail if the operation is weaker: `loom::MODULE::NAME`, or `FILE::NAME` for
    /// one of `tests`.
    pub(crate) tests: Vec<String>,
    /// The weaker orderings with which no test fails, each with the argument (`A1`) for keeping the
    /// stronger one.
    pub(crate) argued: BTreeMap<String, String>,
}

/// Returns all rows, and the names of the arguments (`A1`) in the document.
pub(crate) fn read(root: &Path) -> (Vec<Row>, Vec<String>) {
    let text = fs::read_to_string(root.join("docs/orderings.md")).unwrap();
    let (mut rows, mut arguments) = (Vec::new(), Vec::new());
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("### A") {
            arguments.push(format!("A{}", heading.split('.').next().unwrap()));
        } else if line.starts_with("| `") {
            rows.push(row(line));
        }
    }
    (rows, arguments)
}

fn row(line: &str) -> Row {
    let cells: Vec<_> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
    let [label, partners, _breaks, shown] = cells[..] else {
        panic!("expected 4 cells, found {}: {line}", cells.len());
    };
    Row {
        label: label.trim_matches('`').to_owned(),
        partners: quoted(partners),
        tests: quoted(shown),
        argued: shown.split('(').skip(1).filter_map(|inside| inside.split(')').next()).map(pair).collect(),
    }
}

/// Parses `Relaxed: A1`.
fn pair(inside: &str) -> (String, String) {
    let (weaker, argument) =
        inside.split_once(": ").unwrap_or_else(|| panic!("expected `weaker: argument`, found {inside}"));
    (weaker.to_owned(), argument.to_owned())
}

fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
