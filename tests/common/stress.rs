//! Many publishers and subscribers in parallel. At the end all counts add up exactly (laws 1 to 3,
//! 7). Only plain threads and joins are used, so a race detector can follow.

use super::{Account, Carry, read_to_end, sign, thread, verify};
use seqcast::{Builder, Subscriber};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Records the publisher and number of each sequence. Subscribers that receive the same sequence
/// must receive the same message (law 2).
struct Witness(Vec<AtomicU64>);

impl Witness {
    fn new() -> Self {
        Self((0..1 << 16).map(|_| AtomicU64::new(u64::MAX)).collect())
    }

    fn saw(&self, offset: u64, (publisher, number): (u64, u64)) {
        let Some(place) = usize::try_from(offset).ok().and_then(|at| self.0.get(at)) else { return };
        let name = publisher << 32 | number;
        let before = place
            .compare_exchange(u64::MAX, name, Ordering::Relaxed, Ordering::Relaxed)
            .unwrap_or_else(|before| before);
        assert!(before == u64::MAX || before == name, "two messages with the same sequence");
    }
}

/// Receives to the end, with all checks for one subscriber. Returns (received, missed, holes).
fn check<S: Carry>(mut subscriber: Subscriber<S>, path: u64, first: u64, witness: &Witness) -> [u64; 3] {
    let mut account = Account::new(&subscriber);
    let mut last = [None; 32];
    read_to_end(&mut subscriber, path, &mut account, |subscriber, message| {
        let (publisher, number) = verify(message);
        let before = last[publisher as usize].replace(number);
        assert!(before < Some(number), "messages of one publisher are out of order");
        // Paths that receive one message at a time.
        if matches!(path % S::PATHS, 0 | 2 | 4..) {
            witness.saw(subscriber.last_sequence().unwrap() - first, (publisher, number));
        }
    });
    assert_eq!(subscriber.next_sequence(), subscriber.ring().next_sequence(), "the subscriber is not at the end");
    [account.received, account.missed, subscriber.holes()]
}

/// All publishers are shared, and each subscriber uses another receiving path. Returns (received,
/// missed, holes) of each.
pub(crate) fn shared<S: Carry>(
    publishers: u64,
    subscribers: u64,
    capacity: usize,
    messages: u64,
    first: u64,
) -> Vec<[u64; 3]> {
    let (publisher, subscriber) = S::ring(Builder::new(capacity).first_sequence(first));
    let (publisher, ring) = (publisher.share(), subscriber.ring());
    let readers = readers(&subscriber, subscribers, first);
    drop(subscriber);
    let writers: Vec<_> = (0..publishers)
        .map(|id| {
            let publisher = publisher.clone();
            thread::spawn(move || {
                let mut numbers = 0..messages;
                while let Some(number) = numbers.next() {
                    publisher.publish(S::wrap(sign(id, number))).ok().unwrap();
                    if number % 16 == 0 {
                        publisher.publish_many(numbers.by_ref().take(5).map(|number| S::wrap(sign(id, number))));
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    drop(publisher);
    let sums: Vec<_> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
    let stats = ring.stats();
    assert_eq!(stats.published, publishers * messages);
    assert_eq!(stats.published + stats.skipped, ring.next_sequence() - first);
    for &[received, missed, holes] in &sums {
        assert_eq!(received + missed + holes, stats.published + stats.skipped);
        assert!(holes <= stats.skipped && received <= stats.published);
    }
    sums
}

/// One publisher that never waits. Returns (received, missed, holes) of each subscriber.
pub(crate) fn exclusive<S: Carry>(subscribers: u64, capacity: usize, messages: u64) -> Vec<[u64; 3]> {
    let (mut publisher, subscriber) = S::ring(Builder::new(capacity));
    let readers = readers(&subscriber, subscribers, 0);
    for number in 0..messages {
        assert_eq!(publisher.publish(S::wrap(sign(0, number))), number);
        if number % 64 == 0 {
            thread::yield_now();
        }
    }
    drop(publisher);
    let sums: Vec<_> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
    for &[received, missed, holes] in &sums {
        assert_eq!((received + missed, holes), (messages, 0));
    }
    sums
}

fn readers<S: Carry>(subscriber: &Subscriber<S>, count: u64, first: u64) -> Vec<thread::JoinHandle<[u64; 3]>> {
    let witness = Arc::new(Witness::new());
    (0..count)
        .map(|path| {
            let (subscriber, witness) = (subscriber.clone(), Arc::clone(&witness));
            thread::spawn(move || check(subscriber, path, first, &witness))
        })
        .collect()
}
