//! What tokio does, and `seqcast::broadcast` does differently.

use super::broadcast::channel;
use crate::common::sign;
use futures::FutureExt;
use std::thread;

/// In seqcast it waits in an async context, too.
#[tokio::test]
async fn blocking_recv_panics_in_an_async_context() {
    let (tx, mut rx) = channel(4);
    tx.send(1).unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| rx.blocking_recv()));
    assert!(panicked.is_err());
    assert_eq!(rx.try_recv(), Ok(1));
}

/// In seqcast a future returns `Pending` from time to time to yield to other tasks, in every
/// executor. tokio's future only does so in tokio's runtime.
#[test]
fn a_value_that_is_there_is_received_at_the_first_poll() {
    let (tx, mut rx) = channel(1024);
    for value in 0..1024 {
        tx.send(value).unwrap();
    }
    for value in 0..1024 {
        assert_eq!(rx.recv().now_or_never(), Some(Ok(value)));
    }
}

/// In seqcast a value is received after those of senders that began before. A send does not wait
/// for such senders, which may be suspended.
#[test]
fn a_thread_can_receive_at_once_what_it_has_sent() {
    const MESSAGES: u64 = 20_000;
    // Large enough that no receiver lags.
    let (tx, _unread) = channel(4 * MESSAGES as usize);
    let threads: Vec<_> = (0..4)
        .map(|id| {
            let (tx, mut rx) = (tx.clone(), tx.subscribe());
            thread::spawn(move || {
                for number in 0..MESSAGES {
                    tx.send(sign(id, number)).unwrap();
                    while rx.try_recv().expect("the thread's own value must be in the channel") != sign(id, number) {}
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
