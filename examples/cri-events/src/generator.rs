//! The producers: two threads report events, and a third puts them in order and publishes them.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::event::Kind;
use crate::load::Schedule;
use crate::order::Order;
use crate::outlet::Outlet;
use crate::pods::Report;

/// How many groups of reports a queue holds. When publishing falls behind, the pacer waits.
const QUEUE: usize = 4;
/// The most events that are published in one call.
const RUN: usize = 1024;
/// How long reported events are still published after a stop.
pub(crate) const DRAIN: Duration = Duration::from_millis(50);

/// Running producers.
#[derive(Debug)]
pub struct Generator {
    stop: Sender<()>,
    threads: Vec<JoinHandle<()>>,
    publishing: JoinHandle<Box<dyn Outlet>>,
    published: Arc<AtomicU64>,
    /// When publishing ends. Set by a stop.
    deadline: Arc<OnceLock<Instant>>,
}

/// A producer panicked. All producers have ended, and the outlet is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panicked;

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a producer panicked")
    }
}

impl std::error::Error for Panicked {}

impl fmt::Debug for dyn Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outlet")
    }
}

impl Generator {
    /// Starts the producers. They end after `limit` events, if there is a limit.
    pub fn start(schedule: Schedule, limit: Option<u64>, outlet: Box<dyn Outlet>) -> Self {
        let (stop, stopped) = channel();
        let (inbox, reports) = sync_channel(QUEUE);
        let (calls, call_reports) = sync_channel(QUEUE);
        let (monitor, monitor_reports) = sync_channel(QUEUE);
        let published = Arc::new(AtomicU64::new(0));
        let deadline = Arc::default();
        let (counter, until) = (Arc::clone(&published), Arc::clone(&deadline));
        let other_inbox = inbox.clone();
        let threads = vec![
            // The calls of a runtime, and its monitor of exits. The two race.
            spawn("runtime calls", move || report(&call_reports, &inbox)),
            spawn("exit monitor", move || report(&monitor_reports, &other_inbox)),
            spawn("pacer", move || pace(schedule, limit.unwrap_or(u64::MAX), &stopped, &calls, &monitor)),
        ];
        let publishing = spawn("publisher", move || publish(&reports, outlet, &counter, &until));
        Self { stop, threads, publishing, published, deadline }
    }

    /// The number of published events.
    pub fn published(&self) -> u64 {
        self.published.load(Ordering::Acquire)
    }

    /// Whether the producers have ended.
    pub fn is_finished(&self) -> bool {
        self.publishing.is_finished()
    }

    /// Stops the producers, and blocks until they have ended. Reported events are still published
    /// for a short time. The others are dropped. They have no sequence yet, so no client misses
    /// them.
    ///
    /// # Errors
    ///
    /// When a producer panicked.
    pub fn stop(self) -> Result<Box<dyn Outlet>, Panicked> {
        let _ = self.deadline.set(Instant::now() + DRAIN);
        // Fails if the producers have ended already.
        let _ = self.stop.send(());
        self.finish()
    }

    /// Waits until the producers have ended, which takes forever without a limit.
    ///
    /// # Errors
    ///
    /// When a producer panicked.
    pub fn finish(self) -> Result<Box<dyn Outlet>, Panicked> {
        // Joins all of them, also after a panic: nothing is published after this returns.
        let panicked = self.threads.into_iter().map(JoinHandle::join).filter(Result::is_err).count() > 0;
        let outlet = self.publishing.join().map_err(|_| Panicked)?;
        if panicked { Err(Panicked) } else { Ok(outlet) }
    }
}

fn spawn<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    thread::Builder::new().name(name.to_owned()).spawn(work).expect("a thread can be started")
}

/// Passes each report, when it is due, to the thread that reports it. Catches up if it is late.
fn pace(
    schedule: Schedule,
    limit: u64,
    stopped: &Receiver<()>,
    calls: &SyncSender<Vec<Report>>,
    monitor: &SyncSender<Vec<Report>>,
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

fn report(noticed: &Receiver<Vec<Report>>, inbox: &SyncSender<Vec<Report>>) {
    while let Ok(reports) = noticed.recv() {
        if !reports.is_empty() && inbox.send(reports).is_err() {
            return;
        }
    }
}

fn publish(
    reports: &Receiver<Vec<Report>>,
    mut outlet: Box<dyn Outlet>,
    published: &AtomicU64,
    deadline: &OnceLock<Instant>,
) -> Box<dyn Outlet> {
    let (mut order, mut ready) = (Order::default(), Vec::new());
    let is_late = || deadline.get().is_some_and(|deadline| Instant::now() >= *deadline);
    let mut count = 0;
    loop {
        let group = reports.recv();
        let over = group.is_err();
        // Takes the other groups in the queue, too.
        let run = group.into_iter().chain(reports.try_iter().take(QUEUE)).flatten();
        for report in run.take_while(|_| !is_late()) {
            order.admit(report, &mut ready);
        }
        if over {
            order.flush(&mut ready);
        }
        while !ready.is_empty() && !is_late() {
            let rest = ready.split_off(ready.len().min(RUN));
            count += ready.len() as u64;
            outlet.publish_all(&mut ready);
            ready = rest;
            // Release: a thread that reads the count also finds the events published.
            published.store(count, Ordering::Release);
        }
        ready.clear();
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
        generator.finish().unwrap();
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
    fn stopping_does_not_wait_for_due_events() {
        let shelf = Arc::default();
        let schedule = Schedule::new(Load::Storm { rate: 1, calm: std::time::Duration::from_mins(1) }, Pods::new(3, 1));
        let generator = Generator::start(schedule, None, Box::new(Shelf(Arc::clone(&shelf))));
        let asked = Instant::now();
        generator.stop().unwrap();
        assert!(asked.elapsed().as_secs() < 10);
    }

    /// Takes a millisecond for each event, and may panic after some.
    struct Slow(Option<u64>);

    impl Outlet for Slow {
        fn publish(&mut self, _: Event) {
            thread::sleep(Duration::from_millis(1));
            self.0 = self.0.map(|left| left.checked_sub(1).expect("a panic on purpose"));
        }
    }

    #[test]
    fn queued_reports_do_not_delay_a_stop() {
        let schedule = Schedule::new(Load::Bursts { rate: 1_000_000, size: 10_000 }, Pods::new(3, 1));
        let generator = Generator::start(schedule, None, Box::new(Slow(None)));
        while generator.published() == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        // One run of 1024 events takes more than a second here, and the queued ones a minute.
        let asked = Instant::now();
        generator.stop().unwrap();
        assert!(asked.elapsed().as_secs() < 15);
    }

    #[test]
    fn a_panic_ends_all_producers_and_is_reported() {
        let schedule = Schedule::new(Load::Bursts { rate: 1_000_000, size: 100 }, Pods::new(3, 1));
        let generator = Generator::start(schedule, None, Box::new(Slow(Some(10))));
        while !generator.is_finished() {
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(generator.stop().unwrap_err(), Panicked);
    }
}
