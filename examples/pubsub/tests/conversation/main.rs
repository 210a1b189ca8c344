//! The server on tokio's channel and on seqcast's: both have the same conversation, byte by byte.
#![allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "a test")]

#[path = "../../before/mod.rs"]
mod before;
mod client;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::client::{Client, PATIENCE};

/// A running server.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Running {
    async fn stop(self) {
        self.stop.send(()).unwrap();
        timeout(PATIENCE, self.ended).await.expect("a shutdown in time").unwrap();
        assert!(TcpStream::connect(self.address).await.is_err(), "it still listens");
    }
}

/// Starts the server of a module on a free port.
macro_rules! start {
    ($server:ident, $capacity:expr, $grace:expr) => {{
        let settings = $server::Settings { capacity: $capacity, grace: $grace };
        let server = $server::Server::bind("127.0.0.1:0", settings).await.unwrap();
        let address = server.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(server.run(async { stopped.await.unwrap() }));
        Running { address, stop, ended }
    }};
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_say_the_same() {
    let before = conversation(start!(before, 4, PATIENCE)).await;
    let after = conversation(start!(seqcast_pubsub, 4, PATIENCE)).await;
    assert_eq!(before, after);
    assert_eq!(before, include_str!("transcript.txt"));
}

async fn conversation(server: Running) -> String {
    let mut transcript = String::new();
    let log = &mut transcript;
    let mut ann = Client::connect("ann", server.address).await;
    let mut bob = Client::connect("bob", server.address).await;
    let mut cy = Client::connect("cy", server.address).await;

    // There is no subscriber yet. Commands that are not valid get an error.
    ann.say("PING", 1, log).await;
    ann.say("PUBLISH news nobody hears this", 1, log).await;
    ann.say("DANCE", 1, log).await;
    ann.say("SUBSCRIBE", 1, log).await;
    ann.say("PUBLISH news", 1, log).await;

    // Several topics, some shared. A client that publishes to its own topic gets the reply first.
    bob.say("SUBSCRIBE news weather", 2, log).await;
    cy.say("subscribe news", 1, log).await;
    ann.say("SUBSCRIBE weather", 1, log).await;
    ann.say("PUBLISH news rain at noon", 1, log).await;
    bob.hear(1, log).await;
    cy.hear(1, log).await;
    ann.say("PUBLISH weather rain", 2, log).await;
    bob.hear(1, log).await;
    ann.say("PUBLISH sports 3:1", 1, log).await;
    // Subscribing again changes nothing.
    cy.say("SUBSCRIBE news", 1, log).await;

    // A paused client loses the oldest messages, and receives how many.
    cy.say("PAUSE", 1, log).await;
    for number in 0..10 {
        ann.say(&format!("PUBLISH news {number}"), 1, log).await;
        bob.hear(1, log).await;
    }
    cy.say("RESUME", 1 + 1 + 4, log).await;
    ann.say("PUBLISH news 10", 1, log).await;
    bob.hear(1, log).await;
    cy.hear(1, log).await;
    // As many messages as the capacity: nothing is lost.
    cy.say("PAUSE", 1, log).await;
    for number in 11..15 {
        ann.say(&format!("PUBLISH news {number}"), 1, log).await;
        bob.hear(1, log).await;
    }
    cy.say("RESUME", 1 + 4, log).await;

    // A client that unsubscribes receives nothing more of the topic, not even unread messages.
    bob.say("PAUSE", 1, log).await;
    ann.say("PUBLISH news unread", 1, log).await;
    cy.hear(1, log).await;
    bob.say("UNSUBSCRIBE news", 1, log).await;
    bob.say("RESUME", 1, log).await;
    ann.say("PUBLISH news still there?", 1, log).await;
    cy.hear(1, log).await;
    // A client that subscribes again begins with the next message.
    bob.say("SUBSCRIBE news", 1, log).await;
    ann.say("PUBLISH news back", 1, log).await;
    bob.hear(1, log).await;
    cy.hear(1, log).await;

    // A client that quits, a client that disconnects, and a topic that is removed and made again.
    cy.say("QUIT", 1, log).await;
    cy.hear_out(log).await;
    bob.say("UNSUBSCRIBE news weather sports", 3, log).await;
    ann.say("PUBLISH news nobody hears this", 1, log).await;
    let mut dee = Client::connect("dee", server.address).await;
    dee.say("SUBSCRIBE news", 1, log).await;
    ann.say("PUBLISH news once more", 1, log).await;
    dee.hear(1, log).await;
    drop(dee);
    // The server drops the receiver when it detects that the client has disconnected.
    let since = Instant::now();
    loop {
        ann.send("PUBLISH news anybody?").await;
        match ann.receive().await.as_deref() {
            Some("published news 0") => break,
            _ => assert!(since.elapsed() < PATIENCE, "the subscriber is still counted"),
        }
    }

    // A shutdown with clients connected, one of which has an unread message.
    ann.say("PAUSE", 1, log).await;
    bob.say("PUBLISH weather sun", 1, log).await;
    server.stop().await;
    ann.hear_out(log).await;
    bob.hear_out(log).await;
    transcript
}

/// Back pressure: a client that does not read its socket. How much it loses depends on the
/// operating system, but received and lost messages add up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_loses_a_counted_number() {
    slow_client(start!(before, 4, PATIENCE)).await;
    slow_client(start!(seqcast_pubsub, 4, PATIENCE)).await;
}

async fn slow_client(server: Running) {
    const MESSAGES: usize = 2000;
    let mut slow = Client::connect("slow", server.address).await;
    let mut quick = Client::connect("quick", server.address).await;
    slow.send("SUBSCRIBE pictures").await;
    assert_eq!(slow.receive().await.as_deref(), Some("subscribed pictures"));
    let picture = ".".repeat(16 * 1024);
    for number in 0..MESSAGES {
        quick.send(&format!("PUBLISH pictures {number} {picture}")).await;
        assert_eq!(quick.receive().await.as_deref(), Some("published pictures 1"));
    }

    let (mut next, mut lost) = (0, 0);
    while next < MESSAGES {
        let line = slow.receive().await.unwrap();
        if let Some(missed) = line.strip_prefix("lagged pictures ") {
            let missed = missed.parse::<usize>().unwrap();
            (next, lost) = (next + missed, lost + missed);
        } else {
            let number = line.strip_prefix("message pictures ").unwrap().split_once(' ').unwrap().0;
            assert_eq!(number.parse(), Ok(next));
            next += 1;
        }
    }
    assert!(lost > 0, "the socket buffers held all messages");
    server.stop().await;
}

/// A shutdown waits for a client that reads nothing, but not longer than its grace period.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_does_not_delay_the_shutdown() {
    stuck_client(start!(before, 1024, Duration::from_millis(200))).await;
    stuck_client(start!(seqcast_pubsub, 1024, Duration::from_millis(200))).await;
}

async fn stuck_client(server: Running) {
    let mut stuck = Client::connect("stuck", server.address).await;
    let mut quick = Client::connect("quick", server.address).await;
    stuck.send("SUBSCRIBE pictures").await;
    assert_eq!(stuck.receive().await.as_deref(), Some("subscribed pictures"));
    let picture = ".".repeat(32 * 1024);
    for _ in 0..600 {
        quick.send(&format!("PUBLISH pictures {picture}")).await;
        assert_eq!(quick.receive().await.as_deref(), Some("published pictures 1"));
    }
    server.stop().await;
}

/// `docs/from-tokio.md` shows all differences between the two servers.
#[test]
fn little_differs() {
    let lines =
        |text: &'static str| text.lines().map(str::trim).filter(|line| !line.starts_with("//")).collect::<Vec<_>>();
    let only_in = |one: &[&'static str], other: &[&'static str]| {
        one.iter().copied().filter(|line| !other.contains(line)).collect::<Vec<_>>()
    };

    let before = lines(include_str!("../../before/mod.rs"));
    let after = lines(include_str!("../../src/lib.rs"));
    let elsewhere = |line: &&str| !line.starts_with("#[path");
    assert_eq!(only_in(&after, &before), ["pub use seqcast::broadcast;"]);
    assert_eq!(
        only_in(&before, &after).into_iter().filter(elsewhere).collect::<Vec<_>>(),
        ["pub use tokio::sync::broadcast;"]
    );

    let before = lines(include_str!("../../before/subscriptions.rs"));
    let after = lines(include_str!("../../src/subscriptions.rs"));
    assert_eq!(
        only_in(&after, &before),
        [
            "use super::broadcast::error::RecvError;",
            "streams: StreamMap<String, Receiver<Text>>,",
            "self.streams.insert(topic.to_owned(), receiver);",
            "Some((_, Err(RecvError::Closed))) | None => future::pending().await,",
        ]
    );
    assert_eq!(
        only_in(&before, &after),
        [
            "use tokio_stream::wrappers::BroadcastStream;",
            "use tokio_stream::wrappers::errors::BroadcastStreamRecvError as RecvError;",
            "streams: StreamMap<String, BroadcastStream<Text>>,",
            "self.streams.insert(topic.to_owned(), BroadcastStream::new(receiver));",
            "None => future::pending().await,",
        ]
    );
}
