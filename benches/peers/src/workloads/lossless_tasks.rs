use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Builder;
use tokio::sync::Barrier;

use super::{LOSSLESS_SLOTS, Turns, size};
use crate::peer::AsyncLossless;
use crate::statistics::nanoseconds;

/// Nanoseconds per message from `count` publishing tasks to `readers` reading tasks, all on `workers`
/// threads. A publisher sleeps while there is no room.
pub fn lossless_tasks<P: AsyncLossless>(workers: usize, count: u64, readers: u64, messages: u64) -> f64 {
    let runtime = Builder::new_multi_thread().worker_threads(workers).build().expect("a runtime");
    let (tx, rxs) = P::ring(LOSSLESS_SLOTS, size(readers));
    let each = messages / count;
    let ids = count.next_power_of_two();
    let start = Arc::new(Barrier::new(size(count + readers)));
    let read = |mut rx: P::Rx| {
        let start = Arc::clone(&start);
        runtime.spawn(async move {
            let mut turns = Turns::new::<P>(ids);
            start.wait().await;
            for _ in 0..each * count {
                turns.check::<P>(P::next(&mut rx).await);
            }
            (Instant::now(), rx)
        })
    };
    let publish = |id| {
        let (mut tx, start) = (tx.clone(), Arc::clone(&start));
        runtime.spawn(async move {
            start.wait().await;
            let began = Instant::now();
            for turn in 0..each {
                P::send(&mut tx, turn * ids + id).await;
            }
            began
        })
    };
    let readers: Vec<_> = rxs.into_iter().map(read).collect();
    let publishers: Vec<_> = (0..count).map(publish).collect();
    runtime.block_on(async {
        // Each thread reads the clock itself: this thread may run long after they have started.
        let (mut began, mut ended) = (Vec::new(), Vec::new());
        for publisher in publishers {
            began.push(publisher.await.expect("it has published all"));
        }
        for reader in readers {
            let (at, mut rx) = reader.await.expect("all in order");
            assert_eq!(P::poll(&mut rx), None, "it has had every message once");
            ended.push(at);
        }
        let took = *ended.iter().max().expect("a reader") - *began.iter().min().expect("a publisher");
        nanoseconds(took, each * count)
    })
}
