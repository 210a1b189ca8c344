//! Who notices when something is wrong: violations, unexpected panics, and hangs.

use std::fmt::{self, Display};
use std::panic::panic_any;
use std::process::exit;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::tally::{self, Count};

/// What somebody is doing right now, for whoever looks at a hang.
#[derive(Debug)]
pub(crate) struct Mark {
    who: &'static str,
    id: u64,
    doing: Mutex<&'static str>,
}

impl Mark {
    pub(crate) fn new(who: &'static str, id: u64) -> Self {
        Self { who, id, doing: Mutex::new("begins") }
    }

    pub(crate) fn set(&self, doing: &'static str) {
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = doing;
    }
}

impl Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.who, self.id, self.doing.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Violations that are told in full.
const TOLD: u64 = 10;

static OVER: AtomicBool = AtomicBool::new(false);
static SEED: AtomicU64 = AtomicU64::new(0);
static PATIENCE: OnceLock<Duration> = OnceLock::new();
static BEATS: [Beat; 16] = [const { Beat(AtomicU64::new(0)) }; 16];
/// What the ring of each lane looks like right now.
static VIEWS: Mutex<Vec<Option<View>>> = Mutex::new(Vec::new());

type View = Box<dyn Fn() -> String + Send>;

#[repr(align(128))]
struct Beat(AtomicU64);

/// What is thrown on purpose.
#[derive(Debug)]
pub(crate) struct Planned;

/// Panics on purpose.
pub(crate) fn throw() -> ! {
    tally::add(Count::Panics, 1);
    panic_any(Planned)
}

/// Runs `code`; `None` if it threw on purpose. (Anything else was told by the hook.)
pub(crate) fn catch<R>(code: impl FnOnce() -> R) -> Option<R> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(code)).ok()
}

/// Tells a violation, and ends the run.
#[cold]
pub(crate) fn violation(what: impl Display) {
    tally::add(Count::Violations, 1);
    if tally::get(Count::Violations) <= TOLD {
        eprintln!("VIOLATION (seed {}): {what}", SEED.load(Relaxed));
    }
    end();
}

/// Tells a violation unless `holds`.
#[inline]
pub(crate) fn check<D: Display>(holds: bool, what: impl FnOnce() -> D) {
    if !holds {
        violation(what());
    }
}

pub(crate) fn end() {
    OVER.store(true, Relaxed);
}

pub(crate) fn is_over() -> bool {
    OVER.load(Relaxed)
}

/// Something was published or received, or came, or went, in this lane.
pub(crate) fn beat(lane: usize) {
    BEATS[lane].0.fetch_add(1, Relaxed);
}

/// Shows a lane's ring to whoever looks at a hang.
pub(crate) fn show(lane: usize, view: Option<View>) {
    let mut views = VIEWS.lock().unwrap_or_else(PoisonError::into_inner);
    while views.len() <= lane {
        views.push(None);
    }
    let _before = std::mem::replace(&mut views[lane], view);
}

/// Counts panics that nobody planned as violations, and keeps the planned ones quiet.
pub(crate) fn set_panic_hook(seed: u64) {
    SEED.store(seed, Relaxed);
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.payload().is::<Planned>() {
            loud(panic);
            violation("a panic that nobody planned");
        }
    }));
}

/// Ends the process when a lane makes no progress for `patience`.
pub(crate) fn start_watchdog(lanes: usize, patience: Duration) {
    PATIENCE.get_or_init(|| patience);
    let watch = move || {
        let now = Instant::now();
        let mut seen = vec![(0, now); lanes];
        loop {
            thread::sleep(Duration::from_millis(100));
            for (lane, (beats, since)) in seen.iter_mut().enumerate() {
                let now = BEATS[lane].0.load(Relaxed);
                if now != *beats {
                    (*beats, *since) = (now, Instant::now());
                } else if since.elapsed() > patience && now != u64::MAX {
                    hang(lane, "no progress");
                }
            }
        }
    };
    thread::Builder::new().name("watchdog".to_owned()).spawn(watch).expect("a thread for the watchdog");
}

/// The lane is done: nothing more is to be seen there.
pub(crate) fn rest(lane: usize) {
    BEATS[lane].0.store(u64::MAX, Relaxed);
}

/// How long to wait for what must come.
pub(crate) fn patience() -> Duration {
    PATIENCE.get().copied().unwrap_or(Duration::MAX)
}

/// Tells what everybody is doing, and ends the process.
pub(crate) fn hang(lane: usize, what: impl Display) -> ! {
    let seed = SEED.load(Relaxed);
    eprintln!("HANG (seed {seed}): in lane {lane}, {what} for {:?}", patience());
    let views = VIEWS.lock().unwrap_or_else(PoisonError::into_inner);
    for (lane, view) in views.iter().enumerate() {
        if let Some(view) = view {
            eprintln!("lane {lane}: {}", view());
        }
    }
    eprintln!("{}", tally::table());
    exit(3)
}
