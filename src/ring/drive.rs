//! A task that wakes the subscribers of a ring for its publishers.

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
    /// A future that wakes sleeping tasks in the place of publishers. Spawn it on the runtime where the subscribers' tasks run.
    ///
    /// Without it, each publish wakes every sleeping task before it returns, from outside the runtime. With it, a publish wakes this
    /// future alone. The future wakes the tasks from inside the runtime, 64 at a time, and yields in between. Use it when one ring has
    /// a hundred sleeping tasks or more: publishers no longer pay for them, and a burst of messages reaches each task in one wake-up.
    /// With a few tasks, it adds its own wake-up to the time that a message takes.
    ///
    /// It is ready when the ring is closed: a closing publisher wakes all tasks itself. One such future of a ring runs at a time. A second
    /// one is ready immediately, and does not take over when the first is dropped. To replace one, wait until it has ended, then spawn
    /// the next. Threads that wait in blocking calls are always woken by publishers. (If the clone or drop of an executor's waker
    /// panics in here, the ring has no driver any more, and all later ones are ready immediately.)
    ///
    /// It works in any executor. It also wakes tasks of other runtimes, which then depend on the runtime that polls it.
    ///
    /// # Progress
    ///
    /// Sleeping tasks depend on the runtime that polls this future: each poll wakes 64 of them. While it does not, because all its
    /// workers are blocked, they sleep until more than half the ring's capacity is published: then a publisher wakes them. They also wake when the future is
    /// dropped, for example at the shutdown of the runtime. A future that is leaked, or polled once and never again, delays them in
    /// the same way. Until it is polled for the first time, and after it is dropped, publishers wake as on any ring.
    ///
    /// Make the ring at least twice as large as the largest burst. With a smaller one, a burst may overwrite messages of tasks that
    /// were not woken yet. Losses are counted as always.
    ///
    /// A waker that blocks inside this future holds up the future, and no task for longer than that.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future wakes all sleeping tasks, and leaves the rest to publishers. It keeps the ring's memory alive, and does not
    /// keep the ring open.
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
    /// publisher.publish(7); // wakes one task, which wakes the others
    /// for reader in readers {
    ///     assert_eq!(runtime.block_on(reader).unwrap(), Ok(7));
    /// }
    /// ```
    pub fn drive_wakes(&self) -> DriveWakes<S> {
        DriveWakes { channel: Arc::clone(&self.channel), drives: false }
    }
}

/// Future of [`Ring::drive_wakes`]: spawn it where the subscribers' tasks run. One per ring.
#[must_use = "futures do nothing unless polled"]
pub struct DriveWakes<S: Storage> {
    channel: Arc<Channel<S>>,
    /// It is the driver of its ring.
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
        // After the waker was registered: a closer that this does not see wakes it.
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
