//! Messages copied into a ring and out of it, each way by one `memcpy`. Nothing notices a publisher
//! that overtakes the reader.

use std::cell::UnsafeCell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::{slot, stream, wait_for};
use crate::message::Message;
use crate::statistics::nanoseconds;
use crate::workloads::CAPACITY;

/// One `memcpy`, which the compiler can neither leave out nor merge with another.
#[inline]
fn copy<T: Copy>(from: &T, to: &mut T) {
    *to = *from;
    black_box(to);
}

/// Copies the message out, and reads the copy.
#[inline]
fn receive<T: Message + Copy>(from: &T) -> u64 {
    let message = *from;
    message.number()
}

/// Nanoseconds per message on one thread, through a plain array of `slots` messages.
pub fn copied<T: Message + Copy>(slots: usize, messages: u64) -> f64 {
    // Filled already, so that the memory is there.
    let mut ring = vec![T::of(0); slots];
    let began = Instant::now();
    for (number, slot) in (0..messages).zip((0..slots).cycle()) {
        copy(&T::of(number), &mut ring[slot]);
        assert_eq!(receive(&ring[slot]), number % T::KINDS);
    }
    nanoseconds(began.elapsed(), messages)
}

struct Slot<T> {
    /// One more than the number of the message that is there.
    published: AtomicU64,
    message: UnsafeCell<T>,
}

// SAFETY: `publish` and `receive` have their callers take turns at the message.
unsafe impl<T: Send> Sync for Slot<T> {}

impl<T: Message + Copy> Slot<T> {
    /// Filled already, so that the memory is there.
    fn new() -> Self {
        Self { published: AtomicU64::new(0), message: UnsafeCell::new(T::of(0)) }
    }

    /// # Safety
    ///
    /// One thread calls this, and only when the message that it published here before was received.
    #[inline]
    unsafe fn publish(&self, number: u64) {
        // SAFETY: the reader reads what is published below, and has done so with what was before.
        copy(&T::of(number), unsafe { &mut *self.message.get() });
        self.published.store(number + 1, Ordering::Release);
    }

    /// # Safety
    ///
    /// One thread calls this, once for each number that is published here.
    #[inline]
    unsafe fn receive(&self, number: u64) -> u64 {
        wait_for(&self.published, number + 1);
        // SAFETY: the message is published, and the next one waits until this one was received.
        receive(unsafe { &*self.message.get() })
    }
}

/// Nanoseconds per message between two threads. Each slot has a word that publishes its message.
pub fn copied_between_threads<T: Message + Copy>(messages: u64) -> f64 {
    let ring: Vec<Slot<T>> = (0..CAPACITY).map(|_| Slot::new()).collect();
    // SAFETY: `stream` calls this on one thread, which stays within a lap of what was received.
    let publish = |number| unsafe { ring[slot(number)].publish(number) };
    let receive = |number| {
        // SAFETY: `stream` calls this on one thread, with one number after the other.
        let received = unsafe { ring[slot(number)].receive(number) };
        assert_eq!(received, number % T::KINDS);
    };
    stream(messages, publish, receive)
}
