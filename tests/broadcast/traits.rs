//! Which handles and futures can be sent, shared and moved.

use super::broadcast::error::{RecvError, SendError, TryRecvError};
use super::broadcast::{Receiver, Sender, WeakSender, channel};
use std::cell::Cell;
use std::rc::Rc;

/// Whether the type of a value, or a type, implements a trait. An inherent method is found before
/// one of a trait, but only if its bounds hold.
macro_rules! has {
    ($probed:ty: $bound:path) => {{
        struct Probe<T>(std::marker::PhantomData<T>);
        has!(in Probe, Probe::<$probed>(std::marker::PhantomData), $bound)
    }};
    ($value:expr => $bound:path) => {{
        struct Probe<T>(std::marker::PhantomData<T>);
        fn probe<T>(_: &T) -> Probe<T> {
            Probe(std::marker::PhantomData)
        }
        has!(in Probe, probe(&$value), $bound)
    }};
    (in $probe:ident, $value:expr, $bound:path) => {{
        #[allow(dead_code, reason = "unused where the trait holds")]
        trait Otherwise {
            fn holds(&self) -> bool {
                false
            }
        }
        impl<T> Otherwise for $probe<T> {}
        #[allow(dead_code, reason = "unused where the trait does not hold")]
        impl<T: $bound> $probe<T> {
            fn holds(&self) -> bool {
                true
            }
        }
        $value.holds()
    }};
}

#[test]
fn the_probe_tells_types_with_a_trait_from_others() {
    assert!(has!(u8: Send) && has!(5 => Copy) && has!(String: Clone));
    assert!(!has!(Rc<u8>: Send) && !has!(String::new() => Copy) && !has!(std::marker::PhantomPinned: Unpin));
}

#[test]
fn handles_are_send_and_sync_if_the_value_is_send() {
    assert!(has!(Sender<String>: Send) && has!(Sender<String>: Sync));
    assert!(has!(WeakSender<String>: Send) && has!(WeakSender<String>: Sync));
    assert!(has!(Receiver<String>: Send) && has!(Receiver<String>: Sync));
}

#[test]
fn handles_are_sync_even_if_the_value_is_not() {
    assert!(has!(Sender<Cell<u8>>: Send) && has!(Sender<Cell<u8>>: Sync));
    assert!(has!(WeakSender<Cell<u8>>: Send) && has!(WeakSender<Cell<u8>>: Sync));
    assert!(has!(Receiver<Cell<u8>>: Send) && has!(Receiver<Cell<u8>>: Sync));
}

#[test]
fn handles_of_values_that_stay_on_their_thread_can_be_named_and_stay_there() {
    assert!(!has!(Sender<Rc<u8>>: Send) && !has!(Sender<Rc<u8>>: Sync));
    assert!(!has!(WeakSender<Rc<u8>>: Send) && !has!(WeakSender<Rc<u8>>: Sync));
    assert!(!has!(Receiver<Rc<u8>>: Send) && !has!(Receiver<Rc<u8>>: Sync));
}

#[test]
fn handles_are_unpin_whatever_the_value_is() {
    type Pinned = std::marker::PhantomPinned;
    assert!(has!(Sender<Pinned>: Unpin) && has!(WeakSender<Pinned>: Unpin) && has!(Receiver<Pinned>: Unpin));
}

#[test]
fn senders_are_cloned_whatever_the_value_is_and_receivers_are_not() {
    struct Unclonable;
    assert!(has!(Sender<Unclonable>: Clone) && has!(WeakSender<Unclonable>: Clone));
    assert!(!has!(Receiver<u8>: Clone));
}

#[test]
fn the_future_of_recv_can_be_sent_and_shared_and_must_be_pinned() {
    let (_tx, mut rx) = channel::<String>(4);
    assert!(has!(rx.recv() => Send));
    assert!(has!(rx.recv() => Sync));
    assert!(!has!(rx.recv() => Unpin));
}

#[test]
fn the_future_of_closed_can_be_sent_and_shared_and_must_be_pinned() {
    let (tx, _rx) = channel::<String>(4);
    assert!(has!(tx.closed() => Send));
    assert!(has!(tx.closed() => Sync));
    assert!(!has!(tx.closed() => Unpin));
}

#[test]
fn errors_can_be_sent_and_shared_as_their_value() {
    assert!(has!(SendError<String>: Send) && has!(SendError<String>: Sync) && has!(SendError<String>: Unpin));
    assert!(!has!(SendError<Rc<u8>>: Send));
    assert!(has!(RecvError: Send) && has!(RecvError: Sync) && has!(TryRecvError: Send) && has!(TryRecvError: Sync));
}

#[test]
fn errors_have_these_traits() {
    assert!(has!(RecvError: Clone) && has!(RecvError: Eq) && has!(RecvError: std::error::Error));
    assert!(has!(TryRecvError: Clone) && has!(TryRecvError: Eq) && has!(TryRecvError: std::error::Error));
    struct Silent;
    assert!(has!(SendError<u8>: std::error::Error) && has!(SendError<Silent>: std::fmt::Display));
    assert!(!has!(SendError<Silent>: std::error::Error), "the error must require `Debug` of its value");
}

#[test]
fn handles_cross_unwind_boundaries_as_far_as_those_of_tokio() {
    use std::panic::{RefUnwindSafe, UnwindSafe};
    let mine = [
        has!(Sender<u8>: UnwindSafe),
        has!(WeakSender<u8>: UnwindSafe),
        has!(Receiver<u8>: UnwindSafe),
        has!(Sender<u8>: RefUnwindSafe),
        has!(WeakSender<u8>: RefUnwindSafe),
        has!(Receiver<u8>: RefUnwindSafe),
    ];
    use tokio::sync::broadcast as tokio;
    let theirs = [
        has!(tokio::Sender<u8>: UnwindSafe),
        has!(tokio::WeakSender<u8>: UnwindSafe),
        has!(tokio::Receiver<u8>: UnwindSafe),
        has!(tokio::Sender<u8>: RefUnwindSafe),
        has!(tokio::WeakSender<u8>: RefUnwindSafe),
        has!(tokio::Receiver<u8>: RefUnwindSafe),
    ];
    assert!(mine.iter().zip(theirs).all(|(mine, theirs)| *mine || !theirs), "{mine:?} {theirs:?}");
}
