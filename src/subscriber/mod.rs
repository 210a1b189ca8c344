//! One reader with its own cursor.
//!
//! Every receiving call ends in `Subscriber::receive` or `Subscriber::receive_run` of
//! `receive.rs`, so all of them agree about lag and the end.

// In the order in which the documentation shows their methods.
mod receive;
mod try_recv;

mod blocking;
mod future;

mod latest;

mod iter;
mod skip_lagged;

mod recv_ref;

mod position;

mod account;

mod budget;
mod gating;
mod spin;
mod stream;
mod waiting;

pub use future::{Recv, RecvLatest, RecvMany};
pub use iter::{IntoIter, Iter, TryIter};
pub use recv_ref::{NextRef, RecvRef};
pub use skip_lagged::SkipLagged;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::channel::Channel;
use crate::registry::{GateState, Registration};
use crate::slots::Storage;
use crate::start::Start;
use crate::sync::{Arc, full_fence};
use crate::wait::Waiter;
use budget::Budget;
use spin::SpinPolicy;

/// One reader of a ring, with its own cursor.
///
/// A subscriber receives every message in the order of the sequences, and publishers never wait for
/// it. If it falls more than a lap behind, messages are overwritten before it reads them. The next
/// receive then returns [`Lagged`](crate::Lagged) with their exact number, and the cursor moves to
/// the oldest message that is left.
///
/// A *gating* subscriber is the exception: publishers wait while it is a full lap behind, and it
/// loses nothing. It is made by [`Ring::subscribe_gating`](crate::Ring::subscribe_gating). Read
/// from it, or drop it.
///
/// A clone is an independent reader that starts at the same cursor. A clone of a gating subscriber
/// gates too.
///
/// # Ways of receiving
///
/// All of them work on the same handle, in any order.
///
/// | | without waiting | blocking the thread | in a task |
/// |---|---|---|---|
/// | the next message | [`try_recv`] | [`recv`], [`recv_timeout`], [`recv_deadline`] | [`recv_async`], [`poll_recv`] |
/// | the newest message only | [`latest`] | [`recv_latest`] | [`recv_latest_async`] |
/// | several messages | [`try_recv_many`] | [`recv_many`] | [`recv_many_async`] |
/// | an iterator or stream | [`try_iter`] | [`iter`], a `for` loop | [`Stream`](futures_core::Stream) |
/// | the next message, borrowed | [`try_recv_ref`] | [`next_ref`], [`recv_ref`], [`recv_ref_timeout`] | [`next_ref_async`], [`recv_ref_async`], [`poll_recv_ref`] |
/// | the newest message, borrowed | [`latest_ref`] | | |
///
/// In a [boxed](crate::boxed) ring, calls that return a message clone it, and need `T: Clone`. The
/// calls that borrow a message exist for boxed rings only. They need no `Clone` and copy nothing.
///
/// # Lag
///
/// After `Lagged`, the oldest message is next. It is also the next to be overwritten, so receive
/// again immediately. A reader that pauses after each `Lagged` may never receive a message. With a
/// continuously busy publisher, set [`Builder::lag_slack`](crate::Builder::lag_slack).
///
/// # Closing
///
/// Once the ring is closed, the messages that are left can still be received. After the last one,
/// every receive returns `Closed`, until a [`seek`](Self::seek) moves the cursor back.
///
/// # Accounting
///
/// Every sequence from [`start_sequence`](Self::start_sequence) up to
/// [`next_sequence`](Self::next_sequence) is counted in exactly one of
/// [`received`](Self::received), [`missed`](Self::missed), [`holes`](Self::holes) and
/// [`skipped_by_choice`](Self::skipped_by_choice).
///
/// A [`seek`](Self::seek) starts a new account. It resets `received` and `start_sequence` only. To
/// check the account after a `seek`, save the other three counts right after it, and subtract them.
///
/// # Progress
///
/// Receiving never waits for another subscriber. It waits for a publisher only at a sequence that
/// was claimed and is not committed. The subscriber resumes when the message is committed, or once
/// the other publishers have published `capacity` more. If none of them publishes, only
/// [`latest`](Self::latest) and [`seek`](Self::seek) pass that sequence.
///
/// # Examples
///
/// ```
/// let (mut publisher, mut subscriber) = seqcast::inline::<u64>(1024);
/// let reader = std::thread::spawn(move || {
///     let (mut sum, mut missed) = (0, 0);
///     for message in subscriber.iter() {
///         match message {
///             Ok(value) => sum += value,
///             Err(lagged) => missed += lagged.missed,
///         }
///     }
///     (sum, missed)
/// });
/// publisher.publish_many(1..=100);
/// publisher.close();
/// assert_eq!(reader.join().unwrap(), (5050, 0));
/// ```
///
/// The account after a loss:
///
/// ```
/// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
/// publisher.publish_many(0..7);
/// assert!(subscriber.try_recv().unwrap_err().is_lagged());
/// assert_eq!(subscriber.try_iter().count(), 4);
/// assert_eq!((subscriber.received(), subscriber.missed()), (4, 3));
/// assert_eq!(subscriber.next_sequence() - subscriber.start_sequence(), 7);
/// ```
///
/// [`try_recv`]: Self::try_recv
/// [`recv`]: Self::recv
/// [`recv_timeout`]: Self::recv_timeout
/// [`recv_deadline`]: Self::recv_deadline
/// [`recv_async`]: Self::recv_async
/// [`poll_recv`]: Self::poll_recv
/// [`latest`]: Self::latest
/// [`recv_latest`]: Self::recv_latest
/// [`recv_latest_async`]: Self::recv_latest_async
/// [`try_recv_many`]: Self::try_recv_many
/// [`recv_many`]: Self::recv_many
/// [`recv_many_async`]: Self::recv_many_async
/// [`try_iter`]: Self::try_iter
/// [`iter`]: Self::iter
/// [`try_recv_ref`]: Self::try_recv_ref
/// [`next_ref`]: Self::next_ref
/// [`recv_ref`]: Self::recv_ref
/// [`recv_ref_timeout`]: Self::recv_ref_timeout
/// [`next_ref_async`]: Self::next_ref_async
/// [`recv_ref_async`]: Self::recv_ref_async
/// [`poll_recv_ref`]: Self::poll_recv_ref
/// [`latest_ref`]: Self::latest_ref
pub struct Subscriber<S: Storage> {
    channel: Arc<Channel<S>>,
    /// The registration of a lossy subscriber. It has the only copy of the cursor, so a receive
    /// writes one word, which is also the word that other threads read.
    ///
    /// A gating subscriber has a decoy here, at which `receive_fast` never finds a message, and
    /// its own registration in `local.gating`. So lossy subscribers need not test for a gate at
    /// each message.
    lossy: Arc<Registration>,
    local: Box<Local>,
}

/// What a receive that finds its message does not touch. In an allocation of its own, so that
/// subscribers in one array take few cache lines.
struct Local {
    /// The registration of a gating subscriber.
    gating: Option<Arc<Registration>>,
    /// The cursor after its last move that was no receive. It saves receives a store for
    /// `last_sequence`.
    jumped_to: u64,
    /// The sequence received last before that move.
    last_before_jump: Option<u64>,
    /// Where the account begins: at the subscription, or at the last `seek`.
    start: u64,
    /// Messages received before `start`.
    received_before: u64,
    /// The stream has returned `None`, and no `seek` followed.
    ended: bool,
    /// A waker may be registered.
    waker_registered: bool,
    /// The clone or drop of a waker panicked while it was registered: no waker can be registered
    /// again.
    waker_poisoned: bool,
    spin_policy: SpinPolicy,
    budget: Budget,
}

impl<S: Storage> Subscriber<S> {
    /// A lossy subscriber at `start`.
    pub(crate) fn new(channel: Arc<Channel<S>>, start: u64) -> Self {
        let registration = channel.registry.register(start, Waiter::new(), GateState::lossy());
        Self::with(channel, registration, None, start)
    }

    /// A lossy subscriber at the sequence that `start` means now.
    pub(crate) fn starting_at(channel: Arc<Channel<S>>, start: Start) -> Self {
        let at = channel.resolve(start);
        let mut subscriber = Self::new(channel, at);
        if subscriber.channel.is_eager() {
            // Other subscribers may have received messages since `at` was looked up, and those
            // were dropped. From here on, messages are kept for this subscriber.
            // [subscribe.fence] Pairs with `duty.evict-fence`.
            full_fence();
            if subscriber.channel.resolve(start) != at {
                subscriber.seek(start);
            }
        }
        subscriber
    }

    fn with(channel: Arc<Channel<S>>, lossy: Arc<Registration>, gating: Option<Arc<Registration>>, start: u64) -> Self {
        let local = Box::new(Local {
            gating,
            jumped_to: start,
            last_before_jump: None,
            start,
            received_before: 0,
            ended: false,
            waker_registered: false,
            waker_poisoned: false,
            spin_policy: SpinPolicy::default(),
            budget: Budget::default(),
        });
        Self { channel, lossy, local }
    }

    pub(crate) fn channel(&self) -> &Arc<Channel<S>> {
        &self.channel
    }
}

/// An independent reader at the same cursor, with its own account and id, and without a name.
///
/// A clone of a gating subscriber gates too.
impl<S: Storage> Clone for Subscriber<S> {
    fn clone(&self) -> Self {
        if self.is_gating() { self.clone_gating() } else { Self::new(Arc::clone(&self.channel), self.next_sequence()) }
    }
}

impl<S: Storage> Drop for Subscriber<S> {
    fn drop(&mut self) {
        self.leave_gate();
        let was_last = self.channel.registry.unregister(self.registration());
        // The waker is dropped now. The node on the wait list stays until a publisher takes it off.
        self.registration().waiter.discard_waker();
        self.channel.note_dropped(self.registration());
        // A `Ref` may have been leaked.
        self.cursor().leave();
        self.channel.reclaim_after_close();
        if S::DROPS {
            self.channel.found_empty(self.registration(), true);
        }
        if was_last {
            self.channel.unsubscribed.wake();
        }
    }
}

impl<S: Storage> fmt::Debug for Subscriber<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("id", &self.id())
            .field("next_sequence", &self.next_sequence())
            .field("missed", &self.missed())
            .finish_non_exhaustive()
    }
}

// A panic in the middle of a call leaves the cursor before or after a message, never in between.
impl<S: Storage> UnwindSafe for Subscriber<S> {}
impl<S: Storage> RefUnwindSafe for Subscriber<S> {}
