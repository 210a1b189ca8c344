//! Making a ring.

use std::time::Duration;

use crate::channel::Channel;
use crate::gate::Gate;
use crate::publisher::{Handle, Publisher};
use crate::seq::{LAST, Layout};
use crate::sequencer::Sequencer;
use crate::slots::{Boxed, Inline, Plain, Storage};
use crate::start::Start;
use crate::subscriber::Subscriber;
use crate::sync::has_barrier;
use crate::wait::PublisherFence;

/// The largest capacity that can be requested.
const MAX_CAPACITY: usize = isize::MAX as usize / 2;

/// Makes a ring with options.
///
/// [`inline`](crate::inline()) and [`boxed`](crate::boxed()) make a ring without options. See
/// [Choosing a ring](crate::book::choosing) for the choice between the two, and for the capacity.
///
/// # Examples
///
/// ```
/// let (publisher, _subscriber) = seqcast::Builder::new(1000).lag_slack(64).inline::<u64>();
/// assert_eq!(publisher.capacity(), 1024);
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder makes nothing before `inline` or `boxed` is called"]
pub struct Builder {
    capacity: usize,
    lag_slack: usize,
    first: u64,
    fence: PublisherFence,
    gated: bool,
    gate_deadline: Option<Duration>,
    eager_drop: bool,
}

impl Builder {
    /// Starts with a ring of at least `capacity` messages, rounded up to a power of two.
    ///
    /// Give a ring with several publishers at least four slots for each. With a capacity of 1, two
    /// publishers that publish at the same time leave holes. One that is suspended in the middle
    /// of a publish then blocks the others.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0 or more than `isize::MAX as usize / 2`.
    ///
    /// # Examples
    ///
    /// ```
    /// let (_publisher, subscriber) = seqcast::Builder::new(5).inline::<u64>();
    /// assert_eq!(subscriber.capacity(), 8);
    /// ```
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        assert!(capacity > 0, "`capacity` must not be 0");
        assert!(capacity <= MAX_CAPACITY, "`capacity` must be at most {MAX_CAPACITY}, not {capacity}");
        let fence = if has_barrier() { PublisherFence::WhileParked } else { PublisherFence::Always };
        let capacity = capacity.next_power_of_two();
        Self { capacity, lag_slack: 0, first: 0, fence, gated: false, gate_deadline: None, eager_drop: false }
    }

    /// Lets a lagged subscriber resume this many messages after the oldest.
    ///
    /// The oldest message is the next to be overwritten. With a continuously busy publisher, a
    /// lagged subscriber may never read it in time. The slack gives the subscriber time, and the
    /// messages that it skips are counted as missed. The default is 0.
    ///
    /// With a slack of more than three quarters of the ring, the subscriber may resume at a
    /// message that is still being published. Gating subscribers always resume at the oldest
    /// message, because publishers wait for them.
    ///
    /// # Panics
    ///
    /// If `lag_slack` is not less than the rounded capacity.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqcast::{Lagged, TryRecvError};
    ///
    /// let (mut publisher, mut subscriber) = seqcast::Builder::new(8).lag_slack(4).inline::<u32>();
    /// publisher.publish_many(0..9);
    /// let lagged = Lagged { missed: 5, resumed_at: 5 }; // 1 was overwritten
    /// assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(lagged)));
    /// ```
    #[track_caller]
    pub fn lag_slack(mut self, lag_slack: usize) -> Self {
        let capacity = self.capacity;
        assert!(lag_slack < capacity, "`lag_slack` must be less than the capacity {capacity}, not {lag_slack}");
        self.lag_slack = lag_slack;
        self
    }

    /// Allows gating subscribers, which publishers wait for instead of overwriting unread messages.
    ///
    /// They are made by [`Ring::subscribe_gating`](crate::Ring::subscribe_gating). All other
    /// subscribers stay lossy, including the first one, and publishers never wait for them.
    /// Without a gating subscriber, publishers do not wait.
    ///
    /// A gating subscriber that is stuck or leaked blocks publishers for as long as it lives. Set
    /// a [`gate_deadline`](Self::gate_deadline) to limit that. See
    /// [Lossless reading](crate::book::lossless) for costs, deadlocks and
    /// alternatives.
    ///
    /// # Examples
    ///
    /// ```
    /// let (publisher, _dashboard) = seqcast::Builder::new(4).gated().inline::<u32>();
    /// let publisher = publisher.share();
    /// let mut audit = publisher.ring().subscribe_gating()?;
    /// for id in 0..4 {
    ///     publisher.publish(id)?;
    /// }
    /// assert!(publisher.try_publish(4).unwrap_err().is_full());
    /// assert_eq!(audit.try_recv(), Ok(0));
    /// assert_eq!(publisher.try_publish(4), Ok(4));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn gated(mut self) -> Self {
        self.gated = true;
        self
    }

    /// Demotes a gating subscriber to a lossy one if it has held publishers back for this long.
    ///
    /// Call [`gated`](Self::gated) first. A demoted subscriber receives [`Lagged`](crate::Lagged)
    /// if it lost anything, and [`Ring::stats`](crate::Ring::stats) shows it as `demoted`. A slow
    /// subscriber that reads one message within each deadline is never demoted.
    ///
    /// The clock starts when a publisher finds the ring full, in any way of publishing. It
    /// restarts when the slowest gating cursor moves. When the time is over, a publisher that
    /// needs room demotes every gating subscriber at that cursor.
    ///
    /// A gating subscriber may itself be waiting for a message that another publisher has claimed
    /// and not committed. It is then not demoted. Instead, publishers may go one message further,
    /// and the subscriber may lose that message.
    ///
    /// The first task that waits to publish starts a thread for the ring, which measures the time
    /// and ends when the ring is closed. See
    /// [lossless](crate::book::lossless#deadline-and-demotion) for the details.
    ///
    /// # Panics
    ///
    /// If `gate_deadline` is zero, or the ring is not gated.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let builder = seqcast::Builder::new(2).gated().gate_deadline(Duration::from_millis(1));
    /// let (mut publisher, _lossy) = builder.inline::<u32>();
    /// let stuck = publisher.ring().subscribe_gating()?;
    /// publisher.publish_many(0..9); // waits 1 ms
    /// assert!(!stuck.is_gating());
    /// assert!(publisher.ring().stats().subscribers[1].demoted);
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    #[track_caller]
    pub fn gate_deadline(mut self, gate_deadline: Duration) -> Self {
        assert!(!gate_deadline.is_zero(), "`gate_deadline` must not be zero");
        assert!(self.gated, "`gate_deadline` is for gated rings: call `gated` first");
        self.gate_deadline = Some(gate_deadline);
        self
    }

    /// Drops a message of a boxed ring as soon as every subscriber has read it.
    ///
    /// For messages that hold something that others wait for: a permit, a socket, a large buffer.
    /// Without this option, a message stays in the ring until it is overwritten. In an inline
    /// ring, and if `T` has no drop, it changes nothing.
    ///
    /// The message is dropped by the last receive that needs it, before that receive returns, or
    /// by the drop of the last [`Ref`](crate::Ref) or subscriber. Without subscribers, the publish
    /// drops its own message. A message that is overwritten unread is dropped by the publish that
    /// overwrites it, or by a later one. At most one such message per 8 subscribers waits.
    ///
    /// A dropped message counts as overwritten. [`oldest_sequence`](crate::Ring::oldest_sequence)
    /// is the oldest message that is left. A subscriber that starts at an older one, or seeks
    /// there, receives [`Lagged`](crate::Lagged).
    ///
    /// Each message is then a separate allocation, and one receive of each message reads the
    /// cursors of all subscribers. Receives may run the drops of messages, and panics in them are
    /// caught. If a thread is suspended in the middle of this, further drops are delayed until the
    /// messages are overwritten. Such a thread keeps at most `capacity` more messages alive. See
    /// [Boxed rings](crate::book::boxed).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// let permit = Arc::new(());
    /// let (mut publisher, mut first) = seqcast::Builder::new(8).eager_drop().boxed::<Arc<()>>();
    /// let mut second = first.clone();
    /// publisher.publish(Arc::clone(&permit));
    /// first.try_recv().unwrap();
    /// assert_eq!(Arc::strong_count(&permit), 2);
    /// second.try_recv().unwrap();
    /// assert_eq!(Arc::strong_count(&permit), 1);
    /// ```
    pub fn eager_drop(mut self) -> Self {
        self.eager_drop = true;
        self
    }

    /// For tests: the sequence of the first message, at most 2⁶³ − 2³² − 1.
    #[doc(hidden)]
    pub fn first_sequence(mut self, first: u64) -> Self {
        assert!(first <= LAST, "`first` must be at most {LAST}, not {first}");
        self.first = first;
        self
    }

    /// For `testing.rs`, which states the conditions.
    pub(crate) fn never_parked(mut self) -> Self {
        self.fence = PublisherFence::Never;
        self
    }

    /// For `testing.rs`, which states the conditions.
    pub(crate) fn with_barrier(mut self) -> Self {
        self.fence = PublisherFence::WhileParked;
        self
    }

    /// Makes a ring of any `T: Copy + Send + 'static`, and its first subscriber.
    ///
    /// See [`inline`](crate::inline()) and [`Plain`]. The subscriber is lossy.
    ///
    /// A slot takes 8 bytes and the size of `T`, rounded up to a multiple of 8: 16 bytes for a
    /// `u64`. A message of more than 128 bytes is aligned, which takes up to 24 bytes more. The
    /// ring also reserves 8 bytes per slot for holes, in pages that stay untouched until there is
    /// a hole.
    ///
    /// # Panics
    ///
    /// If `capacity` slots do not fit in the address space. If the allocation fails, it aborts as
    /// `Vec` does.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::Builder::new(64).lag_slack(8).inline::<u64>();
    /// publisher.publish(7);
    /// assert_eq!(subscriber.try_recv(), Ok(7));
    /// ```
    pub fn inline<T: Plain>(self) -> (Publisher<Inline<T>>, Subscriber<Inline<T>>) {
        self.build()
    }

    /// Makes a ring of any `T: Send + Sync + 'static`, and its first subscriber.
    ///
    /// See [`boxed`](crate::boxed()). The subscriber is lossy.
    ///
    /// A slot takes 16 bytes. Each message is in an allocation of its own, which is reused. The
    /// ring also reserves 8 bytes per slot for holes.
    ///
    /// # Panics
    ///
    /// If `capacity` slots do not fit in the address space. If the allocation fails, it aborts as
    /// `Vec` does.
    ///
    /// # Examples
    ///
    /// ```
    /// let (mut publisher, mut subscriber) = seqcast::Builder::new(64).lag_slack(8).boxed::<Vec<u8>>();
    /// publisher.publish(vec![1, 2, 3]);
    /// assert_eq!(subscriber.try_recv_ref().unwrap().len(), 3);
    /// ```
    pub fn boxed<T: Send + Sync + 'static>(self) -> (Publisher<Boxed<T>>, Subscriber<Boxed<T>>) {
        self.build()
    }

    fn build<S: Storage>(self) -> (Publisher<S>, Subscriber<S>) {
        let layout = Layout::new(self.capacity as u64, self.first);
        let eager = S::DROPS && self.eager_drop;
        let sequencer = Sequencer::new(layout, self.lag_slack as u64, self.gated, eager).unwrap_or_else(|| {
            panic!("`capacity`: {} messages of {} bytes do not fit in memory", self.capacity, size_of::<S::Item>())
        });
        let gate = self.gated.then(|| Gate::new(layout.capacity(), self.gate_deadline, self.fence));
        let publisher = Publisher::new(Handle::new(Channel::new(sequencer, gate, eager, self.fence)));
        let subscriber = publisher.subscribe_at(Start::Latest);
        (publisher, subscriber)
    }
}

/// Makes a ring for small plain messages, of any `T: Copy + Send + 'static`, and its first
/// subscriber.
///
/// Messages are copied into and out of the slots of the ring, which is the fastest way for small
/// ones. `T` may be a number, an array, a tuple, an `Option`, or a struct or enum with
/// `#[derive(Clone, Copy)]`: see [`Plain`].
///
/// Use [`boxed`] if `T` owns something, such as a `String`. For large messages, see
/// [Choosing a ring](crate::book::choosing).
///
/// The ring holds at least `capacity` messages, rounded up to a power of two. The subscriber is
/// lossy. [`Builder`] has more options.
///
/// # Panics
///
/// If `capacity` is 0, more than `isize::MAX as usize / 2`, or more messages than fit in the
/// address space.
///
/// # Examples
///
/// ```
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// enum Order { Limit { price: f64, size: u32 }, Market { size: u32 }, Cancel }
///
/// let (mut publisher, mut subscriber) = seqcast::inline::<Order>(1024);
/// publisher.publish(Order::Limit { price: 101.25, size: 300 });
/// assert_eq!(subscriber.try_recv(), Ok(Order::Limit { price: 101.25, size: 300 }));
/// ```
///
/// A ring of one message always holds the newest one:
///
/// ```
/// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(1);
/// publisher.publish(1);
/// publisher.publish(2);
/// assert_eq!(subscriber.latest(), Ok(2));
/// ```
///
/// A `capacity` of 0 panics:
///
/// ```should_panic
/// seqcast::inline::<u8>(0); // `capacity` must not be 0
/// ```
#[track_caller]
pub fn inline<T: Plain>(capacity: usize) -> (Publisher<Inline<T>>, Subscriber<Inline<T>>) {
    Builder::new(capacity).inline()
}

/// Makes a ring for messages of any `T: Send + Sync + 'static`, and its first subscriber.
///
/// For types that own something: `String`, `Vec`, enums of such types, `Arc`, `Box<dyn Trait>`.
/// Small `Copy` messages are faster in an [`inline`] ring. For large messages, see
/// [Choosing a ring](crate::book::choosing).
///
/// Subscribers borrow a message in the ring, without `Clone` and without a copy:
/// [`next_ref`](Subscriber::next_ref), [`next_ref_async`](Subscriber::next_ref_async),
/// [`try_recv_ref`](Subscriber::try_recv_ref), [`latest_ref`](Subscriber::latest_ref). If `T` is
/// `Clone`, all calls of an inline ring work too, streams and iterators included. They return a
/// clone.
///
/// The ring holds at least `capacity` messages, rounded up to a power of two. The subscriber is
/// lossy. [`Builder`] has more options.
///
/// # Memory
///
/// Each message is moved into an allocation of its own, which is reused later. An exclusive
/// publisher stops allocating after about the first lap, except when subscribers join or leave.
/// Overwritten messages are dropped by publishers, usually one per publish, once no subscriber
/// borrows them. Beyond its capacity, a boxed ring keeps one message per live [`Ref`](crate::Ref)
/// and about 64 per publisher. [Boxed rings](crate::book::boxed) has the exact bound.
///
/// # Panics
///
/// If `capacity` is 0, more than `isize::MAX as usize / 2`, or more messages than fit in the
/// address space.
///
/// # Examples
///
/// ```
/// enum Event { Started(String), Stopped { code: i32 } }
///
/// let (mut publisher, mut subscriber) = seqcast::boxed::<Event>(1024);
/// publisher.publish(Event::Started("pod".to_owned()));
/// publisher.publish(Event::Stopped { code: 137 });
/// assert!(matches!(&*subscriber.try_recv_ref().unwrap(), Event::Started(name) if name == "pod"));
/// assert!(matches!(*subscriber.try_recv_ref().unwrap(), Event::Stopped { code: 137 }));
/// ```
///
/// Several threads borrow a message at the same time, so it must be `Sync`:
///
/// ```compile_fail,E0277
/// seqcast::boxed::<std::cell::Cell<u32>>(8);
/// ```
/// ```compile_fail,E0277
/// seqcast::boxed::<std::rc::Rc<u32>>(8);
/// ```
///
/// A call that returns the message needs `Clone`:
///
/// ```compile_fail,E0277
/// struct Unique;
/// let (_publisher, mut subscriber) = seqcast::boxed::<Unique>(8);
/// let _ = subscriber.try_recv(); // `try_recv_ref` compiles
/// ```
#[track_caller]
pub fn boxed<T: Send + Sync + 'static>(capacity: usize) -> (Publisher<Boxed<T>>, Subscriber<Boxed<T>>) {
    Builder::new(capacity).boxed()
}
