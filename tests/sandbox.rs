//! If the kernel's barrier is refused after the ring was made, sleeping threads poll instead of
//! relying on it.
#![cfg(all(not(loom), target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]
#![allow(unsafe_code, reason = "installs a system call filter")]

mod common;

use common::wakers::{Counter, park};
use std::thread;
use std::time::{Duration, Instant};

/// Makes a system call fail with `EPERM` in this thread and in the threads that it starts from now
/// on, if the arguments at these positions have these values.
fn forbid(call: libc::c_long, arguments: &[(u32, libc::c_int)]) -> bool {
    #[repr(C)]
    struct Filter(u16, u8, u8, u32);
    #[repr(C)]
    struct Program(u16, *const Filter);
    const LOAD: u16 = 0x20;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    const ALLOW: u32 = 0x7fff_0000;
    const FAIL: u32 = 0x0005_0000;
    let mut filters =
        vec![Filter(LOAD, 0, 0, 0), Filter(JUMP_IF_EQUAL, 1, 0, call as u32), Filter(RETURN, 0, 0, ALLOW)];
    for &(number, value) in arguments {
        filters.push(Filter(LOAD, 0, 0, 16 + 8 * number));
        filters.push(Filter(JUMP_IF_EQUAL, 1, 0, value as u32));
        filters.push(Filter(RETURN, 0, 0, ALLOW));
    }
    filters.push(Filter(RETURN, 0, 0, FAIL | libc::EPERM as u32));
    let program = Program(filters.len() as u16, filters.as_ptr());
    // SAFETY: the arguments are plain integers.
    let no_new_privileges = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    // SAFETY: `program` and its filters outlive the call.
    let installed = unsafe { libc::prctl(libc::PR_SET_SECCOMP, 2, &raw const program) };
    let forbidden = no_new_privileges == 0 && installed == 0;
    if !forbidden {
        println!("SKIPPED: this system does not allow system call filters");
    }
    forbidden
}

/// Makes `membarrier` fail.
fn forbid_membarrier() -> bool {
    forbid(libc::SYS_membarrier, &[])
}

/// Makes the call fail that wakes all threads that sleep on one word.
fn forbid_waking_all() -> bool {
    forbid(libc::SYS_futex, &[(1, libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG), (2, libc::c_int::MAX)])
}

/// The number of wake-ups of a task that waits on an idle ring.
fn wakes_of_a_waiting_task(subscriber: &mut seqcast::Subscriber<seqcast::Inline<u64>>) -> usize {
    let counter = Counter::new();
    park(subscriber, &counter.waker());
    counter.count()
}

#[test]
fn without_the_barrier_sleepers_look_again_by_themselves() {
    let (mut publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let mut polled = subscriber.clone();
    let reader = thread::spawn(move || {
        if !forbid_membarrier() {
            return false;
        }
        // The first thread that parks on this ring: its barrier fails.
        let received = subscriber.recv();
        assert_eq!(received, Ok(1));
        let began = Instant::now();
        assert!(subscriber.recv_timeout(Duration::from_millis(30)).is_err());
        assert!(began.elapsed() >= Duration::from_millis(30), "the timeout ended early");
        assert_eq!(subscriber.recv(), Ok(2));
        true
    });
    thread::sleep(Duration::from_millis(50));
    publisher.publish(1);
    thread::sleep(Duration::from_millis(100));
    publisher.publish(2);
    if !reader.join().unwrap() {
        return;
    }
    // The runtime polls the tasks repeatedly.
    assert_eq!(futures::executor::block_on(polled.recv_async()), Ok(1));
    let task = thread::spawn(move || (polled.recv(), futures::executor::block_on(polled.recv_async())));
    thread::sleep(Duration::from_millis(50));
    publisher.publish(3);
    assert_eq!(task.join().unwrap(), (Ok(2), Ok(3)));
    assert_eq!(
        wakes_of_a_waiting_task(&mut publisher.subscribe()),
        1,
        "without a reliable wake-up, the task must be polled"
    );
    let (_publisher, mut sound) = seqcast::inline::<u64>(4);
    assert_eq!(wakes_of_a_waiting_task(&mut sound), 0, "a task on a ring with a barrier must not poll");
}

#[test]
fn a_wake_up_that_the_kernel_refuses_is_made_up_for_by_the_next_publisher() {
    let (publisher, mut subscriber) = seqcast::inline::<u64>(4);
    let publisher = publisher.share();
    let ring = publisher.ring();
    let parked = || ring.stats().subscribers.iter().any(|subscriber| subscriber.parked);
    let reader = thread::spawn(move || {
        let first = subscriber.recv();
        (first, Instant::now())
    });
    while !parked() {
        thread::yield_now();
    }
    thread::sleep(Duration::from_millis(20));
    let restricted = publisher.clone();
    let refused = thread::spawn(move || forbid_waking_all() && restricted.publish(1).is_ok()).join().unwrap();
    if refused {
        thread::sleep(Duration::from_millis(50));
        assert!(!reader.is_finished(), "the filter did not refuse the wake-up, so this test proves nothing");
    }
    let began = Instant::now();
    publisher.publish(2).unwrap();
    common::eventually("the reader is woken", || reader.is_finished());
    let (first, woken) = reader.join().unwrap();
    assert_eq!(first, Ok(1));
    assert!(!refused || woken >= began);
}
