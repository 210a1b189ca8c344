//! What is timed, one file each. Nothing is spawned inside the timed region, and every message that is read is checked, in its order.
//! Nothing is lost, unless the workload says so: publishers keep within half a ring of the slowest reader, by a mark that each reader
//! leaves every now and then.

mod idle;
mod lag;
mod memory;
mod parked;
mod publishers;
mod round_trip;
mod same_thread;
mod streaming;
mod tasks;
mod unpaced;

pub use idle::idle;
pub use lag::{lagged, overtaken};
pub use memory::bytes_a_slot;
pub use parked::parked;
pub use publishers::publishers;
pub use round_trip::round_trip;
pub use same_thread::same_thread;
pub use streaming::streaming;
pub use tasks::{Place, tasks};
pub use unpaced::unpaced;

use std::hint::spin_loop;
use std::thread;

/// Slots of the rings between threads.
pub const SLOTS: usize = 1 << 13;
pub const CAPACITY: u64 = SLOTS as u64;

fn size(count: u64) -> usize {
    usize::try_from(count).expect("it fits into memory")
}

/// How those wait that poll: where there are more threads than cores, they must let the others run.
fn pause(threads: u64) -> impl Fn() + Copy + Send {
    let crowded = threads > crate::facts::cores();
    move || if crowded { thread::yield_now() } else { spin_loop() }
}
