//! Not a peer: threads that wait for a number with `std`'s condition variable.

use std::sync::{Arc, Condvar, Mutex};

use crate::column::Column;
use crate::peer::{Blocking, Peer};

#[derive(Default)]
pub struct Shared {
    /// How many numbers were published.
    published: Mutex<u64>,
    changed: Condvar,
}

pub struct Reader {
    shared: Arc<Shared>,
    next: u64,
}

pub struct Conditional;

impl Peer for Conditional {
    const COLUMN: Column = Column::Machine;
    type Tx = Arc<Shared>;
    type Rx = Reader;

    fn ring(_: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let shared = Arc::<Shared>::default();
        let rxs = (0..readers).map(|_| Reader { shared: Arc::clone(&shared), next: 0 }).collect();
        (shared, rxs)
    }

    fn publish(tx: &mut Self::Tx, number: u64) {
        *tx.published.lock().expect("no thread panics") = number + 1;
        tx.changed.notify_all();
    }

    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        if *rx.shared.published.lock().expect("no thread panics") == rx.next {
            return None;
        }
        rx.next += 1;
        Some(rx.next - 1)
    }
}

impl Blocking for Conditional {
    fn wait(rx: &mut Self::Rx) -> u64 {
        let published = rx.shared.published.lock().expect("no thread panics");
        drop(rx.shared.changed.wait_while(published, |published| *published == rx.next));
        rx.next += 1;
        rx.next - 1
    }
}
