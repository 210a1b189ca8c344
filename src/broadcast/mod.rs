//! A drop-in for `tokio::sync::broadcast`, on a ring: change `use tokio::sync::broadcast;` into
//! `use seqcast::broadcast;`.
//!
//! It has the same names, signatures and semantics, and works in any runtime and without one. Check each
//! [`select! { biased; … }`](#biased-selects) that receives: it may need a few lines.
//! `docs/from-tokio.md` shows what the ring gives more, and how to get there from a channel.
//!
//! ```
//! use seqcast::broadcast::{self, error::RecvError};
//!
//! # futures::executor::block_on(async {
//! let (sender, mut receiver) = broadcast::channel(16);
//! sender.send("hello").unwrap();
//! drop(sender);
//! loop {
//!     match receiver.recv().await {
//!         Ok(message) => println!("{message}"),
//!         Err(RecvError::Lagged(missed)) => eprintln!("lost {missed} messages"),
//!         Err(RecvError::Closed) => break,
//!     }
//! }
//! # });
//! ```
//!
//! # When a message is dropped
//!
//! As in tokio, when the last receiver that was there when it was sent has received it, or is gone: a
//! channel is a ring with [`eager_drop`](crate::Builder::eager_drop). A message may hold a permit, a
//! socket or a large buffer.
//!
//! - A message whose type has no drop ([`needs_drop`](std::mem::needs_drop) returns `false`) stays until
//!   it is overwritten.
//! - If two receivers receive a message at the same moment, and no other needs it, it may stay until
//!   one of them receives again, looks and finds nothing, or is dropped. So may a message if a receiver
//!   is made, or the last older one is dropped, in the middle of the `send`.
//! - With fewer than 8 receivers, a message that is overwritten unread is dropped by the `send` that
//!   overwrites it. With more, a later `send` may drop it: at most one message for every 8 receivers waits.
//!
//! # What differs from tokio
//!
//! - [`channel`] and [`Sender::new`] ask `T: Send + Sync + 'static`. The handles ask nothing of `T`.
//! - [`Receiver`] is a [`Stream`](futures_core::Stream) itself.
//! - [`blocking_recv`](Receiver::blocking_recv) does not panic in an async context. It blocks the thread.
//! - No sender waits for another. A message is therefore received after those of senders that began
//!   before, and [`try_recv`](Receiver::try_recv) may report `Empty` while one of them is suspended in
//!   the middle of `send`. If others send `capacity` messages meanwhile, its place stays empty, and
//!   [`Lagged`](error::RecvError::Lagged) and [`len`](Receiver::len) may count it. This happens with
//!   several senders only, and hardly ever unless the channel is small.
//! - A receiver yields once after 128 receives in a row, in every executor: see
//!   [biased selects](#biased-selects).
//! - A panic in a waker or in the drop of a message ends there. It does not reach `send` or `recv`.
//! - [`Sender::len`] looks at every receiver.
//! - A capacity of more than `isize::MAX as usize / 2` panics.
//!
//! # Biased selects
//!
//! After 128 receives in a row without waiting, [`recv`](Receiver::recv) and the stream return `Pending`
//! once. tokio makes all of its resources pending together. Here only the receiver is, so a lower branch of
//! `select! { biased; … }` runs although messages are waiting. A loop that should receive everything and
//! then stop, stops early, and loses the rest silently.
//!
//! In the lower branch, first call [`try_recv`](Receiver::try_recv) until it returns `Empty` or `Closed`.
//! It never yields. Use it also in the place of `recv().now_or_never()`, which returns `None` in that case.
//! The section "Biased selects" of `docs/from-tokio.md` has programs.
//!
//! # Many tasks
//!
//! `send` wakes every sleeping task before it returns, as tokio's does. If bursts of messages reach a
//! hundred tasks or more, spawn `sender.ring().drive_wakes()` on their runtime
//! ([`drive_wakes`](crate::Ring::drive_wakes)): one more line, and a burst wakes each task once.

pub mod error;
mod half;
mod receiver;
mod sender;
mod shared;

pub use receiver::Receiver;
pub use sender::{Sender, WeakSender};

/// Makes a channel for at least `capacity` messages (rounded up to a power of two), and its first
/// receiver.
///
/// # Panics
///
/// If `capacity` is 0, more than `isize::MAX as usize / 2`, or more than an address space can hold.
///
/// ```
/// use seqcast::broadcast;
///
/// let (sender, mut first) = broadcast::channel(16);
/// let mut second = sender.subscribe();
/// sender.send(10).unwrap();
/// assert_eq!((first.try_recv(), second.try_recv()), (Ok(10), Ok(10)));
/// ```
#[track_caller]
pub fn channel<T: Clone + Send + Sync + 'static>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(capacity);
    let receiver = sender.subscribe();
    (sender, receiver)
}
