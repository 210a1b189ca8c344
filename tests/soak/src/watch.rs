//! Who notices when something is wrong: violations, and panics that nobody planned.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::common::{lock, panics};
use crate::tally::{self, Count};

/// Violations that are told in full.
const TOLD: u64 = 10;

static OVER: AtomicBool = AtomicBool::new(false);
static SEED: AtomicU64 = AtomicU64::new(0);
static FIRST: Mutex<Option<String>> = Mutex::new(None);

/// Panics on purpose.
pub(crate) fn throw() -> ! {
    tally::add(Count::Panics, 1);
    panics::throw()
}

/// Runs `code`; `None` if it panicked. (If that was not on purpose, the hook told it.)
pub(crate) fn catch<R>(code: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(code)).ok()
}

/// Tells a violation, and ends the run.
#[cold]
pub(crate) fn violation(what: impl Display) {
    tally::add(Count::Violations, 1);
    if tally::get(Count::Violations) <= TOLD {
        eprintln!("VIOLATION (seed {}): {what}", seed());
        lock(&FIRST).get_or_insert_with(|| what.to_string());
    }
    end();
}

/// The first violation, for the last line of the output.
pub(crate) fn first_violation() -> Option<String> {
    lock(&FIRST).clone()
}

/// Tells a violation unless the first holds.
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

/// Counts panics that nobody planned as violations, and keeps the planned ones quiet.
pub(crate) fn begin(seed: u64) {
    SEED.store(seed, Relaxed);
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        loud(panic);
        violation("a panic that nobody planned");
    }));
    panics::hide_planned();
}
