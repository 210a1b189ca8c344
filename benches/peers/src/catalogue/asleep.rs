//! Readers that sleep: tasks and threads.

use super::{Size, workload};
use crate::peer::Peer;
use crate::peers::{
    AsyncBroadcast, Bare, Bus, Conditional, Crossbeam, Driven, DropIn, DropInDriven, Exclusive, Many, Tokio,
};
use crate::rows::{Figures, Run, Workload};
use crate::workloads::{Place, contention, parked, sleepers, tasks};

const BURSTS: &[(&str, &str)] = &[("", "ns/delivery"), (": 99 % within", "us")];
const CONTENTION: &[(&str, &str)] = &[("", "ns/delivery"), (": p50 of a message", "us"), (": p99 of a message", "us")];
const PLACES: [(Place, &str); 2] = [(Place::Task, "task"), (Place::Thread, "thread")];

/// `$workload` with these arguments, on each peer with an async receive. More peers may follow.
macro_rules! awaited {
    ($workload:ident $arguments:tt $(, $peer:ident as $label:literal)*) => {
        runs!(
            $workload $arguments,
            Exclusive,
            $($peer as $label,)*
            Driven as "driver",
            DropIn,
            DropInDriven as "driver",
            Tokio,
            AsyncBroadcast,
            Bare
        )
    };
}

pub fn asleep(size: Size) -> Vec<Workload> {
    let deliveries = size.of(200_000);
    let workers = size.workers;
    let mut all = Vec::new();
    for (from, place) in PLACES {
        for count in [10, 100, 1000] {
            let runs = awaited!(tasks(workers, from, count, 16, deliveries), Many as "publish_many");
            all.push(workload(format!("{count} tasks, bursts of 16 from a {place}"), BURSTS, runs));
        }
        let runs = awaited!(tasks(workers, from, 1000, 1, deliveries));
        all.push(workload(format!("1000 tasks, one message at a time from a {place}"), BURSTS, runs));
    }
    all.extend(working(size));
    let rounds = if size.quick { 5 } else { 200 };
    let runs = awaited!(sleepers(workers, 10_000, rounds));
    let measures = &[(": p50", "us"), (": p99", "us"), (": p50 until all have it", "us")];
    all.push(workload("publish beside 10000 sleeping tasks", measures, runs));
    let rounds = if size.quick { 10 } else { 50 };
    let runs = runs!(
        parked(16, rounds),
        Exclusive,
        DropIn,
        Tokio,
        AsyncBroadcast,
        Bus,
        Crossbeam,
        Conditional as "condvar"
    );
    let measures = &[("", "us"), (": slowest", "us")];
    all.push(workload("16 parked threads, until all have it", measures, runs));
    all
}

/// Tasks that work before they answer.
fn working(size: Size) -> Vec<Workload> {
    let deliveries = size.of(100_000);
    let workers = size.workers;
    let row = |(from, place), count| {
        let runs = awaited!(contention(workers, from, count, deliveries));
        workload(format!("contention, {count} tasks, from a {place}"), CONTENTION, runs)
    };
    PLACES.into_iter().flat_map(|place| [10, 100, 500, 1000].map(|count| row(place, count))).collect()
}
