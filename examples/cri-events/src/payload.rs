//! What the ring carries.

use std::task::{Context, Poll, ready};

use seqcast::{Boxed, Builder, Inline, Publisher, RecvError, Storage, Subscriber};

use crate::event::Event;
use crate::message;
use crate::proto::ContainerEventResponse;

/// What the ring carries, and how it becomes a message.
pub trait Payload: Send + Sync + 'static {
    /// The storage of the ring.
    type Storage: Storage<Item: Send>;

    /// Makes the ring.
    fn ring(builder: Builder) -> (Publisher<Self::Storage>, Subscriber<Self::Storage>);

    /// Converts an event into what is published.
    fn pack(event: Event) -> <Self::Storage as Storage>::Item;

    /// Polls a subscriber for the next event, as a message.
    fn poll(
        subscriber: &mut Subscriber<Self::Storage>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ContainerEventResponse, RecvError>>;
}

/// The whole message, made once when it is published.
#[derive(Debug)]
pub struct Full;

impl Payload for Full {
    type Storage = Boxed<ContainerEventResponse>;

    fn ring(builder: Builder) -> (Publisher<Self::Storage>, Subscriber<Self::Storage>) {
        builder.boxed()
    }

    fn pack(event: Event) -> ContainerEventResponse {
        message::full(&event)
    }

    fn poll(
        subscriber: &mut Subscriber<Self::Storage>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ContainerEventResponse, RecvError>> {
        Poll::Ready(Ok(ready!(subscriber.poll_recv_ref(cx))?.clone()))
    }
}

/// The compact record. The message is made for each client when it is sent.
#[derive(Debug)]
pub struct Compact;

impl Payload for Compact {
    type Storage = Inline<Event>;

    fn ring(builder: Builder) -> (Publisher<Self::Storage>, Subscriber<Self::Storage>) {
        builder.inline()
    }

    fn pack(event: Event) -> Event {
        event
    }

    fn poll(
        subscriber: &mut Subscriber<Self::Storage>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ContainerEventResponse, RecvError>> {
        Poll::Ready(Ok(message::brief(&ready!(subscriber.poll_recv(cx))?)))
    }
}
