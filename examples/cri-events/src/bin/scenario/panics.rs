//! Counts panics, on whatever thread or task.

use std::panic;
use std::sync::atomic::{AtomicU32, Ordering};

static PANICS: AtomicU32 = AtomicU32::new(0);

/// From now on. Each is told in a line.
pub(crate) fn count() {
    panic::set_hook(Box::new(|panic| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        println!("  a panic: {}", panic.payload_as_str().unwrap_or("?"));
    }));
}

/// How many there were.
pub(crate) fn so_far() -> u32 {
    PANICS.load(Ordering::SeqCst)
}
