//! Where a bridge continues that another one left.

use crate::instance::Instance;
use crate::link::Link;
use crate::stream::{self, Failure};

/// The first sequence of the ring that is not in the stream, and the stream's last sequence.
pub(super) async fn resume(link: &Link, name: &str, instance: Instance) -> std::result::Result<(u64, u64), Failure> {
    let stream = stream::find(link, name).await?;
    let last = stream.cached_info().state.last_sequence;
    let id = if last == 0 { None } else { stream::id_of(&stream, last).await? };
    let sequence = id.and_then(|id| instance.sequence_of(&id));
    // Another ring's message, or none: this ring has none in the stream, as it would be the last one.
    Ok((sequence.map_or(0, |sequence| sequence + 1), last))
}
