//! What a ring tells about itself.

use std::time::Duration;

/// A look at a ring and all of its subscribers. Made by [`Ring::stats`](crate::Ring::stats).
///
/// Each number is exact while the ring rests. Taken while others publish and receive, the numbers belong to slightly different
/// moments. `published`, `skipped` and [`totals`](Self::totals) never decrease, so they can feed the counters of a metrics system.
///
/// ```
/// let (mut publisher, mut subscriber) = seqcast::inline::<u32>(4);
/// publisher.publish_many(0..6);
/// let _ = subscriber.try_recv(); // lagged: 2 messages
/// assert_eq!(subscriber.try_recv(), Ok(2));
/// drop(subscriber);
/// // The totals keep what a subscriber did that is gone.
/// let totals = publisher.ring().stats().totals;
/// assert_eq!((totals.received, totals.missed), (1, 2));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RingStats {
    /// Messages published since the ring was made, including those being written right now. Together with `skipped` it is the
    /// number of sequences drawn. One exception: a publish that skipped a slot and then found the ring closed stays counted if
    /// these statistics were read meanwhile.
    pub published: u64,
    /// Sequences that became holes: drawn by a publisher that found its slot held by a stalled one. Always 0 with one
    /// publisher.
    pub skipped: u64,
    /// How many messages the ring holds.
    pub capacity: usize,
    /// Whether the ring has ended.
    pub closed: bool,
    /// How long publishers of a [gated](crate::Builder::gated) ring have waited for gating subscribers, all waits added up. A wait
    /// counts when it is over. Never decreases. Zero on an ordinary ring.
    pub publishers_waited: Duration,
    /// What all subscribers that ever were received and did not receive.
    pub totals: Totals,
    /// The live subscribers, by id.
    pub subscribers: Vec<SubscriberStats>,
}

/// Sums over all subscribers of a ring, live and gone. No sum ever decreases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Messages received.
    pub received: u64,
    /// Sequences overwritten before they were read.
    pub missed: u64,
    /// Holes passed.
    pub holes: u64,
    /// Sequences that [`Subscriber::latest`](crate::Subscriber::latest) jumped over.
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

/// A look at one subscriber.
///
/// `received`, `missed`, `holes` and `skipped_by_choice` begin where it subscribed and never decrease: a
/// [`seek`](crate::Subscriber::seek) does not reset them. `next_sequence` and `lag` can go down.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriberStats {
    /// Distinct in its ring; never used again.
    pub id: u64,
    /// As given by [`Subscriber::set_name`](crate::Subscriber::set_name).
    pub name: Option<String>,
    /// The sequence it reads next.
    pub next_sequence: u64,
    /// Sequences drawn and not yet read; more than the capacity once it has been lapped and did not notice yet.
    pub lag: u64,
    /// Messages it received.
    pub received: u64,
    /// Sequences overwritten before it read them.
    pub missed: u64,
    /// Holes it went over.
    pub holes: u64,
    /// What [`Subscriber::latest`](crate::Subscriber::latest) jumped over.
    pub skipped_by_choice: u64,
    /// Whether it sleeps until there is a message (or was just told to wake). With a `lag` it waits for the end of a
    /// `publish_many`, or for a message that was claimed and is not committed yet.
    pub parked: bool,
    /// Whether publishers wait for it rather than overwrite what it has not read. Its `lag` then shows how full the ring is: with a
    /// `lag` of the capacity, publishers wait.
    pub gating: bool,
    /// Whether it was gating, and held a publisher back for longer than the
    /// [`gate_deadline`](crate::Builder::gate_deadline). It has been lossy since then.
    pub demoted: bool,
}
