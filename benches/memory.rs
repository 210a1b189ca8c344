//! How much memory does a slot take, and each handle? `cargo bench --bench memory`
//!
//! Counted by the allocator; *touched* is what the pages that were written to hold (Linux). No time is measured.
#![allow(unsafe_code, reason = "a global allocator that counts")]

use seqcast::{Publisher, Storage, Subscriber};
use std::alloc::{GlobalAlloc, Layout, System};
use std::env;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

struct Counting;

/// Bytes allocated and not freed.
static LIVE: AtomicI64 = AtomicI64::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(size: usize, sign: i64) {
    LIVE.fetch_add(sign * i64::try_from(size).unwrap_or(0), Ordering::Relaxed);
}

// SAFETY: hands everything on to the system's allocator, and neither allocates nor panics itself.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    // Its own, lest it be written with zeros: pages that nobody writes to stay untouched.
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Bytes of this process that are in memory.
fn resident() -> Option<i64> {
    let maps = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let kilobytes = maps.lines().find_map(|line| line.strip_prefix("Rss:"))?.trim().strip_suffix(" kB")?;
    Some(kilobytes.parse::<i64>().ok()? * 1024)
}

/// Which row a process is for.
const ROW: &str = "SEQCAST_BENCH_ROW";
const SLOTS: i64 = 1 << 18;
const HANDLES: i64 = 1000;

/// Bytes allocated by `make`, for each of `parts`.
fn each<R>(parts: i64, make: impl FnOnce() -> R) -> (i64, R) {
    let before = LIVE.load(Ordering::Relaxed);
    let result = make();
    ((LIVE.load(Ordering::Relaxed) - before) / parts, result)
}

fn row<S: Storage>(what: &str, ring: fn(usize) -> (Publisher<S>, Subscriber<S>), message: impl Fn(i64) -> S::Item) {
    let capacity = usize::try_from(SLOTS).expect("it fits");
    let before = resident();
    let (empty, (mut publisher, subscriber)) = each(SLOTS, || ring(capacity));
    let mut publish = |number| {
        publisher.publish(message(number));
    };
    let (messages, ()) = each(SLOTS, || (0..SLOTS).for_each(&mut publish));
    let touched = before.and_then(|before| Some((resident()? - before) / SLOTS));
    let (later, ()) = each(SLOTS, || (0..4 * SLOTS).for_each(&mut publish));
    let (a_subscriber, subscribers) = each(HANDLES, || (0..HANDLES).map(|_| subscriber.clone()).collect::<Vec<_>>());
    drop(subscribers);
    let publisher = publisher.share();
    let (a_publisher, publishers) = each(HANDLES, || (0..HANDLES).map(|_| publisher.clone()).collect::<Vec<_>>());
    drop(publishers);
    let (size, full) = (size_of::<S::Item>(), empty + messages);
    let touched = touched.map_or_else(|| "?".to_owned(), |bytes| bytes.to_string());
    println!("{what:<28}{size:>7}{empty:>7}{full:>7}{touched:>9}{later:>8}{a_subscriber:>12}{a_publisher:>11}");
    assert!(later == 0, "a ring must not grow");
}

const TEXT: &str = "a text of sixty-four bytes, as long as one line of cache is wide";

const ROWS: [fn(); 9] = [
    || row("inline u8", seqcast::inline, |number| u8::try_from(number % 256).unwrap()),
    || row("inline u64", seqcast::inline, i64::unsigned_abs),
    || row("inline [u64; 8]", seqcast::inline, |number| [number; 8]),
    || row("inline [u64; 64]", seqcast::inline, |number| [number; 64]),
    || row("boxed u64", seqcast::boxed, i64::unsigned_abs),
    || row("boxed [u64; 8]", seqcast::boxed, |number| [number; 8]),
    || row("boxed [u64; 64]", seqcast::boxed, |number| [number; 64]),
    || row("boxed String of 64 bytes", seqcast::boxed, |_| TEXT.to_owned()),
    || {
        let text: Arc<str> = TEXT.into();
        row("boxed Arc<str>, one for all", seqcast::boxed, |_| Arc::clone(&text));
    },
];

/// Each row in a process of its own: what one gives back, the next would use again.
fn main() {
    if let Ok(index) = env::var(ROW) {
        return ROWS[index.parse::<usize>().expect("a row")]();
    }
    println!(
        "bytes: for each of {SLOTS} slots (made, full, touched, and what four more laps add), and for each handle\n"
    );
    println!("message                        size   made   full  touched   added  subscriber  publisher");
    for index in 0..ROWS.len() {
        let mut row = Command::new(env::current_exe().expect("a path"));
        let status = row.env(ROW, index.to_string()).status().expect("it runs");
        assert!(status.success());
    }
}
