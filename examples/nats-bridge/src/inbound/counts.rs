//! What an inbound bridge has done.

use crate::counter::Counter;

/// What an [`Inbound`](crate::Inbound) has done so far. They are read at any time, from any thread.
#[derive(Debug, Default)]
pub struct InboundCounts {
    /// Messages that were published into the ring.
    pub received: Counter,
    /// Copies of those that came again, and were not published.
    pub redelivered: Counter,
    /// Times that it began to pull: the first time, after each broken connection, and after each
    /// gap or silence.
    pub sessions: Counter,
    /// Times that the consumer was made again because it had delivered messages that did not
    /// arrive.
    pub rewound: Counter,
}
