//! A lossy subscriber of the first ring. It is slow, and no publisher waits for it.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use seqcast::{Boxed, Subscriber};

/// How long it takes to show a message.
const REFRESH: Duration = Duration::from_millis(1);

/// Reads to the end of the ring. Returns the subscriber, for its account.
pub(crate) fn start(mut subscriber: Subscriber<Boxed<Bytes>>) -> JoinHandle<Subscriber<Boxed<Bytes>>> {
    subscriber.set_name("dashboard");
    thread::spawn(move || {
        while let Some(message) = subscriber.next_ref() {
            // After a loss the oldest message is read at once: it is the next to be overwritten.
            if message.is_ok() {
                drop(message);
                thread::sleep(REFRESH);
            }
        }
        subscriber
    })
}
