//! What it means to weaken an operation by one step.

use std::ops::Range;

use crate::sources::Operation;

/// A change of a source file.
#[derive(Debug)]
pub(crate) struct Weakening {
    /// What it becomes: `Relaxed`, or `nothing`; for the second ordering of an operation, `… on failure`.
    pub(crate) to: String,
    /// In bytes of the file.
    pub(crate) at: Range<usize>,
    pub(crate) replacement: String,
}

/// All ways to weaken it by one step. None if it is as weak as can be.
pub(crate) fn weakenings(operation: &Operation) -> Vec<Weakening> {
    let mut all = Vec::new();
    if operation.is_fence() {
        // `true` for a barrier that says whether it happened.
        let nothing = if operation.call == "heavy_barrier" { "true" } else { "()" };
        all.push(Weakening { to: "nothing".to_owned(), at: operation.whole.clone(), replacement: nothing.to_owned() });
    }
    if ["full_fence", "fence_after_exchange"].contains(&operation.call.as_str()) {
        let replacement = "crate::sync::fence(crate::sync::Ordering::AcqRel)".to_owned();
        all.push(Weakening { to: "AcqRel".to_owned(), at: operation.whole.clone(), replacement });
    }
    for (number, (name, at)) in operation.orderings.iter().enumerate().filter(|(_, (_, at))| !at.is_empty()) {
        let weaker: &[&str] = match (name.as_str(), operation.is_fence()) {
            ("AcqRel", false) => &["Acquire", "Release"],
            ("Acquire" | "Release", false) => &["Relaxed"],
            ("SeqCst", _) => &["AcqRel"],
            _ => &[],
        };
        for weaker in weaker {
            let to = if number == 0 { (*weaker).to_owned() } else { format!("{weaker} on failure") };
            all.push(Weakening { to, at: at.clone(), replacement: (*weaker).to_owned() });
        }
    }
    all
}
