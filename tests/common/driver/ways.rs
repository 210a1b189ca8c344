//! Every way to receive by value, compared with the model.

use super::{Numbers, Pair};
use crate::common::wakers::{now, past_yields};
use crate::common::{model, untimed};
use futures::stream::Stream;
use seqcast::{Lagged, RecvError, TryRecvError};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// The result of the calls that wait. `None` if they would wait.
fn waited<T>(received: Result<T, TryRecvError>) -> Option<Result<T, RecvError>> {
    match received {
        Ok(received) => Some(Ok(received)),
        Err(TryRecvError::Empty) => None,
        Err(TryRecvError::Closed) => Some(Err(RecvError::Closed)),
        Err(TryRecvError::Lagged(lagged)) => Some(Err(RecvError::Lagged(lagged))),
    }
}

/// The item of iterators and streams. `None` at the end.
fn item<T>(received: Result<T, RecvError>) -> Option<Result<T, Lagged>> {
    match received {
        Ok(received) => Some(Ok(received)),
        Err(RecvError::Lagged(lagged)) => Some(Err(lagged)),
        Err(RecvError::Closed) => None,
    }
}

fn open_many<S: Numbers, E>(received: Result<usize, E>, buffer: Vec<S::Item>) -> Result<(usize, Vec<u64>), E> {
    received.map(|count| (count, buffer.into_iter().map(S::open).collect()))
}

fn counted<E>(expected: Result<Vec<u64>, E>) -> Result<(usize, Vec<u64>), E> {
    expected.map(|many| (many.len(), many))
}

impl<S: Numbers> Pair<S> {
    /// Polls. If the result is `Pending`, the next event must wake.
    fn poll<R>(&mut self, mut poll: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<R>) -> Option<R> {
        let woken = Arc::clone(&self.woken);
        let polled = past_yields(&woken, |cx| poll(self, cx));
        self.waiting = polled.is_pending();
        match polled {
            Poll::Ready(ready) => Some(ready),
            Poll::Pending => None,
        }
    }

    pub(super) fn try_recv(&mut self, ring: &model::Ring, _: usize) {
        assert_eq!(self.real.try_recv().map(S::open), self.model.try_recv(ring));
    }

    pub(super) fn try_recv_many(&mut self, ring: &model::Ring, limit: usize) {
        let mut buffer = Vec::new();
        let expected = self.model.try_recv_many(ring, limit);
        let received = self.real.try_recv_many(&mut buffer, limit);
        assert_eq!(open_many::<S, _>(received, buffer), counted(expected));
    }

    /// Receives in one of three ways. The blocking one is used only if it does not have to wait.
    pub(super) fn latest(&mut self, ring: &model::Ring, limit: usize) {
        let expected = self.model.latest(ring);
        match (limit % 3, waited(expected)) {
            (1, Some(expected)) => assert_eq!(self.real.recv_latest().map(S::open), expected),
            (2, expected) => {
                let received = now(self.real.recv_latest_async());
                assert_eq!(received.map(|received| received.map(S::open)), expected);
                self.waiting = false;
            }
            _ => assert_eq!(self.real.latest().map(S::open), expected),
        }
    }

    pub(super) fn try_iter(&mut self, ring: &model::Ring, _: usize) {
        let Self { real, model, .. } = self;
        let goal = ring.tail();
        for received in real.try_iter() {
            assert!(model.next < goal, "the iterator continued beyond its goal");
            assert_eq!(received.map(S::open).map_err(TryRecvError::Lagged), model.try_recv(ring));
        }
        if model.next < goal {
            // An uncommitted claim, or holes.
            assert!(matches!(model.try_recv(ring), Err(TryRecvError::Empty | TryRecvError::Closed)));
        }
    }

    pub(super) fn recv_timeout(&mut self, ring: &model::Ring, _: usize) {
        let received = self.real.recv_timeout(Duration::ZERO).map(S::open).map_err(untimed);
        assert_eq!(received, self.model.try_recv(ring));
    }

    pub(super) fn recv_deadline(&mut self, ring: &model::Ring, _: usize) {
        let received = self.real.recv_deadline(Instant::now()).map(S::open).map_err(untimed);
        assert_eq!(received, self.model.try_recv(ring));
    }

    /// Only if it does not have to wait.
    pub(super) fn recv(&mut self, ring: &model::Ring, _: usize) {
        if let Some(expected) = waited(self.model.clone().try_recv(ring)) {
            let _ = self.model.try_recv(ring);
            assert_eq!(self.real.recv().map(S::open), expected);
        }
    }

    pub(super) fn recv_async(&mut self, ring: &model::Ring, _: usize) {
        let received = now(self.real.recv_async());
        assert_eq!(received.map(|received| received.map(S::open)), waited(self.model.try_recv(ring)));
        self.waiting = false;
    }

    pub(super) fn poll_recv(&mut self, ring: &model::Ring, _: usize) {
        let received = self.poll(|pair, cx| pair.real.poll_recv(cx));
        assert_eq!(received.map(|received| received.map(S::open)), waited(self.model.try_recv(ring)));
    }

    /// Only if it does not have to wait.
    pub(super) fn recv_many(&mut self, ring: &model::Ring, limit: usize) {
        if let Some(expected) = waited(self.model.clone().try_recv_many(ring, limit)) {
            let mut buffer = Vec::new();
            let _ = self.model.try_recv_many(ring, limit);
            let received = self.real.recv_many(&mut buffer, limit);
            assert_eq!(open_many::<S, _>(received, buffer), counted(expected));
        }
    }

    pub(super) fn recv_many_async(&mut self, ring: &model::Ring, limit: usize) {
        let mut buffer = Vec::new();
        let expected = waited(self.model.try_recv_many(ring, limit));
        let received = now(self.real.recv_many_async(&mut buffer, limit));
        assert_eq!(received.map(|received| open_many::<S, _>(received, buffer)), expected.map(counted));
        self.waiting = false;
    }

    pub(super) fn poll_next(&mut self, ring: &model::Ring, _: usize) {
        let received = self.poll(|pair, cx| Pin::new(&mut pair.real).poll_next(cx));
        let expected = waited(self.model.try_recv(ring)).map(item);
        self.model.ended |= expected == Some(None);
        assert_eq!(received.map(|received| received.map(|received| received.map(S::open))), expected);
    }

    pub(super) fn iter(&mut self, ring: &model::Ring, limit: usize) {
        let Self { real, model, .. } = self;
        let count = ready(model, ring, limit);
        for received in real.iter().take(count) {
            assert_eq!(received.map(S::open).map_err(TryRecvError::Lagged), model.try_recv(ring));
        }
        if ended(model, ring) {
            assert!(real.iter().next().is_none());
        }
    }
}

/// How many receives return a message or a loss without waiting, at most `limit`.
pub(super) fn ready(model: &model::Subscriber, ring: &model::Ring, limit: usize) -> usize {
    let mut model = model.clone();
    (0..limit).take_while(|_| matches!(model.try_recv(ring), Ok(_) | Err(TryRecvError::Lagged(_)))).count()
}

/// Whether the subscriber is at the end.
pub(super) fn ended(model: &mut model::Subscriber, ring: &model::Ring) -> bool {
    model.clone().try_recv(ring) == Err(TryRecvError::Closed) && model.try_recv(ring).is_err()
}
