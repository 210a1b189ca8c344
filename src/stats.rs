//! Statistics of a ring.

use std::time::Duration;

/// Statistics of a ring and of its live subscribers.
///
/// Made by [`Ring::stats`](crate::Ring::stats).
///
/// The numbers are exact while no thread publishes or receives. Otherwise they belong to slightly
/// different moments. `published`, `skipped`, `publishers_waited` and [`totals`](Self::totals)
/// never decrease, so they can feed the counters of a metrics system.
///
/// # Examples
///
/// ```
/// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
/// publisher.publish_many(0..6);
/// assert!(subscriber.try_recv().unwrap_err().is_lagged());
/// assert_eq!(subscriber.try_recv(), Ok(2));
/// drop(subscriber);
/// // The totals include subscribers that are gone.
/// let totals = publisher.ring().stats().totals;
/// assert_eq!((totals.received, totals.missed), (1, 2));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RingStats {
    /// Messages published since the ring was made, including those that are being written.
    ///
    /// `published + skipped` is the number of claimed sequences. There is one exception: if a
    /// publish skipped a slot and then found the ring closed, it stays counted if the statistics
    /// were read meanwhile.
    pub published: u64,
    /// Sequences that became holes: publishers abandoned them.
    ///
    /// A subscriber counts a hole that it passes in `holes`, and one that was overwritten first in
    /// `missed`. So `totals.holes` differs from this number.
    ///
    /// A publisher abandons a sequence when the slot's previous writer has not finished. With a
    /// single publisher it is always 0.
    pub skipped: u64,
    /// The number of messages that the ring holds: a power of two.
    pub capacity: usize,
    /// Whether the ring is closed.
    pub closed: bool,
    /// The total time for which publishers have waited for gating subscribers.
    ///
    /// A wait is added when it is over. On a ring that is not [gated](crate::Builder::gated) it is
    /// zero.
    pub publishers_waited: Duration,
    /// Sums over all subscribers, including those that are gone.
    pub totals: Totals,
    /// The live subscribers, in the order of their ids.
    pub subscribers: Vec<SubscriberStats>,
}

/// Sums over all subscribers of a ring, including those that are gone.
///
/// No sum ever decreases. Part of [`RingStats`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Messages received.
    pub received: u64,
    /// Sequences overwritten before they were read.
    pub missed: u64,
    /// Holes passed.
    pub holes: u64,
    /// Sequences that [`Subscriber::latest`](crate::Subscriber::latest) and its variants jumped
    /// over.
    pub skipped_by_choice: u64,
}

impl Totals {
    pub(crate) fn to_array(self) -> [u64; 4] {
        [self.received, self.missed, self.holes, self.skipped_by_choice]
    }

    pub(crate) fn from_array([received, missed, holes, skipped_by_choice]: [u64; 4]) -> Self {
        Self { received, missed, holes, skipped_by_choice }
    }
}

impl std::ops::Add for Totals {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (ours, theirs) = (self.to_array(), other.to_array());
        Self::from_array(std::array::from_fn(|which| ours[which] + theirs[which]))
    }
}

/// Statistics of one live subscriber.
///
/// `received`, `missed`, `holes` and `skipped_by_choice` count from the subscription and never
/// decrease: a [`seek`](crate::Subscriber::seek) does not reset them. `next_sequence` and `lag`
/// can decrease. Part of [`RingStats`].
///
/// # Examples
///
/// ```
/// let (mut publisher, subscriber) = seqcast::inline::<u32>(4);
/// subscriber.set_name("slow");
/// publisher.publish_many(0..3);
/// let stats = publisher.ring().stats();
/// let slowest = stats.subscribers.iter().max_by_key(|one| one.lag).unwrap();
/// assert_eq!((slowest.name.as_deref(), slowest.lag), (Some("slow"), 3));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriberStats {
    /// The [id](crate::Subscriber::id), which is unique within the ring and never reused.
    pub id: u64,
    /// The name given by [`Subscriber::set_name`](crate::Subscriber::set_name).
    pub name: Option<String>,
    /// The cursor: the sequence that it reads next.
    pub next_sequence: u64,
    /// Sequences that were claimed and that it has not read yet.
    ///
    /// It is more than the capacity if messages were overwritten before it read them.
    pub lag: u64,
    /// Messages received.
    pub received: u64,
    /// Sequences overwritten before it read them.
    pub missed: u64,
    /// Holes passed.
    pub holes: u64,
    /// Sequences that [`Subscriber::latest`](crate::Subscriber::latest) and its variants jumped
    /// over.
    pub skipped_by_choice: u64,
    /// Whether it is parked, or was woken and does not run yet.
    ///
    /// If it is parked and has a `lag`, it waits for the end of a batch, or for a message that was
    /// claimed and is not committed.
    pub parked: bool,
    /// Whether publishers wait for it instead of overwriting what it has not read.
    ///
    /// Its `lag` then shows how full the ring is. With a `lag` of the capacity, publishers wait.
    pub gating: bool,
    /// Whether it was gating and became lossy, because publishers waited for it for longer than the
    /// [`gate_deadline`](crate::Builder::gate_deadline).
    pub demoted: bool,
}
