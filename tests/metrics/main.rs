//! Statistics as counters and gauges of the crate `metrics`.
#![cfg(not(any(loom, shuttle)))]
#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]

mod recorder;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fs, thread};

use metrics::with_local_recorder;
use recorder::{Forbidden, Kept};
use seqcast::{Builder, Inline, Publisher, Ring, Start, Subscriber};

fn record(kept: &Kept, ring: &Ring<Inline<u64>>, name: &str) {
    with_local_recorder(kept, || ring.stats().record_metrics(name));
}

/// A ring on which everything has happened but holes, and its live subscribers: one is gating, one is demoted.
fn eventful() -> (Publisher<Inline<u64>>, Vec<Subscriber<Inline<u64>>>) {
    let builder = Builder::new(4).gated().gate_deadline(Duration::from_millis(20));
    let (mut publisher, mut lossy) = builder.inline();
    let stuck = publisher.ring().subscribe_gating().unwrap();
    publisher.publish_many(0..7); // demotes `stuck`
    let mut gating = publisher.ring().subscribe_gating().unwrap();
    publisher.publish_many(7..10);
    assert_eq!(gating.try_iter().count(), 3);
    assert!(lossy.try_recv().unwrap_err().is_lagged());
    assert_eq!(lossy.latest(), Ok(9));
    // Gone, and counted all the same.
    let mut late = publisher.ring().subscribe_at(Start::Oldest);
    assert_eq!(late.try_iter().count(), 4);
    (publisher, vec![lossy, stuck, gating])
}

#[test]
fn each_metric_has_the_value_of_its_statistic() {
    let (publisher, subscribers) = eventful();
    let (ring, kept) = (publisher.ring(), Kept::default());
    let stats = ring.stats();
    record(&kept, &ring, "orders");
    let counters = [
        ("seqcast_published_total", 10),
        ("seqcast_skipped_total", 0),
        ("seqcast_received_total", 1 + 3 + 4),
        ("seqcast_missed_total", 6),
        ("seqcast_holes_total", 0),
        ("seqcast_skipped_by_choice_total", 3),
    ];
    let gauges = [
        ("seqcast_capacity", 4.0),
        ("seqcast_closed", 0.0),
        ("seqcast_subscribers", 3.0),
        ("seqcast_gating_subscribers", 1.0),
        ("seqcast_demoted_subscribers", 1.0),
        ("seqcast_max_lag", 10.0),
        ("seqcast_publishers_waited_seconds", stats.publishers_waited.as_secs_f64()),
    ];
    for (name, value) in counters {
        assert_eq!(kept.counter(name, "orders"), value, "{name}");
    }
    for (name, value) in gauges {
        assert_eq!(kept.gauge(name, "orders"), value, "{name}");
    }
    assert!(kept.gauge("seqcast_publishers_waited_seconds", "orders") >= 0.02);
    assert_eq!(kept.len(), counters.len() + gauges.len());

    // Gauges go down; counters stay where they are.
    drop(subscribers);
    publisher.close();
    record(&kept, &ring, "orders");
    for (name, value) in counters {
        assert_eq!(kept.counter(name, "orders"), value, "{name}");
    }
    for name in ["seqcast_subscribers", "seqcast_gating_subscribers", "seqcast_demoted_subscribers", "seqcast_max_lag"]
    {
        assert_eq!(kept.gauge(name, "orders"), 0.0, "{name}");
    }
    assert_eq!(kept.gauge("seqcast_closed", "orders"), 1.0);
}

#[test]
fn rings_are_told_apart_by_their_label() {
    let (mut first, _subscriber) = seqcast::inline::<u64>(4);
    let (second, _) = seqcast::inline::<u64>(8);
    first.publish(1);
    let kept = Kept::default();
    record(&kept, &first.ring(), "first");
    record(&kept, &second.ring(), "second");
    let of = |name| (kept.counter("seqcast_published_total", name), kept.gauge("seqcast_capacity", name));
    assert_eq!((of("first"), of("second")), ((1, 4.0), (0, 8.0)));
    assert_eq!(
        kept.labels(),
        BTreeSet::from(["ring"]),
        "as many labels as there are rings, whatever their subscribers"
    );
}

/// The table in the documentation names each metric, and each has a description.
#[test]
fn each_metric_is_documented_and_described() {
    let kept = Kept::default();
    record(&kept, &seqcast::inline(4).0.ring(), "ring");
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/metrics.rs")).unwrap();
    let rows = text.lines().filter_map(|line| line.trim().strip_prefix("/// | `")?.split('`').next());
    assert_eq!(rows.map(str::to_owned).collect::<BTreeSet<_>>(), kept.names());
    assert_eq!(kept.described(), kept.names());
}

/// While publishers, subscribers and two recording threads run.
#[test]
fn no_counter_ever_decreases() {
    let (publisher, subscriber) = seqcast::inline::<u64>(16);
    let (mut publisher, over, kept) = (publisher, AtomicBool::new(false), [Kept::default(), Kept::default()]);
    let ring = publisher.ring();
    thread::scope(|scope| {
        for kept in &kept {
            let (ring, over, subscriber) = (&ring, &over, &subscriber);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    record(kept, ring, "busy");
                }
            });
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let mut coming_and_going = subscriber.clone();
                    let _ = (coming_and_going.try_recv(), coming_and_going.latest());
                }
            });
        }
        for _ in 0..300 {
            publisher.publish_many(0..50);
            thread::yield_now();
        }
        over.store(true, Ordering::Relaxed);
    });
    drop(subscriber);
    record(&kept[0], &ring, "busy");
    let (stats, count) = (ring.stats(), |name| kept[0].counter(name, "busy"));
    assert_eq!(count("seqcast_published_total"), 15_000);
    assert_eq!(count("seqcast_received_total"), stats.totals.received);
    assert_eq!(count("seqcast_missed_total"), stats.totals.missed);
    assert_eq!(count("seqcast_skipped_by_choice_total"), stats.totals.skipped_by_choice);
}

#[test]
fn publishing_and_receiving_call_no_recorder() {
    with_local_recorder(&Forbidden, || {
        let (mut publisher, mut subscriber) = seqcast::boxed::<u64>(4);
        publisher.publish_many(0..9);
        assert!(subscriber.try_recv().unwrap_err().is_lagged());
        assert_eq!(subscriber.try_iter().count(), 4);
        assert_eq!(publisher.ring().stats().totals.missed, 5);
        drop(eventful());
    });
}
