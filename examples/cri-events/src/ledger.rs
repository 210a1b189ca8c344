//! The account of a client: the events that it received, and those reported as missed, over all its
//! connections.

use std::fmt;

/// The account of one client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    epoch: u64,
    /// The first sequence, and the sequence that is due. `None` before the first stream.
    span: Option<(u64, u64)>,
    received: u64,
    missed: u64,
    missed_here: u64,
}

/// An error in the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An event was received twice, or out of order.
    Duplicate {
        /// Its sequence.
        sequence: u64,
        /// The sequence that was due.
        due: u64,
    },
    /// Events are missing, and another number was reported.
    Gap {
        /// The sequence received, or at which a stream ended or began.
        sequence: u64,
        /// The sequence that was due.
        due: u64,
        /// How many were reported as missed.
        reported: u64,
    },
    /// The largest sequence, which no other can follow.
    Last {
        /// The sequence.
        sequence: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { sequence, due } => write!(f, "received {sequence} when {due} was due: a duplicate"),
            Self::Gap { sequence, due, reported } => {
                let missing = sequence - due;
                write!(f, "received {sequence} when {due} was due: {missing} are missing, {reported} were reported")
            }
            Self::Last { sequence } => write!(f, "no sequence can follow {sequence}"),
        }
    }
}

impl Ledger {
    /// Records that a stream begins at `start`, which must be the sequence that is due. A new epoch
    /// begins a new account.
    ///
    /// # Errors
    ///
    /// A gap or an overlap between two streams.
    pub fn open(&mut self, epoch: u64, start: u64) -> Result<(), Fault> {
        self.missed_here = 0;
        if self.span.is_some() && epoch == self.epoch {
            return self.advance(start, 0);
        }
        *self = Self { epoch, span: Some((start, start)), ..Self::default() };
        Ok(())
    }

    /// Records an event.
    ///
    /// # Errors
    ///
    /// When the sequence is not the one that is due plus `missed`.
    pub fn receive(&mut self, sequence: u64, missed: u64) -> Result<(), Fault> {
        let next = sequence.checked_add(1).ok_or(Fault::Last { sequence })?;
        self.advance(sequence, missed)?;
        self.span = self.span.map(|(start, _)| (start, next));
        self.received += 1;
        Ok(())
    }

    /// Records the end of a stream.
    ///
    /// # Errors
    ///
    /// When `resume_from` is not the sequence that is due plus `missed`.
    pub fn end(&mut self, resume_from: u64, missed: u64) -> Result<(), Fault> {
        self.advance(resume_from, missed)
    }

    fn advance(&mut self, sequence: u64, missed: u64) -> Result<(), Fault> {
        let (start, due) = self.span.unwrap_or((sequence, sequence));
        if sequence < due {
            return Err(Fault::Duplicate { sequence, due });
        }
        if sequence - due != missed {
            return Err(Fault::Gap { sequence, due, reported: missed });
        }
        self.span = Some((start, sequence));
        self.missed += missed;
        self.missed_here += missed;
        Ok(())
    }

    /// The sequence that is due. `None` before the first stream.
    pub fn next(&self) -> Option<u64> {
        self.span.map(|(_, next)| next)
    }

    /// The epoch: the run of the server.
    pub fn epoch(&self) -> Option<u64> {
        self.span.map(|_| self.epoch)
    }

    /// Events received in this epoch.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Events reported as missed in this epoch.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Events reported as missed in the current stream.
    pub fn missed_here(&self) -> u64 {
        self.missed_here
    }

    /// The number of sequences from the first to the one that is due.
    pub fn span(&self) -> u64 {
        self.span.map_or(0, |(start, next)| next - start)
    }

    /// Whether `received + missed == span`.
    pub fn balances(&self) -> bool {
        self.received + self.missed == self.span()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balances_over_several_streams() {
        let mut ledger = Ledger::default();
        ledger.open(1, 10).unwrap();
        ledger.receive(10, 0).unwrap();
        ledger.receive(14, 3).unwrap();
        ledger.open(1, 15).unwrap();
        ledger.receive(15, 0).unwrap();
        ledger.end(18, 2).unwrap();
        assert_eq!((ledger.received(), ledger.missed(), ledger.missed_here(), ledger.span()), (3, 5, 2, 8));
        assert!(ledger.balances());
        ledger.open(2, 0).unwrap();
        assert_eq!((ledger.received(), ledger.next(), ledger.epoch()), (0, Some(0), Some(2)));
    }

    #[test]
    fn rejects_duplicates_and_gaps() {
        let mut ledger = Ledger::default();
        ledger.open(1, 0).unwrap();
        ledger.receive(0, 0).unwrap();
        assert_eq!(ledger.receive(0, 0), Err(Fault::Duplicate { sequence: 0, due: 1 }));
        assert_eq!(ledger.receive(3, 1), Err(Fault::Gap { sequence: 3, due: 1, reported: 1 }));
        assert_eq!(ledger.receive(1, 1), Err(Fault::Gap { sequence: 1, due: 1, reported: 1 }));
        assert_eq!(ledger.open(1, 0), Err(Fault::Duplicate { sequence: 0, due: 1 }));
        assert_eq!(ledger.open(1, 2), Err(Fault::Gap { sequence: 2, due: 1, reported: 0 }));
        assert_eq!(ledger.end(2, 0), Err(Fault::Gap { sequence: 2, due: 1, reported: 0 }));
        assert_eq!(ledger.receive(u64::MAX, u64::MAX - 1), Err(Fault::Last { sequence: u64::MAX }));
    }
}
