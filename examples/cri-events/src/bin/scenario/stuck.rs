//! One client stops reading.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use seqcast_cri_events::client::Tail;
use seqcast_cri_events::generator::Generator;
use seqcast_cri_events::host::Host;
use seqcast_cri_events::load::{Load, Schedule};
use seqcast_cri_events::message;
use seqcast_cri_events::old::{Broadcaster, CloseOnce};
use seqcast_cri_events::outlet::Outlet;
use seqcast_cri_events::pods::Pods;
use seqcast_cri_events::ring::{Feed, Kept};
use seqcast_cri_events::socket::Socket;
use seqcast_cri_events::source::Source;
use seqcast_cri_events::stream::OnLag;
use seqcast_cri_events::wish::Wish;
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

use crate::Wrong;
use crate::timed::{Timed, Times};

/// Clients that received nothing for this long will receive nothing more.
const QUIET: Duration = Duration::from_secs(1);

/// How long a shutdown beside a stuck client may take. It waits for less than a second. The rest is
/// for a busy machine.
const END: Duration = Duration::from_secs(3);

/// At most this many times the rounds are run until the limit holds.
const PATIENCE: usize = 4;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Number of events to publish. May be repeated.
    #[arg(long, default_values_t = [5000, 50_000])]
    events: Vec<u64>,
    /// Events per second.
    #[arg(long, default_value_t = 2500)]
    rate: u32,
    /// Number of clients that read.
    #[arg(long, default_value_t = 4)]
    healthy: usize,
    /// Minimum number of rounds. Publish times are the lowest of all rounds.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How many times as long a publish may take beside a stuck client, at the 99th percentile.
    #[arg(long, default_value_t = 2.0)]
    limit: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Design {
    Ring,
    CloseOnce,
}

impl fmt::Display for Design {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ring => "ring",
            Self::CloseOnce => "close-once",
        })
    }
}

/// The result of a round.
struct Outcome {
    /// The fewest events that a healthy client received.
    received: u64,
    median: Duration,
    p99: Duration,
    /// How long the shutdown took.
    end: Duration,
}

pub(crate) fn run(options: &Options) -> Result<(), Wrong> {
    println!(
        "{} clients that read, {} events/s, full messages; with and without one that does not read",
        options.healthy, options.rate
    );
    println!(
        "| design | events | without it: received | publish p50, p99, µs | with it: received | publish p50, p99, µs | p99 with/without | longest shutdown, ms |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut wrongs = Vec::new();
    for &events in &options.events {
        for design in [Design::Ring, Design::CloseOnce] {
            let (mut without, mut with) = (Vec::new(), Vec::new());
            // In turn, because the speed of a machine drifts. Repeated, because other programs
            // disturb.
            let ratio = loop {
                without.push(once(options, design, events, false)?);
                with.push(once(options, design, events, true)?);
                let ratio = summary(&with).p99.as_secs_f64() / summary(&without).p99.as_secs_f64().max(1e-9);
                if with.len() >= options.rounds && (ratio <= options.limit || with.len() >= options.rounds * PATIENCE) {
                    break ratio;
                }
            };
            let (without, with) = (summary(&without), summary(&with));
            println!(
                "| {design} | {events} | {} | {:.1}, {:.1} | {} | {:.1}, {:.1} | {ratio:.2} | {:.0} |",
                without.received,
                micros(without.median),
                micros(without.p99),
                with.received,
                micros(with.median),
                micros(with.p99),
                with.end.as_secs_f64() * 1e3
            );
            if with.end > END {
                wrongs.push(format!("the shutdown beside a stuck client took {:?}", with.end));
            }
            match design {
                Design::Ring if without.received != events || with.received != events => {
                    let (without, with) = (without.received, with.received);
                    wrongs.push(format!("the ring's healthy clients received {without} and {with} of {events} events"));
                }
                Design::Ring if ratio > options.limit => {
                    wrongs.push(format!("publishing takes {ratio:.2} times as long beside a stuck client"));
                }
                Design::CloseOnce if with.received >= without.received => {
                    wrongs.push("void: the old design lost nothing".to_owned());
                }
                _ => {}
            }
        }
    }
    if wrongs.is_empty() { Ok(()) } else { Err(wrongs.join("; ").into()) }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The fewest events received, the longest shutdown, and the lowest publish times of all rounds.
fn summary(outcomes: &[Outcome]) -> Outcome {
    Outcome {
        received: outcomes.iter().map(|outcome| outcome.received).min().unwrap_or(0),
        median: outcomes.iter().map(|outcome| outcome.median).min().unwrap_or_default(),
        p99: outcomes.iter().map(|outcome| outcome.p99).min().unwrap_or_default(),
        end: outcomes.iter().map(|outcome| outcome.end).max().unwrap_or_default(),
    }
}

fn once(options: &Options, design: Design, events: u64, stuck: bool) -> Result<Outcome, Wrong> {
    let path = crate::socket("stuck");
    let (source, outlet): (Arc<dyn Source>, Box<dyn Outlet>) = match design {
        Design::Ring => {
            let (feed, outlet) = Feed::new(Kept::Full, 8192, OnLag::Skip);
            (feed.source, outlet)
        }
        Design::CloseOnce => {
            let (source, tap, _, _) = Broadcaster::<CloseOnce>::start(Kept::Full);
            (Arc::new(source), Box::new(tap))
        }
    };
    Runtime::new()?.block_on(async {
        let host = Host::start(Socket::bind(&path)?, Some(source))?;
        let stuck = if stuck { Some(Stuck::start(&path)?) } else { None };
        let mut counts = Vec::new();
        for _ in 0..options.healthy {
            counts.push(healthy(&path).await?);
        }
        let times = Times::default();
        let outlet = Box::new(Timed { outlet, times: times.clone() });
        let schedule = Schedule::new(Load::Steady { rate: options.rate }, Pods::new(fastrand::u64(..), 1));
        let generator = Generator::start(schedule, Some(events), outlet);
        let outlet = tokio::task::spawn_blocking(|| generator.finish()).await??;
        let worst = || counts.iter().map(|count| count.load(Ordering::Relaxed)).min().unwrap_or(0);
        let (mut received, mut changed) = (worst(), Instant::now());
        while received < events && changed.elapsed() < QUIET {
            sleep(Duration::from_millis(10)).await;
            if worst() != received {
                (received, changed) = (worst(), Instant::now());
            }
        }
        drop(outlet);
        let asked = Instant::now();
        host.shutdown().await;
        let end = asked.elapsed();
        drop(stuck);
        Ok(Outcome { received, median: times.quantile(0.5), p99: times.quantile(0.99), end })
    })
}

/// Starts a client that reads and checks events. Returns the count of received events.
async fn healthy(path: &Path) -> Result<Arc<AtomicU64>, Wrong> {
    let mut tail = Tail::open(path, &Wish::default()).await?;
    let count = Arc::<AtomicU64>::default();
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok(event) = tail.next().await {
            if message::verify(&event).is_ok() {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    Ok(count)
}

/// A client whose connection is not driven any more once its stream has begun. Its socket buffer
/// fills up.
struct Stuck {
    leave: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Stuck {
    fn start(path: &Path) -> Result<Self, Wrong> {
        let ((leave, left), (opened, answer)) = (channel::<()>(), channel());
        let path: PathBuf = path.to_owned();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let thread = thread::spawn(move || {
            let tail = runtime.block_on(Tail::open(&path, &Wish::default()));
            let _ = opened.send(tail.is_ok());
            // Returns when the sender is dropped.
            let _ = left.recv();
            drop(tail);
        });
        if answer.recv()? {
            Ok(Self { leave: Some(leave), thread: Some(thread) })
        } else {
            Err("no stuck client".into())
        }
    }
}

impl Drop for Stuck {
    fn drop(&mut self) {
        self.leave = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
