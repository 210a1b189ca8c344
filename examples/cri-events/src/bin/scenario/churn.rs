//! Clients that connect and disconnect under bursts.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use seqcast::RingStats;
use seqcast_cri_events::generator::Generator;
use seqcast_cri_events::host::{Ending, Host};
use seqcast_cri_events::load::{Load, Schedule};
use seqcast_cri_events::pods::Pods;
use seqcast_cri_events::ring::{Feed, Kept};
use seqcast_cri_events::socket::Socket;
use seqcast_cri_events::stream::OnLag;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tonic::Code;

use crate::churner::{Churner, Phase, Seen};
use crate::{Wrong, control, panics};

/// A client that makes no progress for this long hangs.
const HANGS: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long the ring is under load, in seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Number of clients that connect and disconnect.
    #[arg(long, default_value_t = 64)]
    pub(crate) clients: usize,
    /// Events per second.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// Events in a burst.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    burst: u32,
    /// Capacity of the ring.
    #[arg(long, default_value_t = 8192)]
    capacity: usize,
    /// What the ring carries.
    #[arg(long, value_enum, default_value_t = Kept::Compact)]
    pub(crate) payload: Kept,
    /// How many times the old design must panic first.
    #[arg(long, default_value_t = 3)]
    controls: u32,
}

impl Options {
    pub(crate) fn schedule(&self) -> Schedule {
        Schedule::new(Load::Bursts { rate: self.rate, size: self.burst }, Pods::new(fastrand::u64(..), 1))
    }
}

pub(crate) fn run(options: &Options) -> Result<(), Wrong> {
    println!(
        "{} clients that connect and disconnect, {} events/s in bursts of {}",
        options.clients, options.rate, options.burst
    );
    for _ in 0..options.controls {
        println!("the old design:");
        let took = Runtime::new()?.block_on(control::run(options))?;
        println!("  panicked after {:.1} ms", took.as_secs_f64() * 1e3);
    }
    println!("the ring, {:?}, for {} s:", options.payload, options.seconds);
    let before = panics::so_far();
    let ran = Runtime::new()?.block_on(ring(options));
    match panics::so_far() - before {
        0 => ran,
        panics => Err(format!("{panics} panics").into()),
    }
}

async fn ring(options: &Options) -> Result<(), Wrong> {
    let path = crate::socket("ring");
    let (feed, outlet) = Feed::new(options.payload, options.capacity, OnLag::Skip);
    let host = Host::start(Socket::bind(&path)?, Some(Arc::clone(&feed.source)))?;
    let (phase, phases) = watch::channel(Phase::Churn);
    let (mut seen, mut clients) = (Vec::new(), Vec::new());
    for number in 0..options.clients {
        let (churner, path) = (Churner::new(format!("client {number}"), phases.clone()), path.clone());
        seen.push(Arc::clone(&churner.seen));
        clients.push(tokio::spawn(async move { churner.run(&path).await }));
    }
    let generator = Generator::start(options.schedule(), None, outlet);
    let lag = watch_over(&seen, &feed, Duration::from_secs(options.seconds)).await?;

    // All clients read what is left, so that their accounts can be compared with the ring's.
    let outlet = tokio::task::spawn_blocking(|| generator.stop()).await??;
    let goal = (feed.stats)().published;
    phase.send(Phase::Drain(goal))?;
    let received = || seen.iter().map(|one| one.received.load(Ordering::Relaxed)).sum::<u64>();
    let (mut before, mut quiet) = (received(), Instant::now());
    // Then every client is connected, and dropped connections are unsubscribed.
    let subscribed = || (feed.stats)().subscribers.len();
    while subscribed() != seen.len() || !seen.iter().all(|one| one.next.load(Ordering::Acquire) == goal) {
        if clients.iter().any(tokio::task::JoinHandle::is_finished) {
            break;
        }
        if received() != before {
            (before, quiet) = (received(), Instant::now());
        }
        if quiet.elapsed() > HANGS {
            let (of, all) = (subscribed(), seen.len());
            return Err(format!("not every client read to the end: {all} clients, {of} subscribers").into());
        }
        sleep(Duration::from_millis(5)).await;
    }
    if clients.iter().all(|client| !client.is_finished()) {
        reconcile(&(feed.stats)(), &seen, goal)?;
    }

    // Shutdown.
    drop(outlet);
    let asked = Instant::now();
    let ending = host.shutdown().await;
    let (mut received, mut missed) = (0, 0);
    for client in clients {
        let (ledger, status) = timeout(HANGS, client).await.map_err(|_| "a client hangs in the shutdown")???;
        let code = status.map(|status| status.code());
        if code != Some(Code::Unavailable) || ledger.next() != Some(goal) || !ledger.balances() {
            return Err(format!("ended with {code:?}, and {goal} events were published: {ledger:?}").into());
        }
        received += ledger.received();
        missed += ledger.missed();
    }
    let took = asked.elapsed();
    if ending != Ending::Clean || took > Duration::from_secs(1) {
        return Err(format!("the shutdown took {took:?}: {ending:?}").into());
    }
    if feed.totals.missed() < missed || feed.totals.sent() < received {
        return Err(format!("{received} and {missed} are more than {:?}", feed.totals).into());
    }
    let lives: u64 = seen.iter().map(|one| one.lives.load(Ordering::Relaxed)).sum();
    let due = options.seconds * u64::from(options.rate);
    println!("  {goal} events published of {due} due, {lives} connections");
    println!("  {received} received and {missed} reported missed by {} clients, each account exact", options.clients);
    println!("  0 torn, 0 duplicates, 0 unreported gaps, 0 panics, 0 hangs");
    println!("  longest lag {lag}; final status to all within {:.1} ms", took.as_secs_f64() * 1e3);
    // The publisher never waits for a client. It falls behind only if it gets too little processor
    // time.
    if goal < due - due / 10 { Err("the publisher fell behind".into()) } else { Ok(()) }
}

/// Checks that each client makes progress. Returns the longest lag.
async fn watch_over(seen: &[Arc<Seen>], feed: &Feed, time: Duration) -> Result<u64, Wrong> {
    let (start, mut longest) = (Instant::now(), 0);
    let happened = || seen.iter().map(|one| one.received.load(Ordering::Relaxed)).collect::<Vec<_>>();
    let (mut before, mut looked) = (happened(), Instant::now());
    while start.elapsed() < time {
        sleep(Duration::from_millis(20).min(time)).await;
        longest = (feed.stats)().subscribers.iter().map(|one| one.lag).fold(longest, u64::max);
        if looked.elapsed() > HANGS {
            let now = happened();
            if let Some(number) = now.iter().zip(&before).position(|(now, before)| now == before) {
                return Err(format!("client {number} hangs").into());
            }
            (before, looked) = (now, Instant::now());
        }
    }
    Ok(longest)
}

/// While no event is published: compares the ring's statistics with what the clients received.
fn reconcile(stats: &RingStats, seen: &[Arc<Seen>], goal: u64) -> Result<(), Wrong> {
    if stats.published != goal || stats.subscribers.len() != seen.len() {
        return Err(format!("{} subscribers of {}", stats.subscribers.len(), seen.len()).into());
    }
    for subscriber in &stats.subscribers {
        let name = subscriber.name.as_deref().unwrap_or_default();
        let number: usize = name.trim_start_matches("client ").parse()?;
        let reported = seen[number].missed_here.load(Ordering::Relaxed);
        if (subscriber.missed, subscriber.lag, subscriber.next_sequence) != (reported, 0, goal) {
            return Err(format!("{name} received reports of {reported} missed events, but {subscriber:?}").into());
        }
    }
    Ok(())
}
