//! One queue, and one thread that sends to the clients in turn.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::metadata::MetadataMap;

use super::Completion;
use crate::event::Event;
use crate::message;
use crate::outlet::Outlet;
use crate::proto::ContainerEventResponse;
use crate::ring::Kept;
use crate::source::{Events, Source};
use crate::wish::Wish;

/// How many events the queue holds. If it is full, the newest event is dropped.
const QUEUE: usize = 1000;

struct Connection<C> {
    // A capacity of one: sending waits until the transport has taken the previous event.
    sender: mpsc::Sender<ContainerEventResponse>,
    completion: C,
}

type Connections<C> = Mutex<HashMap<u64, Arc<Connection<C>>>>;

struct Shared<C> {
    connections: Connections<C>,
    next: AtomicU64,
}

impl<C> Shared<C> {
    fn connections(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection<C>>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The old source of events.
pub struct Broadcaster<C>(Arc<Shared<C>>);

/// The outlet of a [`Broadcaster`].
pub struct Tap {
    queue: SyncSender<Event>,
    dropped: Arc<AtomicU64>,
}

impl<C: Completion> Broadcaster<C> {
    /// Returns the source, its outlet, the count of dropped events, and the thread that sends. The
    /// thread ends when the tap is dropped or when it panics.
    pub fn start(kept: Kept) -> (Self, Tap, Arc<AtomicU64>, JoinHandle<()>) {
        let shared = Arc::new(Shared { connections: Connections::default(), next: AtomicU64::new(0) });
        let (queue, events) = sync_channel(QUEUE);
        let dropped = Arc::<AtomicU64>::default();
        let sending = Arc::clone(&shared);
        let sender = thread::Builder::new().name("broadcaster".to_owned());
        let sender = sender.spawn(move || broadcast(&sending, &events, kept)).expect("a thread can be started");
        (Self(shared), Tap { queue, dropped: Arc::clone(&dropped) }, dropped, sender)
    }
}

impl Outlet for Tap {
    fn publish(&mut self, event: Event) {
        if self.queue.try_send(event).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn broadcast<C: Completion>(shared: &Shared<C>, events: &Receiver<Event>, kept: Kept) {
    while let Ok(event) = events.recv() {
        let event = match kept {
            Kept::Full => message::full(&event),
            Kept::Compact => message::brief(&event),
        };
        let connections: Vec<_> = shared.connections().values().cloned().collect();
        for connection in connections {
            // Waits for the client, and all clients after it wait too.
            if connection.sender.blocking_send(event.clone()).is_err() {
                connection.completion.finish();
            }
        }
    }
    // Drops the last sender of each client, which ends its stream.
    shared.connections().clear();
}

impl<C: Completion> Source for Broadcaster<C> {
    fn open(&self, _: &Wish) -> Result<(MetadataMap, Events), Status> {
        let (sender, events) = mpsc::channel(1);
        let connection = Arc::new(Connection { sender, completion: C::default() });
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        // The first race: the connection is in the map before `begin`. A send that fails here calls
        // `finish` first.
        self.0.connections().insert(id, Arc::clone(&connection));
        connection.completion.begin();
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            connection.completion.wait().await;
            // The second race: until this line, another send may fail and call `finish` again.
            shared.connections().remove(&id);
        });
        Ok((MetadataMap::new(), Box::pin(ReceiverStream::new(events).map(Ok))))
    }
}
