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

/// One of the publishers of a ring. Dropping the last one closes the ring.
pub(crate) struct Handle<S: Storage> {
    channel: Arc<Channel<S>>,
    pool: S::Pool,
    /// The wait of a publisher that polls for room.
    wait: Option<Box<TaskWait>>,
    /// A message that `Sink::start_send` took, and for which there was no room. The lock only
    /// makes it `Sync`.
    #[cfg(feature = "sink")]
    held: TryLock<Option<Box<S::Item>>>,
}

impl<S: Storage> Handle<S> {
    /// `channel` already counts this handle.
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

    /// Ends the wait of a sink.
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

    /// As `poll_ready`, for one of many publishers. Tasks that wait already go first.
    pub(super) fn poll_ready_shared(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed<()>>> {
        let channel = Arc::clone(&self.channel);
        // A publisher that has never waited has no `TaskWait` yet, and makes one only if others
        // wait.
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

/// The queries that both publishers have. Their field is called `handle`, and `$make` makes the
/// `publisher` of the examples.
macro_rules! look_ups {
    ($make:literal) => {
        /// Returns a new subscriber, which receives what is published from now on.
        ///
        /// As [`Ring::subscribe`].
        ///
        /// # Examples
        ///
        /// ```
        #[doc = $make]
        /// publisher.publish_many([1]);
        /// let mut subscriber = publisher.subscribe();
        /// publisher.publish_many([2]);
        /// assert_eq!(subscriber.try_recv(), Ok(2));
        /// ```
        pub fn subscribe(&self) -> Subscriber<S> {
            self.subscribe_at(Start::Latest)
        }

        /// Returns a new subscriber, which begins at `start`.
        ///
        /// As [`Ring::subscribe_at`].
        ///
        /// # Examples
        ///
        /// ```
        /// use seqcast::Start;
        ///
        #[doc = $make]
        /// publisher.publish_many([1, 2]);
        /// assert_eq!(publisher.subscribe_at(Start::Oldest).try_recv(), Ok(1));
        /// ```
        pub fn subscribe_at(&self, start: Start) -> Subscriber<S> {
            self.handle.ring().subscribe_at(start)
        }

        /// Returns a handle that makes subscribers and shows statistics.
        ///
        /// It cannot publish, and does not keep the ring open.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = $make]
        /// publisher.publish_many([1, 2]);
        /// let ring = publisher.ring();
        /// drop(publisher);
        /// assert!(ring.is_closed());
        /// assert_eq!(ring.stats().published, 2);
        /// ```
        pub fn ring(&self) -> Ring<S> {
            self.handle.ring()
        }

        /// Returns the number of messages that the ring holds: a power of two.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = $make]
        /// assert_eq!(publisher.capacity(), 8);
        /// ```
        pub fn capacity(&self) -> usize {
            self.handle.channel().capacity()
        }

        /// Returns the number of live subscribers.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = $make]
        /// let subscriber = publisher.subscribe();
        /// assert_eq!(publisher.subscriber_count(), 1);
        /// drop(subscriber);
        /// assert_eq!(publisher.subscriber_count(), 0);
        /// ```
        pub fn subscriber_count(&self) -> usize {
            self.handle.channel().registry.len()
        }
    };
}
pub(crate) use look_ups;
