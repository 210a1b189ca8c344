//! What is behind the handles: publishers and subscribers of a boxed ring, as trait objects.
//!
//! A ring needs `T: Send + Sync + 'static`. tokio's handles have no bounds, so programs contain
//! `struct Bus<T> { sender: Sender<T> }` without a bound. Behind a trait object, only the two
//! functions that make a channel need the bounds.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::error::{RecvError, TryRecvError};
use crate::publisher::SharedPublisher;
use crate::ring::Ring;
use crate::slots::Boxed;
use crate::subscriber::Subscriber;

/// A publisher.
pub(super) trait SendHalf<T>: Send + Sync {
    /// Publishes if there is a subscriber, and returns how many there are.
    fn send(&self, message: T) -> Result<usize, T>;
    fn another(&self) -> Box<dyn SendHalf<T>>;
    fn subscribe(&self) -> Box<dyn ReceiveHalf<T>>;
    fn close(&self);
    fn receiver_count(&self) -> usize;
    fn len(&self) -> usize;
    fn unsubscribed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>>;
    /// The `Ring<Boxed<T>>`.
    fn ring(&self) -> Box<dyn Any>;
}

impl<T: Send + Sync + 'static> SendHalf<T> for SharedPublisher<Boxed<T>> {
    fn send(&self, message: T) -> Result<usize, T> {
        let receivers = self.subscriber_count();
        if receivers == 0 {
            return Err(message);
        }
        self.publish(message).map_err(|closed| closed.0)?;
        Ok(receivers)
    }

    fn another(&self) -> Box<dyn SendHalf<T>> {
        Box::new(self.clone())
    }

    fn subscribe(&self) -> Box<dyn ReceiveHalf<T>> {
        Box::new(SharedPublisher::subscribe(self))
    }

    fn close(&self) {
        SharedPublisher::close(self);
    }

    fn receiver_count(&self) -> usize {
        self.subscriber_count()
    }

    fn len(&self) -> usize {
        let unread = usize::try_from(SharedPublisher::ring(self).max_lag());
        unread.unwrap_or(usize::MAX).min(self.capacity())
    }

    fn unsubscribed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        Box::pin(SharedPublisher::ring(self).unsubscribed())
    }

    fn ring(&self) -> Box<dyn Any> {
        let ring: Ring<Boxed<T>> = SharedPublisher::ring(self);
        Box::new(ring)
    }
}

/// A subscriber. Messages are passed to `take`, which clones them. They count as received before
/// that, so a message whose clone panics is skipped.
pub(super) trait ReceiveHalf<T>: Send + Sync {
    fn try_recv(&mut self, take: &mut dyn FnMut(&T)) -> Result<(), TryRecvError>;
    fn recv(&mut self, take: &mut dyn FnMut(&T)) -> Result<(), RecvError>;
    fn poll_recv(&mut self, cx: &mut Context<'_>, take: &mut dyn FnMut(&T)) -> Poll<Result<(), RecvError>>;
    /// Drops the waker of a future that is gone.
    fn forget_waker(&mut self);
    fn subscribe(&self) -> Box<dyn ReceiveHalf<T>>;
    fn len(&self) -> usize;
    fn is_closed(&self) -> bool;
    /// The `Subscriber<Boxed<T>>`.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

impl<T: Send + Sync + 'static> ReceiveHalf<T> for Subscriber<Boxed<T>> {
    fn try_recv(&mut self, take: &mut dyn FnMut(&T)) -> Result<(), TryRecvError> {
        self.try_recv_ref().map(|message| take(&message))
    }

    fn recv(&mut self, take: &mut dyn FnMut(&T)) -> Result<(), RecvError> {
        self.recv_ref().map(|message| take(&message))
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>, take: &mut dyn FnMut(&T)) -> Poll<Result<(), RecvError>> {
        Poll::Ready(ready!(self.poll_recv_ref(cx)).map(|message| take(&message)))
    }

    fn forget_waker(&mut self) {
        Subscriber::forget_waker(self);
    }

    fn subscribe(&self) -> Box<dyn ReceiveHalf<T>> {
        Box::new(self.ring().subscribe())
    }

    fn len(&self) -> usize {
        usize::try_from(self.lag()).unwrap_or(usize::MAX)
    }

    fn is_closed(&self) -> bool {
        Subscriber::is_closed(self)
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
