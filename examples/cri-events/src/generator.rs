//! The producers: what happens is reported by two threads, put in order, and published by a third.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::event::Kind;
use crate::load::Schedule;
use crate::order::Order;
use crate::outlet::Outlet;
use crate::pods::Report;

/// Running producers.
#[derive(Debug)]
pub struct Generator {
    stop: Sender<()>,
    threads: Vec<JoinHandle<()>>,
    publishing: JoinHandle<Box<dyn Outlet>>,
    published: Arc<AtomicU64>,
}

impl std::fmt::Debug for dyn Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outlet")
    }
}

impl Generator {
    /// Starts them. They end by themselves after `limit` events, if there is one.
    pub fn start(schedule: Schedule, limit: Option<u64>, outlet: Box<dyn Outlet>) -> Self {
        let (stop, stopped) = channel();
        let (inbox, reports) = channel();
        let (calls, call_reports) = channel();
        let (monitor, monitor_reports) = channel();
        let published = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&published);
        let other_inbox = inbox.clone();
        let threads = vec![
            // What a runtime does itself, and what it notices: the two race.
            spawn("runtime calls", move || report(&call_reports, &inbox)),
            spawn("exit monitor", move || report(&monitor_reports, &other_inbox)),
            spawn("pacer", move || pace(schedule, limit.unwrap_or(u64::MAX), &stopped, &calls, &monitor)),
        ];
        let publishing = spawn("publisher", move || publish(&reports, outlet, &counter));
        Self { stop, threads, publishing, published }
    }

    /// How many events are published.
    pub fn published(&self) -> u64 {
        self.published.load(Ordering::Acquire)
    }

    /// Whether they ended by themselves.
    pub fn is_finished(&self) -> bool {
        self.publishing.is_finished()
    }

    /// Stops them. Everything that was reported is published when this returns. Blocks for that long.
    ///
    /// # Panics
    ///
    /// When one of them did.
    pub fn stop(self) -> Box<dyn Outlet> {
        // Nobody listens when they ended by themselves.
        let _ = self.stop.send(());
        self.finish()
    }

    /// Waits until they end by themselves.
    ///
    /// # Panics
    ///
    /// When one of them did.
    pub fn finish(self) -> Box<dyn Outlet> {
        for thread in self.threads {
            thread.join().expect("a producer panicked");
        }
        self.publishing.join().expect("the publisher panicked")
    }
}

fn spawn<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    thread::Builder::new().name(name.to_owned()).spawn(work).expect("a thread can be started")
}

/// Hands each report, when it is due, to the thread that would notice. When it is late, it catches up.
fn pace(
    schedule: Schedule,
    limit: u64,
    stopped: &Receiver<()>,
    calls: &Sender<Vec<Report>>,
    monitor: &Sender<Vec<Report>>,
) {
    let start = Instant::now();
    let mut left = limit;
    for (due, mut reports) in schedule {
        reports.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= reports.len() as u64;
        let pause = due.saturating_sub(start.elapsed());
        if reports.is_empty() || stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
            return;
        }
        let (noticed, done) = reports.into_iter().partition::<Vec<_>, _>(|report| report.event.kind == Kind::Stopped);
        if monitor.send(noticed).and(calls.send(done)).is_err() {
            return;
        }
    }
}

fn report(noticed: &Receiver<Vec<Report>>, inbox: &Sender<Vec<Report>>) {
    while let Ok(reports) = noticed.recv() {
        if !reports.is_empty() && inbox.send(reports).is_err() {
            return;
        }
    }
}

fn publish(reports: &Receiver<Vec<Report>>, mut outlet: Box<dyn Outlet>, published: &AtomicU64) -> Box<dyn Outlet> {
    let (mut order, mut ready) = (Order::default(), Vec::new());
    let mut count = 0;
    loop {
        let group = reports.recv();
        let over = group.is_err();
        // What else is there goes out in the same run.
        for report in group.into_iter().chain(reports.try_iter()).flatten() {
            order.admit(report, &mut ready);
        }
        if over {
            order.flush(&mut ready);
        }
        count += ready.len() as u64;
        outlet.publish_all(&mut ready);
        // Release: who sees the count finds the events published.
        published.store(count, Ordering::Release);
        if over {
            return outlet;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::load::Load;
    use crate::pods::Pods;
    use std::collections::HashMap;
    use std::sync::Mutex;

    struct Shelf(Arc<Mutex<Vec<Event>>>);

    impl Outlet for Shelf {
        fn publish(&mut self, event: Event) {
            self.0.lock().unwrap().push(event);
        }
    }

    #[test]
    fn racing_producers_publish_each_container_in_order() {
        let shelf = Arc::default();
        let schedule = Schedule::new(Load::Bursts { rate: 1_000_000, size: 100 }, Pods::new(3, 1));
        let generator = Generator::start(schedule, Some(50_000), Box::new(Shelf(Arc::clone(&shelf))));
        drop(generator.finish());
        let events = shelf.lock().unwrap();
        assert_eq!(events.len(), 50_000);
        let mut lives = HashMap::new();
        for event in &*events {
            let next = lives.entry((event.pod, event.container)).or_insert(0);
            assert_eq!(event.kind.step(), *next);
            *next += 1;
        }
    }

    #[test]
    fn stopping_is_prompt_and_publishes_what_was_reported() {
        let shelf = Arc::default();
        let schedule = Schedule::new(Load::Storm { rate: 1, calm: std::time::Duration::from_mins(1) }, Pods::new(3, 1));
        let generator = Generator::start(schedule, None, Box::new(Shelf(Arc::clone(&shelf))));
        let asked = Instant::now();
        drop(generator.stop());
        assert!(asked.elapsed().as_secs() < 10);
    }
}
