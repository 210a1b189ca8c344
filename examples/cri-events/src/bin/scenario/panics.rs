//! Counts panics, on any thread and in any task.

use std::panic;
use std::sync::atomic::{AtomicU32, Ordering};

static PANICS: AtomicU32 = AtomicU32::new(0);

/// Counts panics from now on, and prints a line for each.
pub(crate) fn count() {
    panic::set_hook(Box::new(|panic| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        println!("  a panic: {}", panic.payload_as_str().unwrap_or("?"));
    }));
}

/// The number of panics so far.
pub(crate) fn so_far() -> u32 {
    PANICS.load(Ordering::SeqCst)
}
