//! Tests the ways to copy against each other: every way loads what any way stores.

#![allow(clippy::pedantic, reason = "tests cast small numbers and keep things where they are used")]
#![expect(unsafe_code, reason = "reads bytes that have a value")]

use std::mem::MaybeUninit;
use std::time::{Duration, Instant};
use std::{slice, thread};

use super::{SMALL, Way, locked, registers, vectors, way, words};
use crate::sync::AtomicU64;

type Byte = MaybeUninit<u8>;

/// A way to copy, or a part of one that can be called separately.
#[derive(Clone, Copy)]
struct Copier {
    name: &'static str,
    /// The fewest bytes that it copies.
    least: usize,
    /// A load never mixes two stores within a piece of this many bytes of the slot.
    whole: usize,
    store: fn(&[AtomicU64], &[Byte]),
    load: fn(&[AtomicU64], &mut [Byte]),
}

fn copiers() -> Vec<Copier> {
    let mut all =
        vec![Copier { name: "locked", least: 0, whole: usize::MAX, store: locked::store, load: locked::load }];
    if registers::AVAILABLE {
        all.push(Copier { name: "words", least: 0, whole: 8, store: words::store, load: words::load });
    }
    // Miri executes no assembly.
    if vectors::AVAILABLE && registers::AVAILABLE {
        all.push(Copier { name: "vectors", least: 128, whole: 1, store: vectors::store, load: vectors::load });
        all.extend(kernels::all());
    }
    all
}

/// The two pieces of assembly of x86-64. `vectors` calls one of them.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod kernels {
    use super::super::blocks;
    use super::Copier;

    pub(super) fn all() -> Vec<Copier> {
        let mut all = vec![kernel::<16>("moves of 16 bytes")];
        if std::arch::is_x86_feature_detected!("avx") {
            all.push(kernel::<32>("moves of 32 bytes"));
        }
        all
    }

    fn kernel<const WIDTH: usize>(name: &'static str) -> Copier {
        Copier {
            name,
            least: 128,
            whole: 1,
            store: |words, bytes| {
                assert!((128..=size_of_val(words)).contains(&bytes.len()));
                // SAFETY: both lengths are checked. `all` has checked that the processor has these
                // moves.
                unsafe { copy::<WIDTH>(words.as_ptr().cast_mut().cast(), bytes.as_ptr().cast(), bytes.len()) };
            },
            load: |words, bytes| {
                assert!((128..=size_of_val(words)).contains(&bytes.len()));
                // SAFETY: as in `store`.
                unsafe { copy::<WIDTH>(bytes.as_mut_ptr().cast(), words.as_ptr().cast(), bytes.len()) };
            },
        }
    }

    unsafe fn copy<const WIDTH: usize>(to: *mut u8, from: *const u8, len: usize) {
        if WIDTH == 32 {
            // SAFETY: the caller's promise.
            unsafe { blocks::copy_by_32(to, from, len) };
        } else {
            // SAFETY: the caller's promise.
            unsafe { blocks::copy_by_16(to, from, len) };
        }
    }
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
mod kernels {
    pub(super) fn all() -> [super::Copier; 0] {
        []
    }
}

/// Seeds a generator from `SEQCAST_SEED` or at random, and prints the seed.
fn random() -> fastrand::Rng {
    let seed = std::env::var("SEQCAST_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("SEQCAST_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

const LINE: usize = 64;

/// Fills the memory around a slot, and around the bytes outside of it.
const CANARY: u8 = 0xC5;
const CANARIES: u64 = u64::from_ne_bytes([CANARY; 8]);

/// Bytes between canaries, at a given offset within a cache line.
struct Bytes {
    all: Vec<Byte>,
    first: usize,
    len: usize,
}

impl Bytes {
    fn new(offset: usize, len: usize) -> Self {
        let all = vec![Byte::new(CANARY); len + 3 * LINE];
        let first = LINE + (offset.wrapping_sub(all.as_ptr().addr())) % LINE;
        Self { all, first, len }
    }

    fn get(&mut self) -> &mut [Byte] {
        &mut self.all[self.first..][..self.len]
    }

    /// Returns the bytes. Fails if a canary around them has changed.
    fn check(&self) -> Vec<u8> {
        let all = values(&self.all);
        let (before, rest) = all.split_at(self.first);
        let (bytes, after) = rest.split_at(self.len);
        assert!(before.iter().chain(after).all(|byte| *byte == CANARY), "wrote outside of the message");
        bytes.to_vec()
    }
}

fn values(bytes: &[Byte]) -> Vec<u8> {
    // SAFETY: tests call this for bytes that have a value.
    bytes.iter().map(|byte| unsafe { byte.assume_init() }).collect()
}

fn with_values(bytes: &[u8]) -> Vec<Byte> {
    bytes.iter().copied().map(Byte::new).collect()
}

fn vacant(words: usize) -> Vec<AtomicU64> {
    (0..words).map(|_| AtomicU64::new(CANARIES)).collect()
}

/// Where in a cache line the message, the slot and the copy begin.
#[derive(Debug, Clone, Copy)]
struct Offsets {
    from: usize,
    slot: usize,
    to: usize,
}

#[track_caller]
fn goes_there_and_back(message: &[u8], store: Copier, load: Copier, offsets: Offsets) {
    let len = message.len();
    let mut from = Bytes::new(offsets.from, len);
    from.get().copy_from_slice(&with_values(message));
    let mut to = Bytes::new(offsets.to, len);

    let words = vacant(len.div_ceil(8) + 3 * LINE / 8);
    let first = LINE / 8 + (offsets.slot.wrapping_sub(words.as_ptr().addr())) % LINE / 8;
    let slot = &words[first..][..len.div_ceil(8)];
    (store.store)(slot, from.get());
    (load.load)(slot, to.get());

    let what = format!("{len} bytes, stored by {}, loaded by {}, {offsets:?}", store.name, load.name);
    assert!(to.check() == message, "{what}");
    assert!(from.check() == message, "the message itself has changed: {what}");
    let end = first + len.div_ceil(8);
    let words: Vec<_> = words.into_iter().map(AtomicU64::into_inner).collect();
    let stored: Vec<_> = words[first..end].iter().flat_map(|word| word.to_ne_bytes()).collect();
    assert!(stored[..len] == *message, "the slot holds other bytes: {what}");
    assert!(
        words[..first].iter().chain(&words[end..]).all(|word| *word == CANARIES),
        "wrote outside of the slot: {what}"
    );
}

#[test]
fn every_length_comes_back_whatever_stores_and_whatever_loads() {
    let mut random = random();
    let (small, large): (usize, &[usize]) =
        if cfg!(miri) { (20, &[127, 129]) } else { (600, &[4031, 4095, 4096, 4097, 4200, 65_536 + 77]) };
    for len in (0..=small).chain(large.iter().copied()) {
        let message: Vec<_> = (0..len).map(|_| random.u8(..)).collect();
        let copiers: Vec<_> = copiers().into_iter().filter(|copier| copier.least <= len).collect();
        for store in &copiers {
            for load in &copiers {
                let offsets = Offsets {
                    from: random.usize(..LINE),
                    slot: 8 * random.usize(..LINE / 8),
                    to: random.usize(..LINE),
                };
                goes_there_and_back(&message, *store, *load, offsets);
            }
        }
    }
}

#[test]
fn every_alignment_comes_back() {
    let mut random = random();
    let lengths: &[usize] = if cfg!(miri) { &[9, 130] } else { &[7, 8, 65, 128, 129, 250, 256, 257, 385] };
    for len in lengths {
        let message: Vec<_> = (0..*len).map(|_| random.u8(..)).collect();
        for copier in copiers().into_iter().filter(|copier| copier.least <= *len) {
            // Miri takes a second for what takes a millisecond otherwise.
            let step = if cfg!(miri) { 13 } else { 1 };
            for from in (0..LINE).step_by(step) {
                for slot in (0..LINE).step_by(8 * step) {
                    goes_there_and_back(&message, copier, copier, Offsets { from, slot, to: (5 * from + slot) % LINE });
                }
            }
        }
    }
}

/// A pointer that is split across words.
#[derive(Clone, Copy)]
#[repr(C, packed)]
struct Split<const N: usize> {
    before: [u8; 3],
    text: &'static str,
    after: [u8; N],
}

fn a_split_pointer_survives<const N: usize>() {
    static TEXT: &str = "somewhere in the program";
    for copier in copiers().into_iter().filter(|copier| copier.least <= size_of::<Split<N>>()) {
        let slot = vacant(size_of::<Split<N>>().div_ceil(8));
        let from = Split { before: [1; 3], text: TEXT, after: [2; N] };
        // SAFETY: these are the bytes of `from`.
        let bytes = unsafe { slice::from_raw_parts((&raw const from).cast::<Byte>(), size_of_val(&from)) };
        (copier.store)(&slot, bytes);
        let mut to = MaybeUninit::<Split<N>>::uninit();
        // SAFETY: these are the bytes of `to`.
        let bytes = unsafe { slice::from_raw_parts_mut((&raw mut to).cast::<Byte>(), size_of_val(&to)) };
        (copier.load)(&slot, bytes);
        // SAFETY: all bytes are those of `from`.
        let Split { before, text, after } = unsafe { to.assume_init() };
        assert!((before, text, after) == ([1; 3], TEXT, [2; N]), "{}", copier.name);
        assert!(std::ptr::eq(text, TEXT), "{}", copier.name);
    }
}

#[test]
fn a_pointer_survives_in_parts() {
    a_split_pointer_survives::<2>();
    a_split_pointer_survives::<150>();
}

#[test]
fn bytes_without_a_value_leave_their_neighbours_alone() {
    for len in [1, 8, 21, 200] {
        for copier in copiers().into_iter().filter(|copier| copier.least <= len) {
            let slot = vacant(len.div_ceil(8));
            let has_value = |at: &usize| at % 3 > 0;
            let from: Vec<_> =
                (0..len).map(|at| if has_value(&at) { Byte::new(at as u8) } else { Byte::uninit() }).collect();
            (copier.store)(&slot, &from);
            let mut to = vec![Byte::uninit(); len];
            (copier.load)(&slot, &mut to);
            for at in (0..len).filter(has_value) {
                assert_eq!(values(&to[at..=at]), [at as u8], "{}", copier.name);
            }
        }
    }
}

/// Two threads store at once, which publishers never do. Then a load may find bytes of both
/// messages, but no byte that is of neither.
#[test]
fn a_byte_is_never_torn_between_two_stores() {
    let mut random = random();
    let lengths: &[usize] = if cfg!(miri) { &[1, 13] } else { &[1, 5, 8, 29, 127, 128, 129, 255, 300, 1001, 5000] };
    for len in lengths {
        for copier in copiers().into_iter().filter(|copier| copier.least <= *len) {
            // The two messages differ in each bit.
            let messages: [Vec<u8>; 2] = {
                let message: Vec<_> = (0..*len).map(|_| random.u8(..)).collect();
                [message.iter().map(|byte| !byte).collect(), message]
            };
            let slot = vacant(len.div_ceil(8));
            (copier.store)(&slot, &with_values(&messages[0]));
            thread::scope(|scope| {
                let both = [with_values(&messages[0]), with_values(&messages[1])];
                let writers = [0, 1].map(|_| {
                    let (both, slot) = (both.clone(), &slot);
                    // Longer than it takes to start a thread.
                    let end = Instant::now() + Duration::from_micros(if cfg!(miri) { 200 } else { 8_000 });
                    scope.spawn(move || {
                        while Instant::now() < end {
                            // Each thread stores both in turn, as there may be a processor for only
                            // one of the two threads.
                            both.iter().cycle().take(20).for_each(|message| (copier.store)(slot, message));
                        }
                    })
                });
                let mut read = vec![Byte::uninit(); *len];
                while !writers.iter().all(thread::ScopedJoinHandle::is_finished) {
                    (copier.load)(&slot, &mut read);
                    let read = values(&read);
                    for at in (0..*len).step_by(copier.whole.min(*len)) {
                        let end = at.saturating_add(copier.whole).min(*len);
                        let of_one = messages.iter().any(|message| message[at..end] == read[at..end]);
                        assert!(of_one, "{len} bytes by {}: torn at {at}", copier.name);
                    }
                }
            });
        }
    }
}

#[test]
fn what_is_larger_than_its_slot_is_refused() {
    let slot = vacant(16);
    for copier in [locked::store, vectors::store] {
        let message = vec![Byte::new(1); 129];
        assert!(std::panic::catch_unwind(|| copier(&slot, &message)).is_err());
    }
    for copier in [locked::load, vectors::load] {
        assert!(std::panic::catch_unwind(|| copier(&slot, &mut [Byte::new(1); 129])).is_err());
    }
    let short = || vectors::store(&slot, &[Byte::new(1); 127]);
    assert!(std::panic::catch_unwind(short).is_err(), "fewer bytes than a block has");
}

/// A run of the tests with a flag must test the way that the flag chooses.
#[test]
fn the_way_is_the_one_that_was_asked_for() {
    let ways = [way(1), way(SMALL), way(SMALL + 1), way(1 << 16)];
    let has_vectors = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));
    if cfg!(seqcast_copy = "locked") || cfg!(miri) {
        assert_eq!(ways, [Way::Locked; 4]);
    } else if cfg!(seqcast_copy = "words") {
        assert_eq!(ways, [Way::Words; 4]);
    } else if has_vectors {
        assert_eq!(ways, [Way::Words, Way::Words, Way::Vectors, Way::Vectors]);
    }
}
