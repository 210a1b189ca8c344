//! Room in a gated ring: which subscribers make publishers wait, how a publisher waits in a task,
//! and what wakes it. Blocking calls are made only if the model has room.

use super::operation::{Operation, draw, note, op};
use super::publishing::Lent;
use super::{Both, Choices, ENOUGH, Numbers, Pair};
use crate::common::model::{self, Refused};
use crate::common::testing;
use crate::common::wakers::{Counter, past_yields};
use seqcast::{Closed, Start};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

/// With more gating subscribers than this, publishers would rarely have room.
const GATES: usize = 3;

type Wait<B, S> = Operation<fn(&mut B, &mut Lent<S>, u32)>;

impl<S: Numbers, C: Choices> Both<'_, S, C> {
    fn models(&mut self) -> impl Iterator<Item = &mut model::Subscriber> {
        self.subscribers.iter_mut().map(|pair| &mut pair.model).chain(&mut self.held)
    }

    /// Updates the model's cursors of gating subscribers. Called before each publish.
    pub(super) fn note_gates(&mut self) {
        let gates = self.models().filter(|model| model.gate.is_some()).map(|model| model.next).collect();
        self.model.gates = gates;
    }

    pub(super) fn subscribe_gating(&mut self) {
        let (start, latest) = (self.start(), self.choices.flag());
        self.note_gates();
        if self.subscribers.len() >= ENOUGH || self.model.gates.len() >= GATES {
            return;
        }
        let (real, start) = if latest {
            note("subscribe_gating");
            (self.ring.subscribe_gating(), Start::Latest)
        } else {
            note("subscribe_gating_at");
            (self.ring.subscribe_gating_at(start), start)
        };
        match (real, self.model.subscribe_gating(start)) {
            (Ok(real), Ok(model)) => self.subscribers.push(Pair::new(real, model)),
            (real, model) => assert_eq!(real.err(), model.err()),
        }
    }

    /// Moves, drops or demotes the gating subscribers.
    pub(super) fn make_room(&mut self) {
        match self.choices.below(3) {
            0 => {
                note("receive");
                self.each_gate(|pair, ring| pair.try_recv(ring, 0));
            }
            1 => {
                note("seek");
                self.each_gate(|pair, ring| {
                    pair.real.seek(Start::Latest);
                    pair.model.seek(ring, Start::Latest);
                });
            }
            _ => {
                note("drop");
                self.subscribers.retain(|pair| pair.model.gate.is_none());
            }
        }
    }

    fn each_gate(&mut self, mut act: impl FnMut(&mut Pair<S>, &model::Ring)) {
        for pair in self.subscribers.iter_mut().filter(|pair| pair.model.gate.is_some()) {
            act(pair, &self.model);
        }
    }

    pub(super) fn expire(&mut self) {
        self.note_gates();
        testing::expire_gate_deadline(&self.ring);
        let subscribers = self.subscribers.iter_mut().map(|pair| &mut pair.model).chain(&mut self.held);
        self.model.expire(subscribers);
    }

    /// A publisher waits for room in a task, while other operations run.
    pub(super) fn wait(&mut self, depth: u32) {
        let wait = draw(&mut self.choices, &Self::WAITS);
        self.share_at_the_end();
        if let Some(mut publisher) = self.lend() {
            wait.begin()(self, &mut publisher, depth);
            self.give_back(publisher);
        }
    }

    const WAITS: [Wait<Self, S>; 2] =
        [op("publish_async", 2, Self::publish_async), op("poll_ready", 1, Self::poll_ready)];

    fn publish_async(&mut self, publisher: &mut Lent<S>, depth: u32) {
        let value = self.next_value();
        let message = S::wrap(&self.ledger, value);
        let woken = Counter::new();
        let mut future = publisher.publish_async(message);
        loop {
            let polled = past_yields(&woken, |cx| Pin::new(&mut future).poll(cx));
            let ready = polled.is_ready();
            self.published(
                value,
                match polled {
                    Poll::Ready(Ok(sequence)) => Ok(sequence),
                    Poll::Ready(Err(Closed(back))) => Err((Refused::Closed, Some(back))),
                    Poll::Pending => Err((Refused::Full, None)),
                },
            );
            if ready || !self.meanwhile(&woken, depth) {
                return;
            }
        }
    }

    fn poll_ready(&mut self, publisher: &mut Lent<S>, depth: u32) {
        let woken = Counter::new();
        loop {
            self.note_gates();
            let polled = past_yields(&woken, |cx| publisher.poll_ready(cx));
            let expected = match self.model.refuses() {
                None => Poll::Ready(Ok(())),
                Some(Refused::Closed) => Poll::Ready(Err(Closed(()))),
                Some(Refused::Full) => Poll::Pending,
            };
            assert_eq!(polled, expected);
            if polled.is_ready() || !self.meanwhile(&woken, depth) {
                return;
            }
        }
    }

    /// Runs other operations while a publisher waits. It must be woken when there is room. Returns
    /// `false` if the publisher gives up.
    fn meanwhile(&mut self, woken: &Arc<Counter>, depth: u32) -> bool {
        match self.choices.below(4) {
            0 => {
                note("give up");
                return false;
            }
            1 => {
                note("make room:");
                self.make_room();
            }
            _ => {
                for _ in 0..8 {
                    self.step(depth + 1);
                    self.is_woken_for_room(woken);
                }
            }
        }
        self.is_woken_for_room(woken);
        true
    }

    fn is_woken_for_room(&mut self, woken: &Counter) {
        self.note_gates();
        assert!(
            woken.count() > 0 || self.model.stays_full(),
            "the waiting publisher was not woken although there is room"
        );
    }
}
