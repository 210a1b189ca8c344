//! What a message says. It follows from its number, so the checker knows it.

use bytes::Bytes;

pub(crate) fn of(number: u64) -> Bytes {
    format!("message {number} of the first ring").into()
}
