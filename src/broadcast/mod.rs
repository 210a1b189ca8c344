//! A drop-in replacement for `tokio::sync::broadcast`, on a boxed ring.
//!
//! Change the import, and the program runs on the ring:
//!
//! ```text
//! -use tokio::sync::broadcast;
//! +use seqcast::broadcast;
//! ```
//!
//! The names, signatures, error types and semantics are those of tokio. It works in any async
//! runtime, and in threads without one. Check each `select! { biased; … }` that receives, because
//! it may need a few lines: see [Biased selects](#biased-selects).
//! [From tokio](crate::book::from_tokio) has the whole migration, with programs before and after,
//! and what the ring offers beyond a channel.
//!
//! # Examples
//!
//! ```
//! use seqcast::broadcast::{self, error::RecvError};
//!
//! # futures::executor::block_on(async {
//! let (sender, mut receiver) = broadcast::channel(2);
//! for number in 1..=3 {
//!     sender.send(number).unwrap();
//! }
//! drop(sender);
//! let (mut sum, mut lost) = (0, 0);
//! loop {
//!     match receiver.recv().await {
//!         Ok(number) => sum += number,
//!         Err(RecvError::Lagged(missed)) => lost += missed,
//!         Err(RecvError::Closed) => break,
//!     }
//! }
//! assert_eq!((sum, lost), (5, 1));
//! # });
//! ```
//!
//! # Differences
//!
//! | | tokio | here |
//! |---|---|---|
//! | [`channel`], [`Sender::new`] | ask nothing of `T` but `Clone` for `channel` | also need `T: Send + Sync + 'static`. The handles need nothing |
//! | [`Receiver`] as a stream | `BroadcastStream` of tokio-stream | is a [`Stream`](futures_core::Stream) itself |
//! | cooperation | the budget of the task | one yield after 128 receives in a row, in every executor: see [Biased selects](#biased-selects) |
//! | [`blocking_recv`](Receiver::blocking_recv) in an async context | panics | blocks the thread |
//! | several senders | one that is suspended in `send` blocks the others | no sender waits for another: see [Several senders](#several-senders) |
//! | a panic in a waker or in the drop of a message | reaches `send` or `recv` | is caught |
//! | a message is dropped | when the last receiver has received it | the same, with [exceptions](#when-a-message-is-dropped) |
//! | [`Sender::len`] | a few messages are checked | every receiver is checked |
//! | largest capacity | `usize::MAX / 2` | `isize::MAX as usize / 2` |
//!
//! # Biased selects
//!
//! After 128 receives in a row without waiting, [`recv`](Receiver::recv) and the stream return
//! `Pending` once. tokio makes all of its resources pending at the same time. Here only the
//! receiver is pending, so a lower branch of `select! { biased; … }` runs although messages are
//! available. A loop that is meant to receive everything and then stop, stops early and loses the
//! rest silently.
//!
//! In the lower branch, first call [`try_recv`](Receiver::try_recv) until it returns `Empty` or
//! `Closed`. It never yields. Use it also instead of `recv().now_or_never()`, which returns `None`
//! when the receiver yields.
//!
//! # Several senders
//!
//! Messages are received in the order in which senders began to send. If a sender is suspended in
//! the middle of `send`, [`try_recv`](Receiver::try_recv) may return `Empty` although a later
//! `send` has returned. Receivers resume once the other senders have sent `capacity` more
//! messages. The place of the suspended sender then stays empty, and
//! [`Lagged`](error::RecvError::Lagged) and [`len`](Receiver::len) may count it. This is rare
//! unless the channel is small.
//!
//! # When a message is dropped
//!
//! As in tokio, a message is dropped when every receiver that existed when it was sent has
//! received it or is gone. So it may hold a permit, a socket or a large buffer. The channel is a
//! ring with [`eager_drop`](crate::Builder::eager_drop). The exceptions:
//!
//! - A message whose type has no drop ([`needs_drop`](std::mem::needs_drop) returns `false`) stays
//!   until it is overwritten.
//! - If the last two receivers receive a message at the same moment, it may stay until one of them
//!   receives again, finds the channel empty, or is dropped. The same holds if a receiver is made,
//!   or the last older one is dropped, in the middle of the `send`.
//! - With fewer than 8 receivers, a message that is overwritten unread is dropped by the `send`
//!   that overwrites it. With more, a later `send` may drop it. At most one message per 8
//!   receivers waits.
//!
//! # Many tasks
//!
//! `send` wakes every sleeping task before it returns, as tokio's does. If bursts of messages
//! reach a hundred tasks or more, spawn `sender.ring().drive_wakes()` on their runtime. A burst
//! then wakes each task once: see [`drive_wakes`](crate::Ring::drive_wakes).

pub mod error;
mod half;
mod receiver;
mod sender;
mod shared;

pub use receiver::Receiver;
pub use sender::{Sender, WeakSender};

/// Makes a channel and its first receiver.
///
/// The channel holds at least `capacity` messages, rounded up to a power of two.
///
/// # Panics
///
/// If `capacity` is 0, more than `isize::MAX as usize / 2`, or more messages than fit in the
/// address space.
///
/// # Examples
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
