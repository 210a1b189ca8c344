//! What several themes share.

use super::broadcast::Receiver;
use super::broadcast::error::TryRecvError;

/// Receives everything that is there.
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
