//! Receiving messages where they lie.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::executor::block_on;
use seqcast::{Boxed, RecvError, RecvTimeoutError, Ref, Subscriber, TryRecvError};

use crate::message::{Carry, Counted};
use crate::reader::Reader;
use crate::tally::{self, Count};
use crate::watch::{catch, check, throw};

/// How long a borrow with a timeout waits.
const SHORT: Duration = Duration::from_micros(100);

type Owning = Boxed<Counted>;

/// What was seen of a message: its sequence and its name.
type Sight = (u64, Option<u64>);

/// What is done with a message that is borrowed.
#[derive(Debug, Clone, Copy)]
enum Manner {
    Glance,
    /// Over some laps, if anybody publishes.
    Hold(u64),
    Leak,
    Panic,
}

/// `true` at the end of the ring.
pub(crate) fn borrow(reader: &mut Reader<Owning>, random: &mut fastrand::Rng) -> bool {
    reader.doing("borrows");
    let way = random.u32(0..7);
    for _ in 0..1 << random.u32(0..11) {
        let manner = match random.u32(0..1000) {
            0 => Manner::Panic,
            1..=2 => Manner::Leak,
            3..=6 => Manner::Hold(random.u64(1..8)),
            _ => Manner::Glance,
        };
        let stage = std::sync::Arc::clone(&reader.stage);
        let look = |message: Ref<'_, Counted>| look(message, manner, &stage.ring, stage.capacity);
        let subscriber = &mut reader.subscriber;
        let outcome = catch(|| match way {
            0 => waited(subscriber.recv_ref().map(look)),
            1 => timed(subscriber.recv_ref_timeout(SHORT).map(look)),
            6 => timed(subscriber.recv_ref_deadline(Instant::now() + SHORT).map(look)),
            2 => waited(block_on(subscriber.recv_ref_async()).map(look)),
            3 => match subscriber.recv_ref_async().now_or_never() {
                Some(received) => waited(received.map(look)),
                None => {
                    tally::add(Count::Cancelled, 1);
                    Err(TryRecvError::Empty)
                }
            },
            4 => subscriber.latest_ref().map(look),
            _ => subscriber.try_recv_ref().map(look),
        });
        match outcome {
            // It panicked with the message in its hand, which it had received.
            None => reader.took_unseen(1),
            Some(Ok((sequence, name))) => reader.took_named(sequence, name),
            Some(Err(TryRecvError::Lagged(lagged))) => reader.lagged(lagged),
            Some(Err(TryRecvError::Empty)) => thread::yield_now(),
            Some(Err(TryRecvError::Closed)) => return true,
        }
    }
    false
}

fn waited(received: Result<Sight, RecvError>) -> Result<Sight, TryRecvError> {
    received.map_err(|error| match error {
        RecvError::Closed => TryRecvError::Closed,
        RecvError::Lagged(lagged) => TryRecvError::Lagged(lagged),
    })
}

fn timed(received: Result<Sight, RecvTimeoutError>) -> Result<Sight, TryRecvError> {
    received.map_err(|error| match error {
        RecvTimeoutError::Timeout => TryRecvError::Empty,
        RecvTimeoutError::Closed => TryRecvError::Closed,
        RecvTimeoutError::Lagged(lagged) => TryRecvError::Lagged(lagged),
    })
}

fn look(message: Ref<'_, Counted>, manner: Manner, ring: &seqcast::Ring<Owning>, capacity: u64) -> Sight {
    let seen = (Ref::sequence(&message), Owning::name(&message));
    match manner {
        Manner::Glance => {}
        Manner::Hold(laps) => {
            tally::add(Count::HeldRefs, 1);
            let goal = ring.next_sequence() + laps * capacity + 200;
            for _ in 0..20 {
                check((Ref::sequence(&message), Owning::name(&message)) == seen, || "a borrowed message changed");
                if ring.next_sequence() >= goal || ring.is_closed() {
                    break;
                }
                thread::sleep(Duration::from_micros(100));
            }
        }
        Manner::Leak => {
            tally::add(Count::LeakedRefs, 1);
            std::mem::forget(message);
        }
        Manner::Panic => throw(),
    }
    seen
}

/// `true` at the end of the ring.
pub(crate) async fn borrow_async(reader: &mut Reader<Owning>, count: u64) -> bool {
    reader.doing("borrows in a task");
    for at in 1..=count {
        let subscriber = &mut reader.subscriber;
        let seen = |message: Ref<'_, Counted>| (Ref::sequence(&message), Owning::name(&message));
        let received = if count % 4 == 0 {
            poll_fn(|cx| subscriber.poll_recv_ref(cx).map(|received| received.map(seen))).await
        } else {
            subscriber.recv_ref_async().await.map(seen)
        };
        match received {
            Ok((sequence, name)) => reader.took_named(sequence, name),
            Err(RecvError::Lagged(lagged)) => reader.lagged(lagged),
            Err(RecvError::Closed) => return true,
        }
        if at % 128 == 0 {
            tokio::task::yield_now().await;
        }
    }
    false
}

pub(crate) fn says_closed(subscriber: &mut Subscriber<Owning>) -> bool {
    let cx = &mut Context::from_waker(Waker::noop());
    matches!(subscriber.try_recv_ref(), Err(TryRecvError::Closed))
        && matches!(subscriber.latest_ref(), Err(TryRecvError::Closed))
        && matches!(subscriber.recv_ref(), Err(RecvError::Closed))
        && matches!(subscriber.recv_ref_timeout(Duration::MAX), Err(RecvTimeoutError::Closed))
        && matches!(subscriber.recv_ref_deadline(Instant::now()), Err(RecvTimeoutError::Closed))
        && matches!(subscriber.recv_ref_async().now_or_never(), Some(Err(RecvError::Closed)))
        && matches!(subscriber.poll_recv_ref(cx), Poll::Ready(Err(RecvError::Closed)))
}
