//! Code shared by several modules.

use super::broadcast::Receiver;
use super::broadcast::error::TryRecvError;

/// Receives all values in the channel.
#[track_caller]
pub(crate) fn drain<T: Clone>(receiver: &mut Receiver<T>) -> Vec<T> {
    let mut received = Vec::new();
    loop {
        match receiver.try_recv() {
            Ok(message) => received.push(message),
            Err(TryRecvError::Empty | TryRecvError::Closed) => return received,
            Err(TryRecvError::Lagged(missed)) => panic!("{missed} messages missed"),
        }
    }
}
