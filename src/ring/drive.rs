//! A task that wakes the tasks of a ring instead of its publishers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::Ring;
use crate::channel::Channel;
use crate::slots::Storage;
use crate::sync::Arc;
use crate::wait::Driven;

impl<S: Storage> Ring<S> {
    /// Returns the driver: a future that wakes sleeping tasks instead of the publishers.
    ///
    /// Spawn it on the runtime where the subscribers' tasks run. Use it if a hundred tasks or more
    /// sleep on one ring. Publishers then no longer pay for their wake-ups, and a burst of
    /// messages reaches each task in one wake-up. With a few tasks, it only adds its own wake-up
    /// to the time that a message takes.
    ///
    /// Without a driver, each publish wakes every sleeping task before it returns, from outside
    /// the runtime. With a driver, a publish wakes the driver only. The driver wakes the tasks
    /// from inside the runtime, 64 per poll.
    ///
    /// The future is ready when the ring is closed. One driver per ring runs at a time. A second
    /// one is ready immediately, and does not take over when the first is dropped. To replace a
    /// driver, wait until it has ended, then spawn the next. If the clone or drop of an executor's
    /// waker panics in the driver, the ring has no driver any more, and all later ones are ready
    /// immediately.
    ///
    /// It works in any executor. It also wakes tasks of other runtimes, which then depend on the
    /// runtime that polls it. Threads in blocking calls are always woken by publishers.
    ///
    /// Make the ring at least twice as large as the largest burst. In a smaller ring, a burst may
    /// overwrite messages of tasks that were not woken yet. Such losses are counted as usual.
    ///
    /// # Progress
    ///
    /// Sleeping tasks depend on the runtime that polls the driver. While it does not poll, they
    /// sleep until more than half the ring's capacity is published, and then a publisher wakes
    /// them. They also wake when the driver is dropped. A driver that is leaked, or not polled
    /// again, delays them in the same way. Before its first poll and after its drop, publishers
    /// wake tasks as on any ring.
    ///
    /// A waker that blocks inside the driver blocks the driver. It delays the other tasks no
    /// longer than above. See [Waking](crate::book::waking).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future wakes all sleeping tasks, and publishers wake them from then on. It
    /// keeps the ring's memory alive, and does not keep the ring open.
    ///
    /// # Examples
    ///
    /// ```
    /// # let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    /// let (mut publisher, subscriber) = seqcast::inline::<u32>(64);
    /// runtime.spawn(publisher.ring().drive_wakes());
    /// let readers: Vec<_> = (0..1000)
    ///     .map(|_| {
    ///         let mut subscriber = subscriber.clone();
    ///         runtime.spawn(async move { subscriber.recv_async().await })
    ///     })
    ///     .collect();
    /// publisher.publish(7); // wakes the driver, which wakes the others
    /// for reader in readers {
    ///     assert_eq!(runtime.block_on(reader).unwrap(), Ok(7));
    /// }
    /// ```
    pub fn drive_wakes(&self) -> DriveWakes<S> {
        DriveWakes { channel: Arc::clone(&self.channel), drives: false }
    }
}

/// The future of [`Ring::drive_wakes`], which wakes sleeping tasks instead of the publishers.
///
/// Spawn it on the runtime where the subscribers' tasks run, one per ring.
#[must_use = "futures do nothing unless polled"]
pub struct DriveWakes<S: Storage> {
    channel: Arc<Channel<S>>,
    /// Whether this is the driver of its ring.
    drives: bool,
}

impl<S: Storage> DriveWakes<S> {
    fn end(&mut self) {
        if std::mem::take(&mut self.drives) {
            self.channel.end_driving();
        }
    }
}

impl<S: Storage> Future for DriveWakes<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { channel, drives } = &mut *self;
        *drives = *drives || channel.waiters.begin_to_drive(channel.sequencer.tail());
        if !*drives {
            return Poll::Ready(());
        }
        let driven = channel.waiters.drive(cx.waker());
        // After the waker was registered. A close that this load does not see wakes the driver.
        if driven == Driven::Unusable || channel.sequencer.is_closed() {
            self.end();
            return Poll::Ready(());
        }
        if driven == Driven::More {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl<S: Storage> Drop for DriveWakes<S> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<S: Storage> fmt::Debug for DriveWakes<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriveWakes").field("drives", &self.drives).finish_non_exhaustive()
    }
}
