//! The real stream: counters that the machine changes all by itself.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::thread;
use std::time::{Duration, Instant};

use crate::message::Message;

/// Files full of counters, some of which change from one look to the next.
const FILES: [&str; 9] = [
    "/proc/stat",
    "/proc/interrupts",
    "/proc/thread-self/schedstat",
    "/proc/softirqs",
    "/proc/vmstat",
    "/proc/thread-self/io",
    "/proc/meminfo",
    "/proc/self/stat",
    "/proc/net/netstat",
];

/// The sleep whose length is measured where there are no such files.
const NAP: Duration = Duration::from_micros(50);

/// Those of the files that this system has, and lets us read.
pub(crate) fn readable_files() -> Vec<&'static str> {
    FILES.into_iter().filter(|path| File::open(path).is_ok()).collect()
}

/// What one publisher samples.
pub(crate) enum Source {
    Counters(Vec<CounterFile>),
    /// By how many nanoseconds a short sleep was too long.
    Jitter,
}

impl Source {
    /// The share of the publisher `id` of `publishers`: every how-manieth file, or one of them when there are more
    /// publishers than files. To be called on the thread that samples: some files are about the thread that opened them.
    pub(crate) fn share(files: &[&'static str], id: usize, publishers: usize) -> io::Result<Self> {
        if files.is_empty() {
            return Ok(Self::Jitter);
        }
        let mine = files.iter().skip(id % files.len()).step_by(publishers);
        Ok(Self::Counters(mine.map(|path| CounterFile::open(path)).collect::<io::Result<_>>()?))
    }

    /// Appends a message for everything that changed since the last look; the first look makes none.
    pub(crate) fn sample<const WORDS: usize>(&mut self, changes: &mut Vec<Message<WORDS>>) -> io::Result<()> {
        match self {
            Self::Counters(files) => files.iter_mut().try_for_each(|file| file.sample(changes)),
            Self::Jitter => {
                changes.push(Message::labelled(oversleep(), "clock jitter, ns"));
                Ok(())
            }
        }
    }
}

/// A file of lines such as `cpu0 15269 0 2824`: a name and counters, or counters alone.
pub(crate) struct CounterFile {
    path: &'static str,
    file: File,
    text: String,
    /// As of the last look, in the order of the file.
    counters: Vec<u64>,
    label: String,
}

impl CounterFile {
    fn open(path: &'static str) -> io::Result<Self> {
        let file = File::open(path)?;
        Ok(Self { path, file, text: String::new(), counters: Vec::new(), label: String::new() })
    }

    fn sample<const WORDS: usize>(&mut self, changes: &mut Vec<Message<WORDS>>) -> io::Result<()> {
        self.text.clear();
        self.file.rewind()?;
        self.file.read_to_string(&mut self.text)?;
        let first_look = self.counters.is_empty();
        let mut at = 0;
        for line in self.text.lines() {
            let name = line.split_whitespace().next().filter(|word| word.parse::<u64>().is_err()).unwrap_or_default();
            let values = line.split_whitespace().filter_map(|word| word.parse::<u64>().ok());
            for (column, value) in values.enumerate() {
                if !first_look && self.counters.get(at) != Some(&value) {
                    self.label.clear();
                    // Writing to a `String` cannot fail.
                    let _ = write!(self.label, "{} {}[{column}]", self.path, name.trim_end_matches(':'));
                    changes.push(Message::labelled(value, &self.label));
                }
                match self.counters.get_mut(at) {
                    Some(counter) => *counter = value,
                    None => self.counters.push(value),
                }
                at += 1;
            }
        }
        self.counters.truncate(at);
        Ok(())
    }
}

/// By how many nanoseconds a short sleep was too long.
fn oversleep() -> u64 {
    let before = Instant::now();
    thread::sleep(NAP);
    let late = before.elapsed().saturating_sub(NAP);
    u64::try_from(late.as_nanos()).unwrap_or(u64::MAX)
}
