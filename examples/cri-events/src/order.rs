//! Restores the order of reports within each container before they are published.

use std::collections::HashMap;

use crate::event::{Event, Kind};
use crate::pods::Report;

/// Holds reports back until they are in order.
///
/// The events of a container are numbered where its state changes, and different threads report
/// them: the monitor its exit, and the call that started it its start. The exit of a short-lived
/// container may be reported first. It waits here until the start has been reported.
#[derive(Debug, Default)]
pub struct Order {
    lives: HashMap<(u64, u32), Life>,
}

#[derive(Debug, Default)]
struct Life {
    next: u32,
    early: Vec<Report>,
}

impl Order {
    /// Adds a report. Appends to `ready` the events that can be published now: none, or the event
    /// and those that waited for it.
    pub fn admit(&mut self, report: Report, ready: &mut Vec<Event>) {
        let key = (report.event.pod, report.event.container);
        let life = self.lives.entry(key).or_default();
        life.early.push(report);
        while let Some(at) = life.early.iter().position(|report| report.step <= life.next) {
            let Report { step, event } = life.early.swap_remove(at);
            life.next = life.next.max(step + 1);
            ready.push(event);
            if event.kind == Kind::Deleted {
                self.lives.remove(&key);
                return;
            }
        }
    }

    /// The number of events that wait.
    pub fn held(&self) -> usize {
        self.lives.values().map(|life| life.early.len()).sum()
    }

    /// Appends to `ready` all events that wait, in order. Call it after the last report.
    pub fn flush(&mut self, ready: &mut Vec<Event>) {
        for life in self.lives.values_mut() {
            life.early.sort_by_key(|report| report.step);
            ready.extend(life.early.drain(..).map(|report| report.event));
        }
        self.lives.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reports() -> Vec<Report> {
        let event =
            Event { created_at: 0, pod: 1, container: 1, containers: 1, attempt: 0, kind: Kind::Created, seal: 0 };
        Kind::ALL.map(|kind| Report { step: kind.step(), event: Event { kind, ..event }.sealed() }).to_vec()
    }

    #[test]
    fn events_are_in_order_whatever_the_order_of_the_reports() {
        for _ in 0..200 {
            let mut reports = reports();
            fastrand::shuffle(&mut reports);
            let (mut order, mut ready) = (Order::default(), Vec::new());
            for report in reports {
                order.admit(report, &mut ready);
            }
            assert_eq!(ready.iter().map(|event| event.kind).collect::<Vec<_>>(), Kind::ALL);
            assert_eq!((order.held(), order.lives.len()), (0, 0), "a removed container is forgotten");
        }
    }

    #[test]
    fn stopped_waits_for_started() {
        let (mut order, mut ready) = (Order::default(), Vec::new());
        let [created, started, stopped, _] = reports()[..] else { unreachable!() };
        order.admit(created, &mut ready);
        order.admit(stopped, &mut ready);
        assert_eq!((ready.len(), order.held()), (1, 1));
        order.admit(started, &mut ready);
        assert_eq!(ready, [created.event, started.event, stopped.event]);
    }

    #[test]
    fn a_flush_returns_events_whose_predecessor_is_missing() {
        let (mut order, mut ready) = (Order::default(), Vec::new());
        let [_, _, stopped, deleted] = reports()[..] else { unreachable!() };
        order.admit(deleted, &mut ready);
        order.admit(stopped, &mut ready);
        assert!(ready.is_empty());
        order.flush(&mut ready);
        assert_eq!(ready, [stopped.event, deleted.event]);
    }
}
