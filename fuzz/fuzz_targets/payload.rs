//! Payloads of many sizes and alignments, of any bytes: what comes out is bit for bit what went in, over laps.
#![no_main]
#![allow(clippy::pedantic, reason = "as the tests")]

use arbitrary::Unstructured;
use bytemuck::{NoUninit, Pod, Zeroable};
use libfuzzer_sys::fuzz_target;
use seqcast::{Builder, Publisher, Receive, SharedPublisher, Subscriber, TryRecvError};
use std::sync::Arc;

/// More than a word's alignment.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(16))]
struct Wide([u8; 16]);

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Mixed {
    a: u64,
    b: u32,
    c: u16,
    d: [u8; 2],
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, packed)]
struct Packed {
    a: u8,
    b: u64,
    c: u16,
}

/// Not every byte is one of these.
#[derive(Clone, Copy, NoUninit)]
#[repr(u8)]
enum Side {
    Bid = 1,
    Ask = 7,
    Neither = 255,
}

/// One type of message: how it is made of any bytes, and all that there is to compare.
struct Kind<T> {
    make: fn(Vec<u8>) -> T,
    bits: fn(&T) -> Vec<u8>,
    /// `None`: as many as there happen to be.
    size: Option<usize>,
}

fn plain<T: NoUninit>(make: fn(Vec<u8>) -> T) -> Kind<T> {
    Kind { make, bits: |message| bytemuck::bytes_of(message).to_vec(), size: Some(size_of::<T>()) }
}

fn any<T: Pod>() -> Kind<T> {
    plain(|bytes| bytemuck::pod_read_unaligned(&bytes))
}

/// Runs the one of these that was chosen.
macro_rules! one_of {
    ($bytes:ident: $($kind:expr),* $(,)?) => {{
        let runs: &[fn(&mut Unstructured<'_>)] = &[$(|bytes| inline(bytes, $kind)),*];
        let which = $bytes.choose_index(runs.len()).unwrap_or(0);
        runs[which]($bytes);
    }};
}

fuzz_target!(|data: &[u8]| {
    let bytes = &mut Unstructured::new(data);
    if bytes.ratio(1, 4).unwrap_or(false) {
        return match bytes.int_in_range(0..=3).unwrap_or(0) {
            0 => boxed(bytes, Kind { make: |bytes| bytes, bits: Vec::clone, size: None }),
            1 => boxed(bytes, Kind { make: Vec::into_boxed_slice, bits: |slice| slice.to_vec(), size: None }),
            2 => boxed(bytes, Kind { make: text, bits: |text| text.clone().into_bytes(), size: None }),
            _ => boxed(
                bytes,
                Kind { make: |bytes| Arc::<str>::from(text(bytes)), bits: |text| text.as_bytes().to_vec(), size: None },
            ),
        };
    }
    one_of!(bytes:
        plain(|_| ()),
        plain(|bytes| bytes[0] % 2 == 1),
        plain(|bytes| char::from_u32(u32::from_ne_bytes(bytes.try_into().unwrap())).unwrap_or('\u{10FFFF}')),
        plain(|bytes| [Side::Bid, Side::Ask, Side::Neither][usize::from(bytes[0] % 3)]),
        any::<f64>(), any::<f32>(), any::<i8>(), any::<u16>(), any::<u128>(), any::<usize>(),
        any::<[u8; 0]>(), any::<[u8; 1]>(), any::<[u8; 2]>(), any::<[u8; 3]>(), any::<[u8; 5]>(), any::<[u8; 6]>(),
        any::<[u8; 7]>(), any::<[u8; 8]>(), any::<[u8; 9]>(), any::<[u8; 12]>(), any::<[u8; 15]>(), any::<[u8; 16]>(),
        any::<[u8; 17]>(), any::<[u8; 23]>(), any::<[u8; 24]>(), any::<[u8; 25]>(), any::<[u8; 31]>(), any::<[u8; 33]>(),
        any::<[u8; 47]>(), any::<[u8; 55]>(), any::<[u8; 56]>(), any::<[u8; 57]>(), any::<[u8; 63]>(), any::<[u8; 64]>(),
        any::<[u8; 65]>(), any::<[u8; 79]>(), any::<[u8; 80]>(), any::<[u8; 255]>(), any::<[u8; 500]>(),
        any::<[u16; 0]>(), any::<[u16; 3]>(), any::<[u16; 5]>(), any::<[u16; 31]>(), any::<[u16; 150]>(),
        any::<[u32; 1]>(), any::<[u32; 3]>(), any::<[u32; 7]>(), any::<[u32; 19]>(), any::<[u32; 101]>(),
        any::<[u64; 0]>(), any::<[u64; 2]>(), any::<[u64; 3]>(), any::<[u64; 7]>(), any::<[u64; 8]>(), any::<[u64; 64]>(),
        any::<[u128; 0]>(), any::<[u128; 3]>(), any::<[u128; 20]>(),
        any::<[Wide; 0]>(), any::<Wide>(), any::<[Wide; 3]>(), any::<[Wide; 5]>(), any::<[Wide; 20]>(),
        any::<Mixed>(), any::<[Mixed; 4]>(), any::<Packed>(), any::<[Packed; 7]>(),
    );
});

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

fn inline<T: NoUninit + Send>(bytes: &mut Unstructured<'_>, kind: Kind<T>) {
    let (publisher, subscriber) = ring(bytes).inline::<T>();
    travel(bytes, kind, publisher, subscriber, |subscriber, bits| subscriber.try_recv().map(|message| bits(&message)));
}

fn boxed<T: Clone + Send + Sync + 'static>(bytes: &mut Unstructured<'_>, kind: Kind<T>) {
    let (publisher, subscriber) = ring(bytes).boxed::<T>();
    travel(bytes, kind, publisher, subscriber, |subscriber, bits| {
        subscriber.try_recv_ref().map(|message| bits(&message))
    });
}

fn ring(bytes: &mut Unstructured<'_>) -> Builder {
    Builder::new(bytes.int_in_range(1..=9).unwrap_or(1))
}

enum Publishing<S: Receive> {
    Alone(Publisher<S>),
    Shared(SharedPublisher<S>),
}

/// Publishes and receives by turns, for some laps. `look`: one more way to receive.
fn travel<S: Receive>(
    bytes: &mut Unstructured<'_>,
    kind: Kind<S::Item>,
    publisher: Publisher<S>,
    mut subscriber: Subscriber<S>,
    look: fn(&mut Subscriber<S>, fn(&S::Item) -> Vec<u8>) -> Result<Vec<u8>, TryRecvError>,
) {
    let Kind { make, bits, size } = kind;
    let shared = bytes.ratio(1, 2).unwrap_or(false);
    let mut publisher = if shared { Publishing::Shared(publisher.share()) } else { Publishing::Alone(publisher) };
    // What went in, by sequence.
    let mut sent = Vec::new();
    while sent.len() < 64 && !bytes.is_empty() {
        for _ in 0..bytes.int_in_range(1..=4).unwrap_or(1) {
            let length = size.unwrap_or_else(|| bytes.int_in_range(0..=70).unwrap_or(0));
            let filler = bytes.arbitrary().unwrap_or(0);
            // One byte all over, or whatever comes.
            let mut content = vec![filler; length];
            if filler % 4 == 0 {
                let _ = bytes.fill_buffer(&mut content);
            }
            let message = make(content);
            sent.push(bits(&message));
            match &mut publisher {
                Publishing::Alone(publisher) => assert_eq!(publisher.publish(message) + 1, sent.len() as u64),
                Publishing::Shared(publisher) => {
                    assert_eq!(publisher.publish(message).ok(), Some(sent.len() as u64 - 1))
                }
            }
        }
        let mut buffer = Vec::new();
        let received = match bytes.int_in_range(0..=4).unwrap_or(0) {
            0 => continue,
            1 => subscriber.try_recv().map(|message| vec![bits(&message)]),
            2 => look(&mut subscriber, bits).map(|message| vec![message]),
            3 => subscriber.latest().map(|message| vec![bits(&message)]),
            _ => subscriber.try_recv_many(&mut buffer, 3).map(|_| buffer.iter().map(bits).collect()),
        };
        check(&subscriber, &sent, received);
    }
    while subscriber.next_sequence() < sent.len() as u64 {
        let received = subscriber.try_recv().map(|message| vec![bits(&message)]);
        check(&subscriber, &sent, received);
    }
}

fn check<S: Receive>(subscriber: &Subscriber<S>, sent: &[Vec<u8>], received: Result<Vec<Vec<u8>>, TryRecvError>) {
    match received {
        Ok(received) => {
            let end = subscriber.next_sequence() as usize;
            assert_eq!(received, sent[end - received.len()..end]);
        }
        Err(TryRecvError::Lagged(lagged)) => assert!(lagged.missed > 0),
        Err(TryRecvError::Empty) => assert_eq!(subscriber.next_sequence() as usize, sent.len()),
        Err(TryRecvError::Closed) => panic!("closed"),
    }
}
