//! The receiving side.

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

/// The receiving side of a channel. It receives a clone of every message that is sent while it exists.
///
/// It is also a [`Stream`] of `Result<T, RecvError>`: the error is always
/// [`Lagged`](RecvError::Lagged), after which the stream goes on, and the stream ends when the channel is
/// closed. `BroadcastStream` of tokio-stream is not needed, and `StreamMap` takes a receiver as it is.
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
    /// As a stream it has returned `None`.
    ended: bool,
    like_tokio: PhantomData<LikeTokio<T>>,
}

impl<T> Receiver<T> {
    pub(super) fn with(half: Box<dyn ReceiveHalf<T>>, shared: Arc<Shared<T>>) -> Self {
        Self { half, shared, ended: false, like_tokio: PhantomData }
    }

    /// How many messages this receiver has not received yet. It counts those that were overwritten: if it
    /// is more than the capacity, the next call reports the loss.
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

    /// Whether this receiver has received all messages.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both receive from one channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// How many senders there are.
    pub fn sender_strong_count(&self) -> usize {
        self.shared.strong_count()
    }

    /// How many weak senders there are.
    pub fn sender_weak_count(&self) -> usize {
        self.shared.weak_count()
    }

    /// Whether all senders are gone. There may be messages left to receive.
    pub fn is_closed(&self) -> bool {
        self.half.is_closed()
    }
}

impl<T: Clone> Receiver<T> {
    /// Another receiver of the channel, for the messages that are sent after this call.
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

    /// Waits for the next message.
    ///
    /// # Errors
    ///
    /// - [`Lagged`](RecvError::Lagged): messages were overwritten. The next call returns the oldest message
    ///   that is left.
    /// - [`Closed`](RecvError::Closed): all senders are gone, and there is no message left.
    ///
    /// # Panics
    ///
    /// If the message's clone panics. The message counts as received.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is ready, no message was received.
    ///
    /// # Cooperation
    ///
    /// A task that receives 128 times in a row without waiting yields once, as by
    /// [`recv_async`](Subscriber::recv_async). It works in any runtime. Other futures of the task do not
    /// yield with it, which matters to [biased selects](crate::broadcast#biased-selects).
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

    /// Receives the next message if it is there.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`Empty`](TryRecvError::Empty) if there is no message yet.
    ///
    /// # Panics
    ///
    /// As [`recv`](Self::recv).
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
        self.half.try_recv(&mut |shown| message = Some(shown.clone()))?;
        Ok(taken(message))
    }

    /// Waits for the next message, and blocks the thread meanwhile: it spins briefly, then sleeps.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Panics
    ///
    /// If the message's clone panics. It does not know runtimes, so it does not panic in an async context,
    /// as tokio's does: it blocks the runtime's thread there.
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
        self.half.recv(&mut |shown| message = Some(shown.clone()))?;
        Ok(taken(message))
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        let mut message = None;
        ready!(self.half.poll_recv(cx, &mut |shown| message = Some(shown.clone())))?;
        Poll::Ready(Ok(taken(message)))
    }
}

/// What a successful call has shown.
fn taken<T>(message: Option<T>) -> T {
    message.unwrap_or_else(|| unreachable!("a message was received"))
}

impl<T: Send + Sync + 'static> Receiver<T> {
    /// The ring's subscriber, at the same position: for messages that are borrowed, losses that add up,
    /// blocking with a deadline, and whatever else a receiver has no call for.
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

/// A receiver that a future waits on.
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
