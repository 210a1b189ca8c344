//! Parked threads use no processor time, and wait no longer than their timeout.

use crate::common::eventually;
use crate::common::wakers::{call, park};
use seqcast::RecvTimeoutError;
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_parked_thread_uses_no_processor_time() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let ring = publisher.ring();
    let reader = thread::spawn(move || {
        // A wait that timed out must not affect the next one.
        assert!(subscriber.recv_timeout(Duration::from_millis(300)).is_err());
        let received = subscriber.recv();
        (received, thread_time())
    });
    thread::sleep(Duration::from_millis(400));
    eventually("parked", || ring.stats().subscribers[0].parked);
    thread::sleep(Duration::from_millis(500));
    publisher.publish(1);
    let (received, used) = reader.join().unwrap();
    assert_eq!(received, Ok(1));
    assert!(
        used < Duration::from_millis(100),
        "{used:?} of processor time used by a thread parked for most of a second"
    );
    assert!(!ring.stats().subscribers.iter().any(|subscriber| subscriber.parked));
}

#[test]
fn a_sleeping_thread_is_reported_whatever_became_of_its_place_on_the_list() {
    let (mut publisher, mut sleeper) = seqcast::inline::<u64>(8);
    let (ring, id) = (publisher.ring(), sleeper.id());
    let stats = move || ring.stats().subscribers.into_iter().find(|subscriber| subscriber.id == id).unwrap();
    // The subscriber leaves an entry on the list of tasks, and then waits as a thread.
    park(&mut sleeper, Waker::noop());
    // The waker of the entry before blocks until the other subscriber has received and is parked
    // again.
    let mut slow = publisher.subscribe();
    let look = stats.clone();
    park(
        &mut slow,
        &call(move || eventually("the subscriber is parked again", || look().received == 1 && look().parked)),
    );
    let thread = thread::spawn(move || [sleeper.recv(), sleeper.recv()]);
    eventually("asleep", || stats().parked);
    publisher.publish(1);
    // The publisher has reached the entry that was left. The subscriber stays parked until the next
    // publish.
    assert!(stats().parked, "the subscriber must be reported as parked");
    publisher.publish(2);
    assert_eq!(thread.join().unwrap(), [Ok(1), Ok(2)]);
}

/// Processor time of the calling thread. Zero if the system does not report it.
fn thread_time() -> Duration {
    let Ok(stat) = std::fs::read_to_string("/proc/thread-self/stat") else { return Duration::ZERO };
    let after_name = stat.rsplit(')').next().unwrap();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

#[test]
fn timeouts_and_deadlines_end_waits() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let began = Instant::now();
    assert_eq!(subscriber.recv_timeout(Duration::from_millis(30)), Err(RecvTimeoutError::Timeout));
    assert_eq!(subscriber.recv_deadline(began + Duration::from_millis(60)), Err(RecvTimeoutError::Timeout));
    assert!(began.elapsed() >= Duration::from_millis(60));
    assert_eq!(subscriber.recv_deadline(began), Err(RecvTimeoutError::Timeout));
    assert_eq!(subscriber.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
    assert!(!publisher.ring().stats().subscribers[0].parked);
    publisher.publish_many([1, 2, 3]);
    assert_eq!(subscriber.recv_timeout(Duration::ZERO), Ok(1));
    assert_eq!(subscriber.recv_deadline(began), Ok(2));
    assert_eq!(subscriber.recv_timeout(Duration::MAX), Ok(3));
    thread::scope(|scope| {
        let reader = scope.spawn(|| subscriber.recv_timeout(Duration::MAX));
        eventually("parked", || publisher.ring().stats().subscribers[0].parked);
        publisher.publish(4);
        assert_eq!(reader.join().unwrap(), Ok(4));
    });
}

#[test]
fn a_timeout_takes_nothing_of_the_users_own_parking() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let reader = thread::spawn(move || {
        thread::current().unpark();
        assert_eq!(subscriber.recv(), Ok(1));
        let began = Instant::now();
        thread::park_timeout(Duration::from_secs(20));
        assert!(began.elapsed() < Duration::from_secs(10), "the wait used the thread's own `unpark` token");
    });
    thread::sleep(Duration::from_millis(20));
    publisher.publish(1);
    reader.join().unwrap();
}
