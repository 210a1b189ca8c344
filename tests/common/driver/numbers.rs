//! Numbers as messages of inline and boxed rings.

use super::operation::{Operation, op};
use crate::common::counted::{Counted, Ledger};
use crate::common::untimed;
use crate::common::wakers::{Counter, now};
use seqcast::{Boxed, Builder, Inline, Publisher, Receive, Ref, Subscriber, TryRecvError};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// A storage of numbers, with the operations that only some rings have.
pub(crate) trait Numbers: Receive {
    fn ring(builder: Builder) -> (Publisher<Self>, Subscriber<Self>)
    where
        Self: Sized;

    fn wrap(ledger: &Arc<Ledger>, value: u64) -> Self::Item;

    fn open(message: Self::Item) -> u64;

    /// Receives by reference, if the storage has that. Runs `meanwhile` while the message is held,
    /// then drops or leaks the `Ref`.
    fn hold(
        subscriber: &mut Subscriber<Self>,
        path: Borrow,
        meanwhile: impl FnOnce(),
        leak: bool,
    ) -> Option<Result<u64, TryRecvError>>
    where
        Self: Sized;
}

/// A way to receive by reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Borrow {
    TryRecvRef,
    LatestRef,
    RecvRefTimeout,
    RecvRefDeadline,
    PollRecvRef,
    RecvRef,
    RecvRefAsync,
}

impl Borrow {
    pub(super) const ALL: [Operation<Self>; 7] = [
        op("try_recv_ref", 1, Self::TryRecvRef),
        op("latest_ref", 1, Self::LatestRef),
        op("recv_ref_timeout", 1, Self::RecvRefTimeout),
        op("recv_ref_deadline", 1, Self::RecvRefDeadline),
        op("poll_recv_ref", 1, Self::PollRecvRef),
        op("recv_ref", 1, Self::RecvRef),
        op("recv_ref_async", 1, Self::RecvRefAsync),
    ];

    /// Whether the waker of an earlier poll stays registered.
    pub(super) fn keeps_waker(self) -> bool {
        matches!(self, Self::TryRecvRef | Self::LatestRef | Self::RecvRefTimeout | Self::RecvRefDeadline)
    }
}

impl Numbers for Inline<u64> {
    fn ring(builder: Builder) -> (Publisher<Self>, Subscriber<Self>) {
        builder.inline()
    }

    fn wrap(_: &Arc<Ledger>, value: u64) -> u64 {
        value
    }

    fn open(message: u64) -> u64 {
        message
    }

    fn hold(_: &mut Subscriber<Self>, _: Borrow, _: impl FnOnce(), _: bool) -> Option<Result<u64, TryRecvError>> {
        None
    }
}

/// A number whose drops are counted.
#[derive(Debug, Clone)]
pub(crate) struct Number {
    value: u64,
    counted: Counted,
}

impl Number {
    fn verify(&self) -> u64 {
        self.counted.verify();
        self.value
    }
}

impl Numbers for Boxed<Number> {
    fn ring(builder: Builder) -> (Publisher<Self>, Subscriber<Self>) {
        builder.boxed()
    }

    fn wrap(ledger: &Arc<Ledger>, value: u64) -> Number {
        Number { value, counted: ledger.make() }
    }

    fn open(message: Number) -> u64 {
        message.verify()
    }

    fn hold(
        subscriber: &mut Subscriber<Self>,
        path: Borrow,
        meanwhile: impl FnOnce(),
        leak: bool,
    ) -> Option<Result<u64, TryRecvError>> {
        let held = match path {
            Borrow::TryRecvRef => subscriber.try_recv_ref(),
            Borrow::LatestRef => subscriber.latest_ref(),
            Borrow::RecvRefTimeout => subscriber.recv_ref_timeout(Duration::ZERO).map_err(untimed),
            Borrow::RecvRefDeadline => subscriber.recv_ref_deadline(Instant::now()).map_err(untimed),
            Borrow::PollRecvRef => {
                let woken = Counter::new();
                let waker = woken.waker();
                loop {
                    match subscriber.poll_recv_ref(&mut Context::from_waker(&waker)) {
                        Poll::Ready(received) => break received.map_err(TryRecvError::from),
                        // The subscriber yields.
                        Poll::Pending if woken.take() > 0 => {}
                        Poll::Pending => break Err(TryRecvError::Empty),
                    }
                }
            }
            // The model has found a message, a loss or the end.
            Borrow::RecvRef => subscriber.recv_ref().map_err(TryRecvError::from),
            Borrow::RecvRefAsync => match now(subscriber.recv_ref_async()) {
                None => Err(TryRecvError::Empty),
                Some(received) => received.map_err(TryRecvError::from),
            },
        };
        Some(held.map(|message| {
            let (value, sequence) = (message.verify(), Ref::sequence(&message));
            meanwhile();
            assert_eq!(
                (message.verify(), Ref::sequence(&message)),
                (value, sequence),
                "the message changed while it was held"
            );
            if leak {
                std::mem::forget(message);
            }
            value
        }))
    }
}
