//! How to make a ring.

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

/// The largest capacity that can be asked for.
const MAX_CAPACITY: usize = isize::MAX as usize / 2;

/// Makes a ring with options.
///
/// ```
/// let (publisher, subscriber) = seqcast::Builder::new(1000).lag_slack(64).inline::<u64>();
/// assert_eq!(publisher.capacity(), 1024);
/// # drop(subscriber);
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
    /// A ring of at least `capacity` messages: it is rounded up to a power of two.
    ///
    /// Give a ring with several publishers at least four slots for each. With a capacity of 1, any two that publish at the same
    /// time leave holes, and one that is suspended in the middle of a publish blocks the others.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0 or more than `isize::MAX as usize / 2`.
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        assert!(capacity > 0, "`capacity` must not be 0");
        assert!(capacity <= MAX_CAPACITY, "`capacity` must be at most {MAX_CAPACITY}, not {capacity}");
        let fence = if has_barrier() { PublisherFence::WhileParked } else { PublisherFence::Always };
        let capacity = capacity.next_power_of_two();
        Self { capacity, lag_slack: 0, first: 0, fence, gated: false, gate_deadline: None, eager_drop: false }
    }

    /// Leaves a lagged subscriber some room: it goes on this many messages after the oldest, so that the next
    /// message is not overwritten before it is read. What it leaves out is counted as missed. 0 by default.
    /// With more than three quarters of the ring, it may go on at a message that is still being published.
    /// Gating subscribers always go on at the oldest: publishers wait for them.
    ///
    /// # Panics
    ///
    /// If `lag_slack` is not less than the (rounded) capacity.
    ///
    /// ```
    /// use seqcast::{Lagged, TryRecvError};
    /// let (mut publisher, mut subscriber) = seqcast::Builder::new(8).lag_slack(4).inline::<u32>();
    /// publisher.publish_many(0..9);
    /// assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(Lagged { missed: 5, resumed_at: 5 })));
    /// ```
    pub fn lag_slack(mut self, lag_slack: usize) -> Self {
        let capacity = self.capacity;
        assert!(lag_slack < capacity, "`lag_slack` must be less than the capacity {capacity}, not {lag_slack}");
        self.lag_slack = lag_slack;
        self
    }

    /// Allows gating subscribers, which publishers wait for rather than overwrite what they have not read:
    /// [`Ring::subscribe_gating`](crate::Ring::subscribe_gating).
    ///
    /// All other subscribers stay lossy, the first one included, and publishers never wait for them. Without a gating subscriber the
    /// ring works as an ordinary one.
    ///
    /// A gating subscriber that is stuck or leaked holds publishers up for as long as it lives. Set a
    /// [`gate_deadline`](Self::gate_deadline) if that must not happen. `docs/lossless.md` describes costs, deadlocks and alternatives.
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

    /// Demotes a gating subscriber to a lossy one when it has held publishers back for this long. Call [`gated`](Self::gated) first.
    ///
    /// The clock starts when a publisher finds the ring full, in any way of publishing. It restarts whenever the slowest gating cursor
    /// moves. When the time is over, a publisher that needs room demotes every gating subscriber at that cursor. A demoted subscriber
    /// is lossy: it receives [`Lagged`](crate::Lagged) if it lost anything, and [`Ring::stats`](crate::Ring::stats) shows it as
    /// `demoted`. A slow subscriber that reads one message within each deadline is never demoted.
    ///
    /// A gating subscriber may be waiting for a message that another publisher claimed and has not committed. It is then not demoted.
    /// Instead, publishers may go one message further when the time is over. The subscriber loses that one message, unless it comes
    /// first.
    ///
    /// Waiting threads measure the time themselves. The first task that waits to publish starts a thread for the ring, which sleeps
    /// until the deadline and ends when the ring is closed.
    ///
    /// # Panics
    ///
    /// If `gate_deadline` is zero, or the ring is not gated.
    ///
    /// ```
    /// use std::time::Duration;
    /// let builder = seqcast::Builder::new(2).gated().gate_deadline(Duration::from_millis(1));
    /// let (mut publisher, _lossy) = builder.inline::<u32>();
    /// let stuck = publisher.ring().subscribe_gating()?;
    /// publisher.publish_many(0..9);
    /// assert!(!stuck.is_gating() && publisher.ring().stats().subscribers[1].demoted);
    /// # Ok::<(), seqcast::SubscribeError>(())
    /// ```
    pub fn gate_deadline(mut self, gate_deadline: Duration) -> Self {
        assert!(!gate_deadline.is_zero(), "`gate_deadline` must not be zero");
        assert!(self.gated, "`gate_deadline` is for gated rings: call `gated` first");
        self.gate_deadline = Some(gate_deadline);
        self
    }

    /// Drops a message of a boxed ring when every subscriber has read it. Otherwise a message stays in the ring until others have
    /// overwritten it.
    ///
    /// For messages that hold something others wait for: a permit, a socket, a large buffer. The receive that is the last to need the
    /// message drops it before it returns, or the drop of the last [`Ref`](crate::Ref), or of the last subscriber. Without subscribers,
    /// a message is dropped by the publish itself. A message that is overwritten unread is dropped by the publish that overwrites it,
    /// or by a later one: as many stay as an eighth of the number of subscribers.
    ///
    /// Each message is then an allocation, and one receive of each message looks at all subscribers. A receive may run the drops of
    /// messages, and what they panic with ends there. In an inline ring, and where `T` has no drop, it changes nothing.
    ///
    /// What was dropped counts as overwritten: [`oldest_sequence`](crate::Ring::oldest_sequence) is the oldest message that is left,
    /// and a subscriber that goes back to one before it, or starts there, receives [`Lagged`](crate::Lagged).
    ///
    /// A thread that is suspended in the middle of this delays further drops: they then happen when messages are overwritten. It keeps
    /// at most as many messages as the ring holds, beside those in the ring.
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

    /// For `testing.rs`, which has the conditions.
    pub(crate) fn never_parked(mut self) -> Self {
        self.fence = PublisherFence::Never;
        self
    }

    /// For `testing.rs`, which has the conditions.
    pub(crate) fn with_barrier(mut self) -> Self {
        self.fence = PublisherFence::WhileParked;
        self
    }

    /// Makes a ring of any `T: Copy + Send + 'static`, and its first subscriber. See [`Plain`].
    ///
    /// A slot takes 8 bytes beside the payload, which is rounded up to 8: 16 bytes for a `u64`. A message of more than 128 bytes is
    /// aligned, which takes up to 24 bytes more. (8 more a slot are set aside
    /// for holes; their pages stay untouched until there is one.)
    ///
    /// # Panics
    ///
    /// If `capacity` slots are more than an address space can hold. If the memory is not to be had, it aborts as `Vec` does.
    pub fn inline<T: Plain>(self) -> (Publisher<Inline<T>>, Subscriber<Inline<T>>) {
        self.build()
    }

    /// Makes a ring of any `T: Send + Sync`, and its first subscriber.
    ///
    /// A slot takes 16 bytes, and each message an allocation of its own, used again and again. (8 bytes more a slot are set aside for
    /// holes.)
    ///
    /// # Panics
    ///
    /// If `capacity` slots are more than an address space can hold. If the memory is not to be had, it aborts as `Vec` does.
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

/// Makes a ring of at least `capacity` messages of any `T: Copy + Send + 'static` (rounded up to a power of two), and its
/// first subscriber.
///
/// Messages are copied into and out of the ring's slots. `T` may be a number, an array, a tuple, an `Option`, or a struct or
/// enum with `#[derive(Clone, Copy)]`. See [`Plain`]. Use [`boxed`] if `T` owns something, or
/// is larger than about 256 bytes and readers can borrow it.
///
/// # Panics
///
/// If `capacity` is 0, more than `isize::MAX as usize / 2`, or more messages than an address space can hold.
///
/// ```
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// enum Order { Limit { price: f64, size: u32 }, Market { size: u32 }, Cancel }
///
/// let (mut publisher, mut subscriber) = seqcast::inline::<Order>(1024);
/// publisher.publish(Order::Limit { price: 101.25, size: 300 });
/// assert_eq!(subscriber.try_recv(), Ok(Order::Limit { price: 101.25, size: 300 }));
/// ```
/// ```
/// let (mut publisher, mut subscriber) = seqcast::inline::<()>(1);
/// publisher.publish(());
/// assert_eq!(subscriber.try_recv(), Ok(()));
/// assert_eq!(subscriber.capacity(), 1);
/// ```
/// ```should_panic
/// seqcast::inline::<u8>(0); // `capacity` must not be 0
/// ```
pub fn inline<T: Plain>(capacity: usize) -> (Publisher<Inline<T>>, Subscriber<Inline<T>>) {
    Builder::new(capacity).inline()
}

/// Makes a ring of at least `capacity` messages of any `T: Send + Sync` (rounded up to a power of two), and its first
/// subscriber.
///
/// For what owns something: `String`, `Vec`, enums, `Arc`, `Box<dyn Trait>`. Subscribers borrow a message where it lies
/// ([`next_ref`](Subscriber::next_ref), [`next_ref_async`](Subscriber::next_ref_async),
/// [`try_recv_ref`](Subscriber::try_recv_ref)), or, if it is `Clone`, take a clone by every call that an [`inline`] ring has,
/// `Stream` and iterators included. Small `Copy` messages are faster in an [`inline`] ring.
///
/// A publish moves the message into a node of its own, which is used again later: an exclusive publisher allocates nothing
/// once it is warm. Messages that were overwritten are dropped by publishers, as a rule one with each publish, once nobody borrows them: the
/// ring holds its capacity, one for each live [`Ref`](crate::Ref), and a constant for each publisher: 64 and one for each subscriber (two,
/// if there are more than 64). What a message's drop panics with ends there. `docs/boxed.md` has the whole account.
///
/// # Panics
///
/// If `capacity` is 0, more than `isize::MAX as usize / 2`, or more messages than an address space can hold.
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
/// A message is looked at by several threads at once, so it must be `Sync`:
///
/// ```compile_fail,E0277
/// seqcast::boxed::<std::cell::Cell<u32>>(8);
/// ```
/// ```compile_fail,E0277
/// seqcast::boxed::<std::rc::Rc<u32>>(8);
/// ```
///
/// and whoever wants one for himself must be able to clone it:
///
/// ```compile_fail
/// struct Unique;
/// let (_publisher, mut subscriber) = seqcast::boxed::<Unique>(8);
/// let _ = subscriber.try_recv(); // `try_recv_ref` does
/// ```
pub fn boxed<T: Send + Sync + 'static>(capacity: usize) -> (Publisher<Boxed<T>>, Subscriber<Boxed<T>>) {
    Builder::new(capacity).boxed()
}
