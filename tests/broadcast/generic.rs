//! Types and functions that are generic over the value need bounds only where a channel is made or
//! read.

use super::broadcast::error::{RecvError, SendError, TryRecvError};
use super::broadcast::{Receiver, Sender, WeakSender, channel};
use crate::common::wakers::now;

/// It has no bounds on its value.
struct Bus<T> {
    tx: Sender<T>,
    weak: WeakSender<T>,
}

impl<T> Bus<T> {
    fn publish(&self, value: T) -> Result<usize, SendError<T>> {
        self.tx.send(value)
    }

    fn listen(&self) -> Listener<T> {
        Listener { rx: self.tx.subscribe() }
    }

    fn listeners(&self) -> usize {
        self.tx.receiver_count()
    }

    fn counts(&self) -> [usize; 5] {
        [self.tx.len(), self.tx.strong_count(), self.tx.weak_count(), self.weak.strong_count(), self.weak.weak_count()]
    }

    fn is_idle(&self) -> bool {
        self.tx.is_empty()
    }

    fn is_same(&self, other: &Self) -> bool {
        self.tx.same_channel(&other.tx)
    }

    async fn abandoned(&self) {
        self.tx.closed().await;
    }

    fn reach(&self) -> Option<Sender<T>> {
        self.weak.upgrade()
    }
}

impl<T> Clone for Bus<T> {
    fn clone(&self) -> Self {
        Self { tx: self.tx.clone(), weak: self.tx.downgrade() }
    }
}

/// The derive adds no bounds beyond its usual ones.
#[derive(Debug)]
#[allow(dead_code, reason = "printed")]
struct Everything<T> {
    tx: Sender<T>,
    weak: WeakSender<T>,
    rx: Receiver<T>,
}

struct Listener<T> {
    rx: Receiver<T>,
}

impl<T> Listener<T> {
    fn counts(&self) -> [usize; 3] {
        [self.rx.len(), self.rx.sender_strong_count(), self.rx.sender_weak_count()]
    }

    fn flags(&self) -> [bool; 3] {
        [self.rx.is_empty(), self.rx.is_closed(), self.rx.same_channel(&self.rx)]
    }
}

/// Receiving requires `Clone`, and nothing else.
impl<T: Clone> Listener<T> {
    async fn next(&mut self) -> Result<T, RecvError> {
        self.rx.recv().await
    }

    fn look(&mut self) -> Result<T, TryRecvError> {
        self.rx.try_recv()
    }

    fn block(&mut self) -> Result<T, RecvError> {
        self.rx.blocking_recv()
    }

    fn another(&self) -> Self {
        Self { rx: self.rx.resubscribe() }
    }
}

#[test]
fn generic_code_asks_for_no_bounds() {
    let (tx, rx) = channel(4);
    let bus = Bus { weak: tx.downgrade(), tx };
    let mut listener = bus.listen();
    let mut another = listener.another();
    drop(rx);
    for value in ["a", "b", "c"] {
        assert_eq!(bus.publish(value).unwrap(), 2);
    }
    assert_eq!((bus.counts(), bus.listeners(), bus.is_idle()), ([3, 1, 1, 1, 1], 2, false));
    assert_eq!((listener.counts(), listener.flags()), ([3, 1, 1], [false, false, true]));
    assert_eq!((now(listener.next()), listener.look(), listener.block()), (Some(Ok("a")), Ok("b"), Ok("c")));
    assert_eq!(another.look(), Ok("a"));
    let clone = bus.clone();
    assert!(bus.is_same(&clone) && clone.reach().is_some());
    assert_eq!(now(bus.abandoned()), None);
    drop((listener, another));
    assert_eq!(now(bus.abandoned()), Some(()));
}

/// Programs that spawn such tasks require `Send` only.
#[test]
fn the_futures_of_a_value_that_is_send_are_send_and_sync() {
    fn check<F: Future + Send + Sync>(future: F) -> Option<F::Output> {
        now(future)
    }
    fn recv<T: Clone + Send + 'static>(mut listener: Listener<T>) -> Option<Result<T, RecvError>> {
        check(async move { listener.next().await })
    }
    fn closed<T: Send + 'static>(bus: Bus<T>) -> Option<()> {
        check(async move { bus.abandoned().await })
    }
    let (tx, rx) = channel::<u8>(4);
    let bus = Bus { weak: tx.downgrade(), tx };
    bus.publish(1).unwrap();
    assert_eq!((recv(Listener { rx }), closed(bus)), (Some(Ok(1)), Some(())));
}

#[test]
fn handles_can_be_fields_of_a_derived_debug() {
    let (tx, rx) = channel::<u8>(4);
    let all = Everything { weak: tx.downgrade(), tx, rx };
    let text = "Everything { tx: broadcast::Sender, weak: broadcast::WeakSender, rx: broadcast::Receiver }";
    assert_eq!(format!("{all:?}"), text);
}

#[test]
fn a_handle_of_any_type_can_be_named() {
    #[allow(dead_code, reason = "named")]
    struct Named<'a, T> {
        borrowed: Option<Sender<&'a T>>,
        local: Option<Receiver<std::rc::Rc<T>>>,
        weak: Option<WeakSender<std::cell::Cell<T>>>,
    }
    let text = String::from("borrowed");
    let mut named = Named { borrowed: None, local: None, weak: None };
    named.borrowed = None::<Sender<&String>>;
    assert!(named.borrowed.is_none() && named.local.is_none() && named.weak.is_none() && text.len() == 8);
}

#[test]
fn a_channel_of_a_type_known_by_its_bounds_can_be_made() {
    fn make<T: Clone + Send + Sync + 'static>(value: T) -> T {
        let (tx, mut rx) = channel(1);
        assert_eq!(tx.send(value).ok(), Some(1));
        rx.try_recv().unwrap()
    }
    assert_eq!(make("text".to_owned()), "text");
}

#[test]
fn a_value_can_contain_handles_of_its_own_channel() {
    #[derive(Debug, Clone)]
    struct Request {
        number: u64,
        reply: Sender<Request>,
    }
    let (reply, mut replies) = channel(4);
    let (tx, mut rx) = channel(4);
    tx.send(Request { number: 1, reply }).unwrap();
    let request = rx.try_recv().unwrap();
    request.reply.send(Request { number: request.number + 1, reply: tx.clone() }).unwrap();
    assert_eq!(replies.try_recv().unwrap().number, 2);
}
