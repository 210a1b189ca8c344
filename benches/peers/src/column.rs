//! What is compared: each crate has a column of the table.

/// A column of the table. The first run of a workload is what the others are compared with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    Seqcast,
    Photon,
    Ringcast,
    /// seqcast's drop-in for tokio's channel.
    DropIn,
    Tokio,
    AsyncBroadcast,
    Bus,
    Disruptor,
    Yring,
    Crossbeam,
    /// Not a peer: the least that the machine needs.
    Machine,
}

pub const COLUMNS: [Column; 11] = [
    Column::Seqcast,
    Column::Photon,
    Column::Ringcast,
    Column::DropIn,
    Column::Tokio,
    Column::AsyncBroadcast,
    Column::Bus,
    Column::Disruptor,
    Column::Yring,
    Column::Crossbeam,
    Column::Machine,
];

impl Column {
    pub fn title(self) -> &'static str {
        match self {
            Column::Seqcast => "seqcast",
            Column::Photon => "photon-ring",
            Column::Ringcast => "ringcast",
            Column::DropIn => "seqcast::broadcast",
            Column::Tokio => "tokio",
            Column::AsyncBroadcast => "async-broadcast",
            Column::Bus => "bus",
            Column::Disruptor => "disruptor",
            Column::Yring => "yring",
            Column::Crossbeam => "crossbeam",
            Column::Machine => "bare machine",
        }
    }

    /// Its publisher waits for its readers by itself.
    fn lossless(self) -> bool {
        matches!(self, Column::Bus | Column::Disruptor | Column::Yring | Column::Crossbeam)
    }

    pub fn head(self) -> String {
        format!("{}{}", self.title(), if self.lossless() { "†" } else { "" })
    }
}
