//! Deliberate panics, which print nothing.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::panic::panic_any;
use std::sync::Once;

/// The payload of deliberate panics.
#[derive(Debug)]
pub(crate) struct Planned;

/// Hides deliberate panics from the current panic hook.
pub(crate) fn hide_planned() {
    static HIDDEN: Once = Once::new();
    HIDDEN.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic.payload().is::<Planned>() {
                loud(panic);
            }
        }));
    });
}

/// Panics without output.
pub(crate) fn throw() -> ! {
    hide_planned();
    panic_any(Planned)
}

/// Whether `code` panicked deliberately.
pub(crate) fn throws<R>(code: impl FnOnce() -> R) -> bool {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(code)) {
        Ok(_) => false,
        Err(thrown) if thrown.is::<Planned>() => true,
        Err(thrown) => std::panic::resume_unwind(thrown),
    }
}
