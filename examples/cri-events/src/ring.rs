//! A ring as the source of events.

use std::sync::Arc;

use seqcast::{Builder, Ring, RingStats, Start, SubscribeError};
use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::outlet::{Outlet, RingOutlet};
use crate::payload::{Compact, Full, Payload};
use crate::source::{Events, Source};
use crate::statuses;
use crate::stream::{OnLag, RingStream};
use crate::totals::Totals;
use crate::wish::{EPOCH, From, START, Wish, epoch_text, insert};

/// What the ring carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Kept {
    /// Whole messages, in a boxed ring.
    #[default]
    Full,
    /// Compact records, in an inline ring. Messages have the identity only.
    Compact,
}

/// A ring as a source, with its statistics.
#[derive(Clone)]
pub struct Feed {
    /// The source of the service.
    pub source: Arc<dyn Source>,
    /// The statistics of the ring.
    pub stats: Arc<dyn Fn() -> RingStats + Send + Sync>,
    /// The totals of the streams.
    pub totals: Arc<Totals>,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed").field("stats", &(self.stats)()).field("totals", &self.totals).finish_non_exhaustive()
    }
}

impl Feed {
    /// Makes a ring of at least `capacity` events, and its outlet. Dropping the outlet closes the
    /// ring.
    ///
    /// # Panics
    ///
    /// When `capacity` is 0 or too large.
    pub fn new(kept: Kept, capacity: usize, on_lag: OnLag) -> (Self, Box<dyn Outlet>) {
        match kept {
            Kept::Full => Self::of::<Full>(capacity, on_lag),
            Kept::Compact => Self::of::<Compact>(capacity, on_lag),
        }
    }

    fn of<P: Payload>(capacity: usize, on_lag: OnLag) -> (Self, Box<dyn Outlet>) {
        // A client that lagged continues at a distance from the oldest event, so that it is not
        // lapped again immediately.
        let (publisher, _) = P::ring(Builder::new(capacity).lag_slack(capacity / 8));
        let (ring, stats_ring) = (publisher.ring(), publisher.ring());
        let totals = Arc::new(Totals::default());
        let source = RingSource::<P> { ring, epoch: fastrand::u64(..), on_lag, totals: Arc::clone(&totals) };
        let feed = Self { source: Arc::new(source), stats: Arc::new(move || stats_ring.stats()), totals };
        (feed, Box::new(RingOutlet::<P>(publisher)))
    }
}

struct RingSource<P: Payload> {
    ring: Ring<P::Storage>,
    epoch: u64,
    on_lag: OnLag,
    totals: Arc<Totals>,
}

impl<P: Payload> Source for RingSource<P> {
    fn open(&self, wish: &Wish) -> Result<(MetadataMap, Events), Status> {
        let subscriber = match wish.from {
            From::Latest => self.ring.subscribe(),
            From::Oldest => self.ring.subscribe_at(Start::Oldest),
            From::Sequence(sequence) => {
                if let Some(asked) = wish.epoch.filter(|asked| *asked != self.epoch) {
                    return Err(statuses::of_another_run(asked, self.epoch));
                }
                let start = Start::At(sequence);
                match self.ring.try_subscribe_at(start) {
                    Ok(subscriber) => subscriber,
                    Err(SubscribeError::Future { tail }) => {
                        return Err(statuses::from_the_future(sequence, tail, self.epoch));
                    }
                    // The sequence is overwritten. The first receive returns the loss, which the
                    // policy handles like any other.
                    Err(_) => self.ring.subscribe_at(start),
                }
            }
        };
        subscriber.set_name(wish.name.as_deref().unwrap_or("unnamed"));
        let mut header = MetadataMap::new();
        insert(&mut header, EPOCH, &epoch_text(self.epoch));
        insert(&mut header, START, &subscriber.next_sequence().to_string());
        Ok((header, Box::pin(RingStream::<P>::new(subscriber, self.on_lag, Arc::clone(&self.totals)))))
    }
}
