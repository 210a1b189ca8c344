//! Blocking and non-blocking iterators over a subscriber.

use std::iter::FusedIterator;

use super::Subscriber;
use crate::error::{Lagged, RecvError, TryRecvError};
use crate::slots::{Receive, Storage};

/// Receiving as an iterator.
impl<S: Storage> Subscriber<S> {
    /// Returns a blocking iterator over the messages, which ends when the ring does.
    ///
    /// Each item is a message, or [`Lagged`] if messages were overwritten before they were read.
    /// The iterator continues after `Lagged`. [`skip_lagged`](Self::skip_lagged) gives plain
    /// messages instead.
    ///
    /// # Blocking
    ///
    /// Each item is received as by [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(2);
    /// publisher.publish_many([1, 2, 3]);
    /// publisher.close();
    /// let (mut messages, mut missed) = (Vec::new(), 0);
    /// for message in subscriber.iter() {
    ///     match message {
    ///         Ok(message) => messages.push(message),
    ///         Err(lagged) => missed += lagged.missed,
    ///     }
    /// }
    /// assert_eq!((messages, missed), (vec![2, 3], 1));
    /// ```
    pub fn iter(&mut self) -> Iter<'_, S>
    where
        S: Receive,
    {
        Iter(self)
    }

    /// Returns an iterator over the messages that are available now, which never blocks.
    ///
    /// It ends at the tail of the moment at which it was made, or earlier if it finds no message.
    /// So it ends even while publishers continue.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish_many([1, 2]);
    /// assert_eq!(subscriber.try_iter().map(Result::unwrap).collect::<Vec<_>>(), [1, 2]);
    /// assert_eq!(subscriber.try_iter().next(), None);
    /// ```
    pub fn try_iter(&mut self) -> TryIter<'_, S>
    where
        S: Receive,
    {
        let goal = self.channel().sequencer.tail();
        TryIter { subscriber: self, goal }
    }
}

/// The blocking iterator of [`Subscriber::iter`].
#[derive(Debug)]
pub struct Iter<'a, S: Storage>(&'a mut Subscriber<S>);

/// A blocking iterator that owns its subscriber.
///
/// Made by a `for` loop over a [`Subscriber`]. It is otherwise as [`Subscriber::iter`].
///
/// # Examples
///
/// ```
/// let (mut publisher, subscriber) = seqcast::inline::<u32>(8);
/// publisher.publish_many([1, 2, 3]);
/// publisher.close();
/// let (mut sum, mut missed) = (0, 0);
/// for message in subscriber {
///     match message {
///         Ok(number) => sum += number,
///         Err(lagged) => missed += lagged.missed,
///     }
/// }
/// assert_eq!((sum, missed), (6, 0));
/// ```
#[derive(Debug)]
pub struct IntoIter<S: Storage>(Subscriber<S>);

/// The iterator of [`Subscriber::try_iter`], which never blocks.
#[derive(Debug)]
pub struct TryIter<'a, S: Storage> {
    subscriber: &'a mut Subscriber<S>,
    /// The tail when this was made, or 0 once it has ended.
    goal: u64,
}

/// The result of a receive as an item. `None` is the end of the ring.
pub(super) fn until_closed<T>(received: Result<T, RecvError>) -> Option<Result<T, Lagged>> {
    match received {
        Ok(message) => Some(Ok(message)),
        Err(RecvError::Lagged(lagged)) => Some(Err(lagged)),
        Err(RecvError::Closed) => None,
    }
}

impl<S: Receive> Iterator for Iter<'_, S> {
    type Item = Result<S::Item, Lagged>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        until_closed(self.0.recv())
    }
}

impl<S: Receive> Iterator for IntoIter<S> {
    type Item = Result<S::Item, Lagged>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        until_closed(self.0.recv())
    }
}

impl<S: Receive> Iterator for TryIter<'_, S> {
    type Item = Result<S::Item, Lagged>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.subscriber.next_sequence() >= self.goal {
            return None;
        }
        match self.subscriber.try_recv() {
            Ok(message) => Some(Ok(message)),
            Err(TryRecvError::Lagged(lagged)) => Some(Err(lagged)),
            Err(TryRecvError::Empty | TryRecvError::Closed) => {
                self.goal = 0; // fused
                None
            }
        }
    }
}

impl<S: Receive> FusedIterator for Iter<'_, S> {}
impl<S: Receive> FusedIterator for IntoIter<S> {}
impl<S: Receive> FusedIterator for TryIter<'_, S> {}

impl<S: Receive> IntoIterator for Subscriber<S> {
    type Item = Result<S::Item, Lagged>;
    type IntoIter = IntoIter<S>;

    fn into_iter(self) -> IntoIter<S> {
        IntoIter(self)
    }
}

#[expect(clippy::into_iter_without_iter, reason = "reading moves the cursor, so `iter` takes `&mut self`")]
impl<'a, S: Receive> IntoIterator for &'a mut Subscriber<S> {
    type Item = Result<S::Item, Lagged>;
    type IntoIter = Iter<'a, S>;

    fn into_iter(self) -> Iter<'a, S> {
        self.iter()
    }
}
