//! A fixed-capacity, lock-free broadcast ring: publishers write slots, and every subscriber reads every message through its own
//! cursor.
//!
//! ```
//! use seqcast::TryRecvError;
//!
//! let (mut publisher, mut first) = seqcast::inline::<u64>(4);
//! let mut second = first.clone();
//!
//! publisher.publish_many([1, 2, 3]);
//! assert_eq!(first.iter().take(3).map(Result::unwrap).sum::<u64>(), 6);
//!
//! // The second one fell a lap behind: it is told how many messages it lost, exactly, and goes on.
//! publisher.publish_many([4, 5, 6]);
//! let Err(TryRecvError::Lagged(lagged)) = second.try_recv() else { panic!() };
//! assert_eq!((lagged.missed, lagged.resumed_at), (2, 2));
//! assert_eq!(second.try_recv(), Ok(3));
//! ```
//!
//! # Two ways to keep a message
//!
//! - [`inline`]: any `T: Copy + Send + 'static`, copied through the slots. The fastest for small messages.
//! - [`boxed`]: any `T: Send + Sync + 'static`. Subscribers borrow it where it lies ([`Ref`]), or take a clone.
//!
//! ```
//! let (mut publisher, mut subscriber) = seqcast::boxed::<String>(4);
//! publisher.publish("any payload".to_owned());
//! assert_eq!(*subscriber.try_recv_ref().unwrap(), "any payload");
//! ```
//!
//! # The handles
//!
//! - [`Publisher`], the only one of its ring, or [`SharedPublisher`], one of many. Publishing never waits, except for gating
//!   subscribers. A burst wakes sleeping subscribers once if it is published by `publish_many`, or through a [`batch`](Publisher::batch). With the feature `sink`, both are a `futures_sink::Sink`.
//! - [`Subscriber`]: polls, blocks, or waits in a task; a [`Stream`](futures_core::Stream); turns into an iterator.
//! - [`Ring`]: makes subscribers, at any time and at any retained sequence, and shows [`stats`](Ring::stats). Where a hundred
//!   tasks or more sleep, it also makes the future that wakes them in the place of publishers ([`drive_wakes`](Ring::drive_wakes)).
//!
//! # From tokio
//!
//! The module [`broadcast`] is a drop-in for `tokio::sync::broadcast`, over a boxed ring. Change the import, and the program runs on
//! the ring.
//!
//! # Lossy and gating subscribers
//!
//! A subscriber is *lossy*: it holds no publisher back, and counts what it loses. On a ring made with [`Builder::gated`], a subscriber
//! can also be *gating* ([`Ring::subscribe_gating`]): publishers wait while it is a full lap behind, and it loses nothing. A gating
//! subscriber that is stuck or leaked holds publishers up for as long as it lives, unless the ring has a [`Builder::gate_deadline`].
//! `docs/lossless.md` describes when to use one, costs, deadlocks and alternatives.
//!
//! ```
//! let (mut publisher, _dashboard) = seqcast::Builder::new(4).gated().inline::<u64>();
//! let mut audit = publisher.ring().subscribe_gating()?;
//! publisher.publish_many(0..4);
//! assert!(publisher.try_publish(4).unwrap_err().is_full()); // `publish` would wait
//! assert_eq!(audit.try_recv(), Ok(0));
//! assert_eq!(publisher.try_publish(4), Ok(4));
//! # Ok::<(), seqcast::SubscribeError>(())
//! ```
//!
//! # Features
//!
//! All are off by default. A feature that is off adds no code and no dependency.
//!
//! - `sink`: a `futures_sink::Sink` for [`Publisher`] and [`SharedPublisher`].
//! - `tracing`: events of the crate `tracing`, with the target `seqcast` and the level `WARN`. All have the fields `capacity`, and
//!   `subscriber` and `name` as in [`SubscriberStats`].
//!   - `subscriber lagged`, when a receive reports a loss, with [`missed`](Lagged::missed) and
//!     [`resumed_at`](Lagged::resumed_at). The event comes from the thread that receives. The loss is
//!     already counted, and the cursor has moved. [`SkipLagged`] reports losses in this way, too.
//!   - `gating subscriber demoted`, when a [`gate_deadline`](Builder::gate_deadline) is over, with
//!     [`next_sequence`](SubscriberStats::next_sequence). The event comes from a publisher that waits, or from the thread that
//!     the ring has for tasks.
//!
//!   Code that handles an event runs as wakers do: its panics are caught, and it may use the ring. It must not wait for room in a
//!   gated ring.
//! - `metrics`: `RingStats::record_metrics`, which sets counters and gauges of the crate `metrics`.
//!
//! # The laws
//!
//! 1. Between a subscribe and any later moment, `received + missed + holes + skipped_by_choice == next_sequence − start_sequence`, exactly,
//!    on every receiving path. Only [`latest`](Subscriber::latest) skips by choice. With one publisher there are no holes. A
//!    [`seek`](Subscriber::seek) starts a new account ([`Subscriber`] has the details).
//! 2. A subscriber sees sequences in strictly increasing order; two subscribers see the same message under the same sequence. What a
//!    handle reports of the ring's progress ([`next_sequence`](Ring::next_sequence), [`oldest_sequence`](Ring::oldest_sequence),
//!    [`published`](RingStats::published)) never decreases, and is never less than what its caller has received.
//! 3. A received value is exactly one published value, never torn.
//! 4. `Empty` is never said while a message can be read or a loss is to be told. `Closed` is said only after every message before the end
//!    was delivered or reported missed, and then for ever.
//! 5. Publishing costs the same with 0 and with 10 000 subscribers that do not sleep. Each one that sleeps costs the publish that wakes
//!    it, or the driver ([`Ring::drive_wakes`]).
//! 6. No code of the user's (clone, drop, waker, iterator, handler of an event) runs inside a write or under a lock; when it panics or calls back into the
//!    ring, everybody else goes on.
//! 7. A publisher, subscriber, task or thread that is stopped, dropped, leaked or panics anywhere never blocks another publisher, and
//!    never another subscriber for longer than a lap, as long as fewer publishers are stopped in the middle of a publish
//!    than the ring has slots. (The limits below are exact about "a lap".) A gating subscriber holds publishers back by contract, and
//!    with it a publisher that it waits for.
//! 8. Every message put in is dropped exactly once. Memory never grows past what the ring was made with, plus a few hundred bytes for
//!    each live subscriber (and for at most 64 that waited, and went, since the last publish); in a boxed ring, plus one message for
//!    each live [`Ref`], and some for each publisher (see [`boxed`]). A ring that more than 1 024 subscribers once shared keeps 32 KiB more.
//!
//! # Limits
//!
//! *Stopped* means here that a thread takes no further step for a while or for ever: the scheduler preempted it, a signal handler or a
//! debugger holds it, or its code was leaked or killed. Other threads cannot tell which. A stopped publisher has begun a publish and not
//! finished it; a stopped subscriber is one that does not receive.
//!
//! - Wakers run on the publisher's thread, after the message is there. One that blocks holds up the publisher that calls it; who is
//!   still to be woken is then woken by any other publisher that comes by, if there is one.
//! - With a driver ([`Ring::drive_wakes`]), sleeping tasks depend on the runtime that polls it. While that runtime is blocked, they
//!   sleep until more than half the ring's capacity is published, the driver is dropped, or the ring is closed.
//! - A reader at a message whose publisher was stopped goes on when the others are a lap further. If nobody publishes any more, or the
//!   ring is closed, that never comes: [`latest`](Subscriber::latest) and [`seek`](Subscriber::seek) go past it.
//! - A publisher or a driver that is stopped for good within the few instructions in which it holds the list of the parked, or has taken
//!   out a waker and not called it, keeps those from being woken by others.
//! - A publisher of a boxed ring drops messages that were overwritten, after its own is there: one whose drop takes long holds up that
//!   publisher, and nobody else. The last few stay undropped until somebody publishes, or their publisher is gone.
//! - A subscriber that is made, or parks, while a publisher is waking others is woken by the next publish, not by that one. It looks at
//!   the ring before it sleeps, so it misses nothing.
//! - A message that owns a handle of its own ring forms a cycle, as with [`Arc`](std::sync::Arc). Neither is dropped until another message
//!   overwrites that one.
//! - Wakers and drops of messages may publish, to the same ring or to others, which wakes and drops in turn. Such calls nest at most
//!   128 deep on a thread, and 32 deep within one ring. Deeper ones run when the calls around them have returned: a thread that is
//!   stopped in there has not woken those that its innermost publishes and closes found parked. Other publishers do.
//! - If a sandbox refuses a publisher's thread the system call that wakes threads (`futex` with `FUTEX_WAKE`), sleeping threads wake with
//!   the next publish of a thread that may.
//! - A call may move a message on the stack. A message of more than 64 KiB is better boxed, as `Box<T>`: in a debug build, a stack of
//!   2 MiB is enough to publish and receive inline messages of 64 KiB by any call.
//! - While as many publishers are stopped in the middle of a publish as the ring has slots, other shared publishers can only spin. Give
//!   a ring at least four slots for each publisher.
//! - A gating subscriber that does not read holds publishers up until it is dropped or demoted. So does, on a ring with gating
//!   subscribers, a publisher that is stopped in the middle of a publish: gating subscribers wait for its message. With a
//!   [`Builder::gate_deadline`], publishers then go one message further, and a gating subscriber may lose that one.
//! - A publish that waits for a gating subscriber must not keep that subscriber from reading. A waker, a drop of a message, or the
//!   thread that reads must not call a blocking publish of a gated ring: [`try_publish`](SharedPublisher::try_publish) never waits.
//! - Wakers of tasks that wait to publish run on the thread of the gating subscriber that made room. One that blocks holds that
//!   subscriber up.
//! - A gated ring with a deadline has one more thread from the first task that waits to publish until the ring is closed.
//! - It lives in one process. After a `fork`, the child has none of the other threads: a ring whose publishers were among them is dead there.
//! - Publishing from a signal handler is safe only in an inline ring, and only as long as nobody ever parks on it: neither waking nor
//!   dropping is async-signal-safe.
//! - On processors for which Rust 1.85 has no stable inline assembly (such as PowerPC, MIPS and WebAssembly), an inline message is
//!   copied under a lock. A thread that is stopped there holds up others that copy a message, and publishing from a signal handler is
//!   not safe.
//! - The first thread or task to park on a ring makes Linux run a barrier on every core of the process
//!   (`membarrier(2)`); from then on each publish of that ring pays a fence, until some 16 000 to 32 000 messages have passed without anybody parking.
//!   Rings that are only polled never do. (On other systems every publish does.)
//! - If `membarrier` is taken away after the ring was made (by a sandbox), then from the next time that the ring is armed, who parks looks again every
//!   millisecond, and tasks are polled all the time. Let a sandbox allow it (one that kills for it kills whoever parks).
//! - On systems other than 64-bit Linux, waking threads takes a lock that each thread of the ring holds for a moment as it goes to sleep and as it wakes: one
//!   that is stopped just there holds up the others.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(doc, doctest))]
pub mod book;
pub mod broadcast;
mod builder;
mod channel;
mod copy;
#[allow(missing_debug_implementations, reason = "not exported")]
mod eager;
mod error;
mod events;
#[allow(missing_debug_implementations, reason = "not exported")]
mod gate;
#[cfg(feature = "metrics")]
mod metrics;
mod publisher;
#[allow(missing_debug_implementations, reason = "not exported")]
mod registry;
mod ring;
mod seq;
mod sequencer;
mod slots;
mod start;
mod stats;
mod subscriber;
mod sync;
#[doc(hidden)]
pub mod testing;
mod wait;

pub use builder::{Builder, boxed, inline};
pub use error::{
    Closed, Lagged, PublishTimeoutError, RecvError, RecvTimeoutError, SubscribeError, TryPublishError, TryRecvError,
};
pub use publisher::{Batch, Publish, Publisher, SharedBatch, SharedPublisher};
pub use ring::{DriveWakes, Ring, Unsubscribed};
pub use slots::{Boxed, Inline, Plain, Receive, Ref, Storage};
pub use start::Start;
pub use stats::{RingStats, SubscriberStats, Totals};
pub use subscriber::{IntoIter, Iter, NextRef, Recv, RecvLatest, RecvMany, RecvRef, SkipLagged, Subscriber, TryIter};

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
