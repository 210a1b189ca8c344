//! Not a peer: the least that waking needs. A number and a waker per task, without slots, lag or end. A
//! suspended publisher blocks all others.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::task::Poll;

use atomic_waker::AtomicWaker;

use crate::column::Column;
use crate::peer::{Async, Peer};

pub struct Shared {
    published: AtomicU64,
    wakers: Vec<AtomicWaker>,
}

pub struct Reader {
    shared: Arc<Shared>,
    at: usize,
    next: u64,
}

pub struct Bare;

impl Peer for Bare {
    const COLUMN: Column = Column::Machine;
    type Tx = Arc<Shared>;
    type Rx = Reader;

    fn ring(_: usize, readers: usize) -> (Self::Tx, Vec<Self::Rx>) {
        let wakers = (0..readers).map(|_| AtomicWaker::new()).collect();
        let shared = Arc::new(Shared { published: AtomicU64::new(0), wakers });
        let reader = |at| Reader { shared: Arc::clone(&shared), at, next: 0 };
        let rxs = (0..readers).map(reader).collect();
        (shared, rxs)
    }

    fn publish(tx: &mut Self::Tx, number: u64) {
        tx.published.store(number + 1, Ordering::Release);
        fence(Ordering::SeqCst);
        tx.wakers.iter().for_each(AtomicWaker::wake);
    }

    fn poll(rx: &mut Self::Rx) -> Option<u64> {
        if rx.shared.published.load(Ordering::Acquire) == rx.next {
            return None;
        }
        rx.next += 1;
        Some(rx.next - 1)
    }
}

impl Async for Bare {
    async fn next(rx: &mut Self::Rx) -> u64 {
        let next = poll_fn(|cx| {
            if let Some(number) = Self::poll(rx) {
                return Poll::Ready(number);
            }
            rx.shared.wakers[rx.at].register(cx.waker());
            fence(Ordering::SeqCst);
            Self::poll(rx).map_or(Poll::Pending, Poll::Ready)
        });
        next.await
    }
}
