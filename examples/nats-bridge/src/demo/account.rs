//! What is printed while it runs, and the sums at the end.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use seqcast::{Boxed, Ring, Subscriber};
use seqcast_nats_bridge::{InboundCounts, OutboundCounts};
use tokio::time::sleep;

use crate::Options;

/// How often a line is printed.
const PERIOD: Duration = Duration::from_millis(500);

pub(crate) struct Account {
    begun: Instant,
    source: Ring<Boxed<Bytes>>,
    out: Arc<OutboundCounts>,
    into: Arc<InboundCounts>,
    restarts: AtomicU64,
}

impl Account {
    pub(crate) fn new(source: Ring<Boxed<Bytes>>, out: Arc<OutboundCounts>, into: Arc<InboundCounts>) -> Self {
        Self { begun: Instant::now(), source, out, into, restarts: AtomicU64::new(0) }
    }

    pub(crate) fn received(&self) -> u64 {
        self.into.received.get()
    }

    pub(crate) fn restarted(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    /// Prints how things stand.
    pub(crate) fn line(&self, what: &str) {
        let stats = self.source.stats();
        let dashboard = stats.subscribers.iter().find(|one| one.name.as_deref() == Some("dashboard"));
        let line = format!(
            "{:6.2} s  published {:>6}  sent {:>6}  acknowledged {:>6}  duplicates refused {:>5}  received {:>6}  \
             lost by the dashboard {:>6}  {what}",
            self.begun.elapsed().as_secs_f64(),
            stats.published,
            self.out.sent.get(),
            self.out.acknowledged.get(),
            self.out.duplicates.get(),
            self.into.received.get(),
            dashboard.map_or(0, |dashboard| dashboard.missed),
        );
        println!("{}", line.trim_end());
    }

    /// Prints the sums, and adds what is wrong with them.
    pub(crate) fn close(&self, options: Options, dashboard: &Subscriber<Boxed<Bytes>>, wrong: &mut Vec<String>) {
        let stats = self.source.stats();
        let restarts = self.restarts.load(Ordering::Relaxed);
        let (acknowledged, received) = (self.out.acknowledged.get(), self.received());
        println!("\nin {:.1?}, with {restarts} restarts of the broker:", self.begun.elapsed());
        println!("  {:>7} published; publishers waited {:.1?}", stats.published, stats.publishers_waited);
        println!("  {:>7} sent, in {} sessions", self.out.sent.get(), self.out.sessions.get());
        println!("  {:>7} duplicates refused by the broker", self.out.duplicates.get());
        println!("  {:>7} times refused because an earlier message was missing", self.out.out_of_order.get());
        println!("  {acknowledged:>7} acknowledged");
        println!("  {received:>7} received, in {} sessions", self.into.sessions.get());
        println!("  {:>7} came again and were dropped", self.into.redelivered.get());
        println!("  {:>7} read by the lossy dashboard, and {} lost by it", dashboard.received(), dashboard.missed());

        for (what, count) in [("published", stats.published), ("acknowledged", acknowledged), ("received", received)] {
            if count != options.messages {
                wrong.push(format!("{count} messages {what}, not {}", options.messages));
            }
        }
        if dashboard.received() + dashboard.missed() != options.messages {
            wrong.push("the dashboard's account does not balance".to_owned());
        }
        if restarts != options.kills {
            wrong.push(format!("{restarts} restarts, not {}", options.kills));
        }
    }
}

/// Prints a line now and then.
pub(crate) async fn print(account: Arc<Account>) -> Infallible {
    loop {
        account.line("");
        sleep(PERIOD).await;
    }
}
