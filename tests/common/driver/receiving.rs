//! The subscribers' side: every way to receive, and to be somewhere else.

use super::numbers::untimed;
use super::{Both, Choices, ENOUGH, Numbers, Pair};
use crate::common::model;
use futures::FutureExt;
use futures::stream::{FusedStream, Stream};
use seqcast::{Lagged, RecvError, Start, Storage, TryRecvError};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// As the calls that wait say it; `None` where they would.
fn waited<T>(received: Result<T, TryRecvError>) -> Option<Result<T, RecvError>> {
    match received {
        Ok(received) => Some(Ok(received)),
        Err(TryRecvError::Empty) => None,
        Err(TryRecvError::Closed) => Some(Err(RecvError::Closed)),
        Err(TryRecvError::Lagged(lagged)) => Some(Err(RecvError::Lagged(lagged))),
    }
}

/// As iterators and streams say it; `None` at the end.
fn item<T>(received: Result<T, RecvError>) -> Option<Result<T, Lagged>> {
    match received {
        Ok(received) => Some(Ok(received)),
        Err(RecvError::Lagged(lagged)) => Some(Err(lagged)),
        Err(RecvError::Closed) => None,
    }
}

fn open<S: Numbers>(buffer: Vec<S::Item>) -> Vec<u64> {
    buffer.into_iter().map(S::open).collect()
}

impl<S: Storage> Pair<S> {
    /// Polls; whoever waits then is to be woken.
    fn poll<R>(&mut self, poll: impl FnOnce(&mut Self, &mut Context<'_>) -> Poll<R>) -> Option<R> {
        self.woken.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&self.woken));
        let polled = poll(self, &mut Context::from_waker(&waker));
        self.waiting = polled.is_pending();
        match polled {
            Poll::Ready(ready) => Some(ready),
            Poll::Pending => None,
        }
    }
}

impl<S: Numbers, C: Choices> Both<'_, S, C> {
    pub(super) fn receive(&mut self) {
        let (way, limit, start) = (self.choices.below(20), self.choices.below(6) as usize, self.start());
        if self.subscribers.is_empty() {
            return;
        }
        let which = self.choices.below(self.subscribers.len() as u64) as usize;
        match way {
            0 if self.subscribers.len() < ENOUGH => {
                let Pair { real, model, .. } = &self.subscribers[which];
                let model = self.model.subscribe(Start::At(model.next));
                self.subscribers.push(Pair::new(real.clone(), model));
            }
            1 if limit == 0 => drop(self.subscribers.swap_remove(which)),
            1 if limit == 1 => self.iterate(which),
            2 => {
                let Pair { real, name, .. } = &mut self.subscribers[which];
                let new = format!("subscriber {limit}");
                real.set_name(new.as_str());
                *name = Some(new);
            }
            3 | 4 => self.skip_lagged(which, limit),
            5..7 => {
                let Pair { real, model, .. } = &mut self.subscribers[which];
                real.seek(start);
                model.seek(&self.model, start);
            }
            _ => self.take(which, way, limit),
        }
    }

    fn take(&mut self, which: usize, way: u64, limit: usize) {
        let (ring, pair) = (&self.model, &mut self.subscribers[which]);
        let mut model = pair.model.clone();
        let mut buffer = Vec::new();
        match way {
            7 => {
                let expected = model.try_recv_many(ring, limit);
                let received = pair.real.try_recv_many(&mut buffer, limit);
                assert_eq!(received.map(|count| (count, open::<S>(buffer))), expected.map(|many| (many.len(), many)));
            }
            8 => assert_eq!(pair.real.latest().map(S::open), model.latest(ring)),
            9 => {
                let goal = ring.tail();
                for received in pair.real.try_iter() {
                    assert!(model.next < goal, "beyond its goal");
                    assert_eq!(received.map(S::open).map_err(TryRecvError::Lagged), model.try_recv(ring));
                }
                if model.next < goal {
                    // A claim that has not come, or holes.
                    assert!(matches!(model.try_recv(ring), Err(TryRecvError::Empty | TryRecvError::Closed)));
                }
            }
            10 => {
                let received = pair.real.recv_timeout(Duration::ZERO).map(S::open).map_err(untimed);
                assert_eq!(received, model.try_recv(ring));
            }
            11 => {
                let received = pair.real.recv_deadline(Instant::now()).map(S::open).map_err(untimed);
                assert_eq!(received, model.try_recv(ring));
            }
            12 => {
                if let Some(expected) = waited(pair.model.clone().try_recv(ring)) {
                    let _ = model.try_recv(ring);
                    assert_eq!(pair.real.recv().map(S::open), expected);
                }
            }
            13 => {
                let received = pair.real.recv_async().now_or_never();
                assert_eq!(received.map(|received| received.map(S::open)), waited(model.try_recv(ring)));
                pair.waiting = false;
            }
            14 => {
                let received = pair.poll(|pair, cx| pair.real.poll_recv(cx));
                assert_eq!(received.map(|received| received.map(S::open)), waited(model.try_recv(ring)));
            }
            15 => {
                if let Some(expected) = waited(pair.model.clone().try_recv_many(ring, limit)) {
                    let _ = model.try_recv_many(ring, limit);
                    let received = pair.real.recv_many(&mut buffer, limit);
                    assert_eq!(
                        received.map(|count| (count, open::<S>(buffer))),
                        expected.map(|many| (many.len(), many))
                    );
                }
            }
            16 => {
                let expected = waited(model.try_recv_many(ring, limit));
                let received = pair.real.recv_many_async(&mut buffer, limit).now_or_never();
                let received = received.map(|received| received.map(|count| (count, open::<S>(buffer))));
                assert_eq!(received, expected.map(|expected| expected.map(|many| (many.len(), many))));
                pair.waiting = false;
            }
            17 => {
                let received = pair.poll(|pair, cx| Pin::new(&mut pair.real).poll_next(cx));
                let expected = waited(model.try_recv(ring)).map(item);
                model.ended |= expected == Some(None);
                assert_eq!(received.map(|received| received.map(|received| received.map(S::open))), expected);
            }
            18 => {
                let count = ready(&model, ring, limit);
                for received in pair.real.iter().take(count) {
                    assert_eq!(received.map(S::open).map_err(TryRecvError::Lagged), model.try_recv(ring));
                }
                if ended(&mut model, ring) {
                    assert!(pair.real.iter().next().is_none());
                }
            }
            _ => assert_eq!(pair.real.try_recv().map(S::open), model.try_recv(ring)),
        }
        pair.model = model;
    }

    /// Reads on as an iterator, which nobody needs afterwards.
    fn iterate(&mut self, which: usize) {
        let Pair { real, mut model, .. } = self.subscribers.swap_remove(which);
        let count = ready(&model, &self.model, 5);
        let mut iter = real.into_iter();
        for received in iter.by_ref().take(count) {
            assert_eq!(received.map(S::open).map_err(TryRecvError::Lagged), model.try_recv(&self.model));
        }
        if ended(&mut model, &self.model) {
            assert!(iter.next().is_none());
        }
    }

    fn skip_lagged(&mut self, which: usize, limit: usize) {
        let Pair { real, mut model, name, woken, waiting } = self.subscribers.swap_remove(which);
        let ring = &self.model;
        let mut expected = Vec::new();
        while expected.len() < limit {
            match model.try_recv(ring) {
                Ok(value) => expected.push(value),
                Err(TryRecvError::Lagged(_)) => {}
                Err(_) => break,
            }
        }
        let mut skipping = real.skip_lagged();
        let mut pair;
        if limit % 2 == 0 {
            let received: Vec<_> = skipping.iter().take(expected.len()).map(S::open).collect();
            assert_eq!(received, expected);
            pair = Pair { real: skipping.into_inner(), model, name, woken, waiting };
            // The model looked at what comes next: a loss, perhaps, and then nothing.
            while expected.len() < limit {
                match pair.real.try_recv() {
                    Ok(_) => panic!("more than there is"),
                    Err(TryRecvError::Lagged(_)) => {}
                    Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                }
            }
        } else {
            let mut received = Vec::new();
            woken.0.store(false, Ordering::Relaxed);
            let waker = Waker::from(Arc::clone(&woken));
            let mut pending = false;
            while received.len() < limit {
                match Pin::new(&mut skipping).poll_next(&mut Context::from_waker(&waker)) {
                    Poll::Ready(Some(message)) => received.push(S::open(message)),
                    Poll::Ready(None) => {
                        assert!(skipping.is_terminated() && ended(&mut model, ring));
                        model.ended = true;
                        break;
                    }
                    Poll::Pending => {
                        pending = true;
                        break;
                    }
                }
            }
            assert_eq!(received, expected);
            assert_eq!(skipping.missed(), model.missed);
            pair = Pair { real: skipping.into_inner(), model, name, woken, waiting: pending };
        }
        self.subscribers.push(pair);
    }

    /// A message that is held while others go on, for some laps perhaps.
    pub(super) fn hold(&mut self, depth: u32) {
        if self.subscribers.is_empty() {
            return;
        }
        let which = self.choices.below(self.subscribers.len() as u64) as usize;
        let (mut path, laps, leak) = (self.choices.below(7), self.choices.below(4), self.choices.flag());
        let mut pair = self.subscribers.swap_remove(which);
        let mut expected = pair.model.clone();
        let received = if path == 1 { expected.latest(&self.model) } else { expected.try_recv(&self.model) };
        if path == 5 && received == Err(TryRecvError::Empty) {
            path = 0;
        }
        let held = S::hold(
            &mut pair.real,
            path,
            || match laps {
                0 => {}
                3 => (0..8).for_each(|_| self.step(depth + 1)),
                laps => (0..laps * self.capacity.min(40)).for_each(|_| self.publish()),
            },
            leak,
        );
        if let Some(held) = held {
            assert_eq!(held, received);
            pair.model = expected;
            pair.waiting &= path < 4;
        }
        self.subscribers.push(pair);
    }
}

/// How often it can receive, or be told of a loss, without waiting; `limit` at most.
fn ready(model: &model::Subscriber, ring: &model::Ring, limit: usize) -> usize {
    let mut model = model.clone();
    (0..limit).take_while(|_| matches!(model.try_recv(ring), Ok(_) | Err(TryRecvError::Lagged(_)))).count()
}

/// Whether it is at the end.
fn ended(model: &mut model::Subscriber, ring: &model::Ring) -> bool {
    model.clone().try_recv(ring) == Err(TryRecvError::Closed) && model.try_recv(ring).is_err()
}
