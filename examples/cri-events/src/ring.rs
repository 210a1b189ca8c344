//! Events from a ring.

use std::sync::Arc;

use seqcast::{Builder, Ring, RingStats, Start, SubscribeError};
use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::outlet::{Outlet, RingOutlet};
use crate::payload::{Compact, Full, Payload};
use crate::source::{Events, Source};
use crate::stream::{OnLag, RingStream};
use crate::told;
use crate::totals::Totals;
use crate::wish::{EPOCH, From, START, Wish, epoch_text, insert};

/// What lies in the ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Kept {
    /// Whole messages, in a boxed ring.
    #[default]
    Full,
    /// Compact records, in an inline ring; messages have the identity only.
    Compact,
}

/// A ring as a source, with what is seen of it from outside.
#[derive(Clone)]
pub struct Feed {
    /// For the service.
    pub source: Arc<dyn Source>,
    /// For the metrics.
    pub stats: Arc<dyn Fn() -> RingStats + Send + Sync>,
    /// For the metrics.
    pub totals: Arc<Totals>,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed").field("stats", &(self.stats)()).field("totals", &self.totals).finish_non_exhaustive()
    }
}

impl Feed {
    /// A ring that holds `capacity` events, and where to publish. The ring is closed when the outlet is dropped.
    ///
    /// # Panics
    ///
    /// When `capacity` is 0 or more than there can be.
    pub fn new(kept: Kept, capacity: usize, on_lag: OnLag) -> (Self, Box<dyn Outlet>) {
        match kept {
            Kept::Full => Self::of::<Full>(capacity, on_lag),
            Kept::Compact => Self::of::<Compact>(capacity, on_lag),
        }
    }

    fn of<P: Payload>(capacity: usize, on_lag: OnLag) -> (Self, Box<dyn Outlet>) {
        // Some room for one that lagged, so that it is not lapped again at once.
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
                    return Err(told::of_another_run(asked, self.epoch));
                }
                let start = Start::At(sequence);
                match self.ring.try_subscribe_at(start) {
                    Ok(subscriber) => subscriber,
                    Err(SubscribeError::Future { tail }) => {
                        return Err(told::from_the_future(sequence, tail, self.epoch));
                    }
                    // It begins there all the same: the first thing it reads is what it lost, and the policy deals with it as with any loss.
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
