//! A task whose receiver always has a value yields to other tasks.

use super::broadcast::channel;
use super::broadcast::error::RecvError;
use super::stream;
use futures::StreamExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const THERE: usize = 1 << 12;

/// Spawns a task that sets a flag. It runs when the current task yields.
fn other_task() -> Arc<AtomicBool> {
    let ran = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ran);
    tokio::spawn(async move { flag.store(true, Ordering::Relaxed) });
    ran
}

#[tokio::test]
async fn recv_yields_now_and_then() {
    let (tx, mut rx) = channel(THERE);
    for value in 0..THERE {
        tx.send(value).unwrap();
    }
    let ran = other_task();
    let mut before = 0;
    for value in 0..THERE {
        assert_eq!(rx.recv().await, Ok(value), "a yield lost a value");
        before += usize::from(!ran.load(Ordering::Relaxed));
    }
    assert!(before < THERE, "the task did not yield before the last value");
}

#[tokio::test]
async fn lags_yield_now_and_then() {
    let (tx, mut rx) = channel(1);
    let ran = other_task();
    for round in 0.. {
        tx.send(round).unwrap();
        tx.send(round).unwrap();
        if round > 0 {
            tx.send(round).unwrap();
        }
        assert!(matches!(rx.recv().await, Err(RecvError::Lagged(_))));
        if ran.load(Ordering::Relaxed) {
            break;
        }
        assert!(round < THERE, "the task did not yield");
    }
}

#[tokio::test]
async fn a_stream_yields_now_and_then() {
    let (tx, rx) = channel(THERE);
    for value in 0..THERE {
        tx.send(value).unwrap();
    }
    let mut stream = stream(rx);
    let ran = other_task();
    let mut before = 0;
    for value in 0..THERE {
        assert_eq!(stream.next().await, Some(Ok(value)), "a yield lost a value");
        before += usize::from(!ran.load(Ordering::Relaxed));
    }
    assert!(before < THERE, "the task did not yield before the last value");
}
