//! The audience: subscribers on threads of their own, and in tasks.

use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use seqcast::{Inline, RecvError, Ring, Subscriber};
use tokio::runtime::Runtime;
use tokio::task;

use crate::message::Message;
use crate::options::Options;

/// Messages that a subscriber takes at once.
const BATCH: usize = 64;
/// What the slow subscriber makes of each batch.
const SLOWNESS: Duration = Duration::from_millis(20);

/// What a subscriber itself counts, for onlookers. Lines of their own: it is written with every batch.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Tally {
    received: AtomicU64,
    torn: AtomicU64,
}

impl Tally {
    pub(crate) fn record<const WORDS: usize>(&self, messages: &[Message<WORDS>]) {
        let torn = messages.iter().filter(|message| !message.is_whole()).count();
        // Relaxed: counts for onlookers; the final ones are read after a join.
        self.torn.fetch_add(torn as u64, Ordering::Relaxed);
        self.received.fetch_add(messages.len() as u64, Ordering::Relaxed);
    }

    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    pub(crate) fn torn(&self) -> u64 {
        self.torn.load(Ordering::Relaxed)
    }
}

/// What is known of a subscriber from the beginning, and its own count.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// By which the ring's statistics know it.
    pub(crate) id: u64,
    /// The sequence it started at.
    pub(crate) start: u64,
    pub(crate) tally: Arc<Tally>,
}

impl Member {
    pub(crate) fn of<const WORDS: usize>(subscriber: &Subscriber<Inline<Message<WORDS>>>) -> Self {
        Self { id: subscriber.id(), start: subscriber.next_sequence(), tally: Arc::default() }
    }
}

/// Everybody who listens.
pub(crate) struct Audience<const WORDS: usize> {
    members: Vec<Member>,
    threads: Vec<JoinHandle<Subscriber<Inline<Message<WORDS>>>>>,
    tasks: Vec<task::JoinHandle<Subscriber<Inline<Message<WORDS>>>>>,
}

impl<const WORDS: usize> Audience<WORDS> {
    /// Subscribes them all, and lets them wait.
    pub(crate) fn assemble(
        options: &Options,
        ring: &Ring<Inline<Message<WORDS>>>,
        runtime: &Runtime,
    ) -> io::Result<Self> {
        let mut audience = Self { members: Vec::new(), threads: Vec::new(), tasks: Vec::new() };
        for nth in 1..=options.readers {
            let slow = nth == 1;
            let (subscriber, tally) = audience.admit(ring, name("thread", nth, slow));
            let read = move || receive_blocking(subscriber, &tally, slow);
            audience.threads.push(thread::Builder::new().name(format!("reader {nth}")).spawn(read)?);
        }
        for nth in 1..=options.tasks {
            let slow = nth == 1 && options.readers == 0;
            let (subscriber, tally) = audience.admit(ring, name("task", nth, slow));
            audience.tasks.push(runtime.spawn(receive_async(subscriber, tally, slow)));
        }
        Ok(audience)
    }

    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    /// Waits until all have reached the end of the ring.
    pub(crate) fn disperse(self, runtime: &Runtime) -> (Vec<Member>, Vec<Subscriber<Inline<Message<WORDS>>>>) {
        let threads = self.threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        let tasks = self.tasks.into_iter().map(|task| runtime.block_on(task).unwrap_or_else(|lost| panic!("{lost}")));
        (self.members, threads.chain(tasks).collect())
    }

    fn admit(
        &mut self,
        ring: &Ring<Inline<Message<WORDS>>>,
        name: String,
    ) -> (Subscriber<Inline<Message<WORDS>>>, Arc<Tally>) {
        let subscriber = ring.subscribe();
        subscriber.set_name(name);
        let member = Member::of(&subscriber);
        let tally = Arc::clone(&member.tally);
        self.members.push(member);
        (subscriber, tally)
    }
}

fn name(kind: &str, nth: usize, slow: bool) -> String {
    if slow { format!("slow {kind}") } else { format!("{kind} {nth}") }
}

/// Receives on this thread until the ring ends. The thread parks while there is nothing.
fn receive_blocking<const WORDS: usize>(
    mut subscriber: Subscriber<Inline<Message<WORDS>>>,
    tally: &Tally,
    slow: bool,
) -> Subscriber<Inline<Message<WORDS>>> {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        match subscriber.recv_many(&mut batch, BATCH) {
            Ok(_) => tally.record(&batch),
            // The subscriber counts its loss, and stands at the oldest message that is left: now is the time to take it.
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return subscriber,
        }
        batch.clear();
        // What is left after the end need not be read slowly.
        if slow && !subscriber.is_closed() {
            thread::sleep(SLOWNESS);
        }
    }
}

/// The same as a task: only the waiting differs.
async fn receive_async<const WORDS: usize>(
    mut subscriber: Subscriber<Inline<Message<WORDS>>>,
    tally: Arc<Tally>,
    slow: bool,
) -> Subscriber<Inline<Message<WORDS>>> {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        // A ring that is never empty never makes its reader wait: lets the other tasks of this worker run now and then.
        task::consume_budget().await;
        match subscriber.recv_many_async(&mut batch, BATCH).await {
            Ok(_) => tally.record(&batch),
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return subscriber,
        }
        batch.clear();
        if slow && !subscriber.is_closed() {
            tokio::time::sleep(SLOWNESS).await;
        }
    }
}
