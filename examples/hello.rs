//! The first program: one publisher, two readers, and one of them falls behind.
//!
//! ```text
//! cargo run --release --example hello
//! ```

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use seqcast::{Inline, Subscriber};

fn main() {
    // The ring keeps the last 8 messages.
    let (mut publisher, prompt) = seqcast::inline::<u32>(8);
    let late = prompt.clone(); // starts at the same message, with a cursor of its own
    let all_published = Barrier::new(2);

    thread::scope(|scope| {
        let prompt = scope.spawn(|| read(prompt));
        let late = scope.spawn(|| {
            all_published.wait(); // busy with something else
            read(late)
        });

        for number in 1..=20 {
            publisher.publish(number); // never waits for a reader
            thread::sleep(Duration::from_millis(10));
        }
        drop(publisher); // closes the ring: each reader reads what is left, and its loop ends
        all_published.wait();

        println!("20 messages were published to a ring of 8");
        report("the prompt reader", &prompt.join().unwrap());
        report("the late reader", &late.join().unwrap());
    });
}

/// Reads to the end of the ring. Returns the messages, and how many were lost.
fn read(subscriber: Subscriber<Inline<u32>>) -> (Vec<u32>, u64) {
    let (mut received, mut lost) = (Vec::new(), 0);
    for message in subscriber {
        match message {
            Ok(number) => received.push(number),
            Err(lagged) => lost += lagged.missed, // continues with the oldest message in the ring
        }
    }
    (received, lost)
}

fn report(reader: &str, (received, lost): &(Vec<u32>, u64)) {
    println!("{reader} received {} and lost {lost}: {received:?}", received.len());
    assert_eq!(received.len() as u64 + lost, 20);
}
