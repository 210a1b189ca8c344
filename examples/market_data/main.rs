//! Market data: one feed of ticks, and three readers that read it in three ways.
//!
//! ```text
//! cargo run --release --example market_data
//! ```
//!
//! The feed publishes ticks in bursts, about 50 000 a second, to an inline ring.
//!
//! - `strategy` processes every tick.
//! - `screen` shows the newest tick 20 times a second, and skips the others by choice.
//! - `vwap` takes many ticks in one call, and computes the volume-weighted average price of each
//!   symbol.
//!
//! After three seconds the feed closes the ring. The program prints the prices, the latency from
//! publish to receive, and what each reader received, lost and skipped. It fails if a number does
//! not add up.

mod feed;
mod readers;

use std::thread;
use std::time::Duration;

use crate::feed::{SYMBOLS, Tick};
use crate::readers::{Reader, Totals};

/// Room for the feed's largest burst, several times over.
const CAPACITY: usize = 16 * 1024;

fn main() {
    let (publisher, subscriber) = seqcast::inline::<Tick>(CAPACITY);
    // All readers subscribe before the first tick.
    let [strategy, screen, vwap] = ["strategy", "screen", "vwap"].map(|name| Reader::new(name, subscriber.clone()));
    drop(subscriber);

    let strategy = thread::spawn(|| readers::every_tick(strategy));
    let screen = thread::spawn(|| readers::newest_tick(screen));
    let vwap = thread::spawn(|| readers::batches(vwap));
    let sent = feed::publish(publisher, Duration::from_secs(3));

    let (strategy, seen) = strategy.join().expect("the strategy does not panic");
    let screen = screen.join().expect("the screen does not panic");
    let (vwap, computed) = vwap.join().expect("the batch reader does not panic");

    prices(&computed);
    latencies(&[&strategy, &screen, &vwap]);
    accounts(&[&strategy, &screen, &vwap], sent.iter().map(|totals| totals.ticks).sum());

    // A reader that lost nothing has the feed's own numbers.
    for (reader, totals) in [(&strategy, &seen), (&vwap, &computed)] {
        assert!(reader.subscriber.missed() > 0 || *totals == sent, "`{}` computed other totals", reader.name);
    }
}

fn prices(totals: &[Totals]) {
    println!("\n{:<8}{:>10}{:>12}{:>12}", "symbol", "ticks", "volume", "VWAP");
    for (symbol, Totals { ticks, volume, value }) in SYMBOLS.iter().zip(totals) {
        let cents = value / volume.max(&1);
        println!("{symbol:<8}{ticks:>10}{volume:>12}{:>9}.{:02}", cents / 100, cents % 100);
    }
}

/// The time from publish to receive. That of `screen` is the age of the tick that it shows.
fn latencies(readers: &[&Reader]) {
    println!("\n{:<12}{:>12}{:>12}{:>12}{:>12}", "latency", "p50", "p99", "p99.9", "max");
    for Reader { name, latency, .. } in readers {
        let [p50, p99, p999, max] =
            [0.5, 0.99, 0.999, 1.0].map(|quantile| Duration::from_nanos(latency.value_at_quantile(quantile)));
        println!("{name:<12}{p50:>12.1?}{p99:>12.1?}{p999:>12.1?}{max:>12.1?}");
    }
}

fn accounts(readers: &[&Reader], published: u64) {
    println!(
        "\n{:<12}{:>10} + {:>8} + {:>6} + {:>8} = next - start",
        "account", "received", "missed", "holes", "skipped"
    );
    for Reader { name, subscriber, .. } in readers {
        let counts = [subscriber.received(), subscriber.missed(), subscriber.holes(), subscriber.skipped_by_choice()];
        let [received, missed, holes, skipped] = counts;
        let sequences = subscriber.next_sequence() - subscriber.start_sequence();
        println!("{name:<12}{received:>10} + {missed:>8} + {holes:>6} + {skipped:>8} = {sequences:>12}");
        assert_eq!(counts.iter().sum::<u64>(), sequences, "the account of `{name}` does not balance");
        assert_eq!(sequences, published, "`{name}` did not read to the end");
    }
    println!("All accounts balance: {published} ticks were published.");
}
