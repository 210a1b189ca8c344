//! The end of a ring, while some publish and some are parked. The drop of parked subscribers. The
//! change from an exclusive publisher to shared ones.

use std::sync::Arc;
use std::task::Context;

use seqcast::{Builder, RecvError};

use crate::common::wakers::Counter;
use crate::common::{Account, Carry, block_on, read_to_end, sign, thread, verify};
use crate::{Owning, Plain, explore};

/// Two threads close, two publish until they are refused, three receive to the end. Acknowledged
/// messages are received or counted.
fn close_race<S: Carry>() -> (u64, bool) {
    let (publisher, subscriber) = S::ring(Builder::new(4));
    let publisher = publisher.share();
    let ring = publisher.ring();
    let readers: Vec<_> = [0, 2, S::PATHS - 1]
        .into_iter()
        .map(|path| {
            let mut subscriber = subscriber.clone();
            thread::spawn(move || {
                let mut account = Account::new(&subscriber);
                read_to_end(&mut subscriber, path, &mut account, |_, message| {
                    verify(message);
                });
                account.received + account.missed + subscriber.holes()
            })
        })
        .collect();
    drop(subscriber);
    let writers: Vec<_> = (0..2)
        .map(|id| {
            let publisher = publisher.clone();
            thread::spawn(move || {
                (0..6).map_while(|number| publisher.publish(S::wrap(sign(id, number))).ok()).collect::<Vec<_>>()
            })
        })
        .collect();
    let closers: Vec<_> = (0..2)
        .map(|_| {
            let publisher = publisher.clone();
            thread::spawn(move || publisher.close())
        })
        .collect();
    drop(publisher);
    let winners = closers.into_iter().map(|closer| u8::from(closer.join().unwrap())).sum::<u8>();
    assert_eq!(winners, 1, "winners");
    let acknowledged: Vec<_> = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
    let end = ring.next_sequence();
    assert!(
        acknowledged.iter().all(|sequence| *sequence < end),
        "acknowledged {acknowledged:?}, although the end is {end}"
    );
    for reader in readers {
        assert_eq!(reader.join().unwrap(), end);
    }
    assert_eq!(ring.stats().published, acknowledged.len() as u64);
    (end, acknowledged.len() as u64 == end)
}

#[test]
fn closers_race_with_publishers() {
    for outcomes in [explore(4_000, close_race::<Plain>), explore(2_400, close_race::<Owning>)] {
        // The close comes before the first message, between messages, or too late.
        for reached in [(0, true), (5, true), (12, true)] {
            assert!(outcomes.contains(&reached), "{outcomes:?}");
        }
    }
}

/// Queued subscribers are dropped while others are parked before and after them on the list. All
/// others are woken.
fn dropped_while_parked<S: Carry>() -> [usize; 2] {
    let (publisher, subscriber) = S::ring(Builder::new(8));
    let publisher = publisher.share();
    let counters: Vec<_> = (0..3).map(|_| Counter::new()).collect();
    let leavers: Vec<_> = counters
        .iter()
        .map(|counter| {
            let (waker, mut subscriber) = (counter.waker(), subscriber.clone());
            thread::spawn(move || {
                let mut pending = 0;
                for _ in 0..2 {
                    pending += usize::from(subscriber.poll_recv(&mut Context::from_waker(&waker)).is_pending());
                }
                // The future drops its waker when it is dropped unfinished. The subscriber leaves
                // the list when it is dropped.
                let mut future = Box::pin(subscriber.recv_async());
                pending += usize::from(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
                drop(future);
                drop(subscriber);
                pending
            })
        })
        .collect();
    let sleepers: Vec<_> = (0..3)
        .map(|way| {
            let mut subscriber = subscriber.clone();
            thread::spawn(move || {
                let mut receive = || match way {
                    0 => block_on(subscriber.recv_async()),
                    _ => subscriber.recv(),
                };
                for number in 0..2 {
                    assert_eq!(receive().map(S::open).map(verify), Ok((0, number)));
                }
                assert!(matches!(receive(), Err(RecvError::Closed)));
            })
        })
        .collect();
    drop(subscriber);
    let writer = thread::spawn(move || (0..2).for_each(|number| drop(publisher.publish(S::wrap(sign(0, number))))));
    let pending: usize = leavers.into_iter().map(|leaver| leaver.join().unwrap()).sum();
    sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
    writer.join().unwrap();
    for counter in &counters {
        assert_eq!(Arc::strong_count(counter), 1, "the waker of a dropped subscriber was not dropped");
    }
    [usize::from(pending == 0), usize::from(pending > 6)]
}

#[test]
fn subscribers_are_dropped_while_parked() {
    for outcomes in [explore(6_000, dropped_while_parked::<Plain>), explore(3_200, dropped_while_parked::<Owning>)] {
        for reached in [[1, 0], [0, 0], [0, 1]] {
            assert!(outcomes.contains(&reached), "{outcomes:?}");
        }
    }
}

/// The exclusive publisher is shared. The handle that is the last one becomes exclusive again and
/// publishes. Three subscribers receive throughout.
fn handed_over<S: Carry>(capacity: usize) -> (u64, bool) {
    let (mut publisher, subscriber) = S::ring(Builder::new(capacity));
    let readers: Vec<_> = [0, 2, S::PATHS - 1]
        .into_iter()
        .map(|path| {
            let mut subscriber = subscriber.clone();
            thread::spawn(move || {
                let mut account = Account::new(&subscriber);
                let mut last = [None; 4];
                read_to_end(&mut subscriber, path, &mut account, |_, message| {
                    let (publisher, number) = verify(message);
                    let before = last[publisher as usize].replace(number);
                    assert!(before < Some(number), "messages of one publisher are out of order");
                });
                (account.received + account.missed + subscriber.holes(), account.missed > 0)
            })
        })
        .collect();
    drop(subscriber);
    for number in 0..2 {
        publisher.publish(S::wrap(sign(3, number)));
    }
    let publisher = publisher.share();
    let writers: Vec<_> = (0..3)
        .map(|id| {
            let publisher = publisher.clone();
            thread::spawn(move || {
                for number in 0..2 {
                    publisher.publish(S::wrap(sign(id, number))).ok().unwrap();
                }
                match publisher.try_into_exclusive() {
                    Ok(mut publisher) => {
                        publisher.publish(S::wrap(sign(id, 2)));
                        // Share it again, and back.
                        let publisher = publisher.share();
                        publisher.publish(S::wrap(sign(id, 3))).ok().unwrap();
                        publisher.try_into_exclusive().ok().unwrap().publish(S::wrap(sign(id, 4)));
                        1
                    }
                    Err(_) => 0,
                }
            })
        })
        .collect();
    let ring = publisher.ring();
    drop(publisher);
    let alone: u64 = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
    let stats = ring.stats();
    assert_eq!(stats.published, 8 + 3 * alone);
    let mut lost = false;
    for reader in readers {
        let (sum, missed) = reader.join().unwrap();
        assert_eq!(sum, stats.published + stats.skipped);
        lost |= missed;
    }
    (alone, lost)
}

#[test]
fn the_ring_is_handed_over_and_back() {
    // In the first ring, some subscribers lag. The second has room for all messages.
    for (capacity, lost) in [(4, true), (32, false)] {
        let plain = explore(3_000, move || handed_over::<Plain>(capacity));
        for outcomes in [plain, explore(1_500, move || handed_over::<Owning>(capacity))] {
            for reached in [(0, lost), (1, lost)] {
                assert!(outcomes.contains(&reached), "{outcomes:?}");
            }
            assert!(lost || outcomes.iter().all(|(_, lost)| !lost), "{outcomes:?}");
        }
    }
}
