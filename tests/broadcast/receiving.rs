//! `Receiver::recv` and `Receiver::try_recv`: what each returns.

use super::broadcast::channel;
use super::broadcast::error::{RecvError, TryRecvError};
use crate::common::block_on;
use crate::common::wakers::now;

#[test]
fn try_recv_has_a_case_for_each_state() {
    let (tx, mut rx) = channel(2);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    tx.send(0).unwrap();
    assert_eq!(rx.try_recv(), Ok(0));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    for value in 1..4 {
        tx.send(value).unwrap();
    }
    assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(1)));
    drop(tx);
    assert_eq!(rx.try_recv(), Ok(2));
    assert_eq!(rx.try_recv(), Ok(3));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn recv_has_a_case_for_each_state_but_waits_when_empty() {
    let (tx, mut rx) = channel(2);
    assert_eq!(now(rx.recv()), None);
    tx.send(0).unwrap();
    assert_eq!(now(rx.recv()), Some(Ok(0)));
    assert_eq!(now(rx.recv()), None);
    for value in 1..4 {
        tx.send(value).unwrap();
    }
    assert_eq!(now(rx.recv()), Some(Err(RecvError::Lagged(1))));
    drop(tx);
    assert_eq!(now(rx.recv()), Some(Ok(2)));
    assert_eq!(now(rx.recv()), Some(Ok(3)));
    assert_eq!(now(rx.recv()), Some(Err(RecvError::Closed)));
}

#[test]
fn data_may_come_after_empty() {
    let (tx, mut rx) = channel(1);
    for value in 0..100 {
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        tx.send(value).unwrap();
        assert_eq!(rx.try_recv(), Ok(value));
    }
}

#[test]
fn the_ways_of_receiving_share_one_cursor() {
    let (tx, mut rx) = channel(8);
    for value in 0..6 {
        tx.send(value).unwrap();
    }
    for value in [0, 3] {
        assert_eq!(rx.try_recv(), Ok(value));
        assert_eq!(now(rx.recv()), Some(Ok(value + 1)));
        assert_eq!(rx.blocking_recv(), Ok(value + 2));
    }
}

#[test]
fn a_receiver_can_be_moved_between_receives() {
    let (tx, mut rx) = channel(8);
    tx.send(1).unwrap();
    tx.send(2).unwrap();
    assert_eq!(now(rx.recv()), Some(Ok(1)));
    let rx = Box::new(rx);
    let got = std::thread::spawn(move || block_on({ rx }.recv())).join().unwrap();
    assert_eq!(got, Ok(2));
}

#[test]
fn values_of_any_size_are_received_whole() {
    let (tx, mut rx) = channel(2);
    tx.send(()).unwrap();
    assert_eq!(rx.try_recv(), Ok(()));
    let (tx, mut rx) = channel(2);
    let large: [u64; 300] = std::array::from_fn(|at| at as u64 * 7);
    tx.send(large).unwrap();
    assert_eq!(rx.try_recv(), Ok(large));
    let (tx, mut rx) = channel(2);
    tx.send(vec!["text".to_owned(); 3]).unwrap();
    assert_eq!(rx.try_recv().unwrap(), ["text"; 3]);
}

#[tokio::test]
async fn recv_waits_for_a_task_that_sends() {
    let (tx, mut rx) = channel(4);
    let reader = tokio::spawn(async move {
        let mut received = vec![];
        loop {
            match rx.recv().await {
                Ok(value) => received.push(value),
                Err(error) => return (received, error),
            }
        }
    });
    for value in 0..20 {
        tx.send(value).unwrap();
        tokio::task::yield_now().await;
    }
    drop(tx);
    assert_eq!(reader.await.unwrap(), ((0..20).collect(), RecvError::Closed));
}
