//! Calls of the user's code by somebody who has nothing to do with it.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a user's code that has nothing to do with the caller. What it panics with was shown by the panic hook, and ends here.
pub(crate) fn contain(code: impl FnOnce()) {
    let mut outcome = catch_unwind(AssertUnwindSafe(code));
    // What was thrown is dropped by the user's code too, which may throw again; at some point it is let go.
    for _ in 0..3 {
        let Err(thrown) = outcome else { return };
        outcome = catch_unwind(AssertUnwindSafe(|| drop(thrown)));
    }
    std::mem::forget(outcome);
}
