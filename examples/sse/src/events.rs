//! `GET /events`: a subscriber as a stream of server-sent events.

use std::convert::Infallible;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, Stream, StreamExt};
use seqcast::{Boxed, Ref, Ring, Start, SubscribeError, Subscriber};

use crate::server::App;

type Events = Subscriber<Boxed<String>>;

pub(crate) async fn events(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, (StatusCode, &'static str)> {
    let ring = app.publisher.ring();
    let (subscriber, first) = match headers.get("last-event-id") {
        Some(id) => resume(&ring, next_after(id)?),
        None => begin(&ring),
    };
    let events = stream::iter(first).chain(stream::unfold(subscriber, next)).map(Ok);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(app.keep_alive)))
}

/// Begins with the next message. An event without data comes first and has the id of the message
/// before. A client whose connection breaks before its first message can resume with it.
fn begin(ring: &Ring<Boxed<String>>) -> (Events, Option<Event>) {
    let subscriber = ring.subscribe();
    let before = subscriber.next_sequence().checked_sub(1);
    (subscriber, before.map(|id| Event::default().id(id.to_string())))
}

fn resume(ring: &Ring<Boxed<String>>, next: u64) -> (Events, Option<Event>) {
    match ring.try_subscribe_at(Start::At(next)) {
        Ok(subscriber) => (subscriber, None),
        // The ring has not reached this sequence. Most likely the server was restarted, and the id
        // is from the ring before. The client gets all messages of this one.
        Err(SubscribeError::Future { .. }) => {
            let reset = Event::default().event("reset").data("that id is not from this server");
            (ring.subscribe_at(Start::Oldest), Some(reset))
        }
        // The message is overwritten. The first receive returns how many were missed.
        Err(_) => (ring.subscribe_at(Start::At(next)), None),
    }
}

fn next_after(id: &HeaderValue) -> Result<u64, (StatusCode, &'static str)> {
    let id = id.to_str().ok().and_then(|id| id.parse::<u64>().ok());
    id.and_then(|id| id.checked_add(1)).ok_or((StatusCode::BAD_REQUEST, "Last-Event-ID must be the id of an event"))
}

/// The next event, and the subscriber for the events after it. `None` at the end of the ring.
async fn next(mut subscriber: Events) -> Option<(Event, Events)> {
    let event = match subscriber.next_ref_async().await? {
        Ok(message) => Event::default().id(Ref::sequence(&message).to_string()).data(&*message),
        // The id of the last missed message: a client that reconnects does not count them again.
        Err(lagged) => {
            let last = lagged.resumed_at - 1;
            Event::default().event("lagged").id(last.to_string()).data(lagged.missed.to_string())
        }
    };
    Some((event, subscriber))
}
