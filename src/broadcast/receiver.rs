//! The receiving side of a channel.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::{FusedStream, Stream};

use super::error::{RecvError, TryRecvError};
use super::half::ReceiveHalf;
use super::shared::{LikeTokio, Shared};
use crate::slots::Boxed;
use crate::subscriber::Subscriber;
use crate::sync::Arc;

/// The receiving side of a channel, which receives a clone of every message that is sent while it
/// exists.
///
/// It is also a [`Stream`] of `Result<T, RecvError>`, which ends when the channel is closed. The
/// error is always [`Lagged`](RecvError::Lagged), after which the stream continues.
/// `BroadcastStream` of tokio-stream is not needed, and `StreamMap` takes a receiver as it is.
///
/// # Examples
///
/// ```
/// use futures::StreamExt;
/// use seqcast::broadcast;
///
/// # futures::executor::block_on(async {
/// let (sender, mut receiver) = broadcast::channel(2);
/// for number in 1..=3 {
///     sender.send(number).unwrap();
/// }
/// drop(sender);
/// let (mut sum, mut lost) = (0, 0);
/// while let Some(message) = receiver.next().await {
///     match message {
///         Ok(number) => sum += number,
///         Err(broadcast::error::RecvError::Lagged(missed)) => lost += missed,
///         Err(broadcast::error::RecvError::Closed) => unreachable!("a stream ends instead"),
///     }
/// }
/// assert_eq!((sum, lost), (5, 1));
/// # });
/// ```
pub struct Receiver<T> {
    half: Box<dyn ReceiveHalf<T>>,
    shared: Arc<Shared<T>>,
    /// The stream has returned `None`.
    ended: bool,
    like_tokio: PhantomData<LikeTokio<T>>,
}

impl<T> Receiver<T> {
    pub(super) fn with(half: Box<dyn ReceiveHalf<T>>, shared: Arc<Shared<T>>) -> Self {
        Self { half, shared, ended: false, like_tokio: PhantomData }
    }

    /// Returns the number of messages that this receiver has not received yet.
    ///
    /// It includes messages that were overwritten: if it is more than the capacity, the next call
    /// reports the loss.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::broadcast;
    ///
    /// let (sender, mut receiver) = broadcast::channel(2);
    /// for number in 0..3 {
    ///     sender.send(number).unwrap();
    /// }
    /// assert_eq!(receiver.len(), 3);
    /// assert_eq!(receiver.try_recv(), Err(broadcast::error::TryRecvError::Lagged(1)));
    /// assert_eq!(receiver.len(), 2);
    /// ```
    pub fn len(&self) -> usize {
        self.half.len()
    }

    /// Returns `true` if this receiver has received all messages.
    ///
    /// # Examples
    ///
    /// ```
    /// let (sender, mut receiver) = seqcast::broadcast::channel(16);
    /// assert!(receiver.is_empty());
    /// sender.send(10).unwrap();
    /// assert!(!receiver.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns `true` if both receive from the same channel.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_sender, receiver) = seqcast::broadcast::channel::<u32>(16);
    /// assert!(receiver.same_channel(&receiver.resubscribe()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Returns the number of senders.
    ///
    /// # Examples
    ///
    /// ```
    /// let (sender, receiver) = seqcast::broadcast::channel::<u32>(16);
    /// let _other = sender.clone();
    /// assert_eq!(receiver.sender_strong_count(), 2);
    /// ```
    pub fn sender_strong_count(&self) -> usize {
        self.shared.strong_count()
    }

    /// Returns the number of weak senders.
    ///
    /// # Examples
    ///
    /// ```
    /// let (sender, receiver) = seqcast::broadcast::channel::<u32>(16);
    /// let _weak = sender.downgrade();
    /// assert_eq!(receiver.sender_weak_count(), 1);
    /// ```
    pub fn sender_weak_count(&self) -> usize {
        self.shared.weak_count()
    }

    /// Returns `true` if all senders are gone. There may be messages left to receive.
    ///
    /// # Examples
    ///
    /// ```
    /// let (sender, mut receiver) = seqcast::broadcast::channel(16);
    /// sender.send(10).unwrap();
    /// drop(sender);
    /// assert!(receiver.is_closed());
    /// assert_eq!(receiver.try_recv(), Ok(10));
    /// ```
    pub fn is_closed(&self) -> bool {
        self.half.is_closed()
    }
}

impl<T: Clone> Receiver<T> {
    /// Returns another receiver of the channel, for the messages that are sent after this call.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::broadcast;
    ///
    /// let (sender, mut receiver) = broadcast::channel(4);
    /// sender.send(1).unwrap();
    /// let mut late = receiver.resubscribe();
    /// sender.send(2).unwrap();
    /// assert_eq!((receiver.try_recv(), late.try_recv()), (Ok(1), Ok(2)));
    /// ```
    #[must_use = "the receiver that it is called on is not changed"]
    pub fn resubscribe(&self) -> Self {
        Self::with(self.half.subscribe(), Arc::clone(&self.shared))
    }

    /// Waits for the next message and receives it.
    ///
    /// # Errors
    ///
    /// - [`Lagged`](RecvError::Lagged): messages were overwritten. The next call returns the
    ///   oldest message that is left.
    /// - [`Closed`](RecvError::Closed): all senders are gone, and there is no message left. Later
    ///   calls return the same.
    ///
    /// # Panics
    ///
    /// If the clone of the message panics. The message counts as received.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is ready, no message was received.
    ///
    /// # Cooperation
    ///
    /// A task that receives 128 times in a row without waiting yields once, in any executor, as
    /// [`recv_async`](Subscriber::recv_async) does. Other futures of the task do not yield with
    /// it, which matters to [biased selects](crate::broadcast#biased-selects).
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::broadcast::{self, error::RecvError};
    ///
    /// # futures::executor::block_on(async {
    /// let (sender, mut receiver) = broadcast::channel(2);
    /// for number in 1..=3 {
    ///     sender.send(number).unwrap();
    /// }
    /// assert_eq!(receiver.recv().await, Err(RecvError::Lagged(1)));
    /// assert_eq!(receiver.recv().await, Ok(2));
    /// # });
    /// ```
    pub async fn recv(&mut self) -> Result<T, RecvError> {
        let waiting = Waiting(self);
        poll_fn(|cx| waiting.0.poll_recv(cx)).await
    }

    /// Receives the next message if there is one.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`Empty`](TryRecvError::Empty) if there is no message yet.
    ///
    /// # Panics
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::broadcast::{self, error::TryRecvError};
    ///
    /// let (sender, mut receiver) = broadcast::channel(16);
    /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    /// sender.send(10).unwrap();
    /// assert_eq!(receiver.try_recv(), Ok(10));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let mut message = None;
        self.half.try_recv(&mut |received| message = Some(received.clone()))?;
        Ok(taken(message))
    }

    /// Waits for the next message and receives it, and blocks the thread meanwhile.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Panics
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Blocking
    ///
    /// Spins briefly, then parks the thread. Do not call it in an async context: it does not panic
    /// there, as tokio's does, and blocks the thread of the runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::broadcast;
    ///
    /// let (sender, mut receiver) = broadcast::channel(16);
    /// let reader = std::thread::spawn(move || receiver.blocking_recv());
    /// sender.send(10).unwrap();
    /// assert_eq!(reader.join().unwrap(), Ok(10));
    /// ```
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        let mut message = None;
        self.half.recv(&mut |received| message = Some(received.clone()))?;
        Ok(taken(message))
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        let mut message = None;
        ready!(self.half.poll_recv(cx, &mut |received| message = Some(received.clone())))?;
        Poll::Ready(Ok(taken(message)))
    }
}

/// The message that a successful call has passed to `take`.
fn taken<T>(message: Option<T>) -> T {
    message.unwrap_or_else(|| unreachable!("a message was received"))
}

impl<T: Send + Sync + 'static> Receiver<T> {
    /// Turns the receiver into the subscriber of the ring, at the same position.
    ///
    /// A [`Subscriber`] borrows messages, counts losses, blocks with a deadline, and more.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::broadcast;
    ///
    /// let (sender, receiver) = broadcast::channel::<String>(16);
    /// sender.send("borrowed".to_owned()).unwrap();
    /// let mut subscriber = receiver.into_inner();
    /// assert_eq!(*subscriber.try_recv_ref().unwrap(), "borrowed");
    /// ```
    pub fn into_inner(self) -> Subscriber<Boxed<T>> {
        *self.half.into_any().downcast().unwrap_or_else(|_| unreachable!("made by `Sender::subscribe`"))
    }
}

/// A receiver that a future waits on. Its waker is dropped with the future.
struct Waiting<'a, T>(&'a mut Receiver<T>);

impl<T> Drop for Waiting<'_, T> {
    fn drop(&mut self) {
        self.0.half.forget_waker();
    }
}

impl<T: Clone> Stream for Receiver<T> {
    type Item = Result<T, RecvError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let received = ready!(self.poll_recv(cx));
        self.ended = matches!(received, Err(RecvError::Closed));
        Poll::Ready((!self.ended).then_some(received))
    }
}

/// Terminated once the stream has ended.
impl<T: Clone> FusedStream for Receiver<T> {
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broadcast::Receiver")
    }
}

impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}
