//! A subscriber for those who can live with gaps.

use std::iter::Flatten;

use super::Subscriber;
use super::iter::{IntoIter, Iter};
use crate::slots::{Receive, Storage};

impl<S: Storage> Subscriber<S> {
    /// Turns it into a stream and iterator of plain messages. Losses are not told, but counted all the same.
    ///
    /// ```
    /// let (mut publisher, subscriber) = seqcast::inline::<u32>(2);
    /// let mut subscriber = subscriber.skip_lagged();
    /// publisher.publish_many([1, 2, 3]);
    /// publisher.close();
    /// assert_eq!(subscriber.iter().collect::<Vec<u32>>(), [2, 3]);
    /// assert_eq!(subscriber.missed(), 1);
    /// ```
    pub fn skip_lagged(self) -> SkipLagged<S> {
        SkipLagged(self)
    }
}

/// A stream and blocking iterator of plain messages: losses are not told, but counted.
///
/// Made by [`Subscriber::skip_lagged`]. Everything a subscriber can tell is at [`get_ref`](Self::get_ref).
#[derive(Debug)]
pub struct SkipLagged<S: Storage>(Subscriber<S>);

impl<S: Storage> SkipLagged<S> {
    /// Waits for the next message: the blocking iterator. It ends when the ring does.
    pub fn iter(&mut self) -> Flatten<Iter<'_, S>>
    where
        S: Receive,
    {
        self.0.iter().flatten()
    }

    /// Sequences overwritten before they were read.
    pub fn missed(&self) -> u64 {
        self.0.missed()
    }

    /// The subscriber inside.
    pub fn get_ref(&self) -> &Subscriber<S> {
        &self.0
    }

    /// The subscriber inside.
    pub fn get_mut(&mut self) -> &mut Subscriber<S> {
        &mut self.0
    }

    /// The subscriber that it was made of.
    pub fn into_inner(self) -> Subscriber<S> {
        self.0
    }
}

impl<S: Receive> IntoIterator for SkipLagged<S> {
    type Item = S::Item;
    type IntoIter = Flatten<IntoIter<S>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().flatten()
    }
}

#[expect(clippy::into_iter_without_iter, reason = "reading moves the cursor, so `iter` takes `&mut self`")]
impl<'a, S: Receive> IntoIterator for &'a mut SkipLagged<S> {
    type Item = S::Item;
    type IntoIter = Flatten<Iter<'a, S>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A second reader at the same cursor.
impl<S: Storage> Clone for SkipLagged<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
