//! The watchdog: ends the process if a ring makes no progress, and prints what each publisher and
//! subscriber was doing.

use std::fmt::Display;
use std::process::exit;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::lock;
use crate::options::LANES;
use crate::{tally, watch};

/// The beat count of a lane that has ended.
const AT_REST: u64 = u64::MAX;

static PATIENCE: OnceLock<Duration> = OnceLock::new();
static LIVES: [Lane; LANES] =
    [const { Lane { beats: AtomicU64::new(0), ring: Mutex::new(None), marks: Mutex::new(Vec::new()) } }; LANES];

/// One ring after another, as the watchdog sees them.
#[repr(align(128))]
struct Lane {
    beats: AtomicU64,
    ring: Mutex<Option<View>>,
    marks: Mutex<Vec<Weak<Mark>>>,
}

/// Describes the current state of a ring.
type View = Box<dyn Fn() -> String + Send>;

/// What a publisher or subscriber is doing now.
pub(crate) struct Mark {
    who: &'static str,
    id: u64,
    doing: Mutex<&'static str>,
}

impl Mark {
    pub(crate) fn set(&self, doing: &'static str) {
        *lock(&self.doing) = doing;
    }
}

/// Makes a mark. The watchdog forgets it after its last reference was dropped.
pub(crate) fn mark(lane: usize, who: &'static str, id: u64) -> Arc<Mark> {
    let mark = Arc::new(Mark { who, id, doing: Mutex::new("begins") });
    let mut marks = lock(&LIVES[lane].marks);
    if marks.len() == marks.capacity() {
        marks.retain(|mark| mark.strong_count() > 0);
    }
    marks.push(Arc::downgrade(&mark));
    beat(lane);
    mark
}

/// Reports progress: something was published or received, or a handle was made or dropped.
pub(crate) fn beat(lane: usize) {
    LIVES[lane].beats.fetch_add(1, Relaxed);
}

/// Sets the ring of the lane.
pub(crate) fn show(lane: usize, view: Option<View>) {
    *lock(&LIVES[lane].ring) = view;
}

/// The watchdog ignores this lane from now on.
pub(crate) fn rest(lane: usize) {
    LIVES[lane].beats.store(AT_REST, Relaxed);
}

/// How long to wait for an event that must occur.
pub(crate) fn patience() -> Duration {
    PATIENCE.get().copied().unwrap_or(Duration::MAX)
}

pub(crate) fn start_watchdog(patience: Duration) {
    PATIENCE.get_or_init(|| patience);
    thread::spawn(move || {
        let mut seen = [(0, Instant::now()); LANES];
        loop {
            thread::sleep(Duration::from_millis(100));
            for (lane, (beats, since)) in seen.iter_mut().enumerate() {
                let now = LIVES[lane].beats.load(Relaxed);
                if now != *beats {
                    (*beats, *since) = (now, Instant::now());
                } else if since.elapsed() > patience && now != AT_REST && now > 0 {
                    end(lane, "no progress");
                }
            }
        }
    });
}

/// Prints what each publisher and subscriber is doing, and ends the process.
pub(crate) fn end(lane: usize, what: impl Display) -> ! {
    eprintln!("HANG (seed {}): in lane {lane}, {what} for {:?}", watch::seed(), patience());
    for (lane, Lane { ring, marks, .. }) in LIVES.iter().enumerate() {
        let Some(view) = &*lock(ring) else { continue };
        eprintln!("lane {lane}: {}", view());
        for mark in lock(marks).iter().filter_map(Weak::upgrade) {
            eprintln!("  {} {}: {}", mark.who, mark.id, lock(&mark.doing));
        }
    }
    eprintln!("{}", tally::table());
    exit(3)
}
