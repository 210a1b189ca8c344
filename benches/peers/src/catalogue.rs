//! All workloads, and the peers that run them. A peer that lacks what a workload needs does not run it.

use std::sync::Arc;

use crate::column::Column;
use crate::limits;
use crate::peer::Peer;
use crate::peers::{
    AsyncBroadcast, AsyncBroadcastLossless, Borrowed, Bus, Crossbeam, Disruptor, DisruptorShared, DropIn, Exclusive,
    Gated, GatedBoxed, GatedMany, GatedShared, Phases, Photon, PhotonBounded, PhotonShared, Ringcast, Shared,
    SharedMany, Tokio, Yring,
};
use crate::rows::{BYTES, Figures, Picture, Point, Run, Workload};
use crate::workloads::{
    batches, bytes_a_slot, idle, lagged, lossless, lossless_parked, lossless_publishers, lossless_tasks, overtaken,
    published_in_batches, publishers, round_trip, same_thread, streaming, unpaced,
};

/// The sizes of all workloads.
#[derive(Clone, Copy)]
pub struct Size {
    pub quick: bool,
    /// The most readers with a thread each.
    pub readers: u64,
    /// Threads that tasks run on.
    pub workers: usize,
}

impl Size {
    fn of(self, messages: u64) -> u64 {
        if self.quick { messages / 20 } else { messages }
    }
}

/// `$workload` with these arguments, on each of the peers; a label distinguishes variants of one
/// peer. `$workload[N](…)` has the constant `N` as well.
macro_rules! runs {
    ($workload:ident ($($argument:tt)*), $($peers:tt)+) => {
        runs!(@ $workload () ($($argument)*), $($peers)+)
    };
    ($workload:ident [$constant:tt] ($($argument:tt)*), $($peers:tt)+) => {
        runs!(@ $workload (, $constant) ($($argument)*), $($peers)+)
    };
    (@ $workload:ident $constants:tt $arguments:tt, $($peer:ty $(as $label:literal)?),+ $(,)?) => {
        vec![$(Run {
            column: <$peer>::COLUMN,
            label: concat!($($label)?),
            go: Box::new(move || runs!(call $workload $constants $arguments, $peer).figures()),
        }),+]
    };
    (call $workload:ident ($($constant:tt)*) $arguments:tt, $peer:ty) => {
        $workload::<$peer $($constant)*> $arguments
    };
}

// After the macro, which they use.
mod asleep;
mod messages;

use asleep::asleep;
use messages::{payloads, texts};

/// Slots of the rings whose memory is counted.
const CAPACITY: u64 = 65_536;
const NS_MESSAGE: &[(&str, &str)] = &[("", "ns/message")];
const NS_DELIVERY: &[(&str, &str)] = &[("", "ns/delivery")];

fn workload(name: impl Into<String>, measures: &'static [(&'static str, &'static str)], runs: Vec<Run>) -> Workload {
    Workload { name: name.into(), measures, runs, point: None }
}

impl Workload {
    #[allow(clippy::cast_precision_loss)]
    fn at(mut self, picture: Picture, at: u64) -> Self {
        self.point = Some(Point { picture, at: at as f64 });
        self
    }

    /// Beside the bare machine.
    fn limit(mut self, label: &'static str, go: impl Fn() -> f64 + 'static) -> Self {
        self.runs.push(Run { column: Column::Machine, label, go: Box::new(move || vec![go()]) });
        self
    }
}

pub fn workloads(size: Size) -> Vec<Workload> {
    let mut all = one_publisher(size);
    all.extend(many_publishers(size));
    all.extend(on_one_thread(size));
    all.extend(asleep(size));
    all.extend(waited_for(size));
    all.extend(unread(size));
    all.extend(lossy(size));
    all.extend(texts(size));
    all.extend(payloads(size));
    all.extend(memory());
    all
}

fn one_publisher(size: Size) -> Vec<Workload> {
    let mut all = Vec::new();
    for readers in [1, 2, 4, 8, 15].into_iter().filter(|&readers| readers == 1 || readers <= size.readers) {
        let messages = size.of(2_000_000 / readers);
        let mut runs = runs!(
            streaming(readers, messages),
            Exclusive,
            Photon,
            Ringcast,
            DropIn,
            Tokio,
            AsyncBroadcast,
            Bus,
            Disruptor,
            Crossbeam
        );
        if readers == 1 {
            runs.extend(runs!(streaming(readers, messages), Yring));
        }
        let name = format!("streaming, exclusive, 1 to {readers}");
        let workload = workload(name, NS_MESSAGE, runs).at(Picture::Readers, readers);
        all.push(match readers {
            1 => workload.limit("", move || limits::streaming(messages)),
            _ => workload,
        });
    }
    for readers in [1, 4].into_iter().filter(|&readers| readers == 1 || readers <= size.readers) {
        let messages = size.of(4_000_000 / readers);
        let mut runs = runs!(batches[64](readers, messages), Exclusive, Photon, Ringcast, Disruptor);
        if readers == 1 {
            runs.extend(runs!(batches[64](readers, messages), Yring));
        }
        let workload = workload(format!("batches of 64, 1 to {readers}"), NS_MESSAGE, runs);
        all.push(match readers {
            1 => workload.limit("", move || limits::streaming(messages)),
            _ => workload,
        });
    }
    let trips = size.of(100_000);
    let runs = runs!(
        round_trip(trips),
        Exclusive,
        Photon,
        Ringcast,
        DropIn,
        Tokio,
        AsyncBroadcast,
        Bus,
        Disruptor,
        Yring,
        Crossbeam
    );
    let round_trip = workload("round trip, polled", &[("", "ns")], runs);
    all.push(round_trip.limit("", move || limits::round_trip(trips)));
    all
}

fn many_publishers(size: Size) -> Vec<Workload> {
    let messages = size.of(1_000_000);
    let runs =
        runs!(streaming(1, messages), Shared, PhotonShared, DropIn, Tokio, AsyncBroadcast, DisruptorShared, Crossbeam);
    let single = workload("streaming, shared, 1 to 1", NS_MESSAGE, runs).at(Picture::Publishers, 1);
    let mut all =
        vec![single.limit("", move || limits::streaming(messages)).limit("counted", move || limits::counted(messages))];
    let runs = runs!(
        published_in_batches[16](1, messages),
        SharedMany,
        Shared as "one at a time",
        Phases as "exclusive",
        PhotonShared,
        DropIn,
        Tokio,
        AsyncBroadcast,
        DisruptorShared,
        Crossbeam
    );
    let batches = workload("streaming, shared, 1 to 1, batches of 16", NS_MESSAGE, runs)
        .limit("", move || limits::streaming(messages))
        .limit("counted", move || limits::counted_in_batches(messages, 16));
    all.push(batches);
    let messages = size.of(400_000);
    for count in [2, 4, 8, 16] {
        let runs = runs!(
            publishers(count, messages),
            Shared,
            PhotonShared,
            DropIn,
            Tokio,
            AsyncBroadcast,
            DisruptorShared,
            Crossbeam
        );
        let name = format!("streaming, {count} publishers to 1");
        all.push(workload(name, NS_MESSAGE, runs).at(Picture::Publishers, count));
    }
    let batches = size.of(1_000);
    let measures = &[("", "ns/message"), (": slowest batch of 64", "us"), (": 99.9 % of batches within", "us")];
    let runs = runs!(unpaced(16, batches), Shared, PhotonShared, DropIn, Tokio, AsyncBroadcast);
    all.push(workload("16 publishers, unpaced, lossy", measures, runs));
    all
}

fn on_one_thread(size: Size) -> Vec<Workload> {
    let deliveries = size.of(1_000_000);
    let row = |readers| {
        let mut runs = runs!(
            same_thread(1024, readers, deliveries),
            Exclusive,
            Photon,
            Ringcast,
            DropIn,
            Tokio,
            AsyncBroadcast,
            Bus,
            Disruptor,
            Crossbeam
        );
        if readers == 1 {
            runs.extend(runs!(same_thread(1024, readers, deliveries), Yring));
        }
        let name = format!("same thread, N = {readers}");
        workload(name, NS_DELIVERY, runs).at(Picture::SameThread, readers)
    };
    [1, 4, 32, 128, 1024].map(row).into()
}

/// Rings that make publishers wait for the slowest reader.
fn waited_for(size: Size) -> Vec<Workload> {
    let mut all = Vec::new();
    for readers in [1, 2] {
        let messages = size.of(2_000_000 / readers);
        let mut runs = runs!(
            lossless(readers, messages),
            Gated,
            GatedMany as "try_recv_many",
            GatedBoxed as "boxed",
            PhotonBounded,
            AsyncBroadcastLossless,
            Bus,
            Disruptor,
            Crossbeam
        );
        if readers == 1 {
            runs.extend(runs!(lossless(readers, messages), Yring));
        }
        all.push(workload(format!("lossless, 1 to {readers}"), NS_MESSAGE, runs));
    }
    for readers in [1, 2] {
        let messages = size.of(400_000 / readers);
        let runs = runs!(
            lossless_publishers(4, readers, messages),
            GatedShared,
            AsyncBroadcastLossless,
            DisruptorShared,
            Crossbeam
        );
        all.push(workload(format!("lossless-publishers, 4 to {readers}"), NS_MESSAGE, runs));
    }
    let messages = size.of(100_000);
    let runs = runs!(lossless_parked(16, messages), Gated, AsyncBroadcastLossless, Bus, Crossbeam);
    all.push(workload("lossless-parked, 1 to 16", NS_MESSAGE, runs));
    let (workers, messages) = (size.workers, size.of(400_000));
    let runs = runs!(lossless_tasks(workers, 100, 4, messages), GatedShared, AsyncBroadcastLossless);
    all.push(workload("lossless-tasks, 100 to 4", NS_MESSAGE, runs));
    all
}

fn unread(size: Size) -> Vec<Workload> {
    let messages = size.of(1_000_000);
    let measures = &[("", "ns/publish")];
    // Without a reader tokio and async-broadcast refuse the message.
    let mut all =
        vec![workload("publish beside 0 idle, lossy", measures, runs!(idle(0, messages), Exclusive, Photon, Ringcast))];
    for count in [1, 1_000, 10_000] {
        let runs = runs!(idle(count, messages), Exclusive, Photon, Ringcast, DropIn, Tokio, AsyncBroadcast);
        all.push(workload(format!("publish beside {count} idle, lossy"), measures, runs));
    }
    let texts = runs!(idle(0, messages), Borrowed<String>);
    all.push(workload("texts, publish beside 0 idle, lossy", measures, texts));
    for count in [1, 1_000, 10_000] {
        let runs = runs!(
            idle(count, messages),
            Borrowed<String>,
            DropIn<String> as "String",
            Tokio<String> as "String",
            DropIn<Arc<str>> as "Arc",
            Tokio<Arc<str>> as "Arc"
        );
        all.push(workload(format!("texts, publish beside {count} idle, lossy"), measures, runs));
    }
    all
}

/// seqcast alone.
fn lossy(size: Size) -> Vec<Workload> {
    let ours = |name: &str, measures, go: Box<dyn Fn() -> Vec<f64>>| {
        workload(name, measures, vec![Run { column: Column::Seqcast, label: "", go }])
    };
    let (rounds, messages) = (size.of(10_000), size.of(4_000_000));
    let receive = &[(" finds its message", "ns"), (" reports a loss", "ns")];
    let reader = &[(": received of a million", "messages"), (": 99 % of gaps within", "us")];
    vec![
        ours("a receive", receive, Box::new(move || lagged(rounds).figures())),
        ours("reader overtaken", reader, Box::new(move || overtaken(0, messages).figures())),
        ours("reader overtaken, lag_slack 192", reader, Box::new(move || overtaken(192, messages).figures())),
    ]
}

fn memory() -> Vec<Workload> {
    let measures = &[("", BYTES)];
    let numbers = runs!(
        bytes_a_slot(CAPACITY),
        Exclusive,
        Photon,
        DropIn,
        Tokio,
        AsyncBroadcast,
        Bus,
        Disruptor,
        Yring,
        Crossbeam
    );
    let texts = runs!(
        bytes_a_slot(CAPACITY),
        Borrowed<String>,
        DropIn<String> as "String",
        Tokio<String> as "String",
        DropIn<Arc<str>> as "Arc",
        Tokio<Arc<str>> as "Arc"
    );
    vec![
        workload("memory, 65536 numbers, 1 reader", measures, numbers),
        workload("memory, 65536 texts of 64 bytes, 1 reader", measures, texts),
    ]
}
