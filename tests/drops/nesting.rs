//! Drops that publish, which drops other messages. The depth of such calls is bounded, and fits a
//! default stack.

use crate::common::counted::{Counted, Ledger};
use crate::{make, warm};
use seqcast::{Boxed, Publisher, SharedPublisher, Subscriber};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread;

#[test]
fn drops_that_publish_do_not_pile_up_on_the_stack() {
    // Each drop publishes, which drops the next message, and so on. The depth must not grow with
    // the number of messages.
    for clone in [false, true] {
        let ledger = Ledger::new();
        let budget = Arc::new(AtomicI64::new(0));
        let (publisher, subscriber) = seqcast::boxed::<Counted>(1024);
        let publisher = publisher.share();
        // The drop publishes through the same handle, or through another one.
        let inner = Arc::new(publisher);
        let outer = if clone { (*inner).clone() } else { seqcast::boxed(2).0.share() };
        ledger.on_drop({
            let (maker, inner, budget) = (Arc::downgrade(&ledger), Arc::clone(&inner), Arc::clone(&budget));
            move |_| {
                let Some(ledger) = maker.upgrade() else { return };
                if budget.fetch_sub(1, Ordering::SeqCst) > 0 {
                    inner.publish(ledger.make()).unwrap();
                }
            }
        });
        let small = thread::Builder::new().stack_size(256 << 10);
        let publishing = small.spawn({
            let (ledger, inner, budget) = (Arc::clone(&ledger), Arc::clone(&inner), Arc::clone(&budget));
            move || {
                let publisher = if clone { &outer } else { &*inner };
                publisher.publish_many(make(&ledger, warm(1024)));
                budget.store(100_000, Ordering::SeqCst);
                for _ in 0..3 * 1024 {
                    publisher.publish(ledger.make()).unwrap();
                }
                // The rest of the budget must not be used while the ring is dropped.
                budget.swap(0, Ordering::SeqCst)
            }
        });
        let left = publishing.unwrap().join().unwrap();
        assert!(left < 90_000, "{left} of 100 000 messages were not published");
        ledger.unhook();
        drop((inner, subscriber));
        ledger.settle();
    }
}

#[test]
fn handles_that_go_may_drop_messages_that_publish() {
    // A dropped publisher drops the messages that it kept. Each of these publishes through the
    // other handle.
    let ledger = Ledger::new();
    let budget = Arc::new(AtomicI64::new(50_000));
    let (publisher, subscriber) = seqcast::boxed::<Counted>(64);
    let publisher = Arc::new(publisher.share());
    ledger.on_drop({
        let (maker, publisher, budget) = (Arc::downgrade(&ledger), Arc::clone(&publisher), Arc::clone(&budget));
        move |_| {
            let Some(ledger) = maker.upgrade() else { return };
            if budget.fetch_sub(1, Ordering::SeqCst) > 0 {
                // Each drop clones a handle and drops the clone.
                SharedPublisher::clone(&publisher).publish(ledger.make()).unwrap();
            }
        }
    });
    let small = thread::Builder::new().stack_size(256 << 10);
    let (maker, one) = (Arc::clone(&ledger), Arc::clone(&publisher));
    let publishing = small.spawn(move || {
        for _ in 0..100 {
            let leaving = SharedPublisher::clone(&one);
            leaving.publish_many(make(&maker, 200));
        }
    });
    publishing.unwrap().join().unwrap();
    assert!(budget.load(Ordering::SeqCst) < 40_000);
    ledger.unhook();
    drop((publisher, subscriber));
    ledger.settle();
}

/// The publisher and the subscriber of a ring.
type Ends<T> = (Publisher<Boxed<T>>, Subscriber<Boxed<T>>);

/// A message that owns a ring of such messages.
struct Link(#[allow(dead_code, reason = "owned")] Option<Ends<Link>>, Arc<AtomicU64>);

impl Drop for Link {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_chain_of_rings_is_dropped_one_by_one() {
    // Each ring is owned by a message of the one before. The thread has a default stack.
    const RINGS: u64 = 50_000;
    let dropped = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&dropped);
    let chain = move || {
        let mut inner = None;
        for _ in 0..RINGS {
            let (mut publisher, subscriber) = seqcast::boxed(2);
            publisher.publish(Link(inner, Arc::clone(&count)));
            inner = Some((publisher, subscriber));
        }
        drop(inner);
    };
    thread::Builder::new().stack_size(2 << 20).spawn(chain).unwrap().join().unwrap();
    assert_eq!(dropped.load(Ordering::Relaxed), RINGS);
}

/// A message whose drop publishes to the next of some rings.
struct Domino {
    at: usize,
    rings: Weak<Vec<seqcast::SharedPublisher<Boxed<Domino>>>>,
}

impl Drop for Domino {
    fn drop(&mut self) {
        if let Some(next) = self.rings.upgrade().as_ref().and_then(|rings| rings.get(self.at + 1)) {
            let _ = next.publish(Domino { at: self.at + 1, rings: Weak::clone(&self.rings) });
        }
    }
}

#[test]
fn drops_that_publish_along_many_rings_do_not_nest_without_bound() {
    let fall = || {
        let mut subscribers = Vec::new();
        let rings = Arc::new_cyclic(|all| {
            let ring = |at| {
                let (publisher, subscriber) = seqcast::boxed::<Domino>(2);
                let publisher = publisher.share();
                // Warmed up: each publish drops a message.
                publisher.publish_many((0..200).map(|_| Domino { at, rings: Weak::new() }));
                publisher.publish_many((0..200).map(|_| Domino { at, rings: Weak::clone(all) }));
                subscribers.push(subscriber);
                publisher
            };
            (0..3_000).map(ring).collect::<Vec<_>>()
        });
        let end = |at: usize| rings[at].next_sequence();
        let before = (end(1), end(2_999));
        for _ in 0..200 {
            rings[0].publish(Domino { at: 0, rings: Weak::new() }).unwrap();
        }
        assert!(end(1) > before.0 && end(2_999) > before.1, "no drop has published");
    };
    thread::Builder::new().stack_size(2 << 20).spawn(fall).unwrap().join().unwrap();
}

/// A message whose drop publishes through a new handle.
struct Echo;

static ECHO: OnceLock<seqcast::SharedPublisher<Boxed<Echo>>> = OnceLock::new();

impl Drop for Echo {
    fn drop(&mut self) {
        if let Some(publisher) = ECHO.get() {
            let _ = publisher.clone().publish(Echo);
        }
    }
}

#[test]
fn drops_that_publish_through_handles_of_their_own_do_not_branch() {
    let publisher = ECHO.get_or_init(|| seqcast::boxed::<Echo>(2).0.share());
    for _ in 0..300 {
        publisher.publish(Echo).unwrap();
    }
    assert!(publisher.next_sequence() < 300 * 40, "{} messages were published", publisher.next_sequence());
    publisher.close();
}
