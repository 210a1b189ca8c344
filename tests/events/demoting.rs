//! A gating subscriber was demoted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::Context;
use std::thread;
use std::time::Duration;

use seqcast::{Builder, Inline, SharedPublisher, Subscriber};
use tracing::Level;

use crate::collector::{Seen, collect, on, take};
use crate::common::panics::throw;
use crate::common::wakers::Counter;
use crate::common::{block_on, eventually};

/// A full ring of four messages, and gating subscribers that have read none.
fn full(name: &str, gates: usize) -> (SharedPublisher<Inline<u64>>, Vec<Subscriber<Inline<u64>>>) {
    collect();
    let builder = Builder::new(4).gated().gate_deadline(Duration::from_millis(5));
    let (mut publisher, _) = builder.inline();
    let stuck: Vec<_> = (0..gates).map(|_| publisher.ring().subscribe_gating().unwrap()).collect();
    stuck.iter().for_each(|stuck| stuck.set_name(name));
    publisher.publish_many(0..4);
    (publisher.share(), stuck)
}

#[track_caller]
fn is_demotion(seen: &Seen, stuck: &Subscriber<Inline<u64>>) {
    let message = "gating subscriber demoted";
    assert_eq!((seen.level, &*seen.target, seen.message()), (Level::WARN, "seqcast", message));
    let fields = ["capacity", "message", "name", "next_sequence", "subscriber"];
    assert!(seen.fields.keys().copied().eq(fields));
    assert_eq!((seen.number("capacity"), seen.number("subscriber"), seen.number("next_sequence")), (4, stuck.id(), 0));
}

#[test]
fn each_demoted_subscriber_is_one_event() {
    for gates in 1..4 {
        let (publisher, mut stuck) = full("demoted", gates);
        assert_eq!(publisher.publish(4), Ok(4));
        let seen = take("demoted");
        assert_eq!(seen.len(), gates);
        seen.iter().zip(&stuck).for_each(|(seen, stuck)| is_demotion(seen, stuck));
        // Then it loses a message, which is an event of its own.
        assert!(stuck[0].try_recv().unwrap_err().is_lagged());
        let seen = take("demoted");
        assert_eq!((seen.len(), seen[0].message()), (1, "subscriber lagged"));
    }
}

/// Each finds that the time is over, and one of them demotes. With many subscribers, they are at it together.
#[test]
fn publishers_that_wait_together_make_one_event() {
    const GATES: usize = 200;
    let (publisher, mut stuck) = full("together", GATES);
    for _ in 0..5 {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert!(publisher.publish(0).is_ok()));
            }
        });
        assert_eq!(take("together").len(), GATES);
        stuck = stuck.iter().map(|stuck| stuck.ring().subscribe_gating().unwrap()).collect();
        stuck.iter().for_each(|stuck| stuck.set_name("together"));
        while publisher.try_publish(0).is_ok() {}
    }
}

#[test]
fn a_subscriber_that_reads_or_leaves_is_no_event() {
    let (publisher, mut reading) = full("reads", 1);
    assert_eq!(reading[0].try_recv(), Ok(0));
    assert_eq!(publisher.publish(4), Ok(4));
    drop(reading);
    assert_eq!(publisher.publish(5), Ok(5));
    assert_eq!(take("reads"), []);
}

/// Publishers that wait were woken before. The handler finds room, and can publish.
#[test]
fn a_handler_finds_that_publishers_were_woken() {
    let (publisher, stuck) = full("woken", 2);
    let (waiting, woken, found) = (publisher.clone(), Counter::new(), Arc::new(AtomicUsize::new(0)));
    let mut publish = Box::pin(waiting.publish_async(4));
    assert!(Future::poll(publish.as_mut(), &mut Context::from_waker(&woken.waker())).is_pending());
    let (other, counter, finds) = (publisher.clone(), Arc::clone(&woken), Arc::clone(&found));
    on("woken", move |_| {
        let stats = other.ring().stats();
        let right = counter.count() > 0
            && stats.subscribers.iter().all(|subscriber| subscriber.demoted)
            && other.try_publish(5).is_ok();
        finds.fetch_add(right as usize, Ordering::Relaxed);
    });
    assert!(publisher.publish(6).is_ok());
    assert!(block_on(publish).is_ok());
    eventually("two events", || found.load(Ordering::Relaxed) == 2);
    assert_eq!(take("woken").len(), stuck.len());
    assert_eq!(publisher.ring().stats().published, 4 + 4);
}

#[test]
fn a_handler_that_panics_keeps_no_publisher_from_publishing() {
    on("panics here", |_| throw());
    let (publisher, _stuck) = full("panics here", 3);
    assert_eq!((publisher.publish(4), publisher.publish(5)), (Ok(4), Ok(5)));
    assert_eq!(take("panics here").len(), 3);
}

/// The thread that demotes for tasks continues after a panic.
#[test]
fn a_handler_that_panics_keeps_no_task_from_publishing() {
    on("panics there", |_| throw());
    let (publisher, mut stuck) = full("panics there", 1);
    for _ in 0..3 {
        let (other, (done, is_done)) = (publisher.clone(), mpsc::channel());
        thread::spawn(move || {
            block_on(async {
                for message in 0..4 {
                    other.publish_async(message).await.unwrap();
                }
            });
            done.send(()).unwrap();
        });
        is_done.recv_timeout(Duration::from_secs(30)).expect("the task publishes");
        assert!(!stuck[0].is_gating());
        eventually("an event of each round", || take("panics there").len() == 1);
        stuck[0] = publisher.ring().subscribe_gating().unwrap();
        stuck[0].set_name("panics there");
        for message in 0..4 {
            publisher.try_publish(message).unwrap();
        }
    }
}
