//! The signatures, each written out.

use super::broadcast::error::{RecvError, SendError, TryRecvError};
use super::broadcast::{Receiver, Sender, WeakSender, channel};

#[test]
fn functions_have_the_signatures_of_tokio() {
    let _: fn(usize) -> (Sender<String>, Receiver<String>) = channel;
    let _: fn(usize) -> (Sender<String>, Receiver<String>) = channel::<String>;
}

#[test]
fn senders_have_the_methods_of_tokio() {
    let _: fn(usize) -> Sender<String> = Sender::new;
    let _: fn(&Sender<String>, String) -> Result<usize, SendError<String>> = Sender::send;
    let _: fn(&Sender<String>) -> Receiver<String> = Sender::subscribe;
    let _: fn(&Sender<String>) -> WeakSender<String> = Sender::downgrade;
    let _: [fn(&Sender<String>) -> usize; 4] =
        [Sender::len, Sender::receiver_count, Sender::strong_count, Sender::weak_count];
    let _: fn(&Sender<String>) -> bool = Sender::is_empty;
    let _: fn(&Sender<String>, &Sender<String>) -> bool = Sender::same_channel;
    let _: fn(&Sender<String>) -> Sender<String> = Clone::clone;
    let (tx, _) = channel::<String>(1);
    let closed: &dyn Future<Output = ()> = &tx.closed();
    assert!(size_of_val(closed) > 0);
}

#[test]
fn weak_senders_have_the_methods_of_tokio() {
    let _: fn(&WeakSender<String>) -> Option<Sender<String>> = WeakSender::upgrade;
    let _: [fn(&WeakSender<String>) -> usize; 2] = [WeakSender::strong_count, WeakSender::weak_count];
    let _: fn(&WeakSender<String>) -> WeakSender<String> = Clone::clone;
}

#[test]
fn receivers_have_the_methods_of_tokio() {
    let _: fn(&mut Receiver<String>) -> Result<String, TryRecvError> = Receiver::try_recv;
    let _: fn(&mut Receiver<String>) -> Result<String, RecvError> = Receiver::blocking_recv;
    let _: fn(&Receiver<String>) -> Receiver<String> = Receiver::resubscribe;
    let _: [fn(&Receiver<String>) -> usize; 3] =
        [Receiver::len, Receiver::sender_strong_count, Receiver::sender_weak_count];
    let _: [fn(&Receiver<String>) -> bool; 2] = [Receiver::is_empty, Receiver::is_closed];
    let _: fn(&Receiver<String>, &Receiver<String>) -> bool = Receiver::same_channel;
    let (_, mut rx) = channel::<String>(1);
    let recv: &dyn Future<Output = Result<String, RecvError>> = &rx.recv();
    assert!(size_of_val(recv) > 0);
}

/// `len` and the others are called as methods, also through references and boxes.
#[test]
fn methods_of_streams_do_not_hide_those_of_receivers() {
    use futures::FutureExt;
    #[allow(unused_imports, reason = "brings the methods of streams into scope")]
    use futures::StreamExt;
    let (tx, mut rx) = channel(4);
    tx.send(1).unwrap();
    tx.send(2).unwrap();
    let receiver = &mut rx;
    assert_eq!((receiver.len(), receiver.is_empty(), receiver.is_closed()), (2, false, false));
    assert_eq!(receiver.recv().now_or_never(), Some(Ok(1)));
    let mut boxed = Box::new(rx);
    assert_eq!((boxed.try_recv(), boxed.len()), (Ok(2), 0));
}
