//! Measures how long a publish takes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use seqcast_cri_events::event::Event;
use seqcast_cri_events::outlet::Outlet;

/// The duration of each publish.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times(Arc<Mutex<Vec<Duration>>>);

impl Times {
    /// The quantile `share` of the durations.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        times.sort_unstable();
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let at = (times.len() as f64 * share) as usize;
        times.get(at).or(times.last()).copied().unwrap_or_default()
    }
}

/// An outlet that measures each publish.
pub(crate) struct Timed {
    pub(crate) outlet: Box<dyn Outlet>,
    pub(crate) times: Times,
}

impl Outlet for Timed {
    fn publish(&mut self, event: Event) {
        let start = Instant::now();
        self.outlet.publish(event);
        let took = start.elapsed();
        self.times.0.lock().unwrap_or_else(PoisonError::into_inner).push(took);
    }
}
