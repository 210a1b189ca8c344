//! What a ring tells about itself.

/// A look at a ring and all of its subscribers. Made by [`Ring::stats`](crate::Ring::stats).
///
/// `published + skipped` is the number of sequences drawn. Each number is exact for some moment; taken while others publish and
/// receive, they are of slightly different ones. Subscribers that are gone are not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RingStats {
    /// Messages published since the ring was made, including those being written right now. (One that turns into a hole is
    /// taken back, so with several publishers this may fall between two looks.)
    pub published: u64,
    /// Sequences that became holes: drawn by a publisher that found its slot held by a stalled one. Always 0 with one
    /// publisher.
    pub skipped: u64,
    /// How many messages the ring holds.
    pub capacity: usize,
    /// Whether the ring has ended.
    pub closed: bool,
    /// The live subscribers, by id.
    pub subscribers: Vec<SubscriberStats>,
}

/// A look at one subscriber.
///
/// From its start to `next_sequence`, every sequence was received, or is counted in `missed`, `holes` or
/// `skipped_by_choice` (as long as it did not [`seek`](crate::Subscriber::seek)).
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
    /// Sequences overwritten before it read them.
    pub missed: u64,
    /// Holes it went over.
    pub holes: u64,
    /// What [`Subscriber::latest`](crate::Subscriber::latest) jumped over.
    pub skipped_by_choice: u64,
    /// Whether it sleeps until there is a message (or was just told to wake). With a `lag` it waits for the end of a
    /// `publish_many`, or for a message that was claimed and is not committed yet.
    pub parked: bool,
    /// Whether publishers wait for it. Always `false`: every subscriber is lossy.
    pub gating: bool,
}
