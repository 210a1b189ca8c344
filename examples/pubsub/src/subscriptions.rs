//! The receivers of one client.

use std::future;

use tokio_stream::{StreamExt, StreamMap};

use super::broadcast::Receiver;
use super::broadcast::error::RecvError;
use super::topics::Text;

#[derive(Default)]
pub(super) struct Subscriptions {
    streams: StreamMap<String, Receiver<Text>>,
}

/// An item for a client: a message of the topic, or how many of its messages were overwritten.
pub(super) type Delivery = (String, Result<Text, u64>);

impl Subscriptions {
    pub(super) fn contains(&self, topic: &str) -> bool {
        self.streams.contains_key(topic)
    }

    pub(super) fn insert(&mut self, topic: &str, receiver: Receiver<Text>) {
        self.streams.insert(topic.to_owned(), receiver);
    }

    pub(super) fn remove(&mut self, topic: &str) {
        self.streams.remove(topic);
    }

    /// Drops all receivers, and returns their topics.
    pub(super) fn clear(&mut self) -> Vec<String> {
        let topics = self.streams.keys().cloned().collect();
        self.streams.clear();
        topics
    }

    /// The next message of any topic. Waits forever if there is no topic.
    pub(super) async fn next(&mut self) -> Delivery {
        match self.streams.next().await {
            Some((topic, Ok(text))) => (topic, Ok(text)),
            Some((topic, Err(RecvError::Lagged(missed)))) => (topic, Err(missed)),
            Some((_, Err(RecvError::Closed))) | None => future::pending().await,
        }
    }
}
