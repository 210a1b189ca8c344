use std::time::Instant;

use super::{pass, size};
use crate::peer::Peer;
use crate::statistics::nanoseconds;

/// Nanoseconds per delivery. One thread publishes, and receives the message with each of `readers`.
pub fn same_thread<P: Peer>(capacity: usize, readers: u64, deliveries: u64) -> f64 {
    let (mut tx, mut rxs) = P::ring(capacity, size(readers));
    let messages = deliveries / readers;
    // One lap first, so that the memory is mapped.
    let warm = capacity as u64;
    pass::<P>(&mut tx, &mut rxs, 0..warm);
    let began = Instant::now();
    pass::<P>(&mut tx, &mut rxs, warm..warm + messages);
    nanoseconds(began.elapsed(), messages * readers)
}
