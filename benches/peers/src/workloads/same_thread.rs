use std::time::Instant;

use super::{pass, size};
use crate::peer::Peer;
use crate::statistics::nanoseconds;

/// Nanoseconds a delivery: one thread publishes and has each of `readers` take the message.
pub fn same_thread<P: Peer>(capacity: usize, readers: u64, deliveries: u64) -> f64 {
    let (mut tx, mut rxs) = P::ring(capacity, size(readers));
    let messages = deliveries / readers;
    // A lap, so that the memory is there.
    let warm = capacity as u64;
    pass::<P>(&mut tx, &mut rxs, 0..warm);
    let began = Instant::now();
    pass::<P>(&mut tx, &mut rxs, warm..warm + messages);
    nanoseconds(began.elapsed(), messages * readers)
}
