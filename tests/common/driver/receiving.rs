//! The subscribers' side: operations on a subscriber. `ways.rs` has the receives.

use super::numbers::Borrow;
use super::operation::{Operation, draw, note, op};
use super::ways::{ended, ready};
use super::{Both, Choices, ENOUGH, Numbers, Pair};
use crate::common::model;
use futures::stream::{FusedStream, Stream};
use seqcast::{Start, TryRecvError};
use std::pin::Pin;
use std::task::{Context, Poll};

/// The arguments of an operation on a subscriber.
#[derive(Clone, Copy)]
struct Turn {
    which: usize,
    limit: usize,
    start: Start,
}

type OnTurn<B> = Operation<fn(&mut B, Turn)>;

impl<S: Numbers, C: Choices> Both<'_, S, C> {
    /// The operations on a subscriber.
    const TURNS: [OnTurn<Self>; 18] = [
        op("clone", 1, Self::copy),
        op("end:", 1, Self::end),
        op("set_name", 1, Self::rename),
        op("skip_lagged", 2, Self::skip_lagged),
        op("seek", 2, Self::seek),
        op("try_recv_many", 1, |both, turn| both.take(turn, Pair::try_recv_many)),
        op("latest", 1, |both, turn| both.take(turn, Pair::latest)),
        op("try_iter", 1, |both, turn| both.take(turn, Pair::try_iter)),
        op("recv_timeout", 1, |both, turn| both.take(turn, Pair::recv_timeout)),
        op("recv_deadline", 1, |both, turn| both.take(turn, Pair::recv_deadline)),
        op("recv", 1, |both, turn| both.take(turn, Pair::recv)),
        op("recv_async", 1, |both, turn| both.take(turn, Pair::recv_async)),
        op("poll_recv", 1, |both, turn| both.take(turn, Pair::poll_recv)),
        op("recv_many", 1, |both, turn| both.take(turn, Pair::recv_many)),
        op("recv_many_async", 1, |both, turn| both.take(turn, Pair::recv_many_async)),
        op("poll_next", 1, |both, turn| both.take(turn, Pair::poll_next)),
        op("iter", 1, |both, turn| both.take(turn, Pair::iter)),
        op("try_recv", 1, |both, turn| both.take(turn, Pair::try_recv)),
    ];

    pub(super) fn receive(&mut self) {
        let turn = draw(&mut self.choices, &Self::TURNS);
        let (limit, start) = (self.choices.below(6) as usize, self.start());
        if self.subscribers.is_empty() {
            return;
        }
        let which = self.choices.below(self.subscribers.len() as u64) as usize;
        turn.begin()(self, Turn { which, limit, start });
    }

    fn take(&mut self, turn: Turn, way: fn(&mut Pair<S>, &model::Ring, usize)) {
        way(&mut self.subscribers[turn.which], &self.model, turn.limit);
    }

    fn copy(&mut self, turn: Turn) {
        if self.subscribers.len() >= ENOUGH {
            note("try_recv");
            return self.take(turn, Pair::try_recv);
        }
        let Pair { real, model, .. } = &self.subscribers[turn.which];
        let model = model::Subscriber { gate: model.gate, ..self.model.subscribe(Start::At(model.next)) };
        self.subscribers.push(Pair::new(real.clone(), model));
    }

    fn end(&mut self, turn: Turn) {
        match turn.limit {
            0 => {
                note("drop");
                drop(self.subscribers.swap_remove(turn.which));
            }
            1 => {
                note("into_iter");
                self.iterate(turn.which);
            }
            _ => {
                note("try_recv");
                self.take(turn, Pair::try_recv);
            }
        }
    }

    fn rename(&mut self, turn: Turn) {
        let Pair { real, name, .. } = &mut self.subscribers[turn.which];
        let new = format!("subscriber {}", turn.limit);
        real.set_name(new.as_str());
        *name = Some(new);
    }

    fn seek(&mut self, turn: Turn) {
        let Pair { real, model, .. } = &mut self.subscribers[turn.which];
        real.seek(turn.start);
        model.seek(&self.model, turn.start);
    }

    /// Receives through an owning iterator, and drops it.
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

    fn skip_lagged(&mut self, Turn { which, limit, .. }: Turn) {
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
            // The model has also tried the receive after those: perhaps a loss, then nothing.
            while expected.len() < limit {
                match pair.real.try_recv() {
                    Ok(_) => panic!("received more than the model"),
                    Err(TryRecvError::Lagged(_)) => {}
                    Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                }
            }
        } else {
            let mut received = Vec::new();
            woken.take();
            let waker = woken.waker();
            let mut pending = false;
            while received.len() < limit {
                match Pin::new(&mut skipping).poll_next(&mut Context::from_waker(&waker)) {
                    Poll::Ready(Some(message)) => received.push(S::open(message)),
                    Poll::Ready(None) => {
                        assert!(skipping.is_terminated() && ended(&mut model, ring));
                        model.ended = true;
                        break;
                    }
                    // The subscriber yields.
                    Poll::Pending if woken.take() > 0 => {}
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

    /// Holds a message while other operations run, perhaps for several laps.
    pub(super) fn hold(&mut self, depth: u32) {
        if self.subscribers.is_empty() {
            return;
        }
        let which = self.choices.below(self.subscribers.len() as u64) as usize;
        let borrow = draw(&mut self.choices, &Borrow::ALL);
        let (laps, leak) = (self.choices.below(4), self.choices.flag());
        let mut borrow = borrow.begin();
        let mut pair = self.subscribers.swap_remove(which);
        let mut expected = pair.model.clone();
        let received = match borrow {
            Borrow::LatestRef => expected.latest(&self.model),
            _ => expected.try_recv(&self.model),
        };
        if borrow == Borrow::RecvRef && received == Err(TryRecvError::Empty) {
            borrow = Borrow::TryRecvRef;
        }
        let held = S::hold(
            &mut pair.real,
            borrow,
            || {
                self.held.push(expected.clone());
                match laps {
                    0 => {}
                    3 => (0..8).for_each(|_| self.step(depth + 1)),
                    laps => (0..laps * self.capacity.min(40)).for_each(|_| self.publish()),
                }
                // Publishers may have demoted the subscriber meanwhile.
                expected = self.held.pop().unwrap();
            },
            leak,
        );
        if let Some(held) = held {
            assert_eq!(held, received);
            pair.model = expected;
            pair.waiting &= borrow.keeps_waker();
        }
        self.subscribers.push(pair);
    }
}
