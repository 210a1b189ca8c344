//! Where a bridge continues that another one left.

use crate::error::Error;
use crate::instance::Instance;
use crate::link::Link;
use crate::stream::{self, Failure, Stored};

/// Where a bridge begins.
pub(super) struct Position {
    /// The first sequence of the ring that is not in the stream.
    pub(super) next: u64,
    /// The stream's last sequence.
    pub(super) reached: u64,
}

/// Asks the stream for its last message.
pub(super) async fn resume(link: &Link, name: &str, instance: Instance) -> std::result::Result<Position, Failure> {
    let stream = stream::find(link, name).await?;
    let last = stream.cached_info().state.last_sequence;
    if last == 0 {
        return Ok(Position { next: 0, reached: 0 });
    }
    let id = match stream::stored(&stream, last).await? {
        Stored::Message(id) => id,
        // It may be the one that says where to continue. Beginning with the first could store all
        // of them twice.
        Stored::Removed => return Err(Error::Foreign { sequence: last, id: None }.into()),
    };
    let sequence = id.and_then(|id| instance.sequence_of(&id));
    // Another ring's message, or none: this ring has none in the stream, as it would be the last
    // one.
    Ok(Position { next: sequence.map_or(0, |sequence| sequence + 1), reached: last })
}
