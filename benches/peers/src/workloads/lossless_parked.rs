use super::lossless::stream;
use crate::peer::{Blocking, Lossless};

/// Nanoseconds per message to `readers` threads that sleep while the ring is empty.
pub fn lossless_parked<P: Blocking + Lossless>(readers: u64, messages: u64) -> f64 {
    stream::<P>(readers, messages, |rx, messages| {
        for number in 0..messages {
            assert_eq!(P::wait(rx), P::seen(number));
        }
    })
}
