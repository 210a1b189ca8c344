//! The feed: a random walk of prices, published in bursts.

use std::thread;
use std::time::{Duration, Instant};

use seqcast::{Inline, Publisher};

use crate::readers::Totals;

pub(crate) const SYMBOLS: [&str; 4] = ["ACME", "GLOBEX", "INITECH", "UMBRELLA"];

#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Buy,
    Sell,
}

/// One trade. Any `Copy` type can be a message of an inline ring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tick {
    /// Index into `SYMBOLS`.
    pub(crate) symbol: usize,
    pub(crate) side: Side,
    pub(crate) cents: u64,
    pub(crate) quantity: u64,
    pub(crate) published: Instant,
}

/// Publishes for this long, and drops the publisher, which closes the ring. Returns what was
/// published of each symbol.
pub(crate) fn publish(mut publisher: Publisher<Inline<Tick>>, time: Duration) -> [Totals; SYMBOLS.len()] {
    let mut prices = [10_125, 4_200, 980, 25_000]; // in cents
    let mut totals = [Totals::default(); SYMBOLS.len()];
    let mut tick = || {
        let symbol = fastrand::usize(..SYMBOLS.len());
        let side = if fastrand::bool() { Side::Buy } else { Side::Sell };
        let price: &mut u64 = &mut prices[symbol];
        *price = match side {
            Side::Buy => *price + fastrand::u64(0..=2),
            Side::Sell => price.saturating_sub(fastrand::u64(0..=2)).max(1),
        };
        let tick = Tick { symbol, side, cents: *price, quantity: fastrand::u64(1..=500), published: Instant::now() };
        totals[symbol].add(&tick);
        tick
    };

    let end = Instant::now() + time;
    while Instant::now() < end {
        // Most bursts are small. One in a thousand is large, as when a market opens.
        let burst = if fastrand::u32(..1000) == 0 { 4000 } else { fastrand::u32(1..=24) };
        // Never waits for a reader, and wakes sleeping readers once.
        publisher.publish_many((0..burst).map(|_| tick()));
        thread::sleep(Duration::from_micros(200));
    }
    totals
}
