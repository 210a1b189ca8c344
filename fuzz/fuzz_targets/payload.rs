//! Payloads of many sizes and alignments, made of any bytes. What is received equals what was published,
//! bit by bit, over several laps.
#![no_main]
#![allow(clippy::pedantic, reason = "as the tests")]

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use seqcast::{Builder, Plain, Publisher, Receive, SharedPublisher, Subscriber, TryRecvError};
use std::fmt::Debug;
use std::num::{NonZeroU8, Wrapping};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

/// More than a word's alignment.
#[derive(Debug, Clone, Copy, PartialEq, Arbitrary)]
#[repr(C, align(16))]
struct Wide([u8; 16]);

/// Mostly padding.
#[derive(Debug, Clone, Copy, PartialEq, Arbitrary)]
#[repr(align(256))]
struct Sparse(u8, u64);

/// Padding at its end.
#[derive(Debug, Clone, Copy, PartialEq, Arbitrary)]
struct Mixed {
    a: u64,
    b: u32,
    c: u16,
    d: bool,
}

/// Padding in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Arbitrary)]
#[repr(C)]
struct Middle(u64, u8, u64);

#[derive(Debug, Clone, Copy, PartialEq, Arbitrary)]
#[repr(C, packed)]
struct Packed {
    a: u8,
    b: u64,
    c: u16,
}

/// Not every byte is one of these.
#[derive(Debug, Clone, Copy, PartialEq, Arbitrary)]
#[repr(u8)]
enum Side {
    Bid = 1,
    Ask = 7,
    Neither = 255,
}

/// Each variant leaves other bytes without a value.
#[derive(Debug, Clone, Copy, PartialEq, Arbitrary)]
enum Event {
    Quote(Side, u64),
    Trade { price: u128, size: u16, side: Option<Side> },
    Book([Option<u32>; 40]),
    Named(Name),
    Halt,
}

/// A part of a text in the program.
#[derive(Debug, Clone, Copy)]
struct Name(&'static str);

/// Compares addresses and lengths: it must be the same part.
impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl<'a> Arbitrary<'a> for Name {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        static TEXT: &str = "What is compared is where a part begins and how long it is: no two parts are the same.";
        let end = bytes.int_in_range(0..=TEXT.len())?;
        Ok(Self(&TEXT[bytes.int_in_range(0..=end)?..end]))
    }
}

/// One type of message: how to make it from bytes, and how to compare it.
struct Kind<T, K> {
    make: fn(Vec<u8>) -> T,
    key: fn(&T) -> K,
    /// The maximum number of bytes that one is made of.
    size: usize,
}

/// The value that its `Arbitrary` makes from the bytes, followed by zeros.
fn plain<T: for<'a> Arbitrary<'a>, K>(key: fn(&T) -> K) -> Kind<T, K> {
    // Some kinds take a choice beside their bytes.
    Kind { make: |bytes| T::arbitrary(&mut Unstructured::new(&bytes)).unwrap(), key, size: size_of::<T>() + 8 }
}

fn any<T: Plain + PartialEq + for<'a> Arbitrary<'a>>() -> Kind<T, T> {
    plain(|message| *message)
}

/// Its own `Arbitrary` fails for 0.
fn nonzero() -> Kind<Option<NonZeroU8>, Option<NonZeroU8>> {
    Kind { make: |bytes| NonZeroU8::new(bytes.first().copied().unwrap_or(0)), key: |number| *number, size: 1 }
}

/// Runs the chosen type.
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
            0 => boxed(bytes, Kind { make: |bytes| bytes, key: Vec::clone, size: 70 }),
            1 => boxed(bytes, Kind { make: Vec::into_boxed_slice, key: Clone::clone, size: 70 }),
            2 => boxed(bytes, Kind { make: text, key: String::clone, size: 70 }),
            _ => boxed(bytes, Kind { make: |bytes| Arc::<str>::from(text(bytes)), key: Arc::clone, size: 70 }),
        };
    }
    one_of!(bytes:
        any::<()>(), any::<bool>(), any::<char>(), any::<Side>(),
        plain(|float: &f64| float.to_bits()), plain(|float: &f32| float.to_bits()),
        any::<i8>(), any::<u16>(), any::<u128>(), any::<usize>(), any::<Wrapping<i128>>(), any::<Duration>(),
        any::<[u8; 0]>(), any::<[u8; 1]>(), any::<[u8; 2]>(), any::<[u8; 3]>(), any::<[u8; 5]>(), any::<[u8; 6]>(),
        any::<[u8; 7]>(), any::<[u8; 8]>(), any::<[u8; 9]>(), any::<[u8; 12]>(), any::<[u8; 15]>(), any::<[u8; 16]>(),
        any::<[u8; 17]>(), any::<[u8; 23]>(), any::<[u8; 24]>(), any::<[u8; 25]>(), any::<[u8; 31]>(), any::<[u8; 33]>(),
        any::<[u8; 47]>(), any::<[u8; 55]>(), any::<[u8; 56]>(), any::<[u8; 57]>(), any::<[u8; 63]>(), any::<[u8; 64]>(),
        any::<[u8; 65]>(), any::<[u8; 79]>(), any::<[u8; 80]>(), any::<[u8; 127]>(), any::<[u8; 128]>(),
        any::<[u8; 129]>(), any::<[u8; 191]>(), any::<[u8; 255]>(), any::<[u8; 256]>(), any::<[u8; 257]>(),
        any::<[u8; 500]>(), any::<[u8; 1000]>(), any::<[u8; 4096]>(), any::<[u8; 4097]>(),
        any::<[u16; 0]>(), any::<[u16; 3]>(), any::<[u16; 5]>(), any::<[u16; 31]>(), any::<[u16; 150]>(),
        any::<[u32; 1]>(), any::<[u32; 3]>(), any::<[u32; 7]>(), any::<[u32; 19]>(), any::<[u32; 101]>(),
        any::<[u64; 0]>(), any::<[u64; 2]>(), any::<[u64; 3]>(), any::<[u64; 7]>(), any::<[u64; 8]>(), any::<[u64; 64]>(),
        any::<[u128; 0]>(), any::<[u128; 3]>(), any::<[u128; 20]>(),
        any::<[Wide; 0]>(), any::<Wide>(), any::<[Wide; 3]>(), any::<[Wide; 5]>(), any::<[Wide; 20]>(),
        any::<Mixed>(), any::<[Mixed; 4]>(), any::<[Mixed; 33]>(), any::<Packed>(), any::<[Packed; 7]>(),
        any::<Middle>(), any::<[Middle; 6]>(), any::<Sparse>(), any::<[Sparse; 3]>(),
        any::<(u8, u64, u16)>(), any::<[(u8, u32); 3]>(), any::<[(u8, u16, bool); 70]>(), any::<(u8, u128)>(),
        any::<Option<u64>>(), nonzero(), any::<Option<Option<Option<bool>>>>(), any::<[Option<u16>; 99]>(),
        any::<Result<u32, ()>>(), any::<Option<Result<Side, u64>>>(), any::<Bound<u64>>(), any::<Option<Sparse>>(),
        any::<Name>(), any::<Option<Name>>(), any::<(u8, Name, u16)>(), any::<[(Name, bool); 12]>(),
        any::<Event>(), any::<Option<Event>>(), any::<[Event; 5]>(),
    );
});

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

fn inline<T: Plain, K: PartialEq + Debug>(bytes: &mut Unstructured<'_>, kind: Kind<T, K>) {
    let (publisher, subscriber) = ring(bytes).inline::<T>();
    travel(bytes, kind, publisher, subscriber, |subscriber, key| subscriber.try_recv().map(|message| key(&message)));
}

fn boxed<T: Clone + Send + Sync + 'static, K: PartialEq + Debug>(bytes: &mut Unstructured<'_>, kind: Kind<T, K>) {
    let (publisher, subscriber) = ring(bytes).boxed::<T>();
    travel(bytes, kind, publisher, subscriber, |subscriber, key| {
        subscriber.try_recv_ref().map(|message| key(&message))
    });
}

fn ring(bytes: &mut Unstructured<'_>) -> Builder {
    Builder::new(bytes.int_in_range(1..=9).unwrap_or(1))
}

enum Publishing<S: Receive> {
    Alone(Publisher<S>),
    Shared(SharedPublisher<S>),
}

/// Publishes and receives in turn, for some laps. `look` is one more way to receive.
fn travel<S: Receive, K: PartialEq + Debug>(
    bytes: &mut Unstructured<'_>,
    kind: Kind<S::Item, K>,
    publisher: Publisher<S>,
    mut subscriber: Subscriber<S>,
    look: fn(&mut Subscriber<S>, fn(&S::Item) -> K) -> Result<K, TryRecvError>,
) {
    let Kind { make, key, size } = kind;
    let shared = bytes.ratio(1, 2).unwrap_or(false);
    let mut publisher = if shared { Publishing::Shared(publisher.share()) } else { Publishing::Alone(publisher) };
    // The published messages, by sequence.
    let mut sent = Vec::new();
    while sent.len() < 64 && !bytes.is_empty() {
        for _ in 0..bytes.int_in_range(1..=4).unwrap_or(1) {
            let length = bytes.int_in_range(0..=size).unwrap_or(0);
            let filler = bytes.arbitrary().unwrap_or(0);
            // One byte repeated, or any bytes.
            let mut content = vec![filler; length];
            if filler % 4 == 0 {
                let _ = bytes.fill_buffer(&mut content);
            }
            let message = make(content);
            sent.push(key(&message));
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
            1 => subscriber.try_recv().map(|message| vec![key(&message)]),
            2 => look(&mut subscriber, key).map(|message| vec![message]),
            3 => subscriber.latest().map(|message| vec![key(&message)]),
            _ => subscriber.try_recv_many(&mut buffer, 3).map(|_| buffer.iter().map(key).collect()),
        };
        check(&subscriber, &sent, received);
    }
    while subscriber.next_sequence() < sent.len() as u64 {
        let received = subscriber.try_recv().map(|message| vec![key(&message)]);
        check(&subscriber, &sent, received);
    }
}

fn check<S: Receive, K: PartialEq + Debug>(
    subscriber: &Subscriber<S>,
    sent: &[K],
    received: Result<Vec<K>, TryRecvError>,
) {
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
