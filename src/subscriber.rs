//! One reader with its own cursor. Every receiving call ends in [`Subscriber::step`], so that no two of them can disagree
//! about lag or the end.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::channel::Channel;
use crate::error::{Lagged, RecvError, RecvTimeoutError, TryRecvError};
use crate::future::{Recv, RecvMany};
use crate::iter::{Iter, TryIter};
use crate::registry::Seat;
use crate::ring::Ring;
use crate::sequencer::Found;
use crate::skip_lagged::SkipLagged;
use crate::slots::Storage;
use crate::start::Start;
use crate::sync::{Arc, Parker, SPIN_LIMIT, spin_loop};
use crate::wait::{Sleep, Waiter};

/// One reader of a ring, with its own cursor.
///
/// It reads every message in the order of their sequences, and holds no publisher back: when it falls more than a lap behind, the
/// next receive says [`Lagged`] with the exact number of messages lost, and it goes on with the oldest that is left.
/// A clone is a second reader at the same cursor; from there on the two know nothing of each other.
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
/// From the sequence it started at to [`next_sequence`](Self::next_sequence), every sequence was either received, or is
/// counted in exactly one of [`missed`](Self::missed), [`holes`](Self::holes) and
/// [`skipped_by_choice`](Self::skipped_by_choice). ([`seek`](Self::seek) starts a new account.)
///
/// # Closing
///
/// Once the ring is closed, what is left in it can still be read; then every call says `Closed`, for ever after.
///
/// # Progress
///
/// Receiving never waits for another subscriber. It waits for a publisher only in this: a message that was claimed before it
/// and is not committed yet is waited for until it comes, until it is skipped, or for at most a lap.
pub struct Subscriber<S: Storage> {
    channel: Arc<Channel<S>>,
    /// The sequence read next; the seat shows it to others.
    cursor: u64,
    /// The sequence received last; `NONE` before the first.
    last: u64,
    seat: Arc<Seat>,
    /// A waker may be registered.
    asleep: bool,
    /// The clone or drop of a waker panicked while it was put in place: that place is unusable.
    deaf: bool,
    parker: Parker,
}

/// No sequence: they end far below.
const NONE: u64 = u64::MAX;

/// What a look at the cursor brought, holes behind it.
enum Step<T> {
    Message(T),
    Lapped { resume: u64 },
    Empty,
    Closed,
}

impl<S: Storage> Subscriber<S> {
    pub(crate) fn new(channel: Arc<Channel<S>>, cursor: u64) -> Self {
        let parker = Parker::default();
        let seat = channel.registry.join(cursor, Waiter::new(parker.unparker()));
        Self { channel, cursor, last: NONE, seat, asleep: false, deaf: false, parker }
    }

    // Receiving: now.

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
    /// # Progress
    ///
    /// Never blocks, never allocates. Wait-free but for holes: it goes over each hole it finds.
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
        match self.step() {
            Step::Message(message) => Ok(message),
            Step::Empty => Err(TryRecvError::Empty),
            Step::Lapped { resume } => Err(TryRecvError::Lagged(self.lag_to(resume))),
            Step::Closed => Err(TryRecvError::Closed),
        }
    }

    /// Appends up to `limit` messages that are there now to `buffer`, and returns how many.
    ///
    /// A loss that shows itself after the first message is told by the next call, not by this one. With `limit` 0 it returns
    /// `Ok(0)` at once.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](Self::try_recv), when there is no first message.
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
        if limit == 0 {
            return Ok(0);
        }
        buffer.push(self.try_recv()?);
        let mut received = 1;
        while received < limit {
            let Step::Message(message) = self.step() else { break };
            buffer.push(message);
            received += 1;
        }
        Ok(received)
    }

    /// Takes the newest message that is there, and leaves the cursor behind it.
    ///
    /// For readers that want the current value rather than the history. What it jumps over, lost or not, is counted in
    /// [`skipped_by_choice`](Self::skipped_by_choice). A message is taken once: when nothing was published since, it is `Empty`.
    ///
    /// # Errors
    ///
    /// [`Empty`](TryRecvError::Empty) or [`Closed`](TryRecvError::Closed); never `Lagged`.
    ///
    /// # Progress
    ///
    /// Lock-free: every look at another message is due to what publishers did; at most a lap of them if they rest.
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
    /// publisher.publish_many(0..100);
    /// assert_eq!(subscriber.latest(), Ok(99));
    /// assert_eq!(subscriber.skipped_by_choice(), 99);
    /// assert_eq!(subscriber.latest(), Err(seqcast::TryRecvError::Empty));
    /// ```
    pub fn latest(&mut self) -> Result<S::Item, TryRecvError> {
        let goal = self.channel.sequencer.tail();
        // From the newest back, to the first that is there.
        for sequence in (self.cursor.max(self.channel.sequencer.span().oldest(goal))..goal).rev() {
            match self.channel.sequencer.read(sequence) {
                Found::Message(message) => {
                    self.skip_to(sequence);
                    self.received(sequence);
                    return Ok(message);
                }
                Found::Lapped { .. } => break,
                Found::Hole | Found::Empty | Found::Closed => {}
            }
        }
        // None is: publishers hold the whole lap, or have been round it meanwhile. On from the cursor, to the goal.
        let mut newest = None;
        while newest.is_none() || self.cursor < goal {
            let before = self.cursor;
            match self.step() {
                Step::Message(message) => {
                    if newest.replace(message).is_some() {
                        self.seat.progress.skipped_by_choice().add(1);
                    }
                }
                Step::Lapped { resume } => self.skip_to(resume),
                Step::Empty if newest.is_none() => return Err(TryRecvError::Empty),
                Step::Closed if newest.is_none() => return Err(TryRecvError::Closed),
                Step::Empty | Step::Closed => break,
            }
            debug_assert!(self.cursor > before);
        }
        newest.ok_or(TryRecvError::Empty)
    }

    // Receiving: blocking the thread.

    /// Waits for the next message: spins briefly, then parks the thread.
    ///
    /// # Errors
    ///
    /// - [`Lagged`](RecvError::Lagged): messages were lost; the cursor stands at `resumed_at`.
    /// - [`Closed`](RecvError::Closed): the end, for ever.
    ///
    /// # Blocking
    ///
    /// Until there is a message, a loss to tell, or the end. A parked thread uses no processor time. Do not call it in
    /// an async task; use [`recv_async`](Self::recv_async) there.
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// std::thread::scope(|scope| {
    ///     let reader = scope.spawn(move || (subscriber.recv(), subscriber.recv()));
    ///     publisher.publish(7);
    ///     drop(publisher);
    ///     assert_eq!(reader.join().unwrap(), (Ok(7), Err(seqcast::RecvError::Closed)));
    /// });
    /// ```
    pub fn recv(&mut self) -> Result<S::Item, RecvError> {
        self.block(None, Self::try_recv).map_err(untimed)
    }

    /// Waits for the next message, but no longer than `timeout`. A timeout too far away to be told is none.
    ///
    /// # Errors
    ///
    /// [`Timeout`](RecvTimeoutError::Timeout), with nothing changed; otherwise as [`recv`](Self::recv).
    ///
    /// # Blocking
    ///
    /// For at most about `timeout`; a zero one only looks.
    ///
    /// ```
    /// use std::time::Duration;
    /// let (_publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// let nothing = subscriber.recv_timeout(Duration::from_millis(1));
    /// assert_eq!(nothing, Err(seqcast::RecvTimeoutError::Timeout));
    /// ```
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<S::Item, RecvTimeoutError> {
        self.block(Instant::now().checked_add(timeout), Self::try_recv)
    }

    /// Waits for the next message, but not beyond `deadline`.
    ///
    /// # Errors
    ///
    /// As [`recv_timeout`](Self::recv_timeout).
    ///
    /// ```
    /// use std::time::Instant;
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish(1);
    /// assert_eq!(subscriber.recv_deadline(Instant::now()), Ok(1)); // there already
    /// ```
    pub fn recv_deadline(&mut self, deadline: Instant) -> Result<S::Item, RecvTimeoutError> {
        self.block(Some(deadline), Self::try_recv)
    }

    /// Waits for a message, then appends what is there, up to `limit`, to `buffer`, and returns how many.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), when there is no first message. As in [`try_recv_many`](Self::try_recv_many), a later loss is
    /// told by the next call, and `limit` 0 returns at once.
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish_many([1, 2, 3]);
    /// let mut buffer = Vec::with_capacity(16);
    /// assert_eq!(subscriber.recv_many(&mut buffer, 16), Ok(3));
    /// ```
    pub fn recv_many(&mut self, buffer: &mut Vec<S::Item>, limit: usize) -> Result<usize, RecvError> {
        self.block(None, |subscriber| subscriber.try_recv_many(buffer, limit)).map_err(untimed)
    }

    /// Waits for the next message: the blocking iterator. It ends when the ring does.
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish_many([1, 2, 3]);
    /// publisher.close();
    /// assert_eq!(subscriber.iter().map(Result::unwrap).collect::<Vec<_>>(), [1, 2, 3]);
    /// ```
    pub fn iter(&mut self) -> Iter<'_, S> {
        Iter::new(self)
    }

    /// What is there now: an iterator that never blocks and ends at the tail of the moment it was made, so that it ends
    /// even while publishers go on.
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish_many([1, 2]);
    /// assert_eq!(subscriber.try_iter().map(Result::unwrap).collect::<Vec<_>>(), [1, 2]);
    /// ```
    pub fn try_iter(&mut self) -> TryIter<'_, S> {
        let goal = self.channel.sequencer.tail();
        TryIter::new(self, goal)
    }

    // Receiving: in a task.

    /// Waits for the next message in any async runtime.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing: a message is taken only by the poll that returns it. The waker is let go at once.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish(5);
    /// assert_eq!(subscriber.recv_async().await, Ok(5));
    /// # });
    /// ```
    pub fn recv_async(&mut self) -> Recv<'_, S> {
        Recv::new(self)
    }

    /// Waits for a message, then appends what is there, up to `limit`, to `buffer`, and returns how many.
    ///
    /// # Errors
    ///
    /// As [`recv_many`](Self::recv_many).
    ///
    /// # Cancel safety
    ///
    /// As [`recv_async`](Self::recv_async): a future that did not return has put nothing in `buffer`.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish_many([1, 2, 3]);
    /// let mut buffer = Vec::new();
    /// assert_eq!(subscriber.recv_many_async(&mut buffer, 2).await, Ok(2));
    /// # });
    /// ```
    pub fn recv_many_async<'a>(&'a mut self, buffer: &'a mut Vec<S::Item>, limit: usize) -> RecvMany<'a, S> {
        RecvMany::new(self, buffer, limit)
    }

    /// Polls for the next message. On `Pending` the task of `cx` is woken when there may be one.
    ///
    /// Only the task of the last call is woken. It never yields by itself: in a runtime with cooperative scheduling, a task that
    /// drains a ring which is never empty should yield now and then.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// ```
    /// use std::task::{Context, Poll, Waker};
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert_eq!(subscriber.poll_recv(&mut cx), Poll::Pending);
    /// publisher.publish(5);
    /// assert_eq!(subscriber.poll_recv(&mut cx), Poll::Ready(Ok(5)));
    /// ```
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<S::Item, RecvError>> {
        self.poll(cx, Self::try_recv)
    }

    /// Turns it into a stream and iterator of plain messages. Losses are not told, but counted all the same.
    ///
    /// ```
    /// let (mut publisher, subscriber) = seqcast::inline::<u32>(2);
    /// let mut subscriber = subscriber.skip_lagged();
    /// publisher.publish_many([1, 2, 3]);
    /// publisher.close();
    /// assert_eq!(subscriber.iter().collect::<Vec<u32>>(), [2, 3]);
    /// assert_eq!(subscriber.missed(), 1);
    /// ```
    pub fn skip_lagged(self) -> SkipLagged<S> {
        SkipLagged::new(self)
    }

    // Moving.

    /// Moves the cursor, forwards or backwards. What it jumps over is not counted as missed: a new account begins here.
    ///
    /// A subscriber that had read to the end of a closed ring can go back and read what is retained once more.
    ///
    /// ```
    /// use seqcast::Start;
    /// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(8);
    /// publisher.publish_many(0..5);
    /// subscriber.seek(Start::At(3));
    /// assert_eq!(subscriber.try_recv(), Ok(3));
    /// subscriber.seek(Start::Oldest);
    /// assert_eq!(subscriber.try_recv(), Ok(0));
    /// ```
    pub fn seek(&mut self, start: Start) {
        self.move_to(self.channel.cursor(start));
    }

    // Looking.

    /// The cursor: the sequence it reads next.
    pub fn next_sequence(&self) -> u64 {
        self.cursor
    }

    /// The sequence of the message received last by this handle.
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::inline::<char>(8);
    /// assert_eq!(subscriber.last_sequence(), None);
    /// let sequence = publisher.publish('x');
    /// subscriber.try_recv().unwrap();
    /// assert_eq!(subscriber.last_sequence(), Some(sequence));
    /// ```
    pub fn last_sequence(&self) -> Option<u64> {
        (self.last != NONE).then_some(self.last)
    }

    /// Sequences drawn by publishers and not read yet; more than the capacity once it was lapped and does not know yet.
    pub fn lag(&self) -> u64 {
        self.channel.sequencer.tail().saturating_sub(self.cursor)
    }

    /// Sequences overwritten before it read them, as told by every `Lagged` so far.
    pub fn missed(&self) -> u64 {
        self.seat.progress.missed().get()
    }

    /// Sequences at which no message ever came, and it went on: claimed by a publisher that found its slot held by a stalled
    /// one. 0 with a single publisher.
    pub fn holes(&self) -> u64 {
        self.seat.progress.holes().get()
    }

    /// Sequences that [`latest`](Self::latest) jumped over.
    pub fn skipped_by_choice(&self) -> u64 {
        self.seat.progress.skipped_by_choice().get()
    }

    /// Whether a receive would find neither a message nor a loss.
    pub fn is_empty(&self) -> bool {
        let mut sequence = self.cursor;
        loop {
            match self.channel.sequencer.probe(sequence) {
                Found::Hole => sequence += 1,
                Found::Message(()) | Found::Lapped { .. } => return false,
                Found::Empty | Found::Closed => return true,
            }
        }
    }

    /// Whether the ring is closed. There may be messages left to read.
    pub fn is_closed(&self) -> bool {
        self.channel.sequencer.is_closed()
    }

    /// How many messages the ring holds.
    pub fn capacity(&self) -> usize {
        self.channel.capacity()
    }

    /// A handle that neither publishes nor keeps the ring open.
    pub fn ring(&self) -> Ring<S> {
        Ring::new(Arc::clone(&self.channel))
    }

    /// Gives it a name that [`Ring::stats`] shows.
    pub fn set_name(&self, name: impl Into<String>) {
        self.seat.set_name(name.into().into_boxed_str());
    }

    /// Its id in [`Ring::stats`]: distinct in its ring, never used again.
    pub fn id(&self) -> u64 {
        self.seat.id()
    }

    // Inside.

    /// Looks at the cursor; goes over holes.
    #[inline]
    fn step(&mut self) -> Step<S::Item> {
        match self.channel.sequencer.glance(self.cursor) {
            Some(Found::Message(message)) => {
                self.received(self.cursor);
                Step::Message(message)
            }
            Some(Found::Empty) => Step::Empty,
            _ => self.step_slowly(),
        }
    }

    #[cold]
    #[inline(never)]
    fn step_slowly(&mut self) -> Step<S::Item> {
        loop {
            match self.channel.sequencer.read(self.cursor) {
                Found::Message(message) => {
                    self.received(self.cursor);
                    return Step::Message(message);
                }
                Found::Empty => return Step::Empty,
                Found::Lapped { oldest } => {
                    return Step::Lapped { resume: self.channel.sequencer.resume(oldest) };
                }
                Found::Closed => return Step::Closed,
                Found::Hole => {
                    self.seat.progress.holes().add(1);
                    self.move_to(self.cursor + 1);
                }
            }
        }
    }

    #[inline]
    fn received(&mut self, sequence: u64) {
        self.last = sequence;
        self.move_to(sequence + 1);
    }

    #[inline]
    fn move_to(&mut self, cursor: u64) {
        self.cursor = cursor;
        self.seat.progress.set_next(cursor);
    }

    /// Jumps, by the caller's choice.
    fn skip_to(&mut self, sequence: u64) {
        self.seat.progress.skipped_by_choice().add(sequence - self.cursor);
        self.move_to(sequence);
    }

    #[cold]
    fn lag_to(&mut self, resume: u64) -> Lagged {
        let missed = resume - self.cursor;
        self.seat.progress.missed().add(missed);
        self.move_to(resume);
        Lagged { missed, resumed_at: resume }
    }

    /// The one way in which threads wait.
    fn block<R>(
        &mut self,
        deadline: Option<Instant>,
        mut take: impl FnMut(&mut Self) -> Result<R, TryRecvError>,
    ) -> Result<R, RecvTimeoutError> {
        let is_over = || deadline.is_some_and(|deadline| deadline <= Instant::now());
        match take(self) {
            Err(TryRecvError::Empty) if is_over() => return Err(RecvTimeoutError::Timeout),
            Err(TryRecvError::Empty) => {}
            taken => return taken.map_err(unempty),
        }
        for _ in 0..SPIN_LIMIT {
            spin_loop();
            match take(self) {
                Err(TryRecvError::Empty) => {}
                taken => return taken.map_err(unempty),
            }
        }
        // What only looks does not park: the ring may stay without the publisher's fence.
        if is_over() {
            return Err(RecvTimeoutError::Timeout);
        }
        let waker = Waker::from(Arc::clone(&self.seat.waiter));
        loop {
            let sleep = self.enlist(&waker);
            let taken = match take(self) {
                Err(TryRecvError::Empty) if is_over() => Err(RecvTimeoutError::Timeout),
                Err(TryRecvError::Empty) => {
                    self.seat.waiter.set_parked();
                    self.parker.park(sleep.until(deadline));
                    continue;
                }
                taken => taken.map_err(unempty),
            };
            self.stay_awake();
            return taken;
        }
    }

    /// The one way in which tasks wait.
    pub(crate) fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        mut take: impl FnMut(&mut Self) -> Result<R, TryRecvError>,
    ) -> Poll<Result<R, RecvError>> {
        let mut taken = take(self);
        if let Err(TryRecvError::Empty) = taken {
            let sleep = self.enlist(cx.waker());
            taken = take(self);
            if let Err(TryRecvError::Empty) = taken {
                self.seat.waiter.set_parked();
                if sleep != Sleep::Sound {
                    // No clock of our own to look again by: the runtime has to.
                    cx.waker().wake_by_ref();
                }
                return Poll::Pending;
            }
        }
        self.stay_awake();
        Poll::Ready(taken.map_err(|error| untimed(unempty(error))))
    }

    /// Has `waker` woken for the next message. The ring is to be looked at once more before anybody sleeps.
    fn enlist(&mut self, waker: &Waker) -> Sleep {
        self.asleep = true;
        let deaf = std::mem::replace(&mut self.deaf, true);
        let sleep = self.channel.waiters.enlist(self.channel.sequencer.state(), &self.seat.waiter, waker);
        self.deaf = deaf;
        if deaf { Sleep::unproven() } else { sleep }
    }

    /// Lets go of the waker of a task that waits no more.
    pub(crate) fn stay_awake(&mut self) {
        if self.asleep {
            self.asleep = false;
            self.seat.waiter.disarm();
        }
    }

    /// Whether the end of the ring was reached: nothing will ever be received again.
    pub(crate) fn is_at_end(&self) -> bool {
        self.is_closed() && matches!(self.channel.sequencer.probe(self.cursor), Found::Closed)
    }
}

/// A wait is over, so there was something.
fn unempty(error: TryRecvError) -> RecvTimeoutError {
    match error {
        TryRecvError::Empty => RecvTimeoutError::Timeout,
        TryRecvError::Closed => RecvTimeoutError::Closed,
        TryRecvError::Lagged(lagged) => RecvTimeoutError::Lagged(lagged),
    }
}

/// Without a deadline nothing times out.
fn untimed(error: RecvTimeoutError) -> RecvError {
    match error {
        RecvTimeoutError::Timeout => unreachable!("a wait without a deadline timed out"),
        RecvTimeoutError::Closed => RecvError::Closed,
        RecvTimeoutError::Lagged(lagged) => RecvError::Lagged(lagged),
    }
}

/// A second reader at the same cursor, with an account, an id and no name of its own.
impl<S: Storage> Clone for Subscriber<S> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.channel), self.cursor)
    }
}

impl<S: Storage> Drop for Subscriber<S> {
    fn drop(&mut self) {
        self.channel.registry.leave(&self.seat);
        // The task is let go now; a place on the wait list stays until somebody comes by.
        self.seat.waiter.disarm();
        self.channel.waiters.abandon(&self.seat.waiter, || self.channel.registry.len());
    }
}

impl<S: Storage> fmt::Debug for Subscriber<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("id", &self.id())
            .field("next_sequence", &self.cursor)
            .field("missed", &self.missed())
            .finish_non_exhaustive()
    }
}

// A panic in the middle of a call leaves the cursor before or behind a message, never in between.
impl<S: Storage> UnwindSafe for Subscriber<S> {}
impl<S: Storage> RefUnwindSafe for Subscriber<S> {}
