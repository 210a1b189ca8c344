//! The only publisher of its ring.

use std::fmt;
use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::handle::{Batch, Handle, look_ups};
use crate::channel::Channel;
use crate::error::TryPublishError;
use crate::ring::Ring;
use crate::seq;
use crate::slots::Storage;
use crate::start::Start;
use crate::subscriber::Subscriber;

/// The only publisher of its ring: publishing is a handful of plain stores.
///
/// For several publishers, [`share`](Self::share) it. Dropping it closes the ring: subscribers read what is left, then learn
/// of the end. (A publisher that is leaked with [`std::mem::forget`] leaves its ring open for ever.)
///
/// ```
/// let (mut publisher, mut subscriber) = seqcast::inline::<f64>(64);
/// assert_eq!(publisher.publish(1.5), 0);
/// assert_eq!(publisher.publish(2.5), 1);
/// assert_eq!(subscriber.try_recv(), Ok(1.5));
/// ```
pub struct Publisher<S: Storage> {
    /// All there is: the next sequence is kept in the ring, lest publishers that lie side by side, each in the hands of a thread of its own,
    /// write to one cache line.
    handle: Handle<S>,
}

impl<S: Storage> Publisher<S> {
    /// No other publisher is left.
    pub(crate) fn new(handle: Handle<S>) -> Self {
        Self { handle }
    }

    /// Publishes a message and returns its sequence.
    ///
    /// Overwrites the oldest message once the ring is full. Works the same with no subscriber at all.
    ///
    /// # Panics
    ///
    /// When the 2⁶³ − 2³² sequences of a ring are used up: after 292 years of 10⁹ messages a second.
    ///
    /// # Blocking and progress
    ///
    /// Wait-free; never blocks and never fails. The cost depends on the size of the message, not on the number of subscribers.
    ///
    /// Parked subscribers are woken once the message is there, and their wakers run on this thread. Each message of a burst wakes
    /// them again; [`publish_many`](Self::publish_many) wakes them once.
    ///
    /// An inline ring never allocates. A boxed ring stops allocating after about the first lap, except when subscribers join or
    /// leave. Its publishers drop messages that were overwritten, usually one in each publish and after everything else. One publish
    /// in 64, or in as many as there are subscribers if those are more, looks at what each subscriber borrows.
    ///
    /// Panics in wakers and in drops of messages are caught. The [crate's limits](crate#limits) say what happens when they block.
    ///
    /// # Memory ordering
    ///
    /// What this thread did before happens before a subscriber receives the message.
    #[inline]
    pub fn publish(&mut self, value: S::Item) -> u64 {
        // Dropped last: that may take its time. (Where it is: to move it would cost something.)
        let mut garbage = S::Garbage::default();
        let (channel, pool) = self.handle.parts();
        let sequence = put(channel, pool, value, &mut garbage);
        channel.wake(sequence..sequence + 1);
        sequence
    }

    /// Publishes like [`publish`](Self::publish); there to read the same on every kind of ring.
    ///
    /// # Errors
    ///
    /// None on an ordinary ring: nobody is waited for, so it is never [`Full`](TryPublishError::Full), and an exclusive publisher's ring is
    /// open.
    #[inline]
    pub fn try_publish(&mut self, value: S::Item) -> Result<u64, TryPublishError<S::Item>> {
        Ok(self.publish(value))
    }

    /// Publishes messages in a row and returns their sequences. Parked subscribers are woken once, at the end.
    ///
    /// Subscribers that are awake read each message as soon as it is there; those that are parked lose what is more than the ring
    /// holds. Old messages of a boxed ring are dropped on the way. If the iterator panics, what it gave before stays published and is
    /// woken for.
    ///
    /// ```
    /// let (mut publisher, _subscriber) = seqcast::inline::<u8>(64);
    /// assert_eq!(publisher.publish_many(*b"tick"), 0..4);
    /// assert_eq!(publisher.publish_many([]), 4..4);
    /// ```
    pub fn publish_many(&mut self, values: impl IntoIterator<Item = S::Item>) -> Range<u64> {
        let (channel, pool) = self.handle.parts();
        let start = channel.sequencer.next_exclusive();
        let mut batch = Batch::new(channel, start..start);
        for value in values {
            batch.published.end = put(channel, pool, value, &mut S::Garbage::default()) + 1;
        }
        batch.published.clone()
    }

    /// Closes the ring, as dropping it does.
    pub fn close(self) {}

    /// The sequence that the next message gets.
    pub fn next_sequence(&self) -> u64 {
        self.channel().sequencer.next_exclusive()
    }

    look_ups!();

    /// Itself without its number: the ring stays open.
    pub(crate) fn into_handle(self) -> Handle<S> {
        self.handle
    }

    #[inline]
    fn channel(&self) -> &Channel<S> {
        self.handle.channel()
    }
}

/// Publishes without the wake-up that is due then.
#[inline]
fn put<S: Storage>(channel: &Channel<S>, pool: &mut S::Pool, value: S::Item, garbage: &mut S::Garbage) -> u64 {
    let sequence = channel.sequencer.next_exclusive();
    assert!(sequence <= seq::LAST, "all sequences of the ring are used up");
    channel.publish_exclusive(pool, sequence, value, garbage);
    sequence
}

impl<S: Storage> fmt::Debug for Publisher<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("capacity", &self.capacity())
            .field("next_sequence", &self.next_sequence())
            .finish_non_exhaustive()
    }
}

// A panicking iterator leaves what was published published.
impl<S: Storage> UnwindSafe for Publisher<S> {}
impl<S: Storage> RefUnwindSafe for Publisher<S> {}
