//! Wakers that count, run a closure, or own a value. Their atomics are from `std`, also under a
//! model checker, because they order nothing.
#![allow(dead_code, reason = "each test uses a part of it")]

use seqcast::{Receive, Subscriber};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// Counts its wakes. Its reference count is the number of its wakers, plus one.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicUsize);

impl Counter {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns the wakes since the last call.
    pub(crate) fn take(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls again while `Pending` is only a yield: the poll has woken its own task then.
pub(crate) fn past_yields<R>(woken: &Arc<Counter>, mut poll: impl FnMut(&mut Context<'_>) -> Poll<R>) -> Poll<R> {
    loop {
        woken.take();
        let polled = poll(&mut Context::from_waker(&woken.waker()));
        if polled.is_ready() || woken.count() == 0 {
            return polled;
        }
    }
}

/// The output of a future that does not have to wait. Yields are polled again.
pub(crate) fn now<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    match past_yields(&Counter::new(), |cx| future.as_mut().poll(cx)) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

struct Call<F>(F);

impl<F: Fn() + Send + Sync + 'static> Wake for Call<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

/// A waker that runs `code` at each wake.
pub(crate) fn call(code: impl Fn() + Send + Sync + 'static) -> Waker {
    Waker::from(Arc::new(Call(code)))
}

struct Owner<T>(#[allow(dead_code, reason = "owned")] Mutex<T>);

impl<T: Send + 'static> Wake for Owner<T> {
    fn wake(self: Arc<Self>) {}
}

/// A waker that does nothing, and drops `value` with its last clone.
pub(crate) fn owning(value: impl Send + 'static) -> Waker {
    Waker::from(Arc::new(Owner(Mutex::new(value))))
}

/// Registers `waker` with a subscriber that has nothing to receive.
#[track_caller]
pub(crate) fn park<S: Receive>(subscriber: &mut Subscriber<S>, waker: &Waker) {
    assert!(
        subscriber.poll_recv(&mut Context::from_waker(waker)).is_pending(),
        "the subscriber found something to receive"
    );
}
