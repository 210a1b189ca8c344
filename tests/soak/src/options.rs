//! The command line.

use clap::Parser;

/// The most rings that live at the same time.
pub(crate) const LANES: usize = 16;

/// Churns through rings while their invariants are checked
#[derive(Debug, Clone, Parser)]
#[command(name = "soak", next_line_help = true)]
pub(crate) struct Options {
    /// Duration
    #[arg(long, default_value_t = 10, conflicts_with = "messages")]
    pub(crate) seconds: u64,

    /// End after this many messages were published, instead of after a time
    #[arg(long)]
    pub(crate) messages: Option<u64>,

    /// Make every ring gated; otherwise one in three is
    #[arg(long)]
    pub(crate) gated: bool,

    /// Where the randomness begins; printed
    #[arg(long, default_value_t = fastrand::u64(..1 << 32))]
    pub(crate) seed: u64,

    /// Capacity of all rings; without it, each gets one of its own
    #[arg(long)]
    pub(crate) capacity: Option<usize>,

    /// Rings that live at the same time
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=LANES as u64))]
    pub(crate) rings: u64,

    /// The most threads that publish to a ring, and the most that receive from it
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=16))]
    pub(crate) threads: u64,

    /// The most async tasks that receive from a ring
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(0..=64))]
    pub(crate) tasks: u64,

    /// Seconds without progress that are taken for a hang
    #[arg(long, default_value_t = 30)]
    pub(crate) patience: u64,
}

impl Options {
    /// How long the run takes.
    pub(crate) fn duration(&self) -> String {
        match self.messages {
            Some(messages) => format!("{messages} messages"),
            None => format!("{} s", self.seconds),
        }
    }
}
