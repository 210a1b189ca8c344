//! The workloads, one file each. Nothing is spawned inside the timed region. Readers check every
//! message and its order.
//!
//! Nothing is lost, unless the workload is lossy: publishers stay within half a ring of the slowest
//! reader, and each reader stores its position from time to time. In the lossless workloads,
//! publishers do not check the readers, because the ring makes them wait.

mod contention;
mod idle;
mod lag;
mod lossless;
mod lossless_parked;
mod lossless_publishers;
mod lossless_tasks;
mod memory;
mod parked;
mod publishers;
mod round_trip;
mod same_thread;
mod sleepers;
mod streaming;
mod tasks;
mod turns;
mod unpaced;

pub use contention::{contention, work_takes};
pub use idle::idle;
pub use lag::{lagged, overtaken};
pub use lossless::lossless;
pub use lossless_parked::lossless_parked;
pub use lossless_publishers::lossless_publishers;
pub use lossless_tasks::lossless_tasks;
pub use memory::bytes_a_slot;
pub use parked::parked;
pub use publishers::publishers;
pub use round_trip::round_trip;
pub use same_thread::same_thread;
pub use sleepers::sleepers;
pub use streaming::{batches, published_in_batches, streaming, streaming_with_pauses};
pub use tasks::{Place, tasks};
pub use unpaced::unpaced;

use std::hint::spin_loop;
use std::ops::Range;
use std::thread;

use turns::Turns;

use crate::peer::Peer;

/// Slots of the rings between threads.
pub const SLOTS: usize = 1 << 13;
pub const CAPACITY: u64 = SLOTS as u64;
/// Slots of the rings that make their publishers wait.
const LOSSLESS_SLOTS: usize = 1024;

fn size(count: u64) -> usize {
    usize::try_from(count).expect("it fits into memory")
}

/// Publishes each of these numbers. Every reader receives it before the next. All on this thread.
fn pass<P: Peer>(tx: &mut P::Tx, rxs: &mut [P::Rx], numbers: Range<u64>) {
    for number in numbers {
        P::publish(tx, number);
        for rx in &mut *rxs {
            assert!(P::poll(rx) == Some(P::seen(number)));
        }
    }
}

/// How a polling thread waits. With more threads than cores, it must yield to the others.
fn pause(threads: u64) -> impl Fn() + Copy + Send {
    let crowded = threads > crate::facts::cores();
    move || if crowded { thread::yield_now() } else { spin_loop() }
}
