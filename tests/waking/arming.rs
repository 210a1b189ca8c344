//! When a ring is armed, so that publishers check for parked subscribers, and when it is disarmed.

use crate::common::eventually;
use crate::common::wakers::park;
use futures::task::noop_waker_ref;
use seqcast::testing::is_armed;
use seqcast::{Inline, Start, Subscriber};
use std::thread;
use std::time::{Duration, Instant};

/// Whether the kernel provides a barrier on all cores of the process.
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
#[allow(unsafe_code)]
fn has_barrier() -> bool {
    // SAFETY: the arguments are integers, and the call only queries.
    let known = unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_QUERY, 0, 0) };
    known > 0 && known & i64::from(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64", not(miri))))]
fn has_barrier() -> bool {
    false
}

#[test]
fn who_only_looks_does_not_arm_the_ring() {
    let (_publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let ring = subscriber.ring();
    if !has_barrier() {
        assert!(is_armed(&ring));
        println!("SKIPPED: this system has no barrier, so rings start armed");
        return;
    }
    let _ = (subscriber.try_recv(), subscriber.latest(), subscriber.try_iter().count());
    assert!(subscriber.recv_timeout(Duration::ZERO).is_err());
    assert!(subscriber.recv_deadline(Instant::now()).is_err());
    assert!(!is_armed(&ring));
    assert!(subscriber.recv_timeout(Duration::from_millis(1)).is_err());
    assert!(is_armed(&ring));
}

#[test]
fn a_ring_on_which_nobody_parks_any_more_is_disarmed() {
    if !has_barrier() {
        println!("SKIPPED: this system has no barrier, so rings stay armed");
        return;
    }
    // A publisher tries to disarm the ring once in this many sequences.
    const PERIOD: u64 = 1 << 14;
    let arm =
        |subscriber: &mut Subscriber<Inline<u64>>| assert!(subscriber.recv_timeout(Duration::from_millis(1)).is_err());

    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let ring = publisher.ring();
    arm(&mut subscriber);
    publisher.publish_many(0..2 * PERIOD - 1);
    assert!(is_armed(&ring), "the ring must stay armed after the first try, because a subscriber parked before");
    publisher.publish(0);
    assert!(!is_armed(&ring));

    // Parking arms the ring again. It stays armed if a task parks in each period.
    subscriber.seek(Start::Latest);
    park(&mut subscriber, noop_waker_ref());
    assert!(is_armed(&ring));
    for _ in 0..3 {
        publisher.publish_many(0..PERIOD);
        subscriber.seek(Start::Latest);
        park(&mut subscriber, noop_waker_ref());
        assert!(is_armed(&ring));
    }

    // Shared publishers disarm it too, one message at a time. A thread that parks afterwards is
    // woken.
    let publisher = publisher.share();
    for number in 0..2 * PERIOD {
        publisher.publish(number).unwrap();
    }
    assert!(!is_armed(&ring));
    subscriber.seek(Start::Latest);
    thread::scope(|scope| {
        let reader = scope.spawn(|| subscriber.recv());
        eventually("parked", || ring.stats().subscribers[0].parked);
        publisher.publish(7).unwrap();
        assert_eq!(reader.join().unwrap(), Ok(7));
    });
}
