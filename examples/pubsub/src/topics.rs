//! A channel for each topic that has subscribers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::broadcast::{self, Receiver, Sender};

/// The text of a message. Each subscriber receives a clone.
pub(super) type Text = Arc<str>;

#[derive(Clone, Debug)]
pub(super) struct Topics {
    capacity: usize,
    senders: Arc<Mutex<HashMap<String, Sender<Text>>>>,
}

impl Topics {
    /// Each topic keeps the last `capacity` messages for subscribers that lag.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, senders: Arc::default() }
    }

    pub(super) fn subscribe(&self, topic: &str) -> Receiver<Text> {
        let mut senders = self.lock();
        if let Some(sender) = senders.get(topic) {
            return sender.subscribe();
        }
        let (sender, receiver) = broadcast::channel(self.capacity);
        senders.insert(topic.to_owned(), sender);
        receiver
    }

    /// Returns the number of subscribers that receive the message.
    pub(super) fn publish(&self, topic: &str, text: &str) -> usize {
        // `send` never waits, so it can run under the lock. It fails if there is no subscriber.
        self.lock().get(topic).map_or(0, |sender| sender.send(text.into()).unwrap_or(0))
    }

    /// Removes a topic whose last subscriber has left.
    pub(super) fn left(&self, topic: &str) {
        let mut senders = self.lock();
        if senders.get(topic).is_some_and(|sender| sender.receiver_count() == 0) {
            senders.remove(topic);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Sender<Text>>> {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
