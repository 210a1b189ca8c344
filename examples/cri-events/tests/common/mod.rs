//! Helpers of the tests.
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use seqcast::RingStats;
use seqcast_cri_events::client::{Failure, Tail};
use seqcast_cri_events::event::{Event, Kind};
use seqcast_cri_events::ledger::Ledger;
use seqcast_cri_events::message;
use seqcast_cri_events::outlet::Outlet;
use seqcast_cri_events::server::{Options, Server};
use seqcast_cri_events::wish::{From, Wish};
use tonic::Status;

/// Much longer than any step takes.
pub const LONG: Duration = Duration::from_secs(20);

/// A temporary folder, removed at the end of the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("cri-events-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn socket(&self) -> PathBuf {
        self.0.join("events.sock")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server, with its outlet and its folder.
pub struct Stage {
    pub server: Server,
    pub outlet: Box<dyn Outlet>,
    pub socket: PathBuf,
    pub next: u64,
    // Dropped last, because it contains the server's files.
    pub folder: Folder,
}

impl Stage {
    pub async fn new(choose: impl FnOnce(&mut Options)) -> Self {
        let folder = Folder::new();
        let socket = folder.socket();
        let mut options = Options::on(&socket);
        choose(&mut options);
        let (server, outlet) = Server::start(&options).await.unwrap();
        Self { server, outlet, socket, next: 0, folder }
    }

    pub fn publish(&mut self, count: u64) {
        for _ in 0..count {
            self.outlet.publish(event(self.next));
            self.next += 1;
        }
    }

    pub async fn tail(&self, from: From) -> Tail {
        self.try_tail(from).await.unwrap()
    }

    pub async fn try_tail(&self, from: From) -> Result<Tail, Failure> {
        Tail::open(&self.socket, &Wish { from, ..Wish::default() }).await
    }

    pub fn stats(&self) -> RingStats {
        (self.server.feed().stats)()
    }

    /// Waits until the ring has `count` subscribers.
    pub async fn subscribers(&self, count: usize) {
        until(&format!("{count} subscribers"), || self.stats().subscribers.len() == count).await;
    }
}

/// The event that is published with a sequence.
pub fn event(sequence: u64) -> Event {
    let kind = Kind::ALL[usize::try_from(sequence % 4).unwrap()];
    let created_at = i64::try_from(sequence).unwrap();
    Event { created_at, pod: sequence / 4, container: 0, containers: 1, attempt: 0, kind, seal: 0 }.sealed()
}

/// Waits until `happened` returns `true`.
pub async fn until(what: &str, happened: impl Fn() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < LONG, "timed out: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Reads until `until` is the next sequence. Checks each event, and records it in the account.
pub async fn read(tail: &mut Tail, ledger: &mut Ledger, until: u64) {
    let (epoch, start) = tail.start().unwrap();
    if ledger.next().is_none() {
        ledger.open(epoch, start).unwrap();
    }
    while ledger.next().unwrap() < until {
        let message = tokio::time::timeout(LONG, tail.next()).await.expect("an event in time").unwrap();
        assert_eq!(message::verify(&message).unwrap(), event(message.sequence));
        ledger.receive(message.sequence, message.missed).unwrap();
    }
}

/// Reads to the status that ends a stream, and ignores the events before it.
pub async fn status(tail: &mut Tail) -> Status {
    loop {
        match tokio::time::timeout(LONG, tail.next()).await.expect("the end of the stream in time") {
            Ok(_) => {}
            Err(status) => return status,
        }
    }
}

/// The status of a refused request.
pub fn refused(tail: Result<Tail, Failure>) -> Status {
    match tail {
        Err(Failure::Status(status)) => status,
        other => panic!("not a status: {other:?}"),
    }
}

/// A number in a status.
pub fn number(status: &Status, key: &str) -> Option<u64> {
    status.metadata().get(key)?.to_str().unwrap().parse().ok()
}
