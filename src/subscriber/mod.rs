//! One reader with its own cursor. Every receiving call ends in [`Subscriber::receive`], so that no two of them can disagree
//! about lag or the end.

mod blocking;
mod budget;
mod future;
mod gating;
mod iter;
mod latest;
mod position;
mod recv_ref;
mod skip_lagged;
mod spin;
mod stream;

pub use future::{Recv, RecvLatest, RecvMany};
pub use iter::{IntoIter, Iter, TryIter};
pub use recv_ref::{NextRef, RecvRef};
pub use skip_lagged::SkipLagged;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::task::Waker;
use std::time::Instant;

use crate::channel::Channel;
use crate::error::{Lagged, RecvError, TryRecvError};
use crate::events;
use crate::registry::{Cursor, GateState, Registration};
use crate::sequencer::Found;
use crate::slots::{self, Place, Receive, Slot, Storage, append};
use crate::start::Start;
use crate::sync::{Arc, full_fence};
use crate::wait::{Park, WaitKey, Waiter};
use budget::Budget;
use spin::SpinPolicy;

/// One reader of a ring, with its own cursor.
///
/// It reads every message in the order of their sequences, and holds no publisher back: when it falls more than a lap behind, the
/// next receive says [`Lagged`] with the exact number of messages lost, and it goes on with the oldest that is left.
/// A clone is a second reader at the same cursor; from there on the two know nothing of each other.
///
/// The exception is a *gating* subscriber, made by [`Ring::subscribe_gating`](crate::Ring::subscribe_gating): publishers wait while
/// it is a full lap behind, and it loses nothing. A clone of it gates too. Read from it, or drop it.
///
/// Receiving works in every style on the same handle: [`try_recv`](Self::try_recv) polls, [`recv`](Self::recv) blocks the
/// thread, [`recv_async`](Self::recv_async) and the [`Stream`](futures_core::Stream) wait in any runtime, and
/// [`iter`](Self::iter) is a blocking iterator.
///
/// # Lag
///
/// After `Lagged` the oldest message is also the next to be overwritten: receive again at once, and pause only after a
/// message. A reader that pauses after each `Lagged` may never see a message. [`Builder::lag_slack`](crate::Builder::lag_slack)
/// gives it room.
///
/// ```
/// let (mut publisher, mut subscriber) = seqcast::inline::<u64>(1024);
/// let reader = std::thread::spawn(move || {
///     let mut sum = 0;
///     for message in subscriber.iter() {
///         match message {
///             Ok(value) => sum += value,
///             Err(lagged) => panic!("{lagged}"), // 100 messages fit
///         }
///     }
///     sum
/// });
/// publisher.publish_many(1..=100);
/// publisher.close();
/// assert_eq!(reader.join().unwrap(), 5050);
/// ```
///
/// # Accounting
///
/// Every sequence from [`start_sequence`](Self::start_sequence) to [`next_sequence`](Self::next_sequence) is counted in exactly one of
/// [`received`](Self::received), [`missed`](Self::missed), [`holes`](Self::holes) and
/// [`skipped_by_choice`](Self::skipped_by_choice).
///
/// ```
/// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
/// publisher.publish_many(0..7);
/// let _ = subscriber.try_recv(); // lagged: 3 messages
/// assert_eq!(subscriber.try_iter().count(), 4);
/// let counted =
///     subscriber.received() + subscriber.missed() + subscriber.holes() + subscriber.skipped_by_choice();
/// assert_eq!(counted, subscriber.next_sequence() - subscriber.start_sequence());
/// ```
///
/// A [`seek`](Self::seek) starts a new account. It resets `received` and `start_sequence` only. To check the account after one, save
/// `missed()`, `holes()` and `skipped_by_choice()` right after the `seek`, and subtract them.
///
/// # Closing
///
/// Once the ring is closed, what is left in it can still be read; then every call says `Closed`, for ever after.
///
/// # Progress
///
/// Receiving never waits for another subscriber. It waits for a publisher only in this: a message that was claimed
/// and is not committed yet is waited for until it comes, or until the other publishers are a lap further.
pub struct Subscriber<S: Storage> {
    channel: Arc<Channel<S>>,
    /// Its registration: the cursor is kept there alone, so that the one place that a receive writes is the one where others look.
    /// A gating subscriber has a decoy here, at which the quick way of receiving finds nothing, and its own in `local.gating`. So
    /// others need not ask at each message whether publishers wait for it.
    lossy: Arc<Registration>,
    local: Box<Local>,
}

/// What a receive that finds its message does not touch. Apart, so that subscribers that lie side by side fill few cache lines.
struct Local {
    /// The registration of a gating subscriber.
    gating: Option<Arc<Registration>>,
    /// Where the cursor stood after its last move that was no receive. With it `last_sequence` needs no store in each receive.
    jumped_to: u64,
    /// The sequence received last before that move.
    last_before_jump: Option<u64>,
    /// Where the account begins: where it subscribed, or where the last `seek` went.
    start: u64,
    /// Messages received before `start`.
    received_before: u64,
    /// As a stream it said that it is over.
    ended: bool,
    /// A waker may be registered.
    waker_registered: bool,
    /// The clone or drop of a waker panicked while it was put in place: that place is unusable.
    waker_poisoned: bool,
    spin_policy: SpinPolicy,
    budget: Budget,
}

/// Why there is no message at the cursor, holes behind it.
#[derive(Clone, Copy)]
pub(crate) enum NoMessage {
    Lapped { resume: u64 },
    Empty,
    Closed,
}

impl<S: Storage> Subscriber<S> {
    pub(crate) fn new(channel: Arc<Channel<S>>, start: u64) -> Self {
        let registration = channel.registry.register(start, Waiter::new(), GateState::lossy());
        Self::with(channel, registration, None, start)
    }

    /// One that begins at what `start` means now.
    pub(crate) fn starting_at(channel: Arc<Channel<S>>, start: Start) -> Self {
        let at = channel.resolve(start);
        let mut subscriber = Self::new(channel, at);
        if subscriber.channel.is_eager() {
            // What was published since `at` was looked up, others may have read, and it is gone. From here on they wait.
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
}

/// Receiving: messages by value, which takes a clone of them in a [`boxed`](crate::boxed) ring.
impl<S: Receive> Subscriber<S> {
    /// Takes the next message if it is there.
    ///
    /// # Errors
    ///
    /// - [`Empty`](TryRecvError::Empty): nothing yet; nothing changed.
    /// - [`Lagged`](TryRecvError::Lagged): messages were lost; the cursor stands at `resumed_at`.
    /// - [`Closed`](TryRecvError::Closed): the end, for ever.
    ///
    /// `Empty` is never said while a message can be read or a loss is to be told.
    ///
    /// # Panics
    ///
    /// When the message's clone does (boxed rings). It is not received then: the next call tries again.
    ///
    /// # Progress
    ///
    /// Never blocks; allocates nothing but what a clone does. Wait-free but for holes: it goes over each hole it finds.
    ///
    /// # Memory ordering
    ///
    /// What the publisher did before it published happens before this returns the message.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::{Lagged, TryRecvError};
    ///
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(2);
    /// assert_eq!(subscriber.try_recv(), Err(TryRecvError::Empty));
    /// publisher.publish_many([10, 11, 12]);
    /// assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 1, resumed_at: 1 })));
    /// assert_eq!(subscriber.try_recv(), Ok(11));
    /// drop(publisher);
    /// assert_eq!(subscriber.try_recv(), Ok(12));
    /// assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));
    /// ```
    #[inline]
    pub fn try_recv(&mut self) -> Result<S::Item, TryRecvError> {
        slots::receive(|place| self.try_recv_into(place))
    }

    /// Appends up to `limit` messages that are there now to `buffer`, and returns how many.
    ///
    /// A loss after the first message is reported by the next call, not by this one. With `limit` 0 it returns `Ok(0)` at once.
    ///
    /// In an inline ring it is faster than receiving one by one: the cursor moves once in up to 64 messages, 8 KiB, or a quarter of
    /// the ring. Other threads see it move then ([`Ring::stats`](crate::Ring::stats)), and publishers that wait for a gating subscriber are
    /// woken then.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](Self::try_recv), when there is no first message.
    ///
    /// # Panics
    ///
    /// When a message's clone does (boxed rings). The messages before it are in `buffer` and count as received.
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish_many(0..5);
    /// let mut buffer = Vec::new();
    /// assert_eq!(subscriber.try_recv_many(&mut buffer, 3), Ok(3));
    /// assert_eq!(subscriber.try_recv_many(&mut buffer, 3), Ok(2));
    /// assert_eq!(buffer, [0, 1, 2, 3, 4]);
    /// ```
    pub fn try_recv_many(&mut self, buffer: &mut Vec<S::Item>, limit: usize) -> Result<usize, TryRecvError> {
        let mut received = 0;
        while received < limit {
            let run = self.receive_run(buffer, limit - received);
            received += run;
            if run > 0 {
                continue;
            }
            // There may be a hole in the way, a loss, or nothing.
            let mut reading = |slot: Slot<'_, S::Payload>, sequence, cursor: &Cursor| {
                append(buffer, |place| S::read(slot, sequence, cursor, place)).then_some(())
            };
            match self.receive(&mut reading) {
                Ok(()) => received += 1,
                Err(_) if received > 0 => break,
                Err(nothing) => return Err(self.report(nothing)),
            }
        }
        Ok(received)
    }

    /// As `try_recv`, for calls that wait: they are out of line already.
    pub(crate) fn try_recv_waiting(&mut self, place: &mut Place<'_, S::Item>) -> Result<(), TryRecvError> {
        self.receive(&mut reading::<S>(place)).map_err(|nothing| self.report(nothing))
    }

    /// As `try_recv`.
    #[inline]
    pub(crate) fn try_recv_into(&mut self, place: &mut Place<'_, S::Item>) -> Result<(), TryRecvError> {
        let received = match self.receive_fast(reading::<S>(place)) {
            Some(received) => received,
            None => place.receive_out_of_line(|place| self.receive_slow(&mut reading::<S>(place))),
        };
        received.map_err(|nothing| self.report(nothing))
    }

    /// Appends messages that are there to `buffer`, up to `limit`, and returns how many. It may stop anywhere.
    fn receive_run(&self, buffer: &mut Vec<S::Item>, limit: usize) -> usize {
        let (sequencer, from) = (&self.channel.sequencer, self.next_sequence());
        // The cursor moves once a run. Publishers may wait for it, so it should move soon.
        let limit = limit.min(self.channel.run_of_receives());
        let read = sequencer.slots().read_run(from, limit, buffer, self.cursor());
        if read > 0 {
            self.made_room(from..from + read as u64);
        }
        read
    }
}

impl<S: Storage> Subscriber<S> {
    pub(crate) fn channel(&self) -> &Arc<Channel<S>> {
        &self.channel
    }

    /// Its cursor and its pin may be past the message `sequence`, which may be dropped then.
    #[inline]
    pub(crate) fn passed(&self, sequence: u64) {
        if S::DROPS {
            self.channel.passed(sequence, self.registration());
        }
    }

    /// It finds no message.
    #[inline]
    fn rests(&self) {
        if S::DROPS {
            self.channel.rests(self.registration(), false);
        }
    }

    /// The message `sequence` was taken, and is not borrowed unless it is pinned.
    #[inline]
    fn taken(&self, sequence: u64) {
        if S::DROPS && self.cursor().pinned() == 0 {
            self.passed(sequence);
        }
    }

    /// Receives the next message through `take`, or returns why there is none. A loss is not counted yet: `report` does that.
    #[inline]
    pub(crate) fn receive<R>(
        &mut self,
        take: &mut impl FnMut(Slot<'_, S::Payload>, u64, &Cursor) -> Option<R>,
    ) -> Result<R, NoMessage> {
        match self.receive_fast(&mut *take) {
            Some(received) => received,
            None => self.receive_slow(take),
        }
    }

    /// The quick way, or `None`.
    #[inline]
    fn receive_fast<R>(
        &self,
        take: impl FnOnce(Slot<'_, S::Payload>, u64, &Cursor) -> Option<R>,
    ) -> Option<Result<R, NoMessage>> {
        let cursor = &self.lossy.cursor;
        let sequence = cursor.next_unsync();
        match self.channel.sequencer.find_fast(sequence)? {
            Found::Message(slot) => {
                let message = take(slot, sequence, cursor)?;
                self.taken(sequence);
                Some(Ok(message))
            }
            Found::Empty => {
                self.rests();
                Some(Err(NoMessage::Empty))
            }
            _ => None,
        }
    }

    /// Receives where the quick way failed: at a hole, a lap, the end, and by gating subscribers.
    #[inline(never)]
    fn receive_slow<R>(
        &mut self,
        take: &mut impl FnMut(Slot<'_, S::Payload>, u64, &Cursor) -> Option<R>,
    ) -> Result<R, NoMessage> {
        if let Some(gating) = &self.local.gating {
            // The quick way of a gating subscriber.
            let sequence = gating.cursor.next_unsync();
            if let Some(Found::Message(slot)) = self.channel.sequencer.find_fast(sequence) {
                if let Some(message) = take(slot, sequence, &gating.cursor) {
                    self.channel.made_room(sequence..sequence + 1);
                    self.taken(sequence);
                    return Ok(message);
                }
            }
            self.become_lossy_if_demoted();
        }
        loop {
            let sequence = self.next_sequence();
            return match self.channel.sequencer.find(sequence) {
                Found::Message(slot) => match take(slot, sequence, self.cursor()) {
                    Some(message) => {
                        self.made_room(sequence..sequence + 1);
                        self.taken(sequence);
                        Ok(message)
                    }
                    None => continue,
                },
                Found::Hole => {
                    self.pass_hole();
                    continue;
                }
                Found::Lapped { oldest } => Err(NoMessage::Lapped { resume: self.resume(oldest) }),
                Found::Empty => {
                    self.rests();
                    Err(NoMessage::Empty)
                }
                Found::Closed => {
                    self.rests();
                    Err(NoMessage::Closed)
                }
            };
        }
    }

    /// Where it goes on after a lap. A gating subscriber leaves no room in front: what it skipped would be a loss.
    fn resume(&self, oldest: u64) -> u64 {
        if self.local.gating.is_some() { oldest } else { self.channel.sequencer.resume(oldest) }
    }

    /// Turns it into the caller's error. A loss is counted, and the cursor moves past it.
    #[inline]
    pub(crate) fn report(&mut self, nothing: NoMessage) -> TryRecvError {
        match nothing {
            NoMessage::Lapped { resume } => TryRecvError::Lagged(self.lag_to(resume)),
            NoMessage::Empty => TryRecvError::Empty,
            NoMessage::Closed => TryRecvError::Closed,
        }
    }

    #[inline]
    pub(crate) fn cursor(&self) -> &Cursor {
        &self.registration().cursor
    }

    /// Moves the cursor by anything but a receive.
    fn jump_to(&mut self, sequence: u64) {
        self.local.last_before_jump = self.last_sequence();
        self.local.jumped_to = sequence;
        let from = self.next_sequence();
        if self.local.gating.is_some() {
            self.gate_jumps(from, sequence);
        } else {
            self.cursor().jump_to(sequence);
        }
        if sequence < from && self.channel.is_eager() {
            // A walk that has passed it begins anew.
            self.channel.registry.bump_generation();
        }
        self.passed(from);
    }

    /// There is a hole at the cursor.
    fn pass_hole(&mut self) {
        self.cursor().holes.add(1);
        self.jump_to(self.next_sequence() + 1);
    }

    /// Jumps, by the caller's choice.
    fn skip_to(&mut self, sequence: u64) {
        self.cursor().skipped_by_choice.add(sequence - self.next_sequence());
        self.jump_to(sequence);
    }

    #[cold]
    fn lag_to(&mut self, resume: u64) -> Lagged {
        let cursor = self.cursor();
        let missed = resume - cursor.next_unsync();
        cursor.missed.add(missed);
        self.jump_to(resume);
        let lagged = Lagged { missed, resumed_at: resume };
        // Last: it calls the user's code.
        events::lagged(self.registration(), self.channel.capacity(), lagged);
        lagged
    }

    // Waiting, for `blocking.rs` and `future.rs`.

    /// Has `waker` woken for the next message. The ring is to be looked at once more before anybody sleeps.
    pub(crate) fn register_waker(&mut self, waker: &Waker) -> Park {
        self.local.waker_registered = true;
        let waker_poisoned = std::mem::replace(&mut self.local.waker_poisoned, true);
        let park = self.channel.waiters.register_waker(&self.registration().waiter, waker);
        self.local.waker_poisoned = waker_poisoned;
        if waker_poisoned { Park::Polling } else { park }
    }

    /// The calling thread is about to sleep. The ring is to be looked at once more before it does.
    pub(crate) fn prepare_wait(&self) -> WaitKey {
        self.channel.waiters.prepare_wait()
    }

    /// How long to spin before it parks.
    pub(crate) fn spin_policy(&mut self) -> &mut SpinPolicy {
        &mut self.local.spin_policy
    }

    /// How many results its task may still take before it yields.
    #[inline]
    pub(crate) fn budget(&mut self) -> &mut Budget {
        &mut self.local.budget
    }

    /// Sleeps until woken or until `deadline`; may return early.
    pub(crate) fn commit_wait(&self, key: WaitKey, deadline: Option<Instant>) {
        let waiter = &self.registration().waiter;
        waiter.set_asleep(true);
        self.channel.waiters.commit_wait(key, deadline);
        waiter.set_asleep(false);
    }

    /// Notes that its task returns `Pending`.
    pub(crate) fn set_pending(&self) {
        self.registration().waiter.set_pending();
    }

    /// Lets go of the waker of a task that waits no more.
    pub(crate) fn deregister_waker(&mut self) {
        if self.local.waker_registered {
            self.local.waker_registered = false;
            self.registration().waiter.forget_waker();
        }
    }

    /// As a stream it has said that it is over, and no `seek` went back since.
    pub(crate) fn has_ended(&self) -> bool {
        self.local.ended
    }

    pub(crate) fn set_ended(&mut self) {
        self.local.ended = true;
    }
}

/// Puts the message where it is wanted.
#[inline]
fn reading<'p, S: Receive>(
    place: &'p mut Place<'_, S::Item>,
) -> impl FnMut(Slot<'_, S::Payload>, u64, &Cursor) -> Option<()> + 'p {
    |slot, sequence, cursor| S::read(slot, sequence, cursor, place).then_some(())
}

/// What a try brought, unless it is to be waited for.
pub(crate) fn unless_empty<R>(taken: Result<R, TryRecvError>) -> Option<Result<R, RecvError>> {
    match taken {
        Ok(received) => Some(Ok(received)),
        Err(TryRecvError::Empty) => None,
        Err(TryRecvError::Closed) => Some(Err(RecvError::Closed)),
        Err(TryRecvError::Lagged(lagged)) => Some(Err(RecvError::Lagged(lagged))),
    }
}

/// A second reader at the same cursor, with an account, an id and no name of its own. A clone of a gating subscriber gates too.
impl<S: Storage> Clone for Subscriber<S> {
    fn clone(&self) -> Self {
        if self.is_gating() { self.clone_gating() } else { Self::new(Arc::clone(&self.channel), self.next_sequence()) }
    }
}

impl<S: Storage> Drop for Subscriber<S> {
    fn drop(&mut self) {
        self.leave_gate();
        let was_last = self.channel.registry.unregister(self.registration());
        // The task is let go now; a place on the wait list stays until somebody comes by.
        self.registration().waiter.discard_waker();
        self.channel.note_dropped(self.registration());
        // A `Ref` may have been leaked.
        self.cursor().leave();
        self.channel.reclaim_after_close();
        if S::DROPS {
            self.channel.rests(self.registration(), true);
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

// A panic in the middle of a call leaves the cursor before or behind a message, never in between.
impl<S: Storage> UnwindSafe for Subscriber<S> {}
impl<S: Storage> RefUnwindSafe for Subscriber<S> {}
