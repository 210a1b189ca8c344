//! Streams over real connections: resuming, loss, many clients, shutdown.
#![allow(missing_docs, clippy::pedantic, reason = "a test")]

use std::collections::BTreeSet;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use seqcast_sse::client::{self, Event, Events};
use seqcast_sse::{Server, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

/// Much longer than any step takes.
const PATIENCE: Duration = Duration::from_secs(60);

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<std::io::Result<()>>,
}

impl Running {
    async fn with(settings: Settings) -> Self {
        let server = Server::bind("127.0.0.1:0", settings).await.unwrap();
        let address = server.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(server.run(async { stopped.await.unwrap() }));
        Self { address, stop, ended }
    }

    async fn start(capacity: usize) -> Self {
        Self::with(Settings { capacity, grace: PATIENCE, ..Settings::default() }).await
    }

    async fn publish(&self, texts: impl IntoIterator<Item = u64>) {
        for text in texts {
            let sequence = within(client::publish(self.address, text.to_string())).await.unwrap();
            assert_eq!(sequence, text);
        }
    }

    async fn events(&self, last: Option<u64>) -> Events {
        within(client::events(self.address, last)).await.unwrap()
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        within(self.ended).await.unwrap().unwrap();
    }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("in time")
}

async fn next(events: &mut Events) -> Event {
    within(events.next()).await.unwrap().expect("an event")
}

/// Message `number` is published with the sequence `number`.
fn message(number: u64) -> Event {
    Event { id: Some(number), name: None, data: number.to_string() }
}

fn lagged(missed: u64, last: u64) -> Event {
    Event { id: Some(last), name: Some("lagged".to_owned()), data: missed.to_string() }
}

#[tokio::test]
async fn a_client_that_reconnects_receives_what_it_missed() {
    let server = Running::start(16).await;
    let mut events = server.events(None).await;
    server.publish(0..3).await;
    for number in 0..3 {
        assert_eq!(next(&mut events).await, message(number));
    }
    drop(events);
    server.publish(3..10).await;
    let mut events = server.events(Some(2)).await;
    for number in 3..10 {
        assert_eq!(next(&mut events).await, message(number));
    }
    // New messages follow.
    server.publish(10..11).await;
    assert_eq!(next(&mut events).await, message(10));
    // A client that missed nothing receives only new messages.
    drop(events);
    let mut events = server.events(Some(10)).await;
    server.publish(11..12).await;
    assert_eq!(next(&mut events).await, message(11));
    server.stop().await;
}

#[tokio::test]
async fn nothing_is_lost_or_duplicated_while_a_client_reconnects() {
    const MESSAGES: u64 = 1000;
    let server = Running::start(1024).await;
    let address = server.address;
    let mut events = server.events(None).await;
    let publisher = tokio::spawn(async move {
        for text in 0..MESSAGES {
            client::publish(address, text.to_string()).await.unwrap();
        }
    });
    for number in 0..MESSAGES {
        assert_eq!(next(&mut events).await, message(number));
        // Between two events, or while some are in flight. Those are then sent again.
        if number % 7 == 0 {
            events = server.events(events.last_id()).await;
        }
    }
    within(publisher).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_was_lapped_receives_the_exact_loss() {
    let server = Running::start(8).await;
    let mut events = server.events(None).await;
    server.publish(0..3).await;
    for number in 0..3 {
        assert_eq!(next(&mut events).await, message(number));
    }
    drop(events);
    server.publish(3..28).await; // the ring keeps 20..28
    let mut events = server.events(Some(2)).await;
    assert_eq!(next(&mut events).await, lagged(17, 19));
    // It disconnects before it receives a message. The loss is not reported again.
    drop(events);
    let mut events = server.events(Some(19)).await;
    for number in 20..28 {
        assert_eq!(next(&mut events).await, message(number));
    }
    // A client that is exactly one lap behind loses nothing. One more message is a loss.
    drop(events);
    server.publish(28..37).await;
    let mut events = server.events(Some(28)).await;
    assert_eq!(next(&mut events).await, message(29));
    let mut events = server.events(Some(27)).await;
    assert_eq!(next(&mut events).await, lagged(1, 28));
    assert_eq!(next(&mut events).await, message(29));
    server.stop().await;
}

#[tokio::test]
async fn a_client_whose_connection_breaks_before_the_first_event_resumes() {
    let server = Running::start(16).await;
    server.publish(0..5).await;
    let mut events = server.events(None).await;
    // The first event has an id and no data.
    assert!(timeout(Duration::from_millis(200), events.next()).await.is_err());
    assert_eq!(events.last_id(), Some(4));
    drop(events);
    server.publish(5..7).await;
    let mut events = server.events(Some(4)).await;
    assert_eq!(next(&mut events).await, message(5));
    server.stop().await;
}

#[tokio::test]
async fn an_id_of_another_server_is_detected() {
    let server = Running::start(16).await;
    server.publish(0..3).await;
    let mut events = server.events(Some(1000)).await;
    assert_eq!(next(&mut events).await.name.as_deref(), Some("reset"));
    for number in 0..3 {
        assert_eq!(next(&mut events).await, message(number));
    }
    for id in ["nonsense", "-1", "18446744073709551615", ""] {
        let reply =
            raw(server.address, &format!("GET /events HTTP/1.1\r\nhost: x\r\nlast-event-id: {id}\r\n\r\n")).await;
        assert!(reply.starts_with("HTTP/1.1 400 "), "{id:?}: {reply}");
    }
    server.stop().await;
}

/// Sends `request` as it is, and returns the first bytes of the reply.
async fn raw(address: SocketAddr, request: &str) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut reply = vec![0; 1024];
    let length = within(socket.read(&mut reply)).await.unwrap();
    String::from_utf8_lossy(&reply[..length]).into_owned()
}

#[tokio::test]
async fn text_of_any_kind_arrives() {
    let server = Running::start(16).await;
    let mut events = server.events(None).await;
    for text in ["one\ntwo", "data: no field\n\nid: 99", " leading", "grüße ☂", ": no comment"] {
        within(client::publish(server.address, text)).await.unwrap();
        assert_eq!(next(&mut events).await.data, text);
    }
    // A carriage return also ends a line, and arrives as a line feed.
    within(client::publish(server.address, "one\rtwo\r\nthree")).await.unwrap();
    let data = next(&mut events).await.data;
    assert_eq!(data.split('\n').filter(|line| !line.is_empty()).collect::<Vec<_>>(), ["one", "two", "three"]);
    // A message that is too long is refused.
    assert!(within(client::publish(server.address, "x".repeat(100_000))).await.is_err());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_at_once() {
    const CLIENTS: u64 = 100;
    const PUBLISHERS: u64 = 4;
    const EACH: u64 = 50;
    let server = Running::start(1024).await;
    let address = server.address;
    let mut readers = JoinSet::new();
    for reader in 0..CLIENTS {
        let mut events = server.events(None).await;
        readers.spawn(async move {
            let mut texts = Vec::new();
            for sequence in 0..PUBLISHERS * EACH {
                let event = next(&mut events).await;
                assert_eq!((event.id, event.name), (Some(sequence), None));
                texts.push(event.data);
                // Each client reconnects twice, at a different sequence.
                if sequence % CLIENTS == reader {
                    events = within(client::events(address, events.last_id())).await.unwrap();
                }
            }
            texts
        });
    }
    let mut publishers = JoinSet::new();
    for publisher in 0..PUBLISHERS {
        publishers.spawn(async move {
            for number in 0..EACH {
                client::publish(address, format!("{publisher} {number}")).await.unwrap();
            }
        });
    }
    within(publishers.join_all()).await;
    let received = within(readers.join_all()).await;
    // All receive the same messages in the same order, each once.
    assert!(received.iter().all(|texts| *texts == received[0]));
    assert_eq!(received[0].iter().collect::<BTreeSet<_>>().len() as u64, PUBLISHERS * EACH);
    server.stop().await;
}

#[tokio::test]
async fn a_shutdown_ends_streams_after_their_last_event() {
    let server = Running::start(64).await;
    let mut all = server.events(None).await;
    server.publish(0..20).await;
    let mut some = server.events(Some(9)).await;
    let mut idle = server.events(Some(19)).await;
    let address = server.address;
    server.stop.send(()).unwrap();
    for number in 0..20 {
        assert_eq!(next(&mut all).await, message(number));
    }
    for number in 10..20 {
        assert_eq!(next(&mut some).await, message(number));
    }
    for events in [&mut all, &mut some, &mut idle] {
        assert_eq!(within(events.next()).await.unwrap(), None);
    }
    within(server.ended).await.unwrap().unwrap();
    assert!(within(client::publish(address, "late")).await.is_err());
    assert!(within(client::events(address, None)).await.is_err());
}

#[tokio::test]
async fn a_client_that_does_not_read_does_not_delay_the_shutdown() {
    let settings = Settings { grace: Duration::from_millis(200), ..Settings::default() };
    let server = Running::with(settings).await;
    let _stuck = server.events(None).await;
    // More than the socket buffers hold.
    let text = "x".repeat(60_000);
    for _ in 0..400 {
        within(client::publish(server.address, text.clone())).await.unwrap();
    }
    server.stop().await;
}

/// Back pressure. A loss of a client that is connected and does not read is counted like a loss of
/// a client that is disconnected.
#[tokio::test]
async fn a_client_that_reads_too_slowly_receives_the_exact_loss() {
    const MESSAGES: u64 = 400;
    let server = Running::start(8).await;
    let mut events = server.events(None).await;
    let text = "x".repeat(60_000);
    for _ in 0..MESSAGES {
        within(client::publish(server.address, text.clone())).await.unwrap();
    }
    let (mut expected, mut missed) = (0, 0);
    while expected < MESSAGES {
        let event = next(&mut events).await;
        let advance = match event.name.as_deref() {
            Some("lagged") => event.data.parse::<u64>().unwrap(),
            _ => 1,
        };
        missed += advance - 1;
        expected += advance;
        assert_eq!(event.id, Some(expected - 1));
    }
    assert!(missed > 0, "the socket buffers held all messages");
    server.stop().await;
}

#[tokio::test]
async fn a_stream_without_events_has_comments() {
    let settings = Settings { keep_alive: Duration::from_millis(50), grace: PATIENCE, ..Settings::default() };
    let server = Running::with(settings).await;
    let mut events = server.events(None).await;
    within(async {
        while events.comments() < 3 {
            let event = timeout(Duration::from_millis(100), events.next()).await;
            assert!(event.is_err(), "an unexpected event: {event:?}");
        }
    })
    .await;
    server.publish(0..1).await;
    assert_eq!(next(&mut events).await, message(0));
    server.stop().await;
}
