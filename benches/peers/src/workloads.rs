//! What is timed, one file each. Nothing is spawned inside the timed region, and every message that is read is checked, in its order.
//! Nothing is lost, unless the workload says so: publishers keep within half a ring of the slowest reader, by a mark that each reader
//! leaves every now and then.

mod idle;
mod memory;
mod parked;
mod publishers;
mod round_trip;
mod same_thread;
mod streaming;
mod tasks;
mod unpaced;

pub use idle::idle;
pub use memory::bytes_a_slot;
pub use parked::{SLEEP, parked};
pub use publishers::publishers;
pub use round_trip::round_trip;
pub use same_thread::same_thread;
pub use streaming::streaming;
pub use tasks::{Place, tasks};
pub use unpaced::unpaced;

use std::hint::spin_loop;
use std::thread;
use std::time::Duration;

/// Slots of the rings between threads.
const CAPACITY: u64 = 1 << 13;

fn size(count: u64) -> usize {
    usize::try_from(count).expect("it fits into memory")
}

/// Each of `count`.
#[allow(clippy::cast_precision_loss)]
pub fn nanoseconds(time: Duration, count: u64) -> f64 {
    time.as_nanos() as f64 / count as f64
}

pub fn microseconds(time: Duration) -> f64 {
    nanoseconds(time, 1000)
}

/// How those wait that poll: where there are more threads than cores, they must let the others run.
fn pause(threads: u64) -> impl Fn() + Copy + Send {
    let crowded = threads > crate::cores();
    move || if crowded { thread::yield_now() } else { spin_loop() }
}
