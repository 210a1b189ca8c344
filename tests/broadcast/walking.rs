//! Random programs, compared with a simple model: what every receive returns, and every count and
//! length.

use super::broadcast::error::{RecvError, TryRecvError};
use super::broadcast::{Receiver, Sender, WeakSender, channel};
use crate::common::seed;
use crate::common::wakers::now;
use fastrand::Rng;

/// A channel whose values are their own sequences. `next` of a receiver is its sequence.
struct Walk {
    capacity: u64,
    sent: u64,
    senders: Vec<Sender<u64>>,
    weak: Vec<WeakSender<u64>>,
    receivers: Vec<(Receiver<u64>, u64)>,
}

impl Walk {
    fn new(rng: &mut Rng) -> Self {
        let capacity = rng.usize(1..20);
        let mut walk = Self {
            capacity: capacity.next_power_of_two() as u64,
            sent: 0,
            senders: vec![],
            weak: vec![],
            receivers: vec![],
        };
        if rng.bool() {
            let (tx, rx) = channel(capacity);
            walk.senders.push(tx);
            walk.receivers.push((rx, 0));
        } else {
            walk.senders.push(Sender::new(capacity));
        }
        walk
    }

    fn send(&mut self, rng: &mut Rng) {
        let Some(tx) = rng.choice(&self.senders) else { return };
        for _ in 0..if rng.u8(..20) == 0 { 3 * self.capacity } else { 1 } {
            match tx.send(self.sent) {
                Ok(receivers) => {
                    assert!(receivers > 0 && receivers == self.receivers.len());
                    self.sent += 1;
                }
                Err(error) => assert_eq!((error.0, self.receivers.len()), (self.sent, 0)),
            }
        }
    }

    /// The result of a receive at `next`. Moves `next` to the receiver's next sequence.
    fn expect(&self, next: &mut u64) -> Result<u64, TryRecvError> {
        let behind = self.sent - *next;
        if behind == 0 {
            Err(if self.senders.is_empty() { TryRecvError::Closed } else { TryRecvError::Empty })
        } else if behind > self.capacity {
            *next = self.sent - self.capacity;
            Err(TryRecvError::Lagged(behind - self.capacity))
        } else {
            *next += 1;
            Ok(*next - 1)
        }
    }

    fn receive(&mut self, rng: &mut Rng, at: usize) {
        let mut next = self.receivers[at].1;
        let expected = self.expect(&mut next);
        self.receivers[at].1 = next;
        let rx = &mut self.receivers[at].0;
        let waiting = expected == Err(TryRecvError::Empty);
        let got = match rng.u8(..3) {
            0 => rx.try_recv(),
            1 if !waiting => rx.blocking_recv().map_err(with_empty),
            _ => now(rx.recv()).map_or(Err(TryRecvError::Empty), |got| got.map_err(with_empty)),
        };
        assert_eq!(got, expected);
    }

    fn step(&mut self, rng: &mut Rng) {
        match rng.u8(..40) {
            0..10 => self.send(rng),
            10..25 if !self.receivers.is_empty() => {
                let at = rng.usize(..self.receivers.len());
                for _ in 0..rng.u8(1..4) {
                    self.receive(rng, at);
                }
            }
            25..28 => self.receivers.extend(rng.choice(&self.senders).map(|tx| (tx.subscribe(), self.sent))),
            28 => {
                let again = rng.choice(&self.receivers).map(|(rx, _)| (rx.resubscribe(), self.sent));
                self.receivers.extend(again);
            }
            29..32 if !self.receivers.is_empty() => {
                drop(self.receivers.swap_remove(rng.usize(..self.receivers.len())));
            }
            32 => self.senders.extend(rng.choice(&self.senders).cloned()),
            // The last sender is rarely dropped.
            33 if self.senders.len() > 1 || !self.senders.is_empty() && rng.u8(..10) == 0 => {
                drop(self.senders.swap_remove(rng.usize(..self.senders.len())));
            }
            34 => self.weak.extend(rng.choice(&self.senders).map(Sender::downgrade)),
            35 => self.weak.extend(rng.choice(&self.weak).cloned()),
            36 if !self.weak.is_empty() => drop(self.weak.swap_remove(rng.usize(..self.weak.len()))),
            37 => {
                if let Some(weak) = rng.choice(&self.weak) {
                    let upgraded = weak.upgrade();
                    assert_eq!(upgraded.is_none(), self.senders.is_empty());
                    self.senders.extend(upgraded);
                }
            }
            _ => {}
        }
    }

    fn check(&self) {
        let (strong, weak, receivers) = (self.senders.len(), self.weak.len(), self.receivers.len());
        let queued = self.receivers.iter().map(|(_, next)| (self.sent - next).min(self.capacity)).max().unwrap_or(0);
        for tx in &self.senders {
            assert_eq!([tx.strong_count(), tx.weak_count(), tx.receiver_count()], [strong, weak, receivers]);
            assert_eq!((tx.len() as u64, tx.is_empty()), (queued, queued == 0));
            assert!(tx.same_channel(&self.senders[0]));
            assert_eq!(now(tx.closed()).is_some(), receivers == 0);
        }
        for handle in &self.weak {
            assert_eq!([handle.strong_count(), handle.weak_count()], [strong, weak]);
        }
        for (rx, next) in &self.receivers {
            assert_eq!([rx.sender_strong_count(), rx.sender_weak_count()], [strong, weak]);
            assert_eq!((rx.len() as u64, rx.is_empty()), (self.sent - next, self.sent == *next));
            assert_eq!(rx.is_closed(), strong == 0);
            assert!(rx.same_channel(&self.receivers[0].0));
        }
    }

    /// Closes the channel, and receives to the end with every receiver.
    fn end(mut self, rng: &mut Rng) {
        self.senders.clear();
        self.check();
        for at in 0..self.receivers.len() {
            while self.receivers[at].1 < self.sent {
                self.receive(rng, at);
            }
            self.receive(rng, at);
        }
        self.check();
    }
}

fn with_empty(error: RecvError) -> TryRecvError {
    match error {
        RecvError::Closed => TryRecvError::Closed,
        RecvError::Lagged(missed) => TryRecvError::Lagged(missed),
    }
}

#[test]
fn a_random_program_gets_what_the_model_says() {
    let mut rng = Rng::with_seed(seed());
    for _ in 0..100 {
        let mut walk = Walk::new(&mut rng);
        for _ in 0..rng.usize(10..400) {
            walk.step(&mut rng);
            walk.check();
        }
        walk.end(&mut rng);
    }
}
