//! A drop-in for `tokio::sync::broadcast`, on a ring: change `use tokio::sync::broadcast;` into
//! `use seqcast::broadcast;`.
//!
//! It has the same names, signatures and semantics, and works in any runtime and without one.
//! `docs/from-tokio.md` compares the two item by item, and shows what the ring gives more.
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
