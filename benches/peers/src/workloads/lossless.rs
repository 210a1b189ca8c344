use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use super::{LOSSLESS_SLOTS, pause, size};
use crate::peer::Lossless;
use crate::statistics::nanoseconds;

/// Nanoseconds per message. The publisher and `readers` polling readers have a thread each. Only the
/// ring holds the publisher back.
pub fn lossless<P: Lossless>(readers: u64, messages: u64) -> f64 {
    let pause = pause(readers + 1);
    stream::<P>(readers, messages, move |rx, messages| {
        let mut next = 0;
        while next < messages {
            P::drain(rx, |number| {
                assert_eq!(number, P::seen(next));
                next += 1;
            });
            pause();
        }
    })
}

/// The same, with readers that receive by `read`. It gets the number of messages, and checks them.
pub(super) fn stream<P: Lossless>(readers: u64, messages: u64, read: impl Fn(&mut P::Rx, u64) + Sync) -> f64 {
    let messages = messages / P::SLOWER;
    let (mut tx, rxs) = P::ring(LOSSLESS_SLOTS, size(readers));
    let (start, read) = (&Barrier::new(rxs.len() + 1), &read);
    thread::scope(|scope| {
        let read = |mut rx: P::Rx| {
            start.wait();
            read(&mut rx, messages);
            (Instant::now(), rx)
        };
        let readers: Vec<_> = rxs.into_iter().map(|rx| scope.spawn(move || read(rx))).collect();
        start.wait();
        let began = Instant::now();
        (0..messages).for_each(|number| P::publish(&mut tx, number));
        let ended = readers.into_iter().map(|reader| {
            let (ended, mut rx) = reader.join().expect("all in order");
            assert_eq!(P::poll(&mut rx), None, "it has had every message once");
            ended
        });
        nanoseconds(ended.max().expect("a reader") - began, messages)
    })
}
