//! The sending side of a channel: senders and weak senders.

use std::fmt;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::error::SendError;
use super::half::SendHalf;
use super::receiver::Receiver;
use super::shared::{LikeTokio, Shared};
use crate::builder::Builder;
use crate::ring::Ring;
use crate::slots::Boxed;
use crate::sync::Arc;

/// The sending side of a channel.
///
/// Clone it for each thread or task that sends. The channel is closed when the last sender is
/// dropped.
///
/// # Examples
///
/// ```
/// use seqcast::broadcast;
///
/// let (sender, mut receiver) = broadcast::channel(16);
/// let worker = sender.clone();
/// std::thread::spawn(move || worker.send("done")).join().unwrap()?;
/// assert_eq!(receiver.blocking_recv().unwrap(), "done");
/// # Ok::<(), broadcast::error::SendError<&str>>(())
/// ```
pub struct Sender<T> {
    half: Box<dyn SendHalf<T>>,
    shared: Arc<Shared<T>>,
    like_tokio: PhantomData<LikeTokio<T>>,
}

impl<T> Sender<T> {
    /// Makes a channel without a receiver.
    ///
    /// The channel holds at least `capacity` messages, rounded up to a power of two.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0, more than `isize::MAX as usize / 2`, or more messages than fit in the
    /// address space.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::broadcast;
    ///
    /// let sender = broadcast::Sender::new(16);
    /// assert!(sender.send(1).is_err());
    /// let _receiver = sender.subscribe();
    /// assert_eq!(sender.send(1).unwrap(), 1);
    /// ```
    #[track_caller]
    pub fn new(capacity: usize) -> Self
    where
        T: Send + Sync + 'static,
    {
        let (publisher, _) = Builder::new(capacity).eager_drop().boxed::<T>();
        let base = publisher.share();
        let half = Box::new(base.clone());
        Self::with(half, Arc::new(Shared::new(Box::new(base))))
    }

    /// `shared` already counts this sender.
    pub(super) fn with(half: Box<dyn SendHalf<T>>, shared: Arc<Shared<T>>) -> Self {
        Self { half, shared, like_tokio: PhantomData }
    }

    /// Sends a message to all receivers, and returns how many there are.
    ///
    /// If the channel is full, the oldest message is overwritten. A receiver may be dropped, or
    /// lag, before it receives the message.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the message: there is no receiver. A later call succeeds if there is one
    /// by then.
    ///
    /// # Progress
    ///
    /// Lock-free, as [`SharedPublisher::publish`](crate::SharedPublisher::publish). No sender
    /// waits for another sender or for a receiver. It wakes sleeping receivers.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::broadcast;
    ///
    /// let (sender, receiver) = broadcast::channel(16);
    /// assert_eq!(sender.send("one").unwrap(), 1);
    /// drop(receiver);
    /// assert_eq!(sender.send("two").unwrap_err().0, "two");
    /// ```
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        self.half.send(value).map_err(SendError)
    }

    /// Returns a new receiver, for the messages that are sent after this call.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::broadcast;
    ///
    /// let (sender, _receiver) = broadcast::channel(16);
    /// sender.send(1).unwrap();
    /// let mut late = sender.subscribe();
    /// sender.send(2).unwrap();
    /// assert_eq!(late.try_recv(), Ok(2));
    /// ```
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::with(self.half.subscribe(), Arc::clone(&self.shared))
    }

    /// Returns a sender that does not keep the channel open.
    ///
    /// # Examples
    ///
    /// ```
    /// let (sender, receiver) = seqcast::broadcast::channel::<u32>(16);
    /// let weak = sender.downgrade();
    /// drop(sender);
    /// assert!(receiver.is_closed());
    /// assert!(weak.upgrade().is_none());
    /// ```
    #[must_use = "a weak sender does not keep the channel open, and this call does not drop the sender"]
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender::new(Arc::clone(&self.shared))
    }

    /// Returns the number of messages that at least one receiver has not received yet.
    ///
    /// It is at most the capacity. It reads the position of every receiver.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::broadcast;
    ///
    /// let (sender, mut first) = broadcast::channel(16);
    /// let mut second = sender.subscribe();
    /// sender.send(1).unwrap();
    /// sender.send(2).unwrap();
    /// first.try_recv().unwrap();
    /// assert_eq!(sender.len(), 2);
    /// second.try_recv().unwrap();
    /// assert_eq!(sender.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.half.len()
    }

    /// Returns `true` if every receiver has received all messages.
    ///
    /// # Examples
    ///
    /// ```
    /// let (sender, mut receiver) = seqcast::broadcast::channel(16);
    /// sender.send(1).unwrap();
    /// assert!(!sender.is_empty());
    /// receiver.try_recv().unwrap();
    /// assert!(sender.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of receivers.
    ///
    /// It includes every subscriber of the [ring](Self::ring).
    ///
    /// # Examples
    ///
    /// ```
    /// let (sender, receiver) = seqcast::broadcast::channel::<u32>(16);
    /// let _other = receiver.resubscribe();
    /// assert_eq!(sender.receiver_count(), 2);
    /// ```
    pub fn receiver_count(&self) -> usize {
        self.half.receiver_count()
    }

    /// Returns `true` if both send to the same channel.
    ///
    /// # Examples
    ///
    /// ```
    /// let (sender, _receiver) = seqcast::broadcast::channel::<u32>(16);
    /// assert!(sender.same_channel(&sender.clone()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Waits until there is no receiver.
    ///
    /// If a new receiver is made before the future is polled again, it keeps waiting.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::FutureExt;
    /// use seqcast::broadcast;
    ///
    /// let (sender, receiver) = broadcast::channel::<u32>(16);
    /// assert!(sender.closed().now_or_never().is_none());
    /// drop(receiver);
    /// assert!(sender.closed().now_or_never().is_some());
    /// ```
    pub async fn closed(&self) {
        self.half.unsubscribed().await;
    }

    /// Returns the number of senders.
    ///
    /// # Examples
    ///
    /// ```
    /// let (sender, _receiver) = seqcast::broadcast::channel::<u32>(16);
    /// let _other = sender.clone();
    /// assert_eq!(sender.strong_count(), 2);
    /// ```
    pub fn strong_count(&self) -> usize {
        self.shared.strong_count()
    }

    /// Returns the number of weak senders.
    ///
    /// # Examples
    ///
    /// ```
    /// let (sender, _receiver) = seqcast::broadcast::channel::<u32>(16);
    /// let _weak = sender.downgrade();
    /// assert_eq!(sender.weak_count(), 1);
    /// ```
    pub fn weak_count(&self) -> usize {
        self.shared.weak_count()
    }
}

impl<T: Send + Sync + 'static> Sender<T> {
    /// Returns a handle of the channel's ring, which shows statistics and makes subscribers.
    ///
    /// A subscriber that resumes at a sequence finds what the channel has kept. A message with a
    /// drop, such as a `String`, is dropped when all receivers have received it. One without a
    /// drop, such as a `u64`, stays until it is overwritten.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::{Start, broadcast};
    ///
    /// let (sender, mut receiver) = broadcast::channel(16);
    /// sender.send("first".to_owned()).unwrap();
    /// sender.send("second".to_owned()).unwrap();
    /// receiver.try_recv().unwrap(); // drops the channel's "first"
    /// let mut late = sender.ring().subscribe_at(Start::At(0));
    /// assert!(late.try_recv().unwrap_err().is_lagged());
    /// assert_eq!(late.try_recv().unwrap(), "second");
    /// ```
    pub fn ring(&self) -> Ring<Boxed<T>> {
        *self.half.ring().downcast().unwrap_or_else(|_| unreachable!("made by `Sender::new`"))
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.add_sender();
        Self::with(self.half.another(), Arc::clone(&self.shared))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.drop_sender();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broadcast::Sender")
    }
}

impl<T> UnwindSafe for Sender<T> {}
impl<T> RefUnwindSafe for Sender<T> {}

/// A sender that does not keep the channel open.
///
/// [`upgrade`](Self::upgrade) it to send.
///
/// # Examples
///
/// ```
/// use seqcast::broadcast;
///
/// let (sender, _receiver) = broadcast::channel::<u32>(16);
/// let weak = sender.downgrade();
/// assert!(weak.upgrade().is_some());
/// drop(sender);
/// assert!(weak.upgrade().is_none());
/// ```
pub struct WeakSender<T> {
    shared: Arc<Shared<T>>,
    like_tokio: PhantomData<LikeTokio<T>>,
}

impl<T> WeakSender<T> {
    fn new(shared: Arc<Shared<T>>) -> Self {
        shared.add_weak();
        Self { shared, like_tokio: PhantomData }
    }

    /// Returns a sender of the channel, or `None` if all senders are gone.
    ///
    /// # Examples
    ///
    /// ```
    /// let (sender, mut receiver) = seqcast::broadcast::channel(16);
    /// let weak = sender.downgrade();
    /// weak.upgrade().unwrap().send(1).unwrap();
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// ```
    #[must_use]
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let half = self.shared.upgrade()?;
        Some(Sender::with(half, Arc::clone(&self.shared)))
    }

    /// Returns the number of senders.
    ///
    /// As [`Sender::strong_count`].
    pub fn strong_count(&self) -> usize {
        self.shared.strong_count()
    }

    /// Returns the number of weak senders.
    ///
    /// As [`Sender::weak_count`].
    pub fn weak_count(&self) -> usize {
        self.shared.weak_count()
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.shared))
    }
}

impl<T> Drop for WeakSender<T> {
    fn drop(&mut self) {
        self.shared.drop_weak();
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broadcast::WeakSender")
    }
}

impl<T> UnwindSafe for WeakSender<T> {}
impl<T> RefUnwindSafe for WeakSender<T> {}
