//! The messages of the models of boxed rings. loom checks each read and each drop of them.

#![allow(unsafe_code, reason = "loom's cell is reached by pointers; it checks each access itself")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use loom::cell::UnsafeCell;
use loom::thread::{self, JoinHandle};
use seqcast::{Boxed, Builder, Publisher, Ref, Subscriber, TryRecvError};

/// Replaces the word of a dropped message.
const GONE: u64 = 0;

/// The part that loom checks. The log keeps it alive, so that a late read finds `GONE` instead of
/// freed memory.
struct Body {
    word: UnsafeCell<u64>,
    dropped: AtomicUsize,
}

// SAFETY: loom panics at every access to the cell that races with another one, if one of them
// writes.
unsafe impl Sync for Body {}
// SAFETY: as above. No part belongs to a thread.
unsafe impl Send for Body {}

/// A message with a number.
pub(crate) struct Message {
    id: u64,
    body: Arc<Body>,
    log: Arc<Log>,
}

impl Message {
    /// Reads the message, and returns its number.
    pub(crate) fn read(&self) -> u64 {
        // SAFETY: loom panics if another access writes at the same time, or is not ordered before.
        let word = self.body.word.with(|word| unsafe { *word });
        assert_ne!(word, GONE, "the message was read after its drop");
        assert_eq!(word, !self.id, "the message has another number");
        self.id
    }
}

impl Clone for Message {
    fn clone(&self) -> Self {
        self.log.message(self.read())
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // The code that drops the message catches a panic from here. But then the drop is not
        // counted, and the log fails at the end.
        self.body.word.with_mut(|word| {
            // SAFETY: loom panics if another thread has access, or had access that is not ordered
            // before.
            let word = unsafe { &mut *word };
            assert_eq!(*word, !self.id, "the message was dropped twice");
            *word = GONE;
        });
        self.body.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// All messages of one program. The lock and the counts are from `std`, because they order nothing.
#[derive(Default)]
pub(crate) struct Log(Mutex<Vec<Arc<Body>>>);

impl Log {
    pub(crate) fn message(self: &Arc<Self>, id: u64) -> Message {
        let body = Arc::new(Body { word: UnsafeCell::new(!id), dropped: AtomicUsize::new(0) });
        self.0.lock().unwrap().push(Arc::clone(&body));
        Message { id, body, log: Arc::clone(self) }
    }

    /// The number of messages that were not dropped.
    pub(crate) fn alive(&self) -> usize {
        self.0.lock().unwrap().iter().filter(|body| body.dropped.load(Ordering::Relaxed) == 0).count()
    }

    /// Whether the message with index `at` was not dropped.
    pub(crate) fn is_alive(&self, at: usize) -> bool {
        self.0.lock().unwrap()[at].dropped.load(Ordering::Relaxed) == 0
    }

    /// Fails unless each message was dropped once. Called after all handles are gone.
    pub(crate) fn settle(&self) {
        for body in &*self.0.lock().unwrap() {
            assert_eq!(
                body.dropped.load(Ordering::Relaxed),
                1,
                "a message was not dropped exactly once, or its drop raced"
            );
        }
    }
}

/// A ring of two with the messages `0..filled`, and a subscriber whose cursor is `next`. There is
/// no parking: no fence of the wake-up hides a missing ordering.
pub(crate) fn ring(log: &Arc<Log>, filled: u64, next: u64) -> (Publisher<Boxed<Message>>, Subscriber<Boxed<Message>>) {
    let (mut publisher, mut subscriber) = crate::testing::never_parked(Builder::new(2)).boxed();
    for q in 0..filled {
        publisher.publish(log.message(q));
        if q < next {
            assert_eq!(borrow(&mut subscriber), Some((q, q)));
        }
    }
    (publisher, subscriber)
}

/// One `try_recv_ref`: the sequence and the number of the borrowed message.
pub(crate) fn borrow(subscriber: &mut Subscriber<Boxed<Message>>) -> Option<(u64, u64)> {
    match subscriber.try_recv_ref() {
        Ok(message) => Some((Ref::sequence(&message), message.read())),
        Err(TryRecvError::Empty | TryRecvError::Lagged(_) | TryRecvError::Closed) => None,
    }
}

/// Some tries on the ring of an exclusive publisher, which numbers its messages by their sequences.
/// Returns the numbers.
pub(crate) fn borrow_some(subscriber: &mut Subscriber<Boxed<Message>>, tries: usize) -> Vec<u64> {
    let got: Vec<_> = (0..tries).filter_map(|_| borrow(subscriber)).collect();
    assert!(got.iter().all(|(sequence, id)| sequence == id), "a message has another sequence than its number: {got:?}");
    got.into_iter().map(|(_, id)| id).collect()
}

/// Spawns a thread that publishes messages with these numbers, and returns the publisher.
pub(crate) fn publishing(
    mut publisher: Publisher<Boxed<Message>>,
    log: &Arc<Log>,
    ids: std::ops::Range<u64>,
) -> JoinHandle<Publisher<Boxed<Message>>> {
    let log = Arc::clone(log);
    thread::spawn(move || {
        for id in ids {
            publisher.publish(log.message(id));
        }
        publisher
    })
}
