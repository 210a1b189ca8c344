//! What the models of boxed rings publish: messages of which loom sees every look and every drop.

#![allow(unsafe_code, reason = "loom's cell is reached by pointers; it checks each access itself")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use loom::cell::UnsafeCell;
use loom::thread::{self, JoinHandle};
use seqcast::{Boxed, Builder, Publisher, Ref, Subscriber, TryRecvError};

/// Stands in the place of a message that was dropped.
const GONE: u64 = 0;

/// What loom watches. The log keeps it, so that who looks at a message too late finds it gone, rather than anything.
struct Body {
    word: UnsafeCell<u64>,
    dropped: AtomicUsize,
}

// SAFETY: loom panics at every access to the cell that is not ordered after an earlier one, if one of them writes.
unsafe impl Sync for Body {}
// SAFETY: as above; nothing in it belongs to a thread.
unsafe impl Send for Body {}

/// A message with a number.
pub(crate) struct Message {
    id: u64,
    body: Arc<Body>,
    log: Arc<Log>,
}

impl Message {
    /// Looks at it, and returns its number.
    pub(crate) fn look(&self) -> u64 {
        // SAFETY: loom panics if somebody writes meanwhile, or did without being ordered before.
        let word = self.body.word.with(|word| unsafe { *word });
        assert_ne!(word, GONE, "looked at after the drop");
        assert_eq!(word, !self.id, "wrong message");
        self.id
    }
}

impl Clone for Message {
    fn clone(&self) -> Self {
        self.log.message(self.look())
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // What panics here is contained by whoever drops the message; but then it is not counted, and the log says so at the end.
        self.body.word.with_mut(|word| {
            // SAFETY: loom panics if anybody else has access, or had without being ordered before.
            let word = unsafe { &mut *word };
            assert_eq!(*word, !self.id, "dropped twice");
            *word = GONE;
        });
        self.body.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// All messages of one program. (Its lock and counts are not loom's: they order nothing.)
#[derive(Default)]
pub(crate) struct Log(Mutex<Vec<Arc<Body>>>);

impl Log {
    pub(crate) fn message(self: &Arc<Self>, id: u64) -> Message {
        let body = Arc::new(Body { word: UnsafeCell::new(!id), dropped: AtomicUsize::new(0) });
        self.0.lock().unwrap().push(Arc::clone(&body));
        Message { id, body, log: Arc::clone(self) }
    }

    /// How many messages there are that were not dropped.
    pub(crate) fn alive(&self) -> usize {
        self.0.lock().unwrap().iter().filter(|body| body.dropped.load(Ordering::Relaxed) == 0).count()
    }

    /// Whether the message that was made as number `at` was not dropped.
    pub(crate) fn is_alive(&self, at: usize) -> bool {
        self.0.lock().unwrap()[at].dropped.load(Ordering::Relaxed) == 0
    }

    /// When nobody holds anything any more.
    pub(crate) fn settle(&self) {
        for body in &*self.0.lock().unwrap() {
            assert_eq!(body.dropped.load(Ordering::Relaxed), 1, "a message was not dropped exactly once, or in a race");
        }
    }
}

/// A ring of two with the messages `0..filled` in it, and a subscriber that stands at `next`. Nobody parks, so that no fence of
/// the wake-up orders what must be ordered without it.
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

/// One try: the sequence and the number of a message that was looked at where it lies.
pub(crate) fn borrow(subscriber: &mut Subscriber<Boxed<Message>>) -> Option<(u64, u64)> {
    match subscriber.try_recv_ref() {
        Ok(message) => Some((Ref::sequence(&message), message.look())),
        Err(TryRecvError::Empty | TryRecvError::Lagged(_) | TryRecvError::Closed) => None,
    }
}

/// Some tries on the ring of an exclusive publisher, which numbers its messages by their sequences: the numbers.
pub(crate) fn borrow_some(subscriber: &mut Subscriber<Boxed<Message>>, tries: usize) -> Vec<u64> {
    let got: Vec<_> = (0..tries).filter_map(|_| borrow(subscriber)).collect();
    assert!(got.iter().all(|(sequence, id)| sequence == id), "wrong message: {got:?}");
    got.into_iter().map(|(_, id)| id).collect()
}

/// A thread that publishes messages, numbered as told, and gives the publisher back.
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
