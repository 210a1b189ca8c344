//! Pulling through one consumer, until something goes wrong.

use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::Batch;
use futures::stream::StreamExt;
use tokio::time::timeout;

use super::consumer::Pull;
use super::{Arrived, Inbound};
use crate::error::Error;
use crate::stream::Failure;

/// How long a request waits at the broker for a message.
const WAIT: Duration = Duration::from_secs(1);

impl Inbound {
    /// Pulls and publishes, a batch at a time. `delivered` counts what the consumer has delivered.
    ///
    /// All of a batch is taken from the connection first. Publishing may take long, and the next
    /// request is sent only after it.
    pub(super) async fn pull(&mut self, consumer: &Pull, mut delivered: u64, patience: Duration) -> Failure {
        loop {
            let messages = match self.batch(consumer, patience).await {
                Ok(messages) => messages,
                Err(failure) => return failure,
            };
            for message in messages {
                if let Err(failure) = self.arrived(&message, &mut delivered).await {
                    return failure;
                }
            }
        }
    }

    /// What is there, or the first message that comes.
    async fn batch(&self, consumer: &Pull, patience: Duration) -> Result<Vec<Message>, Failure> {
        let present = consumer.fetch().max_messages(self.settings.batch).messages().await;
        let messages = collect(present.map_err(|_| Failure::Unanswered)?, patience).await?;
        if !messages.is_empty() {
            return Ok(messages);
        }
        let first = consumer.batch().max_messages(1).expires(WAIT).messages().await;
        collect(first.map_err(|_| Failure::Unanswered)?, WAIT + patience).await
    }

    async fn arrived(&mut self, message: &Message, delivered: &mut u64) -> Result<(), Failure> {
        let info = message.info().map_err(|error| Error::Request(error.to_string()))?;
        *delivered += 1;
        // A delivery is missing. Its message would come again, but after this one.
        if info.consumer_sequence != *delivered {
            return Err(Failure::Unanswered);
        }
        let stream_sequence = info.stream_sequence;
        let next = self.next.expect("the broker has been asked");
        if stream_sequence > next {
            // The next run continues here.
            self.next = Some(stream_sequence);
            return Err(Error::Removed { first: next, count: stream_sequence - next }.into());
        }
        if stream_sequence == next {
            let arrived = Arrived { stream_sequence, payload: message.payload.clone() };
            let published = self.publisher.publish_async(arrived).await;
            published.expect("a ring with its only publisher is open");
            // Nothing is awaited between these two: a dropped future leaves both undone or both
            // done.
            self.next = Some(next + 1);
            self.counts.received.add(1);
        } else {
            self.counts.redelivered.add(1);
        }
        message.ack().await.map_err(|_| Failure::Unanswered)
    }
}

/// All of a batch.
async fn collect(mut batch: Batch, patience: Duration) -> Result<Vec<Message>, Failure> {
    let mut messages = Vec::new();
    let all = async {
        while let Some(message) = batch.next().await {
            messages.push(message.map_err(|_| Failure::Unanswered)?);
        }
        Ok(())
    };
    match timeout(patience, all).await {
        Ok(result) => result.map(|()| messages),
        Err(_) if messages.is_empty() => Err(Failure::Unanswered),
        // A delivery is missing. What came before it can be published.
        Err(_) => Ok(messages),
    }
}
