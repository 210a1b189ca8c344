//! Puts reports of several producers in order, container by container, before they are published.

use std::collections::HashMap;

use crate::event::{Event, Kind};
use crate::pods::Report;

/// The events of a container are numbered where its state changes, and told by whoever noticed: its exit by the monitor, its start by the
/// call that started it. Of a short life the exit may be told first. So an event waits here until the one before it came.
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
    /// Takes a report, and appends to `ready` what can be published now: nothing, or the event and what had waited for it.
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

    /// How many wait.
    pub fn held(&self) -> usize {
        self.lives.values().map(|life| life.early.len()).sum()
    }

    /// Nothing more will come: what still waits is ready, in order.
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
    fn whatever_the_order_of_the_reports_a_life_is_told_in_its_own() {
        for _ in 0..200 {
            let mut reports = reports();
            fastrand::shuffle(&mut reports);
            let (mut order, mut ready) = (Order::default(), Vec::new());
            for report in reports {
                order.admit(report, &mut ready);
            }
            assert_eq!(ready.iter().map(|event| event.kind).collect::<Vec<_>>(), Kind::ALL);
            assert_eq!((order.held(), order.lives.len()), (0, 0), "a life that is over is forgotten");
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
    fn what_waits_for_ever_is_told_in_the_end() {
        let (mut order, mut ready) = (Order::default(), Vec::new());
        let [_, _, stopped, deleted] = reports()[..] else { unreachable!() };
        order.admit(deleted, &mut ready);
        order.admit(stopped, &mut ready);
        assert!(ready.is_empty());
        order.flush(&mut ready);
        assert_eq!(ready, [stopped.event, deleted.event]);
    }
}
