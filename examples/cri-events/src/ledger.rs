//! A client's account: what it received and what it was told to have missed must add up, over all its connections.

use std::fmt;

/// The account of one client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    epoch: u64,
    /// Where it began and what comes next, once it has begun.
    span: Option<(u64, u64)>,
    received: u64,
    missed: u64,
    missed_here: u64,
}

/// What must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An event came again, or one that is older than one before it.
    Duplicate {
        /// Its sequence.
        sequence: u64,
        /// The one that was due.
        due: u64,
    },
    /// What is missing is not what was told.
    Gap {
        /// The sequence that came, or where it ended or began anew.
        sequence: u64,
        /// The one that was due.
        due: u64,
        /// How many were told to be missing.
        told: u64,
    },
    /// A sequence that none can follow.
    Last {
        /// It.
        sequence: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { sequence, due } => write!(f, "{sequence} came again: {due} was due"),
            Self::Gap { sequence, due, told } => {
                write!(f, "{sequence} came when {due} was due: {} are missing, {told} were told", sequence - due)
            }
            Self::Last { sequence } => write!(f, "no sequence can follow {sequence}"),
        }
    }
}

impl Ledger {
    /// A stream begins at `start`, which must be what was due, unless the server was started anew: that begins a new account.
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

    /// An event came.
    ///
    /// # Errors
    ///
    /// When it is not the one that was due, what it says to be missing left out.
    pub fn receive(&mut self, sequence: u64, missed: u64) -> Result<(), Fault> {
        let next = sequence.checked_add(1).ok_or(Fault::Last { sequence })?;
        self.advance(sequence, missed)?;
        self.span = self.span.map(|(start, _)| (start, next));
        self.received += 1;
        Ok(())
    }

    /// The stream ended with a status that says so.
    ///
    /// # Errors
    ///
    /// When it ends elsewhere.
    pub fn end(&mut self, resume_from: u64, missed: u64) -> Result<(), Fault> {
        self.advance(resume_from, missed)
    }

    fn advance(&mut self, sequence: u64, missed: u64) -> Result<(), Fault> {
        let (start, due) = self.span.unwrap_or((sequence, sequence));
        if sequence < due {
            return Err(Fault::Duplicate { sequence, due });
        }
        if sequence - due != missed {
            return Err(Fault::Gap { sequence, due, told: missed });
        }
        self.span = Some((start, sequence));
        self.missed += missed;
        self.missed_here += missed;
        Ok(())
    }

    /// The sequence that is due; none before the first stream.
    pub fn next(&self) -> Option<u64> {
        self.span.map(|(_, next)| next)
    }

    /// The server's run.
    pub fn epoch(&self) -> Option<u64> {
        self.span.map(|_| self.epoch)
    }

    /// Events received, of this run of the server.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Events that it was told to have missed, of this run of the server.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Those of this stream.
    pub fn missed_here(&self) -> u64 {
        self.missed_here
    }

    /// Events from its first on.
    pub fn span(&self) -> u64 {
        self.span.map_or(0, |(start, next)| next - start)
    }

    /// Whether it adds up.
    pub fn balances(&self) -> bool {
        self.received + self.missed == self.span()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_over_streams() {
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
    fn tells_what_must_not_be() {
        let mut ledger = Ledger::default();
        ledger.open(1, 0).unwrap();
        ledger.receive(0, 0).unwrap();
        assert_eq!(ledger.receive(0, 0), Err(Fault::Duplicate { sequence: 0, due: 1 }));
        assert_eq!(ledger.receive(3, 1), Err(Fault::Gap { sequence: 3, due: 1, told: 1 }));
        assert_eq!(ledger.receive(1, 1), Err(Fault::Gap { sequence: 1, due: 1, told: 1 }));
        assert_eq!(ledger.open(1, 0), Err(Fault::Duplicate { sequence: 0, due: 1 }));
        assert_eq!(ledger.open(1, 2), Err(Fault::Gap { sequence: 2, due: 1, told: 0 }));
        assert_eq!(ledger.end(2, 0), Err(Fault::Gap { sequence: 2, due: 1, told: 0 }));
        assert_eq!(ledger.receive(u64::MAX, u64::MAX - 1), Err(Fault::Last { sequence: u64::MAX }));
    }
}
