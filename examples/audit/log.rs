//! The log: a gating subscriber that writes every entry to a file, and the check that reads the file back.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;

use seqcast::{Inline, RecvError, Subscriber};

use crate::entry::Entry;

/// Entries that are taken from the ring in one call.
const BATCH: usize = 256;

/// Writes entries to `file` to the end of the ring. Returns the subscriber, for its account.
///
/// On an error the subscriber is dropped, so publishers no longer wait for a log that is not written.
pub(crate) fn write(mut subscriber: Subscriber<Inline<Entry>>, file: File) -> io::Result<Subscriber<Inline<Entry>>> {
    let mut file = BufWriter::new(file);
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        match subscriber.recv_many(&mut batch, BATCH) {
            Ok(_) => {}
            Err(RecvError::Closed) => break,
            // It was demoted: it took longer than the gate deadline.
            Err(RecvError::Lagged(lagged)) => return Err(io::Error::other(lagged)),
        }
        for entry in batch.drain(..) {
            writeln!(file, "{entry}")?;
        }
    }
    file.into_inner()?.sync_all()?;
    Ok(subscriber)
}

/// Reads the file back: how many entries of each publisher are there. Fails if one is missing, twice there, or out of order.
pub(crate) fn read_back(path: &Path, publishers: usize) -> io::Result<Vec<u64>> {
    let mut entries = vec![0; publishers];
    for (line, at) in BufReader::new(File::open(path)?).lines().zip(1..) {
        let wrong = |what| io::Error::other(format!("line {at}: {what}"));
        let entry: Entry = line?.parse().map_err(wrong)?;
        let next = usize::try_from(entry.publisher).ok().and_then(|publisher| entries.get_mut(publisher));
        let Some(next) = next else { return Err(wrong(format!("there is no publisher {}", entry.publisher))) };
        if entry.number != *next {
            return Err(wrong(format!("publisher {}: {} in place of {next}", entry.publisher, entry.number)));
        }
        *next += 1;
    }
    Ok(entries)
}
