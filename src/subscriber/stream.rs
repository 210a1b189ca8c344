//! Subscribers as streams.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::{FusedStream, Stream};

use super::Subscriber;
use super::iter::until_closed;
use super::skip_lagged::SkipLagged;
use crate::error::Lagged;
use crate::slots::Receive;

/// A stream of messages and losses, which ends when the ring does.
///
/// It stays ended until a [`seek`](Subscriber::seek). It is cooperative, as
/// [`recv_async`](Subscriber::recv_async).
impl<S: Receive> Stream for Subscriber<S> {
    type Item = Result<S::Item, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = until_closed(ready!(self.poll_recv(cx)));
        if item.is_none() {
            self.set_ended();
        }
        Poll::Ready(item)
    }
}

/// Terminated once [`poll_next`](Stream::poll_next) has returned `None`.
///
/// It is not terminated earlier, because `select!` does not poll a terminated stream, and would
/// never return the `None`.
///
/// # Examples
///
/// ```
/// use futures::StreamExt;
///
/// # futures::executor::block_on(async {
/// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
/// let mut ticks = futures::stream::repeat(()).fuse();
/// publisher.publish(1);
/// publisher.close();
/// loop {
///     futures::select! {
///         message = subscriber.next() => match message {
///             Some(Ok(message)) => assert_eq!(message, 1),
///             Some(Err(lagged)) => eprintln!("{lagged}"),
///             None => break, // the ring is closed and read to its end
///         },
///         () = ticks.select_next_some() => {}
///     }
/// }
/// # });
/// ```
impl<S: Receive> FusedStream for Subscriber<S> {
    fn is_terminated(&self) -> bool {
        self.has_ended()
    }
}

impl<S: Receive> Stream for SkipLagged<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        loop {
            match ready!(Pin::new(SkipLagged::get_mut(&mut self)).poll_next(cx)) {
                Some(Ok(message)) => return Poll::Ready(Some(message)),
                Some(Err(_counted)) => {}
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<S: Receive> FusedStream for SkipLagged<S> {
    fn is_terminated(&self) -> bool {
        self.get_ref().has_ended()
    }
}
