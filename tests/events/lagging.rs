//! A subscriber has lagged.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::StreamExt;
use seqcast::{Lagged, Start, TryRecvError};
use tracing::Level;

use crate::collector::{Seen, collect, on, take};
use crate::common::panics::throw;
use crate::common::{block_on, lock};
use crate::ways;

#[track_caller]
fn is_loss(seen: &Seen, lagged: Lagged) {
    assert_eq!((seen.level, &*seen.target, seen.message()), (Level::WARN, "seqcast", "subscriber lagged"));
    assert_eq!((seen.number("missed"), seen.number("resumed_at")), (lagged.missed, lagged.resumed_at));
}

#[test]
fn an_event_says_who_lost_what() {
    collect();
    let (mut publisher, mut unnamed) = seqcast::inline::<u64>(64);
    let mut named = unnamed.clone();
    named.set_name("says");
    publisher.publish_many(0..67);
    let lagged = Lagged { missed: 3, resumed_at: 3 };
    for (subscriber, name) in [(&mut unnamed, None), (&mut named, Some("says"))] {
        assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(lagged)));
        let seen = take(name.unwrap_or("64"));
        assert_eq!(seen.len(), 1);
        is_loss(&seen[0], lagged);
        assert_eq!((seen[0].number("capacity"), seen[0].number("subscriber")), (64, subscriber.id()));
        assert_eq!(seen[0].fields.get("name").map(String::as_str), name);
        assert_eq!(seen[0].fields.len(), 5 + usize::from(name.is_some()), "{seen:?}");
    }
}

#[test]
fn what_is_no_loss_is_no_event() {
    collect();
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    subscriber.set_name("no loss");
    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Empty));
    publisher.publish_many(0..4);
    assert_eq!(subscriber.try_iter().count(), 4);
    publisher.publish_many(0..100);
    assert_eq!(subscriber.latest(), Ok(99), "by choice");
    publisher.publish_many(0..100);
    subscriber.seek(Start::Latest);
    publisher.publish(0);
    assert_eq!(subscriber.clone().try_recv(), Ok(0));
    publisher.close();
    assert_eq!((subscriber.try_recv(), subscriber.try_recv()), (Ok(0), Err(TryRecvError::Closed)));
    assert_eq!(take("no loss"), []);
}

#[test]
fn every_way_of_receiving_makes_one_event_of_each_loss() {
    collect();
    ways::each(|reading| {
        reading.set_name("every way");
        for lost in [1, 2, 100] {
            reading.publish(0..4 + lost - reading.lag());
            let lagged = reading.receive().unwrap_err();
            assert_eq!(lagged.missed, lost);
            let seen = take("every way");
            assert_eq!(seen.len(), 1);
            is_loss(&seen[0], lagged);
            for _ in 0..3 {
                reading.receive().unwrap();
            }
            reading.check();
        }
        assert_eq!(take("every way"), []);
    });
}

#[test]
fn losses_that_are_skipped_are_events() {
    collect();
    let (mut publisher, subscriber) = seqcast::inline::<u64>(4);
    subscriber.set_name("skipped");
    let mut skipping = subscriber.skip_lagged();
    publisher.publish_many(0..6);
    assert_eq!(block_on(skipping.next()), Some(2));
    publisher.publish_many(6..20);
    assert_eq!(skipping.iter().next(), Some(16));
    let seen: Vec<_> = take("skipped").iter().map(|seen| seen.number("missed")).collect();
    assert_eq!(seen, [2, 13]);
}

#[test]
fn a_receiver_of_the_drop_in_makes_events() {
    collect();
    let (sender, mut receiver) = seqcast::broadcast::channel(2);
    (0..5).for_each(|message| drop(sender.send(message)));
    assert!(receiver.try_recv().is_err());
    assert_eq!(receiver.try_recv(), Ok(3));
    let mut subscriber = receiver.into_inner();
    subscriber.set_name("drop-in");
    (5..10).for_each(|message| drop(sender.send(message)));
    assert!(subscriber.try_recv().is_err());
    assert_eq!(take("drop-in")[0].number("missed"), 4);
}

/// At the time of the event, the loss is counted and the cursor has moved.
#[test]
fn a_handler_finds_the_account_in_order() {
    ways::each(|reading| {
        reading.set_name("in order");
        let (onlooker, found) = (reading.onlooker(), Mutex::new(0));
        on("in order", move |seen| {
            assert_eq!(onlooker(), (seen.number("resumed_at"), *lock(&found) + seen.number("missed")));
            *lock(&found) += seen.number("missed");
        });
        for _ in 0..3 {
            reading.publish(0..9);
            let lagged = reading.receive().unwrap_err();
            assert_eq!(take("in order").len(), 1);
            assert!(lagged.missed > 0 && reading.receive().is_ok());
        }
        reading.check();
    });
}

/// The panic is caught. Otherwise the loss would be counted, and the receive would not report it.
#[test]
fn a_handler_that_panics_hides_no_loss_and_no_message() {
    on("panics", |_| throw());
    ways::each(|reading| {
        reading.set_name("panics");
        let mut reported = 0;
        for round in 0..3 {
            reading.publish(10 * round..10 * round + 9);
            reported += reading.receive().unwrap_err().missed;
            assert_eq!(take("panics").len(), 1);
            assert_eq!((reported, reading.lag()), (reading.missed(), 4));
            reading.check();
            for message in 5..9 {
                assert_eq!(reading.receive(), Ok(10 * round + message));
            }
        }
    });
}

/// The handler overwrites what the subscriber would have read next.
#[test]
fn a_handler_may_publish_to_the_ring() {
    let (publisher, mut subscriber) = seqcast::boxed::<u64>(4);
    let publisher = publisher.share();
    subscriber.set_name("publishes");
    let (other, rounds) = (publisher.clone(), AtomicU64::new(2));
    on("publishes", move |_| {
        if rounds.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |rounds| rounds.checked_sub(1)).is_ok() {
            assert_eq!(other.publish_many(100..110), 10);
        }
    });
    publisher.publish_many(0..6);
    let lagged = |missed, resumed_at| Err(TryRecvError::Lagged(Lagged { missed, resumed_at }));
    assert_eq!(subscriber.try_recv(), lagged(2, 2));
    assert_eq!(subscriber.try_recv(), lagged(10, 12));
    assert_eq!(subscriber.try_recv(), lagged(10, 22));
    assert_eq!(subscriber.try_iter().map(Result::unwrap).collect::<Vec<_>>(), [106, 107, 108, 109]);
    assert_eq!((subscriber.received(), subscriber.missed(), subscriber.next_sequence()), (4, 22, 26));
    assert_eq!(take("publishes").len(), 3);
}

/// The handler reads, subscribes, unsubscribes and ends the ring.
#[test]
fn a_handler_may_use_the_ring() {
    let (mut publisher, mut subscriber) = seqcast::boxed::<u64>(4);
    subscriber.set_name("uses");
    let second = subscriber.clone();
    second.set_name("second");
    let second = Mutex::new(Some(second));
    let ring = publisher.ring();
    publisher.publish_many(0..6);
    let publisher = Mutex::new(Some(publisher));
    on("uses", move |_| {
        let mut second = lock(&second).take().unwrap();
        assert!(second.try_recv().unwrap_err().is_lagged(), "an event within an event");
        assert_eq!(*second.try_recv_ref().unwrap(), 2);
        assert_eq!(ring.stats().totals.missed, 4);
        drop((second, lock(&publisher).take()));
        assert_eq!(ring.subscribe_at(Start::Oldest).try_iter().count(), 4);
    });
    assert!(subscriber.try_recv().unwrap_err().is_lagged());
    assert_eq!(subscriber.try_iter().map(Result::unwrap).collect::<Vec<_>>(), [2, 3, 4, 5]);
    assert!(subscriber.try_recv().unwrap_err().is_closed());
    assert_eq!((take("uses").len(), take("second").len()), (1, 1));
}

/// Each event makes the next. Without a limit for calls within calls, that is more than the stack holds.
#[test]
fn events_within_events_do_not_use_up_the_stack() {
    const EVENTS: u64 = 20_000;
    let (mut publisher, subscriber) = seqcast::inline::<u64>(4);
    publisher.publish_many(0..9);
    let (ring, left) = (publisher.ring(), AtomicU64::new(EVENTS));
    drop(subscriber);
    let lose = move || {
        let mut subscriber = ring.subscribe_at(Start::At(0));
        subscriber.set_name("deep");
        assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 5, resumed_at: 5 })));
        assert_eq!(subscriber.try_recv(), Ok(5));
    };
    let first = lose.clone();
    on("deep", move |_| {
        if left.fetch_sub(1, Ordering::Relaxed) > 1 {
            lose();
        }
    });
    first();
    assert_eq!(take("deep").len() as u64, EVENTS);
}
