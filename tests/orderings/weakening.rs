//! The weakenings of an operation by one step.

use std::ops::Range;

use crate::sources::Operation;

/// A change of a source file.
#[derive(Debug)]
pub(crate) struct Weakening {
    /// The weaker ordering: `Relaxed`, or `nothing`. For the second ordering of an
    /// operation, `… on failure`.
    pub(crate) to: String,
    /// The position in bytes of the file.
    pub(crate) at: Range<usize>,
    pub(crate) replacement: String,
}

/// All ways to weaken an operation by one step. Empty if it cannot be weaker.
pub(crate) fn weakenings(operation: &Operation) -> Vec<Weakening> {
    let mut all = Vec::new();
    if operation.is_fence() {
        // A barrier that returns whether it succeeded is replaced by `true`.
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
