//! A subscriber whose stream and iterators have plain messages, without losses.

use std::iter::Flatten;

use super::Subscriber;
use super::iter::{IntoIter, Iter};
use crate::slots::{Receive, Storage};

impl<S: Storage> Subscriber<S> {
    /// Turns the subscriber into a stream and iterator of plain messages.
    ///
    /// For readers that accept gaps. Losses are not reported as items. They are still counted, in
    /// [`SkipLagged::missed`].
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, subscriber) = seqcast::inline::<u32>(2);
    /// let mut subscriber = subscriber.skip_lagged();
    /// publisher.publish_many([1, 2, 3]);
    /// publisher.close();
    /// assert_eq!(subscriber.iter().collect::<Vec<_>>(), [2, 3]);
    /// assert_eq!(subscriber.missed(), 1);
    /// ```
    pub fn skip_lagged(self) -> SkipLagged<S> {
        SkipLagged(self)
    }
}

/// A stream and blocking iterator of plain messages, which counts losses and does not report them.
///
/// Made by [`Subscriber::skip_lagged`]. The methods of the subscriber are reached through
/// [`get_ref`](Self::get_ref) and [`get_mut`](Self::get_mut). A clone is an independent reader at
/// the same cursor.
///
/// # Examples
///
/// ```
/// use futures::StreamExt;
///
/// # futures::executor::block_on(async {
/// let (mut publisher, subscriber) = seqcast::inline::<u32>(2);
/// publisher.publish_many([1, 2, 3]);
/// publisher.close();
/// assert_eq!(subscriber.skip_lagged().collect::<Vec<_>>().await, [2, 3]);
/// # });
/// ```
#[derive(Debug)]
pub struct SkipLagged<S: Storage>(Subscriber<S>);

impl<S: Storage> SkipLagged<S> {
    /// Returns a blocking iterator over the messages, which ends when the ring does.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, subscriber) = seqcast::inline::<u32>(8);
    /// let mut subscriber = subscriber.skip_lagged();
    /// publisher.publish_many([1, 2, 3]);
    /// assert_eq!(subscriber.iter().next(), Some(1));
    /// ```
    pub fn iter(&mut self) -> Flatten<Iter<'_, S>>
    where
        S: Receive,
    {
        self.0.iter().flatten()
    }

    /// Returns the number of sequences that were overwritten before they were read.
    ///
    /// As [`Subscriber::missed`].
    pub fn missed(&self) -> u64 {
        self.0.missed()
    }

    /// Returns a shared reference to the subscriber.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, subscriber) = seqcast::inline::<u32>(8);
    /// let subscriber = subscriber.skip_lagged();
    /// publisher.publish(1);
    /// assert_eq!(subscriber.get_ref().lag(), 1);
    /// ```
    pub fn get_ref(&self) -> &Subscriber<S> {
        &self.0
    }

    /// Returns a mutable reference to the subscriber.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, subscriber) = seqcast::inline::<u32>(8);
    /// let mut subscriber = subscriber.skip_lagged();
    /// publisher.publish(1);
    /// assert_eq!(subscriber.get_mut().try_recv(), Ok(1));
    /// ```
    pub fn get_mut(&mut self) -> &mut Subscriber<S> {
        &mut self.0
    }

    /// Returns the subscriber, at the same cursor.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, subscriber) = seqcast::inline::<u32>(8);
    /// let subscriber = subscriber.skip_lagged();
    /// publisher.publish(1);
    /// assert_eq!(subscriber.into_inner().try_recv(), Ok(1));
    /// ```
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

/// An independent reader at the same cursor.
impl<S: Storage> Clone for SkipLagged<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
