//! Blocking and non-blocking iterators over a subscriber.

use std::iter::FusedIterator;

use super::Subscriber;
use crate::error::{Lagged, RecvError, TryRecvError};
use crate::slots::{Receive, Storage};

/// Receiving: as an iterator.
impl<S: Receive> Subscriber<S> {
    /// Waits for the next message: the blocking iterator. It ends when the ring does.
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish_many([1, 2, 3]);
    /// publisher.close();
    /// assert_eq!(subscriber.iter().map(Result::unwrap).collect::<Vec<_>>(), [1, 2, 3]);
    /// ```
    pub fn iter(&mut self) -> Iter<'_, S> {
        Iter(self)
    }

    /// What is there now: an iterator that never blocks and ends at the tail of the moment it was made, so that it ends
    /// even while publishers go on.
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish_many([1, 2]);
    /// assert_eq!(subscriber.try_iter().map(Result::unwrap).collect::<Vec<_>>(), [1, 2]);
    /// ```
    pub fn try_iter(&mut self) -> TryIter<'_, S> {
        let goal = self.channel().sequencer.tail();
        TryIter { subscriber: self, goal }
    }
}

/// Blocking iterator of [`Subscriber::iter`]; ends when the ring does.
#[derive(Debug)]
pub struct Iter<'a, S: Storage>(&'a mut Subscriber<S>);

/// Blocking iterator that owns its subscriber; ends when the ring does.
#[derive(Debug)]
pub struct IntoIter<S: Storage>(Subscriber<S>);

/// Iterator of [`Subscriber::try_iter`]; ends at the tail of the moment it was made.
#[derive(Debug)]
pub struct TryIter<'a, S: Storage> {
    subscriber: &'a mut Subscriber<S>,
    goal: u64,
}

/// A receive as an item: there is none at the end of the ring.
pub(crate) fn until_closed<T>(received: Result<T, RecvError>) -> Option<Result<T, Lagged>> {
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
                self.goal = 0; // ended: it stays so
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
