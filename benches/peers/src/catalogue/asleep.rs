//! Readers that sleep: tasks and threads.

use super::{Size, workload};
use crate::peer::Peer;
use crate::peers::{AsyncBroadcast, Bare, Bus, Conditional, Crossbeam, Driven, Exclusive, Many, Tokio};
use crate::rows::{Figures, Run, Workload};
use crate::workloads::{Place, parked, sleepers, tasks};

const BURSTS: &[(&str, &str)] = &[("", "ns a delivery"), (": 99 % within", "us")];

pub fn asleep(size: Size) -> Vec<Workload> {
    let deliveries = size.of(200_000);
    let workers = size.workers;
    let mut all = Vec::new();
    for (from, place) in [(Place::Task, "task"), (Place::Thread, "thread")] {
        for count in [10, 100, 1000] {
            let runs = runs!(
                tasks(workers, from, count, 16, deliveries),
                Exclusive,
                Many as "publish_many",
                Driven as "driver",
                Tokio,
                AsyncBroadcast,
                Bare
            );
            all.push(workload(format!("{count} tasks, bursts of 16 from a {place}"), BURSTS, runs));
        }
        let runs = runs!(tasks(workers, from, 1000, 1, deliveries), Exclusive, Driven as "driver", Tokio, AsyncBroadcast, Bare);
        all.push(workload(format!("1000 tasks, one message at a time from a {place}"), BURSTS, runs));
    }
    let rounds = if size.quick { 5 } else { 200 };
    let runs = runs!(sleepers(workers, 10_000, rounds), Exclusive, Driven as "driver", Tokio, AsyncBroadcast, Bare,);
    let measures = &[(": p50", "us"), (": p99", "us"), (": p50 until all have it", "us")];
    all.push(workload("publish beside 10000 sleeping tasks", measures, runs));
    let rounds = if size.quick { 10 } else { 50 };
    let runs = runs!(
        parked(16, rounds),
        Exclusive,
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
