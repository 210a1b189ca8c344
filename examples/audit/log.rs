//! The log: a gating subscriber that writes every entry to a file, and a check that reads the file
//! back.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;

use seqcast::{Inline, RecvError, Subscriber};

use crate::entry::Entry;

/// The most entries that are received in one call.
const BATCH: usize = 256;

/// Writes entries to `file` until the ring ends. Returns the subscriber, for its account.
///
/// An error drops the subscriber, and publishers no longer wait for it.
pub(crate) fn write(mut subscriber: Subscriber<Inline<Entry>>, file: File) -> io::Result<Subscriber<Inline<Entry>>> {
    let mut file = BufWriter::new(file);
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        match subscriber.recv_many(&mut batch, BATCH) {
            Ok(_) => {}
            Err(RecvError::Closed) => break,
            // It held publishers back for longer than the gate deadline, and was demoted.
            Err(RecvError::Lagged(lagged)) => return Err(io::Error::other(lagged)),
        }
        for entry in batch.drain(..) {
            writeln!(file, "{entry}")?;
        }
    }
    file.into_inner()?.sync_all()?;
    Ok(subscriber)
}

/// Reads the file back, and returns the number of entries of each publisher. Fails if an entry is
/// missing, duplicated, out of order or altered.
pub(crate) fn read_back(path: &Path, publishers: usize) -> io::Result<Vec<u64>> {
    let mut entries = vec![0; publishers];
    for (line, at) in BufReader::new(File::open(path)?).lines().zip(1..) {
        let line = line?;
        let wrong = |what| io::Error::other(format!("line {at}: {what}"));
        let publisher = line.split(' ').next().and_then(|word| word.parse::<u8>().ok());
        let next = publisher.and_then(|publisher| Some((publisher, entries.get_mut(usize::from(publisher))?)));
        let Some((publisher, next)) = next else { return Err(wrong(format!("`{line}` has no publisher"))) };
        let expected = Entry::new(publisher, *next).to_string();
        if line != expected {
            return Err(wrong(format!("`{line}` instead of `{expected}`")));
        }
        *next += 1;
    }
    Ok(entries)
}
