//! What is timed, one file each. Nothing is spawned inside the timed region, and every message that is read is checked, in its order.
//! Nothing is lost, unless the workload says so: publishers keep within half a ring of the slowest reader, by a mark that each reader
//! leaves every now and then. In the lossless workloads they publish without a look at the readers, and the ring makes them wait.

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

/// Publishes each of these numbers and has every reader take it, all on this thread.
fn pass<P: Peer>(tx: &mut P::Tx, rxs: &mut [P::Rx], numbers: Range<u64>) {
    for number in numbers {
        P::publish(tx, number);
        for rx in &mut *rxs {
            assert!(P::poll(rx) == Some(P::seen(number)));
        }
    }
}

/// How those wait that poll: where there are more threads than cores, they must let the others run.
fn pause(threads: u64) -> impl Fn() + Copy + Send {
    let crowded = threads > crate::facts::cores();
    move || if crowded { thread::yield_now() } else { spin_loop() }
}
