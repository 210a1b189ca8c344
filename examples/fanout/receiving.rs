//! How to receive: on a thread, and in a task.

use std::thread;
use std::time::Duration;

use seqcast::{Inline, RecvError, Ring, Subscriber};
use tokio::task;

use crate::message::Message;

/// How long the slow reader sleeps after each message.
const SLOWNESS: Duration = Duration::from_millis(1);

/// A subscriber and its own count, which is later compared with what the ring counted for it.
pub(crate) struct Reader {
    pub(crate) name: String,
    pub(crate) subscriber: Subscriber<Inline<Message>>,
    slow: bool,
    pub(crate) received: u64,
    /// Messages with a wrong checksum.
    pub(crate) torn: u64,
}

impl Reader {
    pub(crate) fn new(ring: &Ring<Inline<Message>>, kind: &str, nth: u64, slow: bool) -> Self {
        let name = if slow { format!("slow {kind}") } else { format!("{kind} {nth}") };
        let subscriber = ring.subscribe();
        subscriber.set_name(&name);
        Self { name, subscriber, slow, received: 0, torn: 0 }
    }

    /// Receives on this thread to the end of the ring. The thread sleeps while there is no message.
    pub(crate) fn read(mut self) -> Self {
        loop {
            match self.subscriber.recv() {
                Ok(message) => self.count(message),
                // Not the end: the next call returns the oldest message that is left.
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return self,
            }
            if self.is_slow() {
                thread::sleep(SLOWNESS);
            }
        }
    }

    /// The same in a task: only the waiting differs.
    pub(crate) async fn read_async(mut self) -> Self {
        loop {
            // A receive that finds a message does not suspend the task. This does now and then, so that other tasks run.
            task::consume_budget().await;
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

    /// What is left in a closed ring is read at full speed, so that the program ends soon.
    fn is_slow(&self) -> bool {
        self.slow && !self.subscriber.is_closed()
    }
}
