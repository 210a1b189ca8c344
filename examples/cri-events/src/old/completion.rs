//! How the sender signals the end of a client.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use tokio::sync::Notify;

/// How the sender signals to the handler of a client that the client has disconnected.
pub trait Completion: Default + Send + Sync + 'static {
    /// Called when the handler begins.
    fn begin(&self);

    /// Called when the sender could not send.
    fn finish(&self);

    /// Waits for `finish`.
    fn wait(&self) -> impl Future<Output = ()> + Send;
}

/// The design up to v1.32: a wait group for each client. An extra `Done` panics.
#[derive(Debug, Default)]
pub struct Counter {
    count: AtomicI64,
    zero: Notify,
}

impl Completion for Counter {
    fn begin(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    /// # Panics
    ///
    /// When the counter goes below zero: if called before `begin`, or twice.
    fn finish(&self) {
        let before = self.count.fetch_sub(1, Ordering::SeqCst);
        assert!(before > 0, "sync: negative WaitGroup counter");
        if before == 1 {
            self.zero.notify_waiters();
        }
    }

    async fn wait(&self) {
        loop {
            let mut woken = pin!(self.zero.notified());
            woken.as_mut().enable();
            if self.count.load(Ordering::SeqCst) == 0 {
                return;
            }
            woken.await;
        }
    }
}

/// The design since v1.33: a flag, which may be set any number of times.
#[derive(Debug, Default)]
pub struct CloseOnce {
    closed: AtomicBool,
    close: Notify,
}

impl Completion for CloseOnce {
    fn begin(&self) {}

    fn finish(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.close.notify_waiters();
    }

    async fn wait(&self) {
        loop {
            let mut woken = pin!(self.close.notified());
            woken.as_mut().enable();
            if self.closed.load(Ordering::SeqCst) {
                return;
            }
            woken.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "negative WaitGroup counter")]
    fn a_counter_panics_when_the_sender_is_faster_than_the_handler_begins() {
        Counter::default().finish();
    }

    #[test]
    #[should_panic(expected = "negative WaitGroup counter")]
    fn a_counter_panics_when_two_events_fail_before_the_handler_wakes() {
        let counter = Counter::default();
        counter.begin();
        counter.finish();
        counter.finish();
    }

    #[tokio::test]
    async fn both_wake_their_handler() {
        let (counter, close_once) = (Counter::default(), CloseOnce::default());
        counter.begin();
        tokio::join!(counter.wait(), close_once.wait(), async {
            tokio::task::yield_now().await;
            counter.finish();
            close_once.finish();
            close_once.finish();
        });
    }
}
