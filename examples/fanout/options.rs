//! The command line.

use clap::builder::RangedU64ValueParser;
use clap::{Parser, ValueEnum};

/// Broadcasts to threads and async tasks at once, and accounts for every message
#[derive(Debug, Parser)]
// Without this the lines would be longer than 80 columns.
#[command(name = "fanout", next_line_help = true)]
pub(crate) struct Options {
    /// Publishing threads: 1 is exclusive, more are shared
    #[arg(long, default_value_t = 1, value_parser = between::<usize>(1, 64))]
    pub(crate) publishers: usize,

    /// Subscribers on blocking threads; the first is slow
    #[arg(long, default_value_t = 3, value_parser = between::<usize>(0, 256))]
    pub(crate) readers: usize,

    /// Async subscribers; without threads, the first is slow
    #[arg(long, default_value_t = 3, value_parser = between::<usize>(0, 1024))]
    pub(crate) tasks: usize,

    /// Messages in the ring, rounded up to a power of two
    #[arg(long, default_value_t = 1024, value_parser = between::<usize>(1, 1 << 20))]
    pub(crate) capacity: usize,

    /// Bytes of a message
    #[arg(long, value_enum, default_value_t = Payload::Bytes64)]
    pub(crate) payload: Payload,

    /// Duration: half on the real stream, half at full speed
    #[arg(long, default_value_t = 10, value_parser = between::<u64>(1, 86_400))]
    pub(crate) seconds: u64,
}

/// The sizes of a message that are compiled in.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Payload {
    #[value(name = "16")]
    Bytes16,
    #[value(name = "64")]
    Bytes64,
    #[value(name = "256")]
    Bytes256,
    #[value(name = "1024")]
    Bytes1024,
}

fn between<T: TryFrom<u64> + Clone + Send + Sync>(least: u64, most: u64) -> RangedU64ValueParser<T> {
    RangedU64ValueParser::new().range(least..=most)
}
