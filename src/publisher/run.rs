//! Messages of an iterator that are published by one claim, in an inline ring.

use crate::error::Closed;
use crate::slots::Storage;
use crate::sync::WORTH_A_RUN;

/// How many messages of an iterator with these bounds are published by one claim. It is 1 if the
/// length is unknown, because such an iterator may wait between two messages.
#[inline]
pub(super) fn run_of<S: Storage>((least, most): (usize, Option<usize>)) -> usize {
    if Some(least) == most && least >= WORTH_A_RUN { S::RUN } else { 1 }
}

/// A batch that publishes several messages by one claim.
pub(super) trait Runs<S: Storage> {
    /// Publishes some of `items`, from the first on, and returns how many. If there is no room, it
    /// waits for some and returns 0. `held` counts the sequences that were skipped since the last
    /// message.
    fn publish_run(&mut self, items: &[Option<S::Item>], held: &mut u64) -> Result<usize, Closed<()>>;

    /// Returns or panics, as a publish does when the ring takes no more messages.
    fn at_end(&self) {}
}

/// Messages taken from an iterator, to be published by one claim. If the iterator panics, they are
/// still published.
pub(super) struct Run<'b, S: Storage, B: Runs<S>, const N: usize> {
    batch: &'b mut B,
    /// The first `len` items are `Some`.
    items: [Option<S::Item>; N],
    len: usize,
    published: usize,
}

impl<'b, S: Storage, B: Runs<S>, const N: usize> Run<'b, S, B, N> {
    pub(super) fn new(batch: &'b mut B) -> Self {
        Self { batch, items: [const { None }; N], len: 0, published: 0 }
    }

    /// Publishes all of `values`, up to `limit` by one claim, until the ring is closed. Returns
    /// how many were published.
    pub(super) fn publish_all(mut self, mut values: impl Iterator<Item = S::Item>, limit: usize) -> usize {
        let mut has_more = true;
        while has_more {
            while has_more && self.len < limit {
                match values.next() {
                    Some(value) => {
                        self.items[self.len] = Some(value);
                        self.len += 1;
                    }
                    None => has_more = false,
                }
            }
            if !self.publish() {
                self.batch.at_end();
                break;
            }
        }
        self.published
    }

    /// Publishes the collected items. Returns `false` if the ring is closed, and drops the rest.
    fn publish(&mut self) -> bool {
        let (mut from, len, mut held) = (0, std::mem::take(&mut self.len), 0);
        while from < len {
            let Ok(written) = self.batch.publish_run(&self.items[from..len], &mut held) else { return false };
            from += written;
            self.published += written;
        }
        true
    }
}

impl<S: Storage, B: Runs<S>, const N: usize> Drop for Run<'_, S, B, N> {
    /// It does not panic at the end of the ring, because the iterator may be panicking.
    fn drop(&mut self) {
        self.publish();
    }
}
