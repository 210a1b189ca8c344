//! Sending on one connection, until something goes wrong.

use std::pin::pin;

use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use bytes::Bytes;
use futures::stream::{FuturesUnordered, StreamExt};
use seqcast::{Boxed, Lagged, Ref, Start, Subscriber};

use super::Outbound;
use crate::error::Error;
use crate::link::{Connection, Link};

/// Why a session ended before the ring did.
pub(super) enum Break {
    /// The connection is broken.
    Lost,
    /// No acknowledgment came in time.
    Unanswered,
    /// The broker refuses a message because the stream does not end with the one before it.
    OutOfOrder { sequence: u64, reason: String },
    /// It fails until an operator changes something.
    Final(Error),
}

/// Where a message stands in both.
#[derive(Clone, Copy)]
struct Place {
    sequence: u64,
    stream_sequence: u64,
    /// The sequence in the ring of the message before. None for the first message of a session.
    after: Option<u64>,
}

impl Outbound {
    /// Sends from the first message on that is not acknowledged. Returns at the end of the ring,
    /// when all is acknowledged.
    pub(super) async fn session(&mut self, link: &Link, connection: Connection) -> Result<(), Break> {
        self.counts.sessions.add(1);
        let mut reader = self.ring.subscribe_at(Start::At(self.next_sequence()));
        reader.set_name("nats reader");
        let mut acks = FuturesUnordered::new();
        let mut lost = pin!(link.lost(connection));
        let mut sent = self.reached();
        let mut after = None;
        let mut ended = false;
        while !ended || sent > self.reached() {
            tokio::select! {
                () = &mut lost => return Err(Break::Lost),
                Some((place, result)) = acks.next() => self.answered(place, result)?,
                message = next(&mut reader), if !ended && sent - self.reached() < self.settings.in_flight => {
                    let Some(message) = message else {
                        ended = true;
                        continue;
                    };
                    let (sequence, payload) = message.map_err(|lagged| Break::Final(Error::Lagged(lagged)))?;
                    let place = Place { sequence, stream_sequence: sent + 1, after };
                    let ack = self.send(link, place, payload).await?;
                    sent += 1;
                    after = Some(sequence);
                    acks.push(async move { (place, ack.await) });
                }
            }
        }
        Ok(())
    }

    fn reached(&self) -> u64 {
        self.reached.expect("the broker has been asked")
    }

    /// The broker must store it directly after the message before it, or not at all.
    ///
    /// The place alone does not ensure that: if another program publishes as many messages as are
    /// missing, a later message fits. So the id of the message before is expected, too. The first
    /// message of a session needs no id. The stream is known to have the message before it at
    /// `reached`, and the broker forgets the last id when it is started after the duplicate window.
    async fn send(&self, link: &Link, place: Place, payload: Bytes) -> Result<PublishAckFuture, Break> {
        let mut message = PublishMessage::build()
            .payload(payload)
            .message_id(self.instance.message_id(place.sequence))
            .expected_stream(&self.settings.stream)
            .expected_last_sequence(place.stream_sequence - 1);
        if let Some(before) = place.after {
            message = message.expected_last_message_id(self.instance.message_id(before));
        }
        match link.context().send_publish(self.settings.subject.clone(), message).await {
            Ok(ack) => {
                self.counts.sent.add(1);
                Ok(ack)
            }
            Err(error) => Err(self.failed(place, &error)),
        }
    }

    fn answered(&mut self, place: Place, result: Result<PublishAck, PublishError>) -> Result<(), Break> {
        if let Ok(ack) = &result
            && ack.duplicate
        {
            self.counts.duplicates.add(1);
        }
        // An acknowledgment of a later message has come first: that one would not be in the stream
        // without this one.
        if place.stream_sequence <= self.reached() {
            return Ok(());
        }
        match result {
            Ok(ack) if ack.sequence == place.stream_sequence => {
                self.acknowledge(place.sequence, place.stream_sequence);
                Ok(())
            }
            // A duplicate, and not where it was put: the stream was made again, or has another
            // publisher.
            Ok(ack) => Err(Break::Final(Error::Foreign {
                sequence: ack.sequence,
                id: Some(self.instance.message_id(place.sequence)),
            })),
            Err(error) => Err(self.failed(place, &error)),
        }
    }

    fn failed(&self, Place { sequence, .. }: Place, error: &PublishError) -> Break {
        match error.kind() {
            PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => Break::Unanswered,
            PublishErrorKind::WrongLastSequence | PublishErrorKind::WrongLastMessageId => {
                self.counts.out_of_order.add(1);
                Break::OutOfOrder { sequence, reason: error.to_string() }
            }
            // Nobody listens on the subject. Asking for the stream shows whether it is gone.
            PublishErrorKind::StreamNotFound => Break::OutOfOrder { sequence, reason: error.to_string() },
            _ => Break::Final(Error::Refused { sequence, reason: error.to_string() }),
        }
    }
}

/// The next message and its sequence, as long as the ring has any.
async fn next(reader: &mut Subscriber<Boxed<Bytes>>) -> Option<Result<(u64, Bytes), Lagged>> {
    let message = reader.next_ref_async().await?;
    Some(message.map(|message| (Ref::sequence(&message), Bytes::clone(&message))))
}
