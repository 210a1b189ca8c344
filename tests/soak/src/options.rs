//! The options of the command line.

use clap::Parser;

/// The maximum of rings in parallel.
pub(crate) const LANES: usize = 16;

/// Runs rings with many publishers and subscribers, and checks their invariants
#[derive(Debug, Clone, Parser)]
#[command(name = "soak", next_line_help = true)]
pub(crate) struct Options {
    /// Duration in seconds
    #[arg(long, default_value_t = 10, conflicts_with = "messages")]
    pub(crate) seconds: u64,

    /// End after this many published messages, instead of after a time
    #[arg(long)]
    pub(crate) messages: Option<u64>,

    /// Make every ring gated [default: one in three]
    #[arg(long)]
    pub(crate) gated: bool,

    /// Seed of the random choices, printed at the start
    #[arg(long, default_value_t = fastrand::u64(..1 << 32))]
    pub(crate) seed: u64,

    /// Capacity of all rings [default: a random one for each]
    #[arg(long)]
    pub(crate) capacity: Option<usize>,

    /// Number of rings in parallel
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=LANES as u64))]
    pub(crate) rings: u64,

    /// Maximum of threads that publish to a ring, and of threads that receive from it
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=16))]
    pub(crate) threads: u64,

    /// Maximum of async tasks that receive from a ring
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(0..=64))]
    pub(crate) tasks: u64,

    /// Seconds without progress after which the run fails as a hang
    #[arg(long, default_value_t = 30)]
    pub(crate) patience: u64,
}

impl Options {
    /// The planned duration.
    pub(crate) fn duration(&self) -> String {
        match self.messages {
            Some(messages) => format!("{messages} messages"),
            None => format!("{} s", self.seconds),
        }
    }
}
