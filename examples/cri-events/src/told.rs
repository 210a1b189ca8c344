//! The statuses that a stream of events can be refused or ended with.

use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::wish::{EPOCH, MISSED, RESUME_FROM, epoch_text, insert};

/// The server has no events: it was told not to.
pub(crate) fn events_are_off() -> Status {
    Status::unimplemented("container events are switched off on this server (it was started with `--no-events`)")
}

/// The client asked for a sequence that is not published yet: it has it from another run of the server, or from nowhere.
pub(crate) fn from_the_future(asked: u64, tail: u64, epoch: u64) -> Status {
    let mut status = Status::out_of_range(format!("sequence {asked} is not published yet: the next is {tail}"));
    insert(status.metadata_mut(), EPOCH, &epoch_text(epoch));
    insert(status.metadata_mut(), RESUME_FROM, &tail.to_string());
    status
}

/// The client asked for a sequence of another run of the server.
pub(crate) fn of_another_run(asked: u64, epoch: u64) -> Status {
    let (asked, epoch) = (epoch_text(asked), epoch_text(epoch));
    let mut status = Status::failed_precondition(format!(
        "the server was started anew: sequences of its run {asked} mean nothing in its run {epoch}. Begin with `oldest`"
    ));
    insert(status.metadata_mut(), EPOCH, &epoch);
    status
}

/// Events are lost to the client, and the server's policy is to end its stream then.
pub(crate) fn data_loss(resume_from: u64, missed: u64) -> Status {
    let message = format!("{missed} events were overwritten before this client read them; resume from {resume_from}");
    ended(Status::data_loss(message), resume_from, missed)
}

/// The server shuts down.
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

/// A number of a status or header.
pub(crate) fn number(metadata: &MetadataMap, key: &str) -> Option<u64> {
    metadata.get(key)?.to_str().ok()?.parse().ok()
}
