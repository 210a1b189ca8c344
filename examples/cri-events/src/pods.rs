//! Simulated pods.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::event::{Event, Kind};

/// The number of pods, as many as a kubelet runs by default.
pub const POPULATION: usize = 110;

/// A report of an event. It is numbered within its container, so reports may arrive in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The number of the event within its container, from 0.
    pub step: u32,
    /// The event.
    pub event: Event,
}

/// The pods of a node.
#[derive(Debug)]
pub struct Pods {
    random: fastrand::Rng,
    slots: Vec<Life>,
    next_pod: u64,
    containers: u32,
    last_time: i64,
}

/// A pod and its progress: the sandbox and the containers start one by one, and stop one by one.
#[derive(Debug, Clone, Copy)]
struct Life {
    pod: u64,
    done: u32,
}

impl Pods {
    /// Makes pods with a sandbox and `containers` containers each. The same seed gives the same
    /// events, except for their time.
    pub fn new(seed: u64, containers: u32) -> Self {
        let slots = (0..POPULATION as u64).map(|pod| Life { pod, done: 0 }).collect();
        let random = fastrand::Rng::with_seed(seed);
        Self { random, slots, next_pod: POPULATION as u64, containers, last_time: 0 }
    }

    /// The number of events when all running pods are evicted: each container stops and is deleted.
    pub fn storm_size(&self) -> usize {
        POPULATION * 2 * (self.containers as usize + 1)
    }

    /// The next event of a random pod.
    pub fn happen(&mut self) -> Report {
        let slot = self.random.usize(..self.slots.len());
        self.advance(slot)
    }

    /// The next event that leads to all pods running, or `None` if all run. Pods that are stopping
    /// are replaced by new ones first.
    pub fn bring_up(&mut self) -> Option<Report> {
        let half = self.steps() / 2;
        let slot = self.slots.iter().position(|life| life.done != half)?;
        Some(self.advance(slot))
    }

    /// Evicts all pods, as a node under pressure does.
    pub fn evict(&mut self) -> Vec<Report> {
        let half = self.steps() / 2;
        let mut reports = Vec::with_capacity(self.storm_size());
        for slot in 0..self.slots.len() {
            while self.slots[slot].done >= half {
                reports.push(self.advance(slot));
            }
        }
        reports
    }

    fn steps(&self) -> u32 {
        4 * (self.containers + 1)
    }

    fn advance(&mut self, slot: usize) -> Report {
        let steps = self.steps();
        let Life { pod, done } = self.slots[slot];
        // Starts begin with the sandbox, and stops end with it.
        let container = (done / 2).min((steps - 1 - done) / 2);
        let kind = Kind::ALL[(done % 2 + if done < steps / 2 { 0 } else { 2 }) as usize];
        self.slots[slot].done += 1;
        if done + 1 == steps {
            self.slots[slot] = Life { pod: self.next_pod, done: 0 };
            self.next_pod += 1;
        }
        let (created_at, containers) = (self.now(), self.containers);
        let event = Event { created_at, pod, container, containers, attempt: 0, kind, seal: 0 }.sealed();
        Report { step: kind.step(), event }
    }

    /// The current time. Never returns the same time twice.
    fn now(&mut self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.last_time = i64::try_from(since.as_nanos()).unwrap_or(i64::MAX).max(self.last_time + 1);
        self.last_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn every_container_lives_once_and_in_order() {
        let mut pods = Pods::new(1, 2);
        let mut lives = HashMap::new();
        for _ in 0..20_000 {
            let Report { step, event } = pods.happen();
            let next = lives.entry((event.pod, event.container)).or_insert(0);
            assert_eq!((step, event.kind.step()), (*next, *next), "{event:?}");
            *next += 1;
        }
        assert!(lives.values().filter(|steps| **steps == 4).count() > 1000);
    }

    #[test]
    fn a_storm_of_110_pods_with_two_containers_has_660_events() {
        let mut pods = Pods::new(1, 2);
        for _ in 0..1000 {
            pods.happen();
        }
        while pods.bring_up().is_some() {}
        let storm = pods.evict();
        assert_eq!((storm.len(), pods.storm_size()), (660, 660));
        assert!(storm.iter().all(|report| matches!(report.event.kind, Kind::Stopped | Kind::Deleted)));
        while pods.bring_up().is_some() {}
        assert_eq!(pods.evict().len(), 660);
    }
}
