//! Many publishers and subscribers in parallel: the programs of `common/stress.rs`, and subscribers
//! that come and go.

use seqcast::{Builder, Start};

use crate::common::{Account, Carry, read_to_end, sign, stress, thread, verify};
use crate::{Owning, Plain, explore};

/// Whether any subscriber had a nonzero count of (received, missed, holes).
fn any(sums: Vec<[u64; 3]>) -> [bool; 3] {
    [0, 1, 2].map(|kind| sums.iter().any(|sum| sum[kind] > 0))
}

fn shared<S: Carry>(iterations: usize) {
    let outcomes = explore(iterations, || any(stress::shared::<S>(3, S::PATHS, 2, 8, 0)));
    // Some outcome has a loss, and some outcome has a hole.
    assert!(outcomes.iter().any(|&[_, missed, _]| missed), "{outcomes:?}");
    assert!(outcomes.iter().any(|&[received, _, holes]| received && holes), "{outcomes:?}");
    // In a ring with room for all messages, there is no loss and no hole.
    let outcomes = explore(iterations / 4, || any(stress::shared::<S>(2, S::PATHS, 16, 8, 0)));
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), [[true, false, false]]);
}

#[test]
fn three_publishers_and_subscribers_on_every_path() {
    shared::<Plain>(1_600);
}

#[test]
fn three_publishers_and_subscribers_on_every_path_of_a_boxed_ring() {
    shared::<Owning>(800);
}

fn exclusive<S: Carry>(iterations: usize) {
    let outcomes = explore(iterations, || any(stress::exclusive::<S>(S::PATHS, 4, 12)));
    assert!(outcomes.iter().any(|&[received, missed, _]| received && missed), "{outcomes:?}");
    // In a ring with room for all messages, nothing is lost.
    let outcomes = explore(iterations / 4, || any(stress::exclusive::<S>(S::PATHS, 16, 12)));
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), [[true, false, false]]);
}

#[test]
fn one_publisher_and_subscribers_on_every_path() {
    exclusive::<Plain>(3_200);
}

#[test]
fn one_publisher_and_subscribers_on_every_path_of_a_boxed_ring() {
    exclusive::<Owning>(2_000);
}

/// Two threads publish, one receives throughout, and three subscribe for a few messages, each in
/// its own way.
fn come_and_go<S: Carry>() -> [bool; 2] {
    let (publisher, subscriber) = S::ring(Builder::new(4));
    let publisher = publisher.share();
    let ring = publisher.ring();
    let stays = {
        let mut subscriber = subscriber.clone();
        thread::spawn(move || {
            let mut account = Account::new(&subscriber);
            read_to_end(&mut subscriber, 0, &mut account, |_, message| {
                verify(message);
            });
        })
    };
    drop(subscriber);
    let writers: Vec<_> = (0..2)
        .map(|id| {
            let publisher = publisher.clone();
            thread::spawn(move || (0..8).for_each(|number| drop(publisher.publish(S::wrap(sign(id, number))))))
        })
        .collect();
    let comers: Vec<_> = [Start::Latest, Start::Oldest, Start::At(3)]
        .into_iter()
        .zip([0, 5, 2])
        .map(|(start, path)| {
            let ring = ring.clone();
            thread::spawn(move || {
                let mut got = [false; 2];
                for _ in 0..2 {
                    let mut subscriber = ring.subscribe_at(start);
                    let mut account = Account::new(&subscriber);
                    for _ in 0..2 {
                        let received = match path {
                            5 if S::PATHS > 5 => S::borrow(&mut subscriber, path),
                            _ => subscriber.recv().map(S::open),
                        };
                        match received {
                            Ok(message) => {
                                verify(message);
                                account.received(&subscriber, 1);
                                got[0] = true;
                            }
                            Err(seqcast::RecvError::Lagged(lagged)) => {
                                account.lagged(&subscriber, lagged);
                                got[1] = true;
                            }
                            Err(seqcast::RecvError::Closed) => break,
                        }
                    }
                    account.settle(&subscriber);
                }
                got
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    drop(publisher);
    let got: Vec<_> = comers.into_iter().map(|comer| comer.join().unwrap()).collect();
    stays.join().unwrap();
    assert_eq!(ring.subscriber_count(), 0);
    let stats = ring.stats();
    assert_eq!((stats.published, stats.published + stats.skipped), (16, ring.next_sequence()));
    [0, 1].map(|kind| got.iter().any(|got| got[kind]))
}

#[test]
fn subscribers_come_and_go() {
    for outcomes in [explore(4_000, come_and_go::<Plain>), explore(2_400, come_and_go::<Owning>)] {
        assert!(outcomes.contains(&[true, false]) && outcomes.contains(&[true, true]), "{outcomes:?}");
    }
}
