//! Each atomic operation and fence has a comment with a label and a reason. If it could be weaker,
//! it has a row in `docs/orderings.md`.
//!
//! `tests/weaken` checks that each is as strong as necessary, and no stronger:
//!
//! `cargo run --release -p seqcast-weaken`
#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

#[allow(dead_code, reason = "only `tests/weaken` uses it")]
mod sources;
mod table;
#[allow(dead_code, reason = "only `tests/weaken` uses it")]
mod weakening;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn what_is_stronger_than_relaxed_has_a_row() {
    let operations = sources::operations(root()).unwrap_or_else(|wrong| panic!("{wrong}"));
    let (rows, _) = table::read(root());
    let code: BTreeSet<_> = operations.iter().map(|operation| &*operation.label).collect();
    assert_eq!(code.len(), operations.len(), "the code has the same label twice");
    let strong: Vec<_> =
        operations.iter().filter(|o| !weakening::weakenings(o).is_empty()).map(|o| &*o.label).collect();
    let mut listed: Vec<_> = rows.iter().map(|row| &*row.label).collect();
    for label in &strong {
        assert!(listed.contains(label), "{label} has no row");
    }
    for label in &listed {
        assert!(strong.contains(label), "{label} is not an operation that could be weaker");
    }
    listed.sort_unstable();
    listed.dedup();
    assert_eq!(listed.len(), rows.len(), "the table has the same label twice");
}

#[test]
fn each_row_names_what_there_is() {
    let operations = sources::operations(root()).unwrap_or_else(|wrong| panic!("{wrong}"));
    let (rows, arguments) = table::read(root());
    for row in &rows {
        let label = &row.label;
        for partner in &row.partners {
            assert!(
                operations.iter().any(|operation| operation.label == *partner),
                "{label}: there is no operation {partner}"
            );
            let back = rows.iter().find(|row| row.label == *partner).map(|row| &row.partners);
            assert!(
                back.is_none_or(|partners| partners.contains(label)),
                "{partner} does not name its partner {label}"
            );
        }
        for test in &row.tests {
            let (file, name) =
                test.rsplit_once("::").unwrap_or_else(|| panic!("{label}: the test has no module: {test}"));
            let file = root().join("tests").join(file.replace("::", "/")).with_extension("rs");
            let text = fs::read_to_string(&file).unwrap_or_else(|_| panic!("{label}: there is no file of {test}"));
            assert!(text.contains(&format!("fn {name}()")), "{label}: there is no test {test}");
        }
        for argument in row.argued.values() {
            assert!(arguments.contains(argument), "{label}: there is no argument {argument}");
        }
        let operation = operations.iter().find(|operation| operation.label == *label).unwrap();
        let weaker: Vec<_> = weakening::weakenings(operation).into_iter().map(|weakening| weakening.to).collect();
        for argued in row.argued.keys() {
            assert!(weaker.contains(argued), "{label} cannot become {argued}");
        }
        assert!(
            !row.tests.is_empty() || row.argued.len() == weaker.len(),
            "{label} has neither a test nor an argument for each of {weaker:?}"
        );
    }
}

/// Each of these has an operation without a label, in a form that a text search could miss.
const HIDDEN: [&str; 22] = [
    "fn f(a: &AtomicU32) { AtomicU32::store(a, 1, Ordering::Relaxed); }",
    "fn f(a: &AtomicU32) { (&&a).store(1, Ordering::Relaxed); }",
    "fn f(a: &AtomicU32) { let _ = a.fetch_update(Ordering::Relaxed, Ordering::Relaxed, Some); }",
    "fn f(a: &AtomicU32) { assert!(a.load(Ordering::Relaxed) == 1); }",
    "fn f(a: &AtomicU32) { assert!(a.load(Ordering :: Relaxed) == 1); }",
    "fn f(a: &AtomicU32) { assert!(a.load(Ordering::\n Relaxed) == 1); }",
    "fn f(a: &AtomicU32) { let _ = \"//\"; assert!(a.load(Ordering::Relaxed) == 1); }",
    "macro_rules! m { ($a:expr, $o:ident) => { $a.load(Ordering::$o) } }",
    "use crate::sync::Ordering as O; fn f(a: &AtomicU32) { a.store(1, O::SeqCst); }",
    "use crate::sync::Ordering::*; fn f(a: &AtomicU32) { a.store(1, SeqCst); }",
    "use crate::sync::Ordering::SeqCst; fn f(a: &AtomicU32) { a.store(1, SeqCst); }",
    "use crate::sync::Ordering::{Relaxed as Weak}; fn f(a: &AtomicU32) { a.store(1, Weak); }",
    "use crate::sync::Ordering::{Relaxed}; fn f(a: &AtomicU32) { a.store(1, Relaxed); }",
    "const ORDER: Ordering = Ordering::Relaxed; fn f(a: &AtomicU32) { a.store(1, ORDER); }",
    "fn f(a: &AtomicU32, order: Ordering) { a.store(1, order); }",
    "fn f(order: Ordering, a: &AtomicU32) { a.store(1, order); }",
    "#[cfg(any(test, unix))] mod m { fn f(a: &AtomicU32) { a.store(1, Ordering::Relaxed); } }",
    "fn f(a: &AtomicU32) { let _ = \"// [a.b]\"; a.store(1, Ordering::Relaxed); }",
    "use crate::sync::full_fence as f; fn g() { f(); }",
    "use crate::sync::full_fence; fn g() { (full_fence)(); }",
    "use crate::sync::heavy_barrier; fn g() { assert!(heavy_barrier()); }",
    "use crate::sync::full_fence; fn g() { let f = full_fence; f(); }",
];

#[test]
fn no_operation_hides() {
    for text in HIDDEN {
        assert!(sources::of_file("hidden.rs", text).is_err(), "overlooked: {text}");
    }
    let plain = "use crate::sync::{AtomicU32, Ordering};\n// [a.b] Relaxed: a test\nfn f(a: &AtomicU32) { a.store(1, Ordering::Relaxed); }";
    assert!(sources::of_file("plain.rs", plain).is_ok_and(|found| found.len() == 1));
    let unexplained = plain.replace("Relaxed: a test", "");
    assert!(sources::of_file("plain.rs", &unexplained).is_err_and(|wrong| wrong.contains("no reason")));
}
