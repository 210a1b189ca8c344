//! Capacities that no channel can have, and where the panic is reported.

use super::broadcast::{Sender, channel};
use std::cell::Cell;
use std::panic::{Location, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static PLACE: Cell<Option<(String, u32)>> = const { Cell::new(None) };
}

/// Returns the file and line of the panic of `code`. Prints nothing.
fn place_of_panic(code: fn()) -> (String, u32) {
    thread_local! {
        static QUIET: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = take_hook();
        set_hook(Box::new(move |panic| {
            if QUIET.get() {
                PLACE.set(panic.location().map(|place| (place.file().to_owned(), place.line())));
            } else {
                loud(panic);
            }
        }));
    });
    QUIET.set(true);
    let panicked = catch_unwind(code).is_err();
    QUIET.set(false);
    assert!(panicked, "`code` did not panic");
    PLACE.take().unwrap()
}

/// The line after the caller's line.
#[track_caller]
fn next_line() -> (String, u32) {
    let here = Location::caller();
    (here.file().to_owned(), here.line() + 1)
}

#[test]
fn a_capacity_of_zero_panics_in_the_line_of_the_call() {
    let expected = next_line();
    let place = place_of_panic(|| drop(channel::<u8>(0)));
    assert_eq!(place, expected);
    let expected = next_line();
    let place = place_of_panic(|| drop(Sender::<u8>::new(0)));
    assert_eq!(place, expected);
}

#[test]
fn a_capacity_of_more_than_half_of_usize_panics_in_the_line_of_the_call() {
    let expected = next_line();
    let place = place_of_panic(|| drop(channel::<u8>(usize::MAX / 2 + 1)));
    assert_eq!(place, expected);
    let expected = next_line();
    let place = place_of_panic(|| drop(Sender::<u8>::new(usize::MAX / 2 + 1)));
    assert_eq!(place, expected);
    let expected = next_line();
    let place = place_of_panic(|| drop(channel::<String>(usize::MAX)));
    assert_eq!(place, expected);
}

#[test]
fn a_capacity_for_which_there_is_no_memory_panics() {
    place_of_panic(|| drop(channel::<[u64; 4]>(usize::MAX / 2)));
    place_of_panic(|| drop(Sender::<[u64; 4]>::new(usize::MAX / 2)));
}

#[test]
fn capacities_from_one_on_are_fine() {
    for capacity in [1, 2, 3, 1000, 1 << 14] {
        let (tx, mut rx) = channel(capacity);
        tx.send(capacity).unwrap();
        assert_eq!(rx.try_recv(), Ok(capacity));
        drop(Sender::<String>::new(capacity));
    }
}
