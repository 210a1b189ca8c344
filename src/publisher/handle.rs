//! What keeps a ring open.

use std::task::{Context, Poll};

use super::task::TaskWait;
use crate::channel::Channel;
use crate::error::Closed;
use crate::ring::Ring;
use crate::slots::Storage;
use crate::sync::Arc;
#[cfg(feature = "sink")]
use crate::sync::TryLock;

/// One of the publishers of a ring; the last to be dropped closes it.
pub(crate) struct Handle<S: Storage> {
    channel: Arc<Channel<S>>,
    pool: S::Pool,
    /// Of a publisher that polls for room.
    wait: Option<Box<TaskWait>>,
    /// A message that `Sink::start_send` took, and for which there was no room. (In a lock for its `Sync` alone.)
    #[cfg(feature = "sink")]
    held: TryLock<Option<Box<S::Item>>>,
}

impl<S: Storage> Handle<S> {
    /// The channel counts it already.
    pub(crate) fn new(channel: Arc<Channel<S>>) -> Self {
        Self {
            channel,
            pool: S::Pool::default(),
            wait: None,
            #[cfg(feature = "sink")]
            held: TryLock::default(),
        }
    }

    #[inline]
    pub(crate) fn channel(&self) -> &Arc<Channel<S>> {
        &self.channel
    }

    /// A sink waits no more.
    #[cfg(feature = "sink")]
    pub(super) fn end_wait(&mut self) {
        if let Some(wait) = &mut self.wait {
            wait.end(&self.channel);
        }
    }

    /// The message that a sink holds.
    #[cfg(feature = "sink")]
    pub(super) fn held(&mut self) -> &mut Option<Box<S::Item>> {
        self.held.get_mut()
    }

    /// As `poll_ready`, by one of many publishers: it lets tasks that wait go first.
    pub(super) fn poll_ready_shared(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed<()>>> {
        let channel = Arc::clone(&self.channel);
        // A publisher that has never waited has no place for a wait yet, and makes one when others wait.
        let others_wait = channel.gate.as_ref().is_some_and(|gate| gate.has_tasks());
        if others_wait && self.wait.get_or_insert_default().lets_others_first(&channel, cx) {
            return Poll::Pending;
        }
        self.poll_ready(cx)
    }

    /// Polls until there is room, or the ring is closed.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed<()>>> {
        let channel = Arc::clone(&self.channel);
        let attempt = || channel.has_room().then(|| if channel.is_over() { Err(Closed(())) } else { Ok(()) });
        match attempt() {
            Some(done) => {
                if let Some(wait) = &mut self.wait {
                    wait.end(&channel);
                }
                Poll::Ready(done)
            }
            None => self.wait.get_or_insert_default().poll(&channel, cx, attempt),
        }
    }

    #[inline]
    pub(crate) fn pool(&self) -> &S::Pool {
        &self.pool
    }

    #[inline]
    pub(crate) fn parts(&mut self) -> (&Channel<S>, &mut S::Pool) {
        (&self.channel, &mut self.pool)
    }

    pub(crate) fn ring(&self) -> Ring<S> {
        Ring::new(Arc::clone(&self.channel))
    }
}

impl<S: Storage> Clone for Handle<S> {
    fn clone(&self) -> Self {
        self.channel.add_publisher();
        Self::new(Arc::clone(&self.channel))
    }
}

impl<S: Storage> Drop for Handle<S> {
    fn drop(&mut self) {
        if let Some(wait) = &mut self.wait {
            wait.end(&self.channel);
        }
        self.channel.drop_publisher(&mut self.pool);
    }
}

/// The look-ups that both publishers have; their field is called `handle`.
macro_rules! look_ups {
    () => {
        /// A subscriber that reads what is published from now on. Allocates; no publisher or subscriber notices.
        pub fn subscribe(&self) -> Subscriber<S> {
            self.subscribe_at(Start::Latest)
        }

        /// A subscriber that begins at `start`. See [`Ring::subscribe_at`].
        pub fn subscribe_at(&self, start: Start) -> Subscriber<S> {
            self.handle.ring().subscribe_at(start)
        }

        /// A handle that neither publishes nor keeps the ring open.
        pub fn ring(&self) -> Ring<S> {
            self.handle.ring()
        }

        /// How many messages the ring holds.
        pub fn capacity(&self) -> usize {
            self.handle.channel().capacity()
        }

        /// How many subscribers there are.
        pub fn subscriber_count(&self) -> usize {
            self.handle.channel().registry.len()
        }
    };
}
pub(crate) use look_ups;
