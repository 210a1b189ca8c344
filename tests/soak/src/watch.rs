//! Violations, unexpected panics, and the end of the run.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::common::{lock, panics};
use crate::tally::{self, Count};

/// The number of violations that are printed.
const PRINTED: u64 = 10;

static OVER: AtomicBool = AtomicBool::new(false);
static SEED: AtomicU64 = AtomicU64::new(0);
static FIRST: Mutex<Option<String>> = Mutex::new(None);

/// Panics deliberately.
pub(crate) fn throw() -> ! {
    tally::add(Count::Panics, 1);
    panics::throw()
}

/// Runs `code`. Returns `None` if it panicked. The panic hook reports unexpected panics.
pub(crate) fn catch<R>(code: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(code)).ok()
}

/// Reports a violation, and ends the run.
#[cold]
pub(crate) fn violation(what: impl Display) {
    tally::add(Count::Violations, 1);
    if tally::get(Count::Violations) <= PRINTED {
        eprintln!("VIOLATION (seed {}): {what}", seed());
        lock(&FIRST).get_or_insert_with(|| what.to_string());
    }
    end();
}

/// The first violation, for the last line of the output.
pub(crate) fn first_violation() -> Option<String> {
    lock(&FIRST).clone()
}

/// Reports a violation unless the condition holds.
macro_rules! check {
    ($holds:expr, $($what:tt)*) => {
        if !$holds {
            crate::watch::violation(format_args!($($what)*));
        }
    };
}
pub(crate) use check;

pub(crate) fn end() {
    OVER.store(true, Relaxed);
}

pub(crate) fn is_over() -> bool {
    OVER.load(Relaxed)
}

pub(crate) fn seed() -> u64 {
    SEED.load(Relaxed)
}

/// Counts unexpected panics as violations, and hides deliberate ones.
pub(crate) fn begin(seed: u64) {
    SEED.store(seed, Relaxed);
    let default_hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        default_hook(panic);
        violation("an unexpected panic");
    }));
    panics::hide_planned();
}
