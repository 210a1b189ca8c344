//! How to receive: on a thread, and in a task.

use std::thread;
use std::time::Duration;

use seqcast::{Inline, RecvError, Ring, Subscriber};

use crate::message::Message;

/// How long the slow reader sleeps after each message.
const SLOWNESS: Duration = Duration::from_millis(1);

/// A subscriber, with counts of its own to compare with those of the ring.
pub(crate) struct Reader {
    pub(crate) name: String,
    pub(crate) subscriber: Subscriber<Inline<Message>>,
    slow: bool,
    pub(crate) received: u64,
    /// How many messages had a wrong checksum.
    pub(crate) torn: u64,
}

impl Reader {
    pub(crate) fn new(ring: &Ring<Inline<Message>>, kind: &str, nth: u64, slow: bool) -> Self {
        let name = if slow { format!("slow {kind}") } else { format!("{kind} {nth}") };
        let subscriber = ring.subscribe();
        subscriber.set_name(&name);
        Self { name, subscriber, slow, received: 0, torn: 0 }
    }

    /// Receives on this thread until the ring ends. The thread is parked while there is no message.
    pub(crate) fn read(mut self) -> Self {
        loop {
            match self.subscriber.recv() {
                Ok(message) => self.count(message),
                // The next call returns the oldest message in the ring.
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return self,
            }
            if self.is_slow() {
                thread::sleep(SLOWNESS);
            }
        }
    }

    /// Receives in a task. A receive yields now and then, so a busy ring does not starve other
    /// tasks.
    pub(crate) async fn read_async(mut self) -> Self {
        loop {
            match self.subscriber.recv_async().await {
                Ok(message) => self.count(message),
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return self,
            }
            if self.is_slow() {
                tokio::time::sleep(SLOWNESS).await;
            }
        }
    }

    fn count(&mut self, message: Message) {
        self.received += 1;
        self.torn += u64::from(!message.is_whole());
    }

    /// The slow reader reads a closed ring at full speed, so that the program ends soon.
    fn is_slow(&self) -> bool {
        self.slow && !self.subscriber.is_closed()
    }
}
