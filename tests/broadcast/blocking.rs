//! `Receiver::blocking_recv`, which waits on a thread.

use super::broadcast::channel;
use super::broadcast::error::RecvError;
use std::thread;

#[test]
fn it_returns_a_value_that_is_there() {
    let (tx, mut rx) = channel(4);
    tx.send(1).unwrap();
    tx.send(2).unwrap();
    assert_eq!(rx.blocking_recv(), Ok(1));
    assert_eq!(rx.blocking_recv(), Ok(2));
}

#[test]
fn it_reports_a_lag_and_the_close() {
    let (tx, mut rx) = channel(2);
    for value in 0..3 {
        tx.send(value).unwrap();
    }
    drop(tx);
    assert_eq!(rx.blocking_recv(), Err(RecvError::Lagged(1)));
    assert_eq!(rx.blocking_recv(), Ok(1));
    assert_eq!(rx.blocking_recv(), Ok(2));
    assert_eq!(rx.blocking_recv(), Err(RecvError::Closed));
}

#[test]
fn it_waits_for_a_send() {
    // Each side waits for every value. A lost wake-up would hang the test.
    let (there, mut far) = channel(4);
    let (back, mut near) = channel(4);
    let echo = thread::spawn(move || {
        while let Ok(value) = far.blocking_recv() {
            back.send(value).unwrap();
        }
    });
    for round in 0..2_000 {
        there.send(round).unwrap();
        assert_eq!(near.blocking_recv(), Ok(round));
    }
    drop(there);
    assert_eq!(near.blocking_recv(), Err(RecvError::Closed));
    echo.join().unwrap();
}

#[test]
fn it_waits_for_the_close() {
    for _ in 0..100 {
        let (tx, first) = channel::<u8>(4);
        let readers: Vec<_> =
            [first, tx.subscribe()].into_iter().map(|mut rx| thread::spawn(move || rx.blocking_recv())).collect();
        drop(tx);
        for reader in readers {
            assert_eq!(reader.join().unwrap(), Err(RecvError::Closed));
        }
    }
}

#[tokio::test]
async fn it_waits_for_a_task() {
    let (tx, mut rx) = channel(4);
    let reader = tokio::task::spawn_blocking(move || [rx.blocking_recv(), rx.blocking_recv()]);
    tx.send(1).unwrap();
    tokio::task::yield_now().await;
    drop(tx);
    assert_eq!(reader.await.unwrap(), [Ok(1), Err(RecvError::Closed)]);
}
