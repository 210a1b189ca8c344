//! Telemetry of an async runtime: each poll publishes a span, and exporters aggregate the spans.
//!
//! ```text
//! cargo run --release --example telemetry
//! ```
//!
//! The tasks run on two workers. `traced.rs` wraps each of them in a future that times every poll
//! and publishes a span to an inline ring.
//!
//! - The *table* exporter is a task. Every 200 ms it reads all spans, and prints a row.
//! - The *upload* exporter is a thread that starts halfway and is far too slow. It loses
//!   spans, and counts exactly how many.
//!
//! A publish never waits for an exporter. Each span also carries how long the publish before it
//! took, and the last table compares the time before and after the slow exporter started.

mod export;
mod traced;
mod work;

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use seqcast::RingStats;
use tokio::runtime::Builder;

use crate::traced::{Span, Traced};

/// More than the tasks publish in one period of the table.
const CAPACITY: usize = 8 * 1024;
/// How long the runtime runs without the slow exporter, and then with it.
const PHASE: Duration = Duration::from_millis(1500);

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (publisher, table) = seqcast::inline::<Span>(CAPACITY);
    let ring = publisher.ring();
    table.set_name("table");

    let started = Instant::now();
    let spans = publisher.share();
    for _ in 0..64 {
        runtime.spawn(Traced::new("request", spans.clone(), work::requests(started + 2 * PHASE)));
    }
    for _ in 0..2 {
        runtime.spawn(Traced::new("report", spans.clone(), work::reports(started + 2 * PHASE)));
    }
    // The tasks have the other publishers. The ring closes when the last task has ended.
    drop(spans);

    let exporter = runtime.spawn(export::table(table, runtime.metrics(), started));
    thread::sleep(PHASE);
    let upload = ring.subscribe();
    upload.set_name("upload");
    let upload = thread::spawn(|| export::upload(upload));

    let (table, summary) = runtime.block_on(exporter)?;
    let upload = upload.join().map_err(|_| "the slow exporter panicked")?;
    summary.print();

    // The exporters still have their subscribers, so the ring's statistics have them, too.
    let RingStats { published, skipped, subscribers, .. } = ring.stats();
    println!("\nring: {published} spans published, {skipped} holes, capacity {CAPACITY}");
    println!("{:<9}{:>9} + {:>8} + {:>6} = next - start", "exporter", "received", "missed", "holes");
    for exporter in &subscribers {
        let name = exporter.name.as_deref().unwrap_or_default();
        let [received, missed, holes] = [exporter.received, exporter.missed, exporter.holes];
        let start = if name == "table" { table.start_sequence() } else { upload.start_sequence() };
        let sequences = exporter.next_sequence - start;
        println!("{name:<9}{received:>9} + {missed:>8} + {holes:>6} = {sequences:>12}");
        assert_eq!(received + missed + holes, sequences, "the account of `{name}` does not balance");
        assert_eq!(exporter.next_sequence, published + skipped, "`{name}` did not read to the end");
    }
    assert_eq!(subscribers.len(), 2);
    assert!(upload.missed() > 0, "the slow exporter kept up");
    assert!(summary.publish_with_upload() < export::UPLOAD, "publishers waited for the slow exporter");
    Ok(())
}
