//! The statuses that refuse or end a stream of events.

use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::wish::{EPOCH, MISSED, RESUME_FROM, epoch_text, insert};

/// The server was started without events.
pub(crate) fn events_are_disabled() -> Status {
    Status::unimplemented("container events are disabled on this server: it was started with `--no-events`")
}

/// The client requested a sequence that is not published yet. The sequence is from another run of
/// the server, or invented.
pub(crate) fn from_the_future(asked: u64, tail: u64, epoch: u64) -> Status {
    let mut status = Status::out_of_range(format!("sequence {asked} is not published yet: the next is {tail}"));
    insert(status.metadata_mut(), EPOCH, &epoch_text(epoch));
    insert(status.metadata_mut(), RESUME_FROM, &tail.to_string());
    status
}

/// The client requested a sequence of another run of the server.
pub(crate) fn of_another_run(asked: u64, epoch: u64) -> Status {
    let (asked, epoch) = (epoch_text(asked), epoch_text(epoch));
    let mut status = Status::failed_precondition(format!(
        "the server was restarted: sequences of epoch {asked} are not valid in epoch {epoch}. Begin with `oldest`"
    ));
    insert(status.metadata_mut(), EPOCH, &epoch);
    status
}

/// The client has missed events, and the policy is to end its stream.
pub(crate) fn data_loss(resume_from: u64, missed: u64) -> Status {
    let message = format!("{missed} events were overwritten before this client read them; resume from {resume_from}");
    ended(Status::data_loss(message), resume_from, missed)
}

/// The server is shutting down.
pub(crate) fn closing(resume_from: u64, missed: u64) -> Status {
    let message = format!("the server is shutting down; the next event would have been {resume_from}");
    ended(Status::unavailable(message), resume_from, missed)
}

fn ended(mut status: Status, resume_from: u64, missed: u64) -> Status {
    let metadata: &mut MetadataMap = status.metadata_mut();
    insert(metadata, RESUME_FROM, &resume_from.to_string());
    insert(metadata, MISSED, &missed.to_string());
    status
}

/// Parses a number in a status or header.
pub(crate) fn number(metadata: &MetadataMap, key: &str) -> Option<u64> {
    metadata.get(key)?.to_str().ok()?.parse().ok()
}
