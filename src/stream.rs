//! Subscribers as streams.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::{FusedStream, Stream};

use crate::error::{Lagged, RecvError};
use crate::skip_lagged::SkipLagged;
use crate::slots::Receive;
use crate::subscriber::Subscriber;

/// Ends when the ring does, and stays ended (until somebody [`seek`](Subscriber::seek)s back).
impl<S: Receive> Stream for Subscriber<S> {
    type Item = Result<S::Item, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(match ready!(self.poll_recv(cx)) {
            Ok(message) => Some(Ok(message)),
            Err(RecvError::Lagged(lagged)) => Some(Err(lagged)),
            Err(RecvError::Closed) => None,
        })
    }
}

impl<S: Receive> FusedStream for Subscriber<S> {
    fn is_terminated(&self) -> bool {
        self.is_at_end()
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
        self.get_ref().is_at_end()
    }
}
