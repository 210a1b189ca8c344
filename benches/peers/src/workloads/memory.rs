use crate::counting::allocated;
use crate::peer::Peer;

/// The bytes per slot of a full ring with one reader.
#[allow(clippy::cast_precision_loss)]
pub fn bytes_a_slot<P: Peer>(capacity: u64) -> f64 {
    let (bytes, ring) = allocated(|| {
        let (mut tx, rxs) = P::ring(super::size(capacity), 1);
        (0..capacity).for_each(|number| P::publish(&mut tx, number));
        (tx, rxs)
    });
    drop(ring);
    bytes as f64 / capacity as f64
}
