//! Drops, wakers and iterators that panic: no message is lost or dropped twice.

use crate::common::counted::{Counted, Ledger};
use crate::common::panics::{throw, throws};
use crate::common::wakers::call;
use crate::make;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

#[test]
fn a_drop_that_panics_does_so_alone() {
    for nth in [1, 2, 3, 64] {
        let ledger = Ledger::new();
        ledger.on_drop(move |id| {
            if id % nth == 0 {
                throw();
            }
        });
        let (mut publisher, mut subscriber) = seqcast::boxed(8);
        let mut received = 0;
        for number in 0..500 {
            assert_eq!(publisher.publish(ledger.make()), number);
            received += u64::from(subscriber.try_recv_ref().is_ok_and(|message| message.verify() == number));
        }
        assert_eq!(received, 500);
        assert_eq!(publisher.publish_many(make(&ledger, 500)), 500..1000);
        let publisher = publisher.share();
        let other = publisher.clone();
        for number in 1000..1500 {
            assert_eq!(publisher.publish(ledger.make()).unwrap(), number);
        }
        assert_eq!(other.publish_many(make(&ledger, 500)), 500);
        assert_eq!(subscriber.latest_ref().unwrap().verify(), 1999);
        drop(other);
        drop(publisher);
        drop(subscriber);
        assert_eq!(ledger.made(), 2000);
        ledger.settle();
    }
}

#[test]
fn a_drop_that_panics_with_what_panics_when_dropped_does_so_alone() {
    struct Thrown(u32, Arc<AtomicU64>);
    impl Drop for Thrown {
        fn drop(&mut self) {
            self.1.fetch_add(1, Ordering::SeqCst);
            if self.0 > 0 {
                std::panic::resume_unwind(Box::new(Thrown(self.0 - 1, Arc::clone(&self.1))));
            }
        }
    }
    struct Message(Arc<AtomicU64>);
    impl Drop for Message {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new(Thrown(1, Arc::clone(&self.0))));
        }
    }
    let thrown = Arc::new(AtomicU64::new(0));
    let (mut publisher, subscriber) = seqcast::boxed(4);
    for number in 0..200 {
        assert_eq!(publisher.publish(Message(Arc::clone(&thrown))), number);
    }
    drop((publisher, subscriber));
    assert_eq!(thrown.load(Ordering::SeqCst), 400);
    assert_eq!(Arc::strong_count(&thrown), 1);
}

#[test]
fn a_waker_that_panics_costs_no_message() {
    let ledger = Ledger::new();
    let (mut publisher, mut subscriber) = seqcast::boxed::<Counted>(4);
    let waker = call(|| throw());
    for number in 0..300 {
        assert!(subscriber.poll_recv_ref(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!(publisher.publish(ledger.make()), number);
        let Poll::Ready(Ok(message)) = subscriber.poll_recv_ref(&mut Context::from_waker(&waker)) else { panic!() };
        assert_eq!(message.verify(), number);
    }
    assert!(ledger.live() <= 4 + 2 * 64);
    let publisher = publisher.share();
    for _ in 0..300 {
        assert!(subscriber.poll_recv(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!(publisher.publish_many(make(&ledger, 3)), 3);
        assert!((0..3).all(|_| subscriber.try_recv_ref().is_ok()));
    }
    drop((publisher, subscriber));
    ledger.settle();
}

#[test]
fn what_an_iterator_gave_before_it_panicked_is_published() {
    let ledger = Ledger::new();
    let (mut publisher, mut subscriber) = seqcast::boxed(256);
    let stops = |count: usize| {
        let ledger = Arc::clone(&ledger);
        (0..).map(move |number| {
            if number == count {
                throw();
            }
            ledger.make()
        })
    };
    for count in [0, 1, 7, 100] {
        assert!(throws(|| publisher.publish_many(stops(count))));
        assert_eq!((0..).take_while(|_| subscriber.try_recv_ref().is_ok()).count(), count);
    }
    let publisher = publisher.share();
    for count in [0, 1, 7, 100] {
        assert!(throws(|| publisher.publish_many(stops(count))));
        assert_eq!((0..).take_while(|_| subscriber.try_recv_ref().is_ok()).count(), count);
    }
    publisher.publish_many(make(&ledger, 1000));
    drop((publisher, subscriber));
    ledger.settle();
}
