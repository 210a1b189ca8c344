//! A client that reads for a while, drops its connection at any point, connects again and resumes.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use seqcast_cri_events::backoff::Backoff;
use seqcast_cri_events::client::{Failure, Tail, ending};
use seqcast_cri_events::event::Kind;
use seqcast_cri_events::ledger::Ledger;
use seqcast_cri_events::message;
use seqcast_cri_events::proto::ContainerEventResponse;
use seqcast_cri_events::wish::{From, Wish};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tonic::Status;

use crate::Wrong;

/// How long a connection lasts, in milliseconds.
const LIFE: std::ops::Range<u64> = 5..400;

/// What clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Connect and disconnect.
    Churn,
    /// Stay connected, read up to this sequence, and then to the final status.
    Drain(u64),
    /// Disconnect and end.
    Leave,
}

/// Its progress, for other tasks.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) received: AtomicU64,
    pub(crate) lives: AtomicU64,
    /// The sequence that it expects next.
    pub(crate) next: AtomicU64,
    /// Events reported as missed on this connection.
    pub(crate) missed_here: AtomicU64,
}

pub(crate) struct Churner {
    pub(crate) wish: Wish,
    pub(crate) ledger: Ledger,
    pub(crate) seen: Arc<Seen>,
    pub(crate) phase: watch::Receiver<Phase>,
    lives: HashMap<(u64, u32), Kind>,
}

/// Why a stream was left.
enum Left {
    /// The time of the connection is over.
    Life,
    Ended(Status),
}

impl Churner {
    pub(crate) fn new(name: String, phase: watch::Receiver<Phase>) -> Self {
        let wish = Wish { name: Some(name), ..Wish::default() };
        Self { wish, ledger: Ledger::default(), seen: Arc::default(), phase, lives: HashMap::new() }
    }

    /// Runs until the phase is `Leave`, or until the server shuts down. Returns the final status in
    /// that case.
    pub(crate) async fn run(mut self, socket: &Path) -> Result<(Ledger, Option<Status>), Wrong> {
        let mut backoff = Backoff::new(Duration::from_millis(2), Duration::from_millis(200));
        while *self.phase.borrow() != Phase::Leave {
            if let Some(next) = self.ledger.next() {
                (self.wish.from, self.wish.epoch) = (From::Sequence(next), self.ledger.epoch());
            }
            match Tail::open(socket, &self.wish).await {
                Ok(mut tail) => {
                    backoff.reset();
                    self.seen.lives.fetch_add(1, Ordering::Relaxed);
                    if let Left::Ended(status) = self.live(&mut tail).await? {
                        return Ok((self.ledger, Some(status)));
                    }
                }
                // The ring must not refuse a request, and its server must not close a connection
                // during one.
                Err(Failure::Unreachable(_)) => sleep(backoff.pause()).await,
                Err(failure) => return Err(failure.to_string().into()),
            }
        }
        Ok((self.ledger, None))
    }

    async fn live(&mut self, tail: &mut Tail) -> Result<Left, Wrong> {
        let sequenced = tail.start();
        if let Some((epoch, start)) = sequenced {
            self.ledger.open(epoch, start).map_err(|fault| fault.to_string())?;
            self.note();
        }
        let over = Instant::now() + Duration::from_millis(fastrand::u64(LIFE));
        loop {
            let phase = *self.phase.borrow();
            tokio::select! {
                _ = self.phase.changed() => {}
                () = sleep_until(over), if phase == Phase::Churn => return Ok(Left::Life),
                next = tail.next(), if phase != Phase::Leave => match next {
                    Ok(event) => self.receive(&event, sequenced.is_some())?,
                    Err(status) => {
                        if let Some((next, missed)) = ending(&status) {
                            self.ledger.end(next, missed).map_err(|fault| fault.to_string())?;
                        }
                        return Ok(Left::Ended(status));
                    }
                },
                () = std::future::ready(()), if phase == Phase::Leave => return Ok(Left::Life),
            }
        }
    }

    fn receive(&mut self, message: &ContainerEventResponse, sequenced: bool) -> Result<(), Wrong> {
        let event = message::verify(message).map_err(|torn| torn.to_string())?;
        self.seen.received.fetch_add(1, Ordering::Relaxed);
        if !sequenced {
            return Ok(());
        }
        self.ledger.receive(message.sequence, message.missed).map_err(|fault| fault.to_string())?;
        self.note();
        if message.missed > 0 {
            self.lives.clear();
        }
        let key = (event.pod, event.container);
        let before = self.lives.insert(key, event.kind);
        if let Some(before) = before.filter(|before| before.step() + 1 != event.kind.step()) {
            return Err(format!("{:?} after {before:?} of container {key:?}", event.kind).into());
        }
        if event.kind == Kind::Deleted {
            self.lives.remove(&key);
        }
        Ok(())
    }

    fn note(&self) {
        self.seen.missed_here.store(self.ledger.missed_here(), Ordering::Relaxed);
        // Release: a reader of `next` also sees the other counts.
        self.seen.next.store(self.ledger.next().unwrap_or(0), Ordering::Release);
    }
}
