//! Where a subscriber begins.

/// Where a subscriber begins to read, or moves to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Start {
    /// At the tail: the next message is the first one published from now on.
    #[default]
    Latest,
    /// At the oldest message that the ring still holds.
    Oldest,
    /// At a sequence.
    ///
    /// One that was overwritten already is accepted: the first receive then says
    /// [`Lagged`](crate::Lagged) with the exact count. One beyond the tail means the tail.
    /// [`try_subscribe_at`](crate::Ring::try_subscribe_at) refuses both instead.
    At(u64),
}
