//! A fixed-capacity, lock-free broadcast ring: every subscriber reads every message through its own
//! cursor, and every loss is counted.
//!
//! ```
//! use seqcast::{Lagged, TryRecvError};
//!
//! let (mut publisher, mut first) = seqcast::inline::<u64>(4); // a ring of four slots
//! let mut second = first.clone();
//!
//! publisher.publish_many([1, 2, 3]);
//! assert_eq!(first.try_recv(), Ok(1));
//! assert_eq!(first.try_recv(), Ok(2));
//!
//! // Six messages do not fit into four slots: `second` lost the first two.
//! publisher.publish_many([4, 5, 6]);
//! let lagged = Lagged { missed: 2, resumed_at: 2 };
//! assert_eq!(second.try_recv(), Err(TryRecvError::Lagged(lagged)));
//! assert_eq!(second.try_recv(), Ok(3)); // and continues with the oldest one
//!
//! drop(publisher); // closes the ring: each subscriber reads what is left
//! let rest: Vec<u64> = first.skip_lagged().into_iter().collect();
//! assert_eq!(rest, [3, 4, 5, 6]);
//! ```
//!
#![doc = include_str!("../docs/ring.svg")]
//!
//! # Handles
//!
//! | handle | purpose |
//! |---|---|
//! | [`Publisher`] | The only publisher of its ring, and the fastest. [`share`](Publisher::share) turns it into a [`SharedPublisher`]. |
//! | [`SharedPublisher`] | One of many publishers. Clone it for each thread or task. |
//! | [`Subscriber`] | Reads every message: polling ([`try_recv`](Subscriber::try_recv)), blocking ([`recv`](Subscriber::recv), iterators), in tasks ([`recv_async`](Subscriber::recv_async), [`Stream`](futures_core::Stream)), in batches, or the newest only ([`recv_latest`](Subscriber::recv_latest)). |
//! | [`Ring`] | Makes subscribers, at any sequence, and reports [`stats`](Ring::stats). It does not keep the ring open. |
//! | [`Ref`] | A message borrowed from a boxed ring. |
//! | [`Builder`] | Makes rings with options. |
//! | [`broadcast`] | A drop-in for `tokio::sync::broadcast`: change the import. |
//!
//! # Which ring
//!
//! - [`inline`] copies messages through the ring. They are of any `Copy + Send + 'static` type. It is the
//!   fastest ring for small messages.
//! - [`boxed`] keeps messages of any `Send + Sync + 'static` type. Subscribers borrow them, or clone them.
//! - [`Builder::gated`] makes a ring that can be lossless: publishers wait for subscribers made by
//!   [`Ring::subscribe_gating`], and for no others.
//!
//! ```
//! enum Event {
//!     Started { pod: String },
//!     Stopped { pod: String, code: i32 },
//! }
//!
//! let (mut publisher, mut subscriber) = seqcast::boxed::<Event>(1024);
//! publisher.publish(Event::Started { pod: "web-0".to_owned() });
//! publisher.publish(Event::Stopped { pod: "web-0".to_owned(), code: 137 });
//! drop(publisher);
//! while let Some(event) = subscriber.next_ref() {
//!     match event.as_deref() {
//!         Ok(Event::Started { pod }) => println!("{pod} started"),
//!         Ok(Event::Stopped { pod, code }) => println!("{pod} stopped with {code}"),
//!         Err(lagged) => eprintln!("{lagged}"), // the loop continues
//!     }
//! }
//! ```
//!
//! # The book
//!
//! The module [`book`] has the pages below, and those for experts.
//!
//! | page | |
//! |---|---|
//! | [Guide](book::guide) | Everyday tasks, each a whole program. |
//! | [Choosing a ring](book::choosing) | Inline or boxed, capacity, `lag_slack`, gating or not. |
//! | [Waking](book::waking) | How subscribers sleep and wake, and what it costs. |
//! | [Lossless reading](book::lossless) | Gated rings, deadlines, deadlocks. |
//! | [Guarantees and limits](book::guarantees) | What holds, and what does not. |
//! | [From tokio](book::from_tokio) | Moving from tokio's broadcast channel. |
//! | [Questions and answers](book::faq), [glossary](book::glossary) | |
//!
//! # Features
//!
//! No feature is enabled by default. A disabled feature adds no code and no dependency.
//!
//! | feature | |
//! |---|---|
//! | `sink` | Implements `futures_sink::Sink` for both publishers. |
//! | `tracing` | Emits events of the crate `tracing`, see below. |
//! | `metrics` | `RingStats::record_metrics` sets counters and gauges of the crate `metrics`. |
//!
//! The events have the target `seqcast` and the level `WARN`. Their fields are `capacity`, and
//! `subscriber` and `name` as in [`SubscriberStats`].
//!
//! - `subscriber lagged`: a receive reports a loss. It also has the fields
//!   [`missed`](Lagged::missed) and [`resumed_at`](Lagged::resumed_at). The receiving thread emits it
//!   after the loss was counted and the cursor has moved. [`SkipLagged`] emits it, too.
//! - `gating subscriber demoted`: a [`gate_deadline`](Builder::gate_deadline) has passed. It also has
//!   the field [`next_sequence`](SubscriberStats::next_sequence). A waiting publisher emits it, or the
//!   thread that the ring runs for tasks.
//!
//! Code that handles an event runs as wakers do: its panics are caught, and it may use the ring. It
//! must not wait for room in a gated ring, and should not block: the receive or publish that reports
//! the event waits for it, and so does the deadline of waiting tasks.

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
