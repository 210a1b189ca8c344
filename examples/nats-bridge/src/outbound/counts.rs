//! What an outbound bridge has done.

use crate::counter::Counter;

/// What an [`Outbound`](crate::Outbound) has done so far. They are read at any time, from any
/// thread.
#[derive(Debug, Default)]
pub struct OutboundCounts {
    /// Messages that were sent, each time that they were.
    pub sent: Counter,
    /// Messages that are in the stream.
    pub acknowledged: Counter,
    /// Copies that the broker refused as duplicates.
    pub duplicates: Counter,
    /// Times that it began to send: the first time, after each broken connection, and after each
    /// refusal or silence.
    pub sessions: Counter,
    /// Times that the broker refused a message because an earlier one was missing, so that all had
    /// to be sent again.
    pub out_of_order: Counter,
}
