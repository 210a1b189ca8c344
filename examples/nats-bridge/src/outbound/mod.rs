//! From a ring to a stream.
//!
//! The gate of the bridge stands at the first message that is not acknowledged, and moves when
//! acknowledgments come. An ordinary subscriber reads ahead of it. Publishers wait for the gate, so
//! the reader is never lapped, and what has to be sent again is read again: the ring itself is the
//! window of unacknowledged messages. Nothing is copied aside, and a bridge that is dropped in the
//! middle of a run has nothing that would be lost with it.

mod counts;
mod position;
mod session;

use std::sync::Arc;

use async_nats::jetstream::stream::Stream;
use bytes::Bytes;
use seqcast::{Boxed, Ring, Start, Subscriber};
use tokio::time::sleep;

pub use counts::OutboundCounts;

use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::link::Link;
use crate::stream::{self, Failure, PAUSE, Stored};
use session::Break;

/// So often in a row the broker may refuse the order of messages while none is acknowledged.
const FRUITLESS: u32 = 20;

/// Where and how an [`Outbound`] publishes.
#[derive(Clone, Debug)]
pub struct OutboundSettings {
    /// The stream. It must have no other publisher.
    pub stream: String,
    /// The subject, one of the stream's.
    pub subject: String,
    /// Messages that are sent and not acknowledged, at most. The ring's capacity limits them, too.
    pub in_flight: u64,
}

impl OutboundSettings {
    /// Publishes to `subject`, which `stream` stores, with 256 messages in flight.
    pub fn new(stream: impl Into<String>, subject: impl Into<String>) -> Self {
        Self { stream: stream.into(), subject: subject.into(), in_flight: 256 }
    }
}

/// Forwards a gated ring to a `JetStream` stream.
///
/// Publishers of the ring wait for it from the moment that it is made until it is dropped. Each
/// message has an id, of which the broker stores no second copy within its duplicate window. It
/// also has the sequence in the stream that it must get, and the id of the message that must be
/// before it. The broker refuses a message for which an earlier one is missing, so the order stays.
/// A copy that comes after the duplicate window is refused as well.
#[derive(Debug)]
pub struct Outbound {
    ring: Ring<Boxed<Bytes>>,
    /// At the first message that is not acknowledged.
    gate: Subscriber<Boxed<Bytes>>,
    /// The sequence in the stream of the message before that one. Unknown before the broker has
    /// been asked.
    reached: Option<u64>,
    /// A message of this ring is in the stream.
    begun: bool,
    instance: Instance,
    settings: OutboundSettings,
    counts: Arc<OutboundCounts>,
}

impl Outbound {
    /// Forwards what is published to `ring` from now on, none of which was ever forwarded.
    /// `instance` must be new, too.
    ///
    /// # Errors
    ///
    /// [`Error::Subscribe`] if the ring is not gated.
    pub fn new(ring: &Ring<Boxed<Bytes>>, instance: Instance, settings: OutboundSettings) -> Result<Self> {
        Ok(Self::with(ring, ring.subscribe_gating()?, None, instance, settings))
    }

    /// Continues where another `Outbound` of the same ring stopped. The stream's last message says
    /// where that is.
    ///
    /// It begins with the ring's first message if the stream's last message is not from this ring.
    /// So the stream must have had no other publisher since the first `Outbound` of this ring
    /// began. Waits for the broker.
    ///
    /// # Errors
    ///
    /// [`Error::Foreign`] if the stream's last message was removed, so that it does not say where
    /// to continue.
    ///
    /// [`Error::Subscribe`] with `Evicted` if messages were overwritten that are not in the stream.
    /// That happens when no gating subscriber held their place while there was no bridge. Otherwise
    /// as [`run`](Self::run).
    pub async fn resume(
        ring: &Ring<Boxed<Bytes>>,
        instance: Instance,
        settings: OutboundSettings,
        link: &Link,
    ) -> Result<Self> {
        let position = loop {
            link.connected().await;
            match position::resume(link, &settings.stream, instance).await {
                Ok(position) => break position,
                Err(Failure::Unanswered) => sleep(PAUSE).await,
                Err(Failure::Final(error)) => return Err(error),
            }
        };
        let gate = ring.subscribe_gating_at(Start::At(position.next))?;
        let begun = position.next > 0;
        Ok(Self { begun, ..Self::with(ring, gate, Some(position.reached), instance, settings) })
    }

    fn with(
        ring: &Ring<Boxed<Bytes>>,
        gate: Subscriber<Boxed<Bytes>>,
        reached: Option<u64>,
        instance: Instance,
        settings: OutboundSettings,
    ) -> Self {
        assert!(settings.in_flight > 0, "`in_flight` must not be 0");
        gate.set_name("nats gate");
        Self { ring: ring.clone(), gate, reached, begun: false, instance, settings, counts: Arc::default() }
    }

    /// What it has done so far. The counts keep growing while it runs.
    pub fn counts(&self) -> Arc<OutboundCounts> {
        Arc::clone(&self.counts)
    }

    /// The sequence in the ring of the first message that is not acknowledged.
    pub fn next_sequence(&self) -> u64 {
        self.gate.next_sequence()
    }

    /// Forwards to the end of the ring, and returns when all is acknowledged. Waits for the broker
    /// as long as it takes.
    ///
    /// # Errors
    ///
    /// Each error leaves the messages that are not acknowledged in the ring, where they hold
    /// publishers back. After the cause is repaired, call it again. Drop the `Outbound` to give
    /// them up.
    ///
    /// - [`Refused`](Error::Refused): the stream is full, a message is too large, or the broker has
    ///   another reason.
    /// - [`NoStream`](Error::NoStream), [`Unsuitable`](Error::Unsuitable),
    ///   [`Request`](Error::Request).
    /// - [`Foreign`](Error::Foreign): another program publishes to the stream.
    /// - [`Shortened`](Error::Shortened): the broker lost messages that it had acknowledged.
    /// - [`Lagged`](Error::Lagged): the ring has a gate deadline, and it was over. Those messages
    ///   are lost.
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped at any time. The next call continues at the first message that is
    /// not acknowledged.
    pub async fn run(&mut self, link: &Link) -> Result<()> {
        let mut ask = true;
        let mut fruitless = (0, self.next_sequence());
        loop {
            let connection = link.connected().await;
            if ask {
                match self.ask(link).await {
                    Ok(()) => {}
                    Err(Failure::Final(error)) => return Err(error),
                    Err(Failure::Unanswered) => {
                        sleep(PAUSE).await;
                        continue;
                    }
                }
            }
            match self.session(link, connection).await {
                Ok(()) => return Ok(()),
                // Sends everything again that is not acknowledged. The broker refuses what it has.
                Err(Break::Lost) => ask = false,
                Err(Break::Unanswered) => ask = true,
                Err(Break::OutOfOrder { sequence, reason }) => {
                    ask = true;
                    let next = self.next_sequence();
                    fruitless = if fruitless.1 == next { (fruitless.0 + 1, next) } else { (0, next) };
                    if fruitless.0 == FRUITLESS {
                        return Err(Error::Refused { sequence, reason });
                    }
                    if fruitless.0 > 0 {
                        sleep(PAUSE).await;
                    }
                }
                Err(Break::Final(error)) => return Err(error),
            }
        }
    }

    /// Asks how far the stream has come, and moves there.
    async fn ask(&mut self, link: &Link) -> std::result::Result<(), Failure> {
        let stream = stream::find(link, &self.settings.stream).await?;
        let last = stream.cached_info().state.last_sequence;
        let Some(reached) = self.reached else {
            // None of this ring is in the stream: whatever is there stays before it.
            self.reached = Some(last);
            return Ok(());
        };
        if last < reached {
            return Err(Error::Shortened { reached, last }.into());
        }
        if last == reached {
            return Ok(());
        }
        if !self.begun && !self.is_of_this_ring(&stream, reached + 1).await? {
            // The last messages of a process that ran before this one. They came first: this ring's
            // first message can only be stored directly after `reached`.
            self.reached = Some(last);
            return Ok(());
        }
        let id = match stream::stored(&stream, last).await? {
            Stored::Message(id) => id,
            Stored::Removed => None,
        };
        match id.as_deref().and_then(|id| self.instance.sequence_of(id)) {
            Some(sequence) if sequence >= self.next_sequence() => self.acknowledge(sequence, last),
            _ => return Err(Error::Foreign { sequence: last, id }.into()),
        }
        Ok(())
    }

    /// Whether the stream's message at `sequence` is, or may be, of this ring.
    async fn is_of_this_ring(&self, stream: &Stream, sequence: u64) -> std::result::Result<bool, Failure> {
        Ok(match stream::stored(stream, sequence).await? {
            Stored::Message(id) => id.and_then(|id| self.instance.sequence_of(&id)).is_some(),
            Stored::Removed => true,
        })
    }

    /// The stream has the message `sequence` at `stream_sequence`, and all before it: the broker
    /// stores none of which an earlier one is missing.
    fn acknowledge(&mut self, sequence: u64, stream_sequence: u64) {
        self.gate.seek(Start::At(sequence + 1));
        self.begun = true;
        if let Some(before) = self.reached.replace(stream_sequence) {
            self.counts.acknowledged.add(stream_sequence - before);
        }
    }
}
