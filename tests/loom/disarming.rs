//! Disarms the publishers' fence after no subscriber has parked for some time. A fence replaces the
//! kernel's barrier on both sides. In the models, a publisher tries to disarm at every second
//! sequence.

use crate::testing;
use crate::wakers::{Counter, call, park};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use loom::future::block_on;
use loom::sync::{Condvar, Mutex};
use loom::thread;
use seqcast::{Builder, Inline, Publisher, RecvError, Subscriber};

use crate::{Pair, explore, id, pair};

fn unarmed_ring(capacity: usize) -> (Publisher<Inline<Pair>>, Subscriber<Inline<Pair>>) {
    testing::with_barrier(Builder::new(capacity)).inline()
}

/// An armed ring in which 3 is published next, which makes its publisher try to disarm the ring.
/// The subscriber waits for 3.
fn about_to_disarm() -> (Publisher<Inline<Pair>>, Subscriber<Inline<Pair>>) {
    let (mut publisher, mut subscriber) = unarmed_ring(8);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(subscriber.poll_recv(&mut cx).is_pending());
    publisher.publish_many((0..3).map(pair));
    assert_eq!(subscriber.try_iter().count(), 3);
    assert!(testing::is_armed(&publisher.ring()));
    (publisher, subscriber)
}

/// The publish of 3 disarms the ring. A subscriber may be waiting for 4.
fn publish_3_and_4(mut publisher: Publisher<Inline<Pair>>) -> Publisher<Inline<Pair>> {
    publisher.publish(pair(3));
    publisher.publish(pair(4));
    publisher
}

#[test]
fn who_arms_a_ring_is_woken() {
    explore(3, || {
        let (mut publisher, mut subscriber) = unarmed_ring(2);
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher
        });
        assert_eq!(subscriber.recv().map(id), Ok(0));
        writer.join().unwrap();
    });
}

#[test]
fn two_who_arm_a_ring_are_woken() {
    explore(2, || {
        let (mut publisher, mut first) = unarmed_ring(2);
        let mut second = first.clone();
        let reader = thread::spawn(move || block_on(first.recv_async()).map(id));
        let writer = thread::spawn(move || {
            publisher.publish(pair(0));
            publisher
        });
        assert_eq!(second.recv().map(id), Ok(0));
        assert_eq!(reader.join().unwrap(), Ok(0));
        writer.join().unwrap();
    });
}

#[test]
fn a_ring_on_which_nobody_parks_is_disarmed() {
    explore(1, || {
        let (mut publisher, _subscriber) = about_to_disarm();
        publisher.publish(pair(3));
        assert!(!testing::is_armed(&publisher.ring()));
    });
}

#[test]
fn a_thread_that_parks_while_the_ring_is_disarmed_is_woken() {
    explore(3, || {
        let (publisher, mut subscriber) = about_to_disarm();
        let writer = thread::spawn(|| publish_3_and_4(publisher));
        assert_eq!([subscriber.recv().map(id), subscriber.recv().map(id)], [Ok(3), Ok(4)]);
        writer.join().unwrap();
    });
}

#[test]
fn a_task_that_parks_while_the_ring_is_disarmed_is_woken() {
    explore(3, || {
        let (publisher, mut subscriber) = about_to_disarm();
        let writer = thread::spawn(|| publish_3_and_4(publisher));
        let received = [block_on(subscriber.recv_async()), block_on(subscriber.recv_async())];
        assert_eq!(received.map(|message| message.map(id)), [Ok(3), Ok(4)]);
        writer.join().unwrap();
    });
}

#[test]
fn who_parks_beside_a_publisher_that_disarms_is_woken_by_another() {
    // Both publish a message at which they try to disarm.
    explore(2, || {
        let (publisher, mut subscriber) = about_to_disarm();
        let publisher = publisher.share();
        let other = publisher.clone();
        let writers = [publisher, other].map(|publisher| {
            thread::spawn(move || {
                publisher.publish_many([pair(3), pair(4)]);
                publisher
            })
        });
        for _ in 0..4 {
            assert!(subscriber.recv().is_ok());
        }
        for writer in writers {
            writer.join().unwrap();
        }
    });
}

/// The calls of the wakers of two tasks.
struct Scene {
    /// Whether the slow waker was called, and the quick one.
    called: Mutex<[bool; 2]>,
    changed: Condvar,
}

impl Scene {
    fn call(&self, which: usize) {
        self.called.lock().unwrap()[which] = true;
        self.changed.notify_all();
    }

    fn wait_for(&self, which: usize) {
        let mut called = self.called.lock().unwrap();
        while !called[which] {
            called = self.changed.wait(called).unwrap();
        }
    }
}

#[test]
fn a_slow_waker_holds_nobody_while_others_disarm() {
    explore(2, || {
        let (publisher, mut first) = unarmed_ring(8);
        let mut second = first.clone();
        let scene = Arc::new(Scene { called: Mutex::new([false; 2]), changed: Condvar::new() });
        let slow = {
            let scene = Arc::clone(&scene);
            // The slow waker returns only after the quick one was called.
            call(move || {
                scene.call(0);
                scene.wait_for(1);
            })
        };
        let quick = {
            let scene = Arc::clone(&scene);
            call(move || scene.call(1))
        };
        park(&mut second, &quick);
        park(&mut first, &slow);
        let publisher = publisher.share();
        // One publisher owns the list while the other tries to disarm twice, and disarms the ring.
        let writers = [1, 4].map(|count| {
            let publisher = publisher.clone();
            thread::spawn(move || {
                for number in 0..count {
                    publisher.publish(pair(number)).unwrap();
                }
            })
        });
        scene.wait_for(0);
        // A publisher that publishes while one waker takes time calls the other waker.
        publisher.publish(pair(9)).unwrap();
        scene.wait_for(1);
        for writer in writers {
            writer.join().unwrap();
        }
    });
}

/// A subscriber that waits in `receive` at a hole arms the ring, and is woken by the skip.
fn arms_a_ring_at_a_hole(receive: fn(&mut Subscriber<Inline<Pair>>) -> Result<Pair, RecvError>) {
    explore(3, move || {
        let (publisher, mut subscriber) = unarmed_ring(2);
        let publisher = publisher.share();
        let stalled = publisher.clone();
        let held = testing::claim(&stalled).unwrap().begin().unwrap();
        std::mem::forget(testing::claim(&publisher).unwrap());
        let writer = thread::spawn(move || {
            // 2 is a hole, and its publisher does not continue.
            assert!(testing::claim(&publisher).unwrap().begin().is_none());
            publisher
        });
        assert!(receive(&mut subscriber).is_err(), "the subscriber must be lapped");
        writer.join().unwrap();
        drop(held);
    });
}

#[test]
fn who_arms_a_ring_at_a_hole_is_woken_by_the_skip() {
    arms_a_ring_at_a_hole(Subscriber::recv);
}

#[test]
fn a_task_that_arms_a_ring_at_a_hole_is_woken_by_the_skip() {
    arms_a_ring_at_a_hole(|subscriber| block_on(subscriber.recv_async()));
}

#[test]
fn who_arms_a_ring_is_woken_by_its_end() {
    explore(3, || {
        let (publisher, mut subscriber) = unarmed_ring(2);
        let publisher = publisher.share();
        let other = publisher.clone();
        let closers = [publisher, other].map(|publisher| {
            thread::spawn(move || {
                publisher.close();
                publisher
            })
        });
        assert!(subscriber.recv().is_err_and(|error| error.is_closed()));
        for closer in closers {
            closer.join().unwrap();
        }
    });
}

#[test]
fn who_parks_at_a_hole_while_the_ring_is_disarmed_is_woken_by_the_skip() {
    explore(2, || {
        let (publisher, mut subscriber) = unarmed_ring(2);
        let publisher = publisher.share();
        assert!(subscriber.poll_recv(&mut Context::from_waker(Waker::noop())).is_pending());
        publisher.publish_many([pair(0), pair(1)]);
        assert_eq!(subscriber.try_iter().count(), 2);
        assert!(testing::is_armed(&publisher.ring()));
        let stalled = publisher.clone();
        let held = testing::claim(&stalled).unwrap().begin().unwrap();
        let other = publisher.clone();
        // 3 makes its publisher try to disarm the ring.
        let disarming = thread::spawn(move || {
            publisher.publish(pair(3)).unwrap();
            publisher
        });
        let skipping = thread::spawn(move || {
            while let Some(claim) = testing::claim(&other) {
                if claim.sequence() % 2 == 0 {
                    assert!(claim.begin().is_none());
                    break;
                }
                claim.begin().map(|write| write.commit(pair(9)));
            }
            other
        });
        // The subscriber waits at 2, whose slot is held.
        assert!(subscriber.recv().is_err(), "the subscriber must be lapped");
        disarming.join().unwrap();
        skipping.join().unwrap();
        drop(held);
    });
}

/// A driver holds tasks while the ring is disarmed, and is not polled again.
#[test]
fn what_a_driver_hands_off_is_found_while_others_disarm() {
    explore(3, || {
        let (mut publisher, mut first) = unarmed_ring(8);
        let mut second = first.clone();
        let mut drive = publisher.ring().drive_wakes();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(pin!(&mut drive).poll(&mut cx).is_pending());
        let woken = Counter::new();
        park(&mut first, &woken.waker());
        park(&mut second, &woken.waker());
        publisher.publish(pair(0));
        // A publisher may clear the note of recently parked subscribers here.
        publisher.publish(pair(1));
        let driving = thread::spawn(move || {
            let mut cx = Context::from_waker(Waker::noop());
            let _ = pin!(&mut drive).poll(&mut cx);
            drive
        });
        publisher.publish(pair(2));
        publisher.publish(pair(3));
        let drive = driving.join().unwrap();
        for number in 4..16 {
            publisher.publish(pair(number));
        }
        assert_eq!(woken.count(), 2, "a parked task was not woken");
        drop(drive);
    });
}

/// A task parks while a driver runs and the ring is disarmed.
#[test]
fn who_parks_beside_a_driver_while_others_disarm_is_woken() {
    explore(3, || {
        let (mut publisher, mut first) = unarmed_ring(8);
        let mut drive = publisher.ring().drive_wakes();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(pin!(&mut drive).poll(&mut cx).is_pending());
        let woken = Counter::new();
        park(&mut first, &woken.waker());
        publisher.publish_many((0..2).map(pair));
        let driving = thread::spawn(move || {
            let called = Counter::new();
            let _ = pin!(&mut drive).poll(&mut Context::from_waker(&called.waker()));
            (drive, called)
        });
        let writer = thread::spawn(move || {
            publisher.publish(pair(2));
            publisher.publish(pair(3));
            publisher
        });
        let mut got = 0;
        let mut sleeps = false;
        while got < 4 && !sleeps {
            woken.take();
            match first.poll_recv(&mut Context::from_waker(&woken.waker())) {
                Poll::Ready(message) => {
                    assert_eq!(message.map(id), Ok(got));
                    got += 1;
                }
                Poll::Pending => sleeps = true,
            }
        }
        let (mut drive, called) = driving.join().unwrap();
        let publisher = writer.join().unwrap();
        while called.take() > 0 {
            let _ = pin!(&mut drive).poll(&mut Context::from_waker(&called.waker()));
        }
        assert!(!sleeps || woken.count() > 0, "the task was not woken although there is a message");
        drop((drive, publisher));
    });
}
