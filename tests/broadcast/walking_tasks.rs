//! Random programs of waiting tasks: no wake-up is lost, whatever is sent, cancelled and dropped
//! meanwhile.

use super::broadcast::error::RecvError;
use super::broadcast::{Receiver, Sender, channel};
use crate::common::seed;
use crate::common::wakers::Counter;
use crate::poll;
use fastrand::Rng;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

type Waits = Pin<Box<dyn Future<Output = (Result<u64, RecvError>, Receiver<u64>)>>>;

enum State {
    Idle(Receiver<u64>),
    /// The future has returned `Pending`. The counter counts the wakes since then.
    Waits(Waits, Arc<Counter>),
}

struct Task {
    state: State,
    next: u64,
}

struct Channel {
    capacity: u64,
    sent: u64,
    senders: Vec<Sender<u64>>,
}

impl Channel {
    /// The result of a task at `next`. `None` if it waits.
    fn expect(&self, next: &mut u64) -> Option<Result<u64, RecvError>> {
        let behind = self.sent - *next;
        if behind == 0 {
            self.senders.is_empty().then_some(Err(RecvError::Closed))
        } else if behind > self.capacity {
            *next = self.sent - self.capacity;
            Some(Err(RecvError::Lagged(behind - self.capacity)))
        } else {
            *next += 1;
            Some(Ok(*next - 1))
        }
    }

    /// Lets a task receive or wait.
    fn run(&self, mut task: Task) -> Task {
        let (mut future, woken): (Waits, _) = match task.state {
            State::Idle(mut rx) => (Box::pin(async move { (rx.recv().await, rx) }), Counter::new()),
            State::Waits(future, _) => (future, Counter::new()),
        };
        let got = poll(future.as_mut(), &woken);
        let expected = self.expect(&mut task.next);
        match got {
            Poll::Ready((got, rx)) => {
                assert_eq!(Some(got), expected);
                task.state = State::Idle(rx);
            }
            Poll::Pending => {
                assert_eq!(expected, None);
                task.state = State::Waits(future, woken);
            }
        }
        task
    }

    /// Fails unless each task with something to receive was woken.
    fn check(&self, tasks: &[Task]) {
        for task in tasks {
            if let State::Waits(_, woken) = &task.state {
                let must_wake = self.expect(&mut task.next.clone()).is_some();
                assert!(woken.count() > 0 || !must_wake, "a wake-up was lost");
            }
        }
    }
}

fn program(rng: &mut Rng) {
    let capacity = rng.usize(1..10);
    let (tx, rx) = channel(capacity);
    let mut channel =
        Channel { capacity: capacity.next_power_of_two() as u64, sent: 0, senders: vec![tx.clone(), tx.clone(), tx] };
    let mut tasks = vec![Task { state: State::Idle(rx), next: 0 }];
    for _ in 0..rng.usize(10..300) {
        match rng.u8(..30) {
            0..6 => {
                if let Some(tx) = rng.choice(&channel.senders) {
                    assert_eq!(tx.send(channel.sent).is_ok(), !tasks.is_empty());
                    channel.sent += u64::from(!tasks.is_empty());
                }
            }
            6..20 if !tasks.is_empty() => {
                let task = tasks.swap_remove(rng.usize(..tasks.len()));
                tasks.push(channel.run(task));
            }
            // A cancelled receive.
            20..23 if !tasks.is_empty() => {
                let at = rng.usize(..tasks.len());
                let Task { state: State::Idle(rx), next } = &mut tasks[at] else { continue };
                if rx.is_empty() {
                    let polled = poll(pin!(rx.recv()), &Counter::new());
                    assert_eq!(polled.is_ready(), channel.expect(next).is_some());
                }
            }
            23..27 => {
                let rx = rng.choice(&channel.senders).map(Sender::subscribe);
                tasks.extend(rx.map(|rx| Task { state: State::Idle(rx), next: channel.sent }));
            }
            27 | 28 if !tasks.is_empty() => drop(tasks.swap_remove(rng.usize(..tasks.len()))),
            29 if rng.u8(..4) == 0 => drop(channel.senders.pop()),
            _ => {}
        }
        channel.check(&tasks);
    }
    channel.senders.clear();
    channel.check(&tasks);
    for mut task in tasks {
        while channel.expect(&mut task.next.clone()) != Some(Err(RecvError::Closed)) {
            task = channel.run(task);
        }
        channel.run(task);
    }
}

#[test]
fn a_task_that_waits_in_a_random_program_is_woken() {
    let mut rng = Rng::with_seed(seed());
    for _ in 0..150 {
        program(&mut rng);
    }
}
