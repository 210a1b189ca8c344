//! Drops that use the ring of their message, and messages that own handles of it.

use crate::common::counted::{Counted, Ledger};
use crate::{S, make, warm};
use seqcast::{Boxed, SharedPublisher, Start, Subscriber, TryRecvError};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

#[test]
fn a_drop_may_use_the_ring_that_its_message_was_in() {
    let ledger = Ledger::new();
    let (publisher, mut subscriber) = seqcast::boxed::<Counted>(16);
    let handle = Arc::new(OnceLock::<SharedPublisher<S>>::new());
    let within = Arc::new(AtomicU64::new(0));
    let publisher = publisher.share();
    assert!(handle.set(publisher.clone()).is_ok());
    ledger.on_drop({
        let (maker, handle, within) = (Arc::downgrade(&ledger), Arc::clone(&handle), Arc::clone(&within));
        move |id| {
            let (Some(ledger), Some(publisher)) = (maker.upgrade(), handle.get()) else { return };
            let mut subscriber = publisher.subscribe_at(Start::Oldest);
            let _ = subscriber.try_recv_ref().map(|message| message.verify());
            assert!(publisher.ring().stats().subscribers.len() >= 2);
            // Not in each drop, because that would never end.
            if id % 3 == 0 {
                publisher.publish(ledger.make()).unwrap();
                within.fetch_add(1, Ordering::SeqCst);
            }
            let another = publisher.clone();
            assert!(another.ring().next_sequence() > 0);
        }
    });
    for _ in 0..2_000 {
        publisher.publish(ledger.make()).unwrap();
        let _ = subscriber.try_recv_ref().map(|message| message.verify());
    }
    assert!(within.load(Ordering::SeqCst) > 500);
    ledger.unhook();
    drop((publisher, subscriber, handle));
    ledger.settle();
}

#[test]
fn a_drop_may_drop_the_last_publisher() {
    let ledger = Ledger::new();
    let (publisher, mut subscriber) = seqcast::boxed::<Counted>(4);
    let publisher = publisher.share();
    let last = Arc::new(Mutex::new(None));
    publisher.publish_many(make(&ledger, warm(4)));
    *last.lock().unwrap() = Some(publisher.clone());
    let ring = Mutex::new(Some(subscriber.ring()));
    ledger.on_drop({
        let last = Arc::clone(&last);
        move |_| {
            let gone = last.lock().unwrap().take();
            let _ = ring.lock().unwrap().take();
            drop(gone);
        }
    });
    assert!(!subscriber.is_closed());
    // The publisher drops the messages that it kept. The first of these closes the ring.
    drop(publisher);
    assert!(last.lock().unwrap().is_none());
    assert!(subscriber.is_closed());
    assert!(matches!(subscriber.try_recv_ref(), Err(TryRecvError::Lagged(_))));
    assert_eq!((0..).take_while(|_| subscriber.try_recv_ref().is_ok()).count(), 4);
    assert_eq!(subscriber.try_recv_ref().unwrap_err(), TryRecvError::Closed);
    drop(subscriber);
    ledger.settle();
}

#[test]
fn a_message_may_own_handles_of_its_ring() {
    #[expect(clippy::large_enum_variant, reason = "few are made")]
    enum Message {
        Publisher { _handle: SharedPublisher<Boxed<Message>>, _counted: Counted },
        Subscriber { _handle: Subscriber<Boxed<Message>>, _counted: Counted },
        Plain { _counted: Counted },
    }
    let ledger = Ledger::new();
    let (publisher, mut subscriber) = seqcast::boxed::<Message>(4);
    let publisher = publisher.share();
    for _ in 0..1_000 {
        let _ = publisher.publish(Message::Publisher { _handle: publisher.clone(), _counted: ledger.make() });
        let _ = publisher.publish(Message::Subscriber { _handle: subscriber.clone(), _counted: ledger.make() });
        assert!(subscriber.latest_ref().is_ok());
    }
    // They keep each other alive until they are overwritten.
    let _ = publisher.publish_many((0..4 * warm(4)).map(|_| Message::Plain { _counted: ledger.make() }));
    assert_eq!(publisher.subscriber_count(), 1);
    let exclusive = publisher.try_into_exclusive();
    assert!(exclusive.is_ok(), "a message still owns a publisher");
    drop((exclusive, subscriber));
    ledger.settle();
}
