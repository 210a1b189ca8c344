//! Every way to receive one message.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::stream::{FusedStream, StreamExt};
use seqcast::{Boxed, Lagged, RecvError, RecvTimeoutError, Ref, Subscriber, TryRecvError};

use crate::common::untimed;
use crate::common::wakers::now;
use crate::message::{Carry, Counted};
use crate::stage::Stage;
use crate::tally::{self, Count};
use crate::watch::{check, throw};

/// The timeout of a call with a timeout.
pub(crate) const SHORT: Duration = Duration::from_micros(100);

/// A received message: its sequence, and its name unless it is torn or dropped.
pub(crate) type Sight = (u64, Option<u64>);
pub(crate) type Received = Result<Sight, TryRecvError>;

type Owning = Boxed<Counted>;
pub(crate) type Way<S> = (&'static str, fn(&mut Subscriber<S>, &Look<'_, S>) -> Received);
pub(crate) type WayInTask<S> = (&'static str, for<'a> fn(&'a mut Subscriber<S>) -> BoxFuture<'a, Received>);

pub(crate) fn by_value<S: Carry>() -> [Way<S>; 7] {
    [
        ("try_recv", |s, _| seen(s, Subscriber::try_recv)),
        ("recv", |s, _| seen(s, |s| Ok(s.recv()?))),
        ("recv_timeout", |s, _| seen(s, |s| s.recv_timeout(SHORT).map_err(untimed))),
        ("recv_deadline", |s, _| seen(s, |s| s.recv_deadline(Instant::now() + SHORT).map_err(untimed))),
        ("iter", |s, _| seen(s, |s| next(s.iter().next()))),
        ("try_iter", |s, _| seen(s, |s| s.try_iter().next().map_or_else(|| Err(nothing(s)), |one| next(Some(one))))),
        ("latest", |s, _| seen(s, Subscriber::latest)),
    ]
}

/// The ways to receive by reference.
pub(crate) const BY_REFERENCE: &[Way<Owning>] = &[
    ("try_recv_ref", |s, look| s.try_recv_ref().map(|message| look.at(message))),
    ("recv_ref", |s, look| Ok(look.at(s.recv_ref()?))),
    ("recv_ref_timeout", |s, look| s.recv_ref_timeout(SHORT).map(|message| look.at(message)).map_err(untimed)),
    ("recv_ref_deadline", |s, look| {
        s.recv_ref_deadline(Instant::now() + SHORT).map(|message| look.at(message)).map_err(untimed)
    }),
    ("latest_ref", |s, look| s.latest_ref().map(|message| look.at(message))),
];

/// All receives that a task can await.
pub(crate) fn in_task<S: Carry>() -> Vec<WayInTask<S>> {
    by_value_in_task().into_iter().chain(S::BY_REFERENCE_IN_TASK.iter().copied()).collect()
}

fn by_value_in_task<S: Carry>() -> [WayInTask<S>; 3] {
    [
        ("recv_async", |s| {
            Box::pin(async {
                let message = s.recv_async().await?;
                seen(s, |_| Ok(message))
            })
        }),
        ("stream", |s| {
            Box::pin(async {
                let message = next(StreamExt::next(s).await)?;
                seen(s, |_| Ok(message))
            })
        }),
        // If it is dropped unfinished, its waker stays registered.
        ("poll_recv", |s| Box::pin(poll_fn(|cx| s.poll_recv(cx).map(|message| seen(s, |_| Ok(message?)))))),
    ]
}

pub(crate) const BY_REFERENCE_IN_TASK: &[WayInTask<Owning>] = &[
    ("recv_ref_async", |s| Box::pin(async { Ok(read(&s.recv_ref_async().await?)) })),
    ("poll_recv_ref", |s| Box::pin(poll_fn(|cx| s.poll_recv_ref(cx).map(|message| Ok(read(&message?)))))),
];

/// The ways that do not report `Closed`.
pub(crate) fn not_closed<S: Carry>(subscriber: &mut Subscriber<S>, stage: &Stage<S>) -> Vec<&'static str> {
    let look = Look { manner: Manner::Read, stage };
    let closed = Err(TryRecvError::Closed);
    let mut wrong = Vec::new();
    for (name, receive) in by_value().into_iter().chain(S::BY_REFERENCE.iter().copied()) {
        wrong.extend((receive(subscriber, &look) != closed).then_some(name));
    }
    for (name, receive) in in_task::<S>() {
        wrong.extend((now(receive(subscriber)) != Some(closed)).then_some(name));
    }
    let mut none = Vec::new();
    let cx = &mut Context::from_waker(Waker::noop());
    let others = [
        (
            "recv_timeout without a limit",
            subscriber.recv_timeout(Duration::MAX).err() == Some(RecvTimeoutError::Closed),
        ),
        ("recv_many", subscriber.recv_many(&mut none, 1) == Err(RecvError::Closed)),
        ("try_recv_many", subscriber.try_recv_many(&mut none, 1) == Err(TryRecvError::Closed)),
        ("recv_many_async", now(subscriber.recv_many_async(&mut none, 1)) == Some(Err(RecvError::Closed))),
        ("skip_lagged", matches!(subscriber.clone().skip_lagged().poll_next_unpin(cx), Poll::Ready(None))),
        ("is_terminated", subscriber.is_terminated()),
        ("is_closed, is_empty, lag", subscriber.is_closed() && subscriber.is_empty() && subscriber.lag() == 0),
    ];
    wrong.extend(others.into_iter().filter_map(|(name, holds)| (!holds).then_some(name)));
    wrong
}

fn seen<S: Carry>(
    subscriber: &mut Subscriber<S>,
    receive: impl FnOnce(&mut Subscriber<S>) -> Result<S::Item, TryRecvError>,
) -> Received {
    let message = receive(subscriber)?;
    Ok((subscriber.next_sequence().wrapping_sub(1), S::name(&message)))
}

/// The reason for the end of `try_iter`.
fn nothing<S: Carry>(subscriber: &Subscriber<S>) -> TryRecvError {
    // The end of a closed ring does not move.
    let at_end = subscriber.is_closed() && subscriber.next_sequence() == subscriber.ring().next_sequence();
    if at_end { TryRecvError::Closed } else { TryRecvError::Empty }
}

fn next<R>(item: Option<Result<R, Lagged>>) -> Result<R, TryRecvError> {
    item.ok_or(TryRecvError::Closed)?.map_err(TryRecvError::Lagged)
}

fn read(message: &Ref<'_, Counted>) -> Sight {
    (Ref::sequence(message), Owning::name(message))
}

/// What is done with a borrowed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Read,
    /// Holds it for some laps, if a publisher publishes.
    Hold(u64),
    Leak,
    /// Also panics in the clone of a message that is received by value.
    Panic,
}

impl Manner {
    #[inline]
    pub(crate) fn draw(random: &mut fastrand::Rng) -> Self {
        match random.u32(0..4096) {
            0 => Self::Panic,
            1..=4 => Self::Leak,
            5..=12 => Self::Hold(random.u64(1..8)),
            _ => Self::Read,
        }
    }
}

/// The handling of a borrowed message.
pub(crate) struct Look<'a, S: Carry> {
    pub(crate) manner: Manner,
    pub(crate) stage: &'a Stage<S>,
}

impl Look<'_, Owning> {
    fn at(&self, message: Ref<'_, Counted>) -> Sight {
        let seen = read(&message);
        match self.manner {
            Manner::Read => {}
            Manner::Hold(laps) => {
                tally::add(Count::HeldRefs, 1);
                let ring = &self.stage.ring;
                let goal = ring.next_sequence() + laps * self.stage.capacity + 200;
                for _ in 0..20 {
                    check!(read(&message) == seen, "a borrowed message changed");
                    if ring.next_sequence() >= goal || ring.is_closed() {
                        break;
                    }
                    thread::sleep(SHORT);
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
}
