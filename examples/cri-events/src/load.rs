//! The load on the node: when events occur, and how many.

use std::time::Duration;

use crate::pods::{Pods, Report};

/// The shape of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// One event at a time, evenly spaced.
    Steady {
        /// Events per second.
        rate: u32,
    },
    /// Events occur in bursts.
    Bursts {
        /// Events per second, on average.
        rate: u32,
        /// Events in a burst.
        size: u32,
    },
    /// The node comes under pressure repeatedly: its pods start one by one, and are evicted all at
    /// once.
    Storm {
        /// Events per second while pods start.
        rate: u32,
        /// How long no event occurs before each eviction.
        calm: Duration,
    },
}

/// Groups of reports, each with the time from the start at which it is due.
#[derive(Debug)]
pub struct Schedule {
    load: Load,
    pods: Pods,
    due: Duration,
}

impl Schedule {
    /// Makes a schedule for these pods. A rate or size of 0 counts as 1.
    pub fn new(load: Load, pods: Pods) -> Self {
        Self { load, pods, due: Duration::ZERO }
    }

    fn happen(&mut self, count: u32) -> Vec<Report> {
        (0..count).map(|_| self.pods.happen()).collect()
    }
}

impl Iterator for Schedule {
    type Item = (Duration, Vec<Report>);

    fn next(&mut self) -> Option<Self::Item> {
        let (pause, reports) = match self.load {
            Load::Steady { rate } => (spacing(1, rate), self.happen(1)),
            Load::Bursts { rate, size } => (spacing(size.max(1), rate), self.happen(size.max(1))),
            Load::Storm { rate, calm } => match self.pods.bring_up() {
                Some(report) => (spacing(1, rate), vec![report]),
                None => (calm, self.pods.evict()),
            },
        };
        self.due = self.due.saturating_add(pause);
        Some((self.due, reports))
    }
}

fn spacing(count: u32, rate: u32) -> Duration {
    Duration::from_secs(u64::from(count)) / rate.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_keep_the_rate() {
        let schedule = Schedule::new(Load::Bursts { rate: 10_000, size: 100 }, Pods::new(1, 1));
        let groups: Vec<_> = schedule.take(100).collect();
        assert!(groups.iter().all(|(_, reports)| reports.len() == 100));
        assert_eq!(groups[99].0, Duration::from_secs(1));
    }

    #[test]
    fn a_very_long_calm_does_not_overflow() {
        let mut schedule = Schedule::new(Load::Storm { rate: 660, calm: Duration::MAX }, Pods::new(1, 2));
        assert!(schedule.any(|(due, _)| due == Duration::MAX));
        assert!(schedule.take(1000).all(|(due, _)| due == Duration::MAX));
    }

    #[test]
    fn storms_come_at_once_after_a_calm() {
        let calm = Duration::from_secs(3);
        let mut schedule = Schedule::new(Load::Storm { rate: 660, calm }, Pods::new(1, 2));
        let up: Vec<_> = schedule.by_ref().take(660).collect();
        assert!(up.iter().all(|(_, reports)| reports.len() == 1));
        let (due, reports) = schedule.next().unwrap();
        assert_eq!((reports.len(), due), (660, up[659].0 + calm));
    }
}
