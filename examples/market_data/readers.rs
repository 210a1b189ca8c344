//! Three ways to read: every tick, the newest tick, and many ticks in one call.

use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use seqcast::{Inline, RecvError, Subscriber};

use crate::feed::{SYMBOLS, Side, Tick};

/// How often the screen is drawn.
const REFRESH: Duration = Duration::from_millis(50);
/// A line is printed for so many refreshes.
const REFRESHES_PER_LINE: usize = 10;
/// The most ticks that are taken in one call.
const BATCH: usize = 4096;

/// A subscriber, and the latency of each tick that it received.
pub(crate) struct Reader {
    pub(crate) name: &'static str,
    pub(crate) subscriber: Subscriber<Inline<Tick>>,
    pub(crate) latency: Histogram<u64>,
}

impl Reader {
    pub(crate) fn new(name: &'static str, subscriber: Subscriber<Inline<Tick>>) -> Self {
        // Up to a minute, with 3 significant digits.
        let latency = Histogram::new_with_max(60_000_000_000, 3).expect("the bounds are valid");
        Self { name, subscriber, latency }
    }
}

/// What was traded of one symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) ticks: u64,
    pub(crate) volume: u64,
    /// In cents.
    pub(crate) value: u64,
}

impl Totals {
    pub(crate) fn add(&mut self, tick: &Tick) {
        self.ticks += 1;
        self.volume += tick.quantity;
        self.value += tick.cents * tick.quantity;
    }
}

/// Processes every tick, as soon as it is there.
pub(crate) fn every_tick(mut reader: Reader) -> (Reader, [Totals; SYMBOLS.len()]) {
    let mut totals = [Totals::default(); SYMBOLS.len()];
    for tick in &mut reader.subscriber {
        match tick {
            Ok(tick) => {
                record(&mut reader.latency, &tick);
                totals[tick.symbol].add(&tick);
            }
            // The subscriber counts the loss. The loop continues with the oldest tick in the ring.
            Err(lagged) => eprintln!("strategy: {lagged}"),
        }
    }
    (reader, totals)
}

/// Shows the newest tick, at a steady pace. It cannot lag: it skips what it does not show.
pub(crate) fn newest_tick(mut reader: Reader) -> Reader {
    for refresh in 0.. {
        let Ok(tick) = reader.subscriber.recv_latest() else { break };
        record(&mut reader.latency, &tick);
        if refresh % REFRESHES_PER_LINE == 0 {
            let Tick { symbol, side, cents, quantity, .. } = tick;
            let side = match side {
                Side::Buy => "buy",
                Side::Sell => "sell",
            };
            let sequence = reader.subscriber.next_sequence() - 1;
            let (symbol, price) = (SYMBOLS[symbol], format!("{}.{:02}", cents / 100, cents % 100));
            println!("tick {sequence:>7}: {symbol:<8} {price:>7} {side:<4} {quantity:>3}");
        }
        thread::sleep(REFRESH);
    }
    reader
}

/// Takes all ticks that are there in one call, and then does something slow with them.
pub(crate) fn batches(mut reader: Reader) -> (Reader, [Totals; SYMBOLS.len()]) {
    let mut totals = [Totals::default(); SYMBOLS.len()];
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        match reader.subscriber.recv_many(&mut batch, BATCH) {
            Ok(_) => {}
            Err(RecvError::Lagged(lagged)) => eprintln!("vwap: {lagged}"),
            Err(RecvError::Closed) => return (reader, totals),
        }
        for tick in batch.drain(..) {
            record(&mut reader.latency, &tick);
            totals[tick.symbol].add(&tick);
        }
        // In place of a database that stores the averages.
        thread::sleep(Duration::from_millis(5));
    }
}

fn record(latency: &mut Histogram<u64>, tick: &Tick) {
    let nanoseconds = Instant::now().duration_since(tick.published).as_nanos();
    latency.saturating_record(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
}
