//! Many senders and receivers in parallel.

use super::broadcast::error::{RecvError, TryRecvError};
use super::broadcast::{Receiver, Sender, channel};
use super::{missed_beyond_sent, stream};
use crate::common::{block_on, sign, verify};
use futures::StreamExt;
use std::sync::Arc;
use std::thread;

type Signed = [u64; 3];

/// Receives until the end in one of four ways. Returns how many values it received, and how many it
/// missed.
fn read(mut rx: Receiver<Signed>, path: usize, senders: usize) -> [u64; 2] {
    let mut last = vec![None; senders];
    let mut counts = [0; 2];
    let mut count = |got: Result<Signed, RecvError>| {
        match got {
            Ok(signed) => {
                let (sender, number) = verify(signed);
                let before = last[sender as usize].replace(number);
                assert!(before < Some(number), "values of one sender are out of order");
                counts[0] += 1;
            }
            Err(RecvError::Lagged(missed)) => {
                assert!(missed > 0);
                counts[1] += missed;
            }
            Err(RecvError::Closed) => return false,
        }
        true
    };
    match path % 4 {
        0 => while count(rx.blocking_recv()) {},
        1 => while count(block_on(rx.recv())) {},
        2 => loop {
            let got = match rx.try_recv() {
                Err(TryRecvError::Empty) => {
                    thread::yield_now();
                    continue;
                }
                Err(TryRecvError::Lagged(missed)) => Err(RecvError::Lagged(missed)),
                Err(TryRecvError::Closed) => Err(RecvError::Closed),
                Ok(signed) => Ok(signed),
            };
            if !count(got) {
                break;
            }
        },
        _ => {
            for got in futures::executor::block_on_stream(stream(rx)) {
                count(got.map_err(RecvError::Lagged));
            }
        }
    }
    counts
}

fn stress(capacity: usize, senders: usize, receivers: usize, messages: u64) {
    let (tx, first) = channel(capacity);
    let readers: Vec<_> = (1..receivers)
        .map(|_| tx.subscribe())
        .chain([first])
        .enumerate()
        .map(|(path, rx)| thread::spawn(move || read(rx, path, senders)))
        .collect();
    let writers: Vec<_> = (0..senders)
        .map(|id| {
            let tx = tx.clone();
            thread::spawn(move || {
                for number in 0..messages {
                    assert_eq!(tx.send(sign(id as u64, number)).unwrap(), receivers);
                    if number % 64 == 0 {
                        thread::yield_now();
                    }
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    let (sent, more) = (senders as u64 * messages, missed_beyond_sent(&tx));
    drop(tx);
    for reader in readers {
        let [received, missed] = reader.join().unwrap();
        let sum = received + missed;
        assert!(
            (sent..=sent + more).contains(&sum),
            "{received} received, {missed} missed, with up to {more} abandoned sequences"
        );
    }
}

#[test]
fn received_and_missed_add_up_with_one_sender() {
    stress(16, 1, 4, 20_000);
    stress(1, 1, 4, 5_000);
}

#[test]
fn received_and_missed_add_up_with_several_senders() {
    stress(16, 3, 4, 10_000);
    stress(1, 2, 2, 5_000);
    stress(1024, 4, 8, 2_000);
}

#[test]
fn a_channel_that_is_large_enough_loses_nothing() {
    let (tx, mut first) = channel(4 * 1_000);
    let mut second = tx.subscribe();
    let writers: Vec<_> = (0..4)
        .map(|id| {
            let tx = tx.clone();
            thread::spawn(move || {
                for number in 0..1_000 {
                    assert_eq!(tx.send(sign(id, number)).unwrap(), 2);
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    assert_eq!((tx.len(), first.len()), (4_000, 4_000));
    for _ in 0..4_000 {
        let signed = first.try_recv().unwrap();
        verify(signed);
        assert_eq!(second.try_recv(), Ok(signed), "both receivers must get the same order");
    }
    assert!(tx.is_empty());
}

#[test]
fn a_receiver_that_never_reads_counts_what_several_senders_send() {
    let (tx, mut rx) = channel(8);
    let writers: Vec<_> = (0..4)
        .map(|id| {
            let tx = tx.clone();
            thread::spawn(move || {
                for number in 0..5_000 {
                    tx.send(sign(id, number)).unwrap();
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    let counts = 20_000..=20_000 + missed_beyond_sent(&tx);
    assert!(counts.contains(&(rx.len() as u64)), "a length of {}, expected one of {counts:?}", rx.len());
    let Err(TryRecvError::Lagged(missed)) = rx.try_recv() else { panic!("expected a lag") };
    assert!(counts.contains(&(missed + 8)), "{missed} missed, expected one of {counts:?} minus 8");
    assert_eq!((rx.len(), tx.len()), (8, 8));
}

#[test]
fn receivers_that_come_and_go_get_what_is_sent_in_between() {
    let (tx, keeps) = channel(64);
    let tx = Arc::new(tx);
    let comers: Vec<_> = (0..3)
        .map(|_| {
            let tx = Arc::clone(&tx);
            thread::spawn(move || {
                for _ in 0..500 {
                    let mut rx = tx.subscribe();
                    assert!(tx.receiver_count() >= 2);
                    // Values of one sender, consecutive except after a loss.
                    let mut next: Option<u64> = None;
                    for _ in 0..3 {
                        match rx.try_recv() {
                            Ok(value) => {
                                assert!(next.is_none_or(|next| next == value));
                                next = Some(value + 1);
                            }
                            Err(TryRecvError::Lagged(missed)) => next = next.map(|next| next + missed),
                            Err(TryRecvError::Empty) => thread::yield_now(),
                            Err(TryRecvError::Closed) => unreachable!("this thread has a sender"),
                        }
                    }
                }
            })
        })
        .collect();
    for value in 0..20_000 {
        assert!((1..=4).contains(&tx.send(value).unwrap()));
    }
    comers.into_iter().for_each(|comer| comer.join().unwrap());
    assert_eq!(tx.receiver_count(), 1);
    drop(keeps);
    assert_eq!((tx.receiver_count(), tx.len()), (0, 0));
}

#[test]
fn closed_completes_on_another_thread() {
    for round in 0..500 {
        let (tx, first) = channel::<u64>(4);
        let receivers = [first, tx.subscribe()];
        let waits: Vec<_> = (0..2)
            .map(|_| {
                let tx = tx.clone();
                thread::spawn(move || block_on(tx.closed()))
            })
            .collect();
        if round % 2 == 0 {
            thread::yield_now();
        }
        for dropper in receivers.map(|rx| thread::spawn(move || drop(rx))) {
            dropper.join().unwrap();
        }
        waits.into_iter().for_each(|waits| waits.join().unwrap());
        assert_eq!(tx.receiver_count(), 0);
    }
}

#[test]
fn closed_follows_receivers_that_come_and_go() {
    let tx = Sender::<u64>::new(4);
    thread::scope(|scope| {
        let comers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        drop(tx.subscribe());
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            for _ in 0..2_000 {
                block_on(tx.closed());
            }
        });
        comers.into_iter().for_each(|comer| comer.join().unwrap());
    });
    block_on(tx.closed());
}

#[test]
fn an_upgrade_beside_the_last_drop_succeeds_or_fails_for_good() {
    for _ in 0..500 {
        let (tx, mut rx) = channel(4);
        let weak = tx.downgrade();
        let upgrades = thread::spawn(move || {
            let sent = weak.upgrade().map(|tx| tx.send(1).unwrap());
            assert!(weak.upgrade().is_none() || weak.strong_count() <= 1);
            sent
        });
        drop(tx);
        let sent = upgrades.join().unwrap();
        assert!(rx.is_closed());
        assert_eq!(rx.try_recv().ok(), sent);
        assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    }
}

#[test]
fn clones_and_drops_of_senders_on_many_threads_are_counted() {
    let (tx, rx) = channel::<u64>(4);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let tx = tx.clone();
            thread::spawn(move || {
                for _ in 0..1_000 {
                    let (clone, weak) = (tx.clone(), tx.downgrade());
                    assert!(clone.strong_count() >= 2 && weak.weak_count() >= 1);
                    assert!(weak.upgrade().is_some());
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!((tx.strong_count(), tx.weak_count()), (1, 0));
    drop(tx);
    assert!(rx.is_closed());
}

#[test]
fn a_value_waits_for_each_task_back_and_forth() {
    // Each side waits for every value. A lost wake-up would hang the test.
    let (there, mut far) = channel(1);
    let (back, mut near) = channel(1);
    let echo = thread::spawn(move || {
        for round in 0..5_000 {
            assert_eq!(block_on(far.recv()), Ok(round));
            back.send(round).unwrap();
        }
    });
    for round in 0..5_000 {
        there.send(round).unwrap();
        assert_eq!(block_on(near.recv()), Ok(round));
    }
    echo.join().unwrap();
}

#[test]
fn tasks_of_a_runtime_receive_everything() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let (tx, first) = channel(8);
        let readers: Vec<_> = (0..20)
            .map(|_| tx.subscribe())
            .chain([first])
            .enumerate()
            .map(|(at, mut rx)| {
                tokio::spawn(async move {
                    let mut sum = 0;
                    if at % 2 == 0 {
                        loop {
                            match rx.recv().await {
                                Ok(signed) => sum += u64::from(verify(signed).0 < 4),
                                Err(RecvError::Lagged(missed)) => sum += missed,
                                Err(RecvError::Closed) => return sum,
                            }
                        }
                    }
                    let mut stream = stream(rx);
                    while let Some(got) = stream.next().await {
                        sum += got.map_or_else(|missed| missed, |signed| u64::from(verify(signed).0 < 4));
                    }
                    sum
                })
            })
            .collect();
        let writers: Vec<_> = (0..4)
            .map(|id| {
                let tx = tx.clone();
                tokio::spawn(async move {
                    for number in 0..500 {
                        tx.send(sign(id, number)).unwrap();
                        if number % 10 == 0 {
                            tokio::task::yield_now().await;
                        }
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        let more = missed_beyond_sent(&tx);
        drop(tx);
        for reader in readers {
            let sum = reader.await.unwrap();
            assert!(
                (2_000..=2_000 + more).contains(&sum),
                "{sum} received or missed, with up to {more} abandoned sequences"
            );
        }
    });
}
