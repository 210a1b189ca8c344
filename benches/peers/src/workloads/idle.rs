use std::time::Instant;

use crate::peer::Peer;
use crate::statistics::nanoseconds;

/// Nanoseconds per publish, with `idle` subscribers that do nothing. Lossy.
pub fn idle<P: Peer>(idle: usize, messages: u64) -> f64 {
    let (mut tx, rxs) = P::ring(1024, idle);
    let began = Instant::now();
    (0..messages).for_each(|number| P::publish(&mut tx, number));
    let took = began.elapsed();
    drop(rxs);
    nanoseconds(took, messages)
}
