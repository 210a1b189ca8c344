//! The exporters: a task that keeps up, and a thread that does not.

use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use seqcast::{Inline, RecvError, Subscriber, TryRecvError};
use tokio::runtime::RuntimeMetrics;
use tokio::time::{MissedTickBehavior, interval};

use crate::PHASE;
use crate::traced::Span;

/// How often the table has a row.
const PERIOD: Duration = Duration::from_millis(200);
/// How long the slow exporter takes for a batch.
pub(crate) const UPLOAD: Duration = Duration::from_millis(200);
/// The most spans that are taken in one call.
const BATCH: usize = 256;

/// Prints a row for each period, to the end of the ring. Returns the subscriber, for its account.
pub(crate) async fn table(
    mut spans: Subscriber<Inline<Span>>,
    runtime: RuntimeMetrics,
    started: Instant,
) -> (Subscriber<Inline<Span>>, Summary) {
    let (mut batch, mut summary) = (Vec::new(), Summary::new(started));
    let mut period = interval(PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Skip);
    period.tick().await; // the first one is immediate
    println!(
        "{:>7}{:>9}{:>10}{:>10}{:>10}{:>7}{:>7}{:>12}{:>13}",
        "time", "polls/s", "poll p50", "p99", "max", "tasks", "queue", "table lost", "upload lost"
    );
    let mut last = started;
    loop {
        period.tick().await;
        let mut polls = histogram();
        let is_open = drain(&mut spans, &mut batch, |span| {
            record(&mut polls, span.poll);
            summary.add(span);
        });
        let now = Instant::now();
        let rate = u128::from(polls.len()) * 1_000_000 / (now - last).as_micros().max(1);
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|quantile| quantile_of(&polls, quantile));
        let (tasks, queue) = (runtime.num_alive_tasks(), runtime.global_queue_depth());
        let time = (now - started).as_secs_f64();
        let stats = spans.ring().stats();
        let upload = stats.subscribers.iter().find(|exporter| exporter.name.as_deref() == Some("upload"));
        let (table_lost, upload_lost) =
            (spans.missed(), upload.map_or("-".to_owned(), |upload| upload.missed.to_string()));
        println!(
            "{time:>5.1} s{rate:>9}{p50:>10.1?}{p99:>10.1?}{max:>10.1?}{tasks:>7}{queue:>7}{table_lost:>12}{upload_lost:>13}"
        );
        last = now;
        if !is_open {
            return (spans, summary);
        }
    }
}

/// Passes all spans that are there to `each`. Returns `false` at the end of the ring.
fn drain(spans: &mut Subscriber<Inline<Span>>, batch: &mut Vec<Span>, mut each: impl FnMut(&Span)) -> bool {
    loop {
        match spans.try_recv_many(batch, BATCH) {
            Ok(_) => batch.drain(..).for_each(|span| each(&span)),
            // The subscriber counts the loss. The next call returns the oldest spans in the ring.
            Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty) => return true,
            Err(TryRecvError::Closed) => return false,
        }
    }
}

/// Takes too long for each batch. It receives what it can, and counts what it loses.
pub(crate) fn upload(mut spans: Subscriber<Inline<Span>>) -> Subscriber<Inline<Span>> {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        match spans.recv_many(&mut batch, BATCH) {
            // What is left in a closed ring is taken at full speed, so that the program ends soon.
            Ok(_) if spans.is_closed() => batch.clear(),
            Ok(_) => {
                thread::sleep(UPLOAD);
                batch.clear();
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return spans,
        }
    }
}

/// What all spans amount to.
pub(crate) struct Summary {
    started: Instant,
    requests: Histogram<u64>,
    reports: Histogram<u64>,
    /// How long a publish took, before and after the slow exporter started.
    publish: [Histogram<u64>; 2],
}

impl Summary {
    fn new(started: Instant) -> Self {
        Self { started, requests: histogram(), reports: histogram(), publish: [histogram(), histogram()] }
    }

    fn add(&mut self, span: &Span) {
        record(if span.task == "request" { &mut self.requests } else { &mut self.reports }, span.poll);
        let with_upload = span.start - self.started > PHASE;
        record(&mut self.publish[usize::from(with_upload)], span.last_publish);
    }

    /// The 99th percentile of a publish while the slow exporter lags.
    pub(crate) fn publish_with_upload(&self) -> Duration {
        quantile_of(&self.publish[1], 0.99)
    }

    pub(crate) fn print(&self) {
        println!("\n{:<32}{:>9}{:>11}{:>11}{:>11}", "", "count", "p50", "p99", "p99.9");
        let [before, after] = &self.publish;
        for (name, times) in [
            ("polls of `request`", &self.requests),
            ("polls of `report`", &self.reports),
            ("publish, without slow exporter", before),
            ("publish, with slow exporter", after),
        ] {
            let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|quantile| quantile_of(times, quantile));
            println!("{name:<32}{:>9}{p50:>11.1?}{p99:>11.1?}{p999:>11.1?}", times.len());
        }
    }
}

fn histogram() -> Histogram<u64> {
    // Up to a minute, with 3 significant digits.
    Histogram::new_with_max(60_000_000_000, 3).expect("the bounds are valid")
}

fn record(times: &mut Histogram<u64>, time: Duration) {
    times.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
}

fn quantile_of(times: &Histogram<u64>, quantile: f64) -> Duration {
    Duration::from_nanos(times.value_at_quantile(quantile))
}
