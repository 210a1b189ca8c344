//! The cost of a publish with many parked subscribers, and with many that are not parked.

use crate::common::wakers::park;
use futures::task::noop_waker_ref;
use std::time::Instant;

#[test]
fn a_pass_over_many_parked_costs_each_the_same() {
    // If waking one subscriber walked the rest of the list, it would cost a hundred times more
    // here. The bound of twenty is wide, because times vary.
    let time = |parked: u32| {
        let (publisher, subscriber) = seqcast::inline::<u64>(4);
        let publisher = publisher.share();
        let mut subscribers: Vec<_> = (0..parked).map(|_| subscriber.clone()).collect();
        (0..5)
            .map(|message| {
                for subscriber in &mut subscribers {
                    while subscriber.try_recv().is_ok() {}
                    park(subscriber, noop_waker_ref());
                }
                let began = Instant::now();
                publisher.publish(message).unwrap();
                began.elapsed() / parked
            })
            .min()
            .unwrap()
    };
    let (few, many) = (time(100), time(20_000));
    assert!(many < few * 20, "{many:?} per parked subscriber with 20 000, {few:?} with 100");
}

#[test]
fn idle_subscribers_cost_publishers_nothing() {
    // Ten thousand subscribers that do not wait, some of which waited before. If a publish walked
    // over all of them, it would cost a thousand times more. The bound of twenty is wide, because
    // times vary.
    let time = |subscribers: usize| {
        let (mut publisher, subscriber) = seqcast::inline::<u64>(1024);
        let mut idle: Vec<_> = (0..subscribers).map(|_| subscriber.clone()).collect();
        for subscriber in idle.iter_mut().step_by(100).take(10) {
            park(subscriber, noop_waker_ref());
        }
        publisher.publish(0);
        (0..9)
            .map(|_| {
                let began = Instant::now();
                publisher.publish_many(0..1000);
                for message in 0..1000 {
                    publisher.publish(message);
                }
                began.elapsed()
            })
            .min()
            .unwrap()
    };
    let (few, many) = (time(1), time(10_000));
    assert!(many < few * 20, "{many:?} with 10 000 idle subscribers, {few:?} with one");
}
