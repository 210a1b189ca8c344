//! A demonstration: a client that disconnects and reconnects, twice.

use std::net::SocketAddr;
use std::time::Duration;

use seqcast_sse::client::{self, Event, Events, Result};
use seqcast_sse::{Server, Settings};
use tokio::sync::oneshot;
use tokio::time::timeout;

const CAPACITY: usize = 8;

pub(crate) async fn run() -> Result<()> {
    let server = Server::bind("127.0.0.1:0", Settings { capacity: CAPACITY, ..Settings::default() }).await?;
    let address = server.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(async { drop(stopped.await) }));
    println!("The server listens on {address}. Its ring keeps {CAPACITY} messages.");
    // The conversation takes milliseconds.
    timeout(Duration::from_secs(60), conversation(address, stop)).await??;
    Ok(serving.await??)
}

async fn conversation(server: SocketAddr, stop: oneshot::Sender<()>) -> Result<()> {
    println!("\nA client connects.");
    let mut events = client::events(server, None).await?;
    publish(server, 0..3).await?;
    show(&mut events, 3).await?;

    println!("\nIt disconnects. Five messages are published, which the ring keeps.");
    let last = events.last_id();
    drop(events);
    publish(server, 3..8).await?;
    let mut events = reconnect(server, last).await?;
    show(&mut events, 5).await?;

    println!("\nIt disconnects again. Twenty messages are published, more than the ring keeps.");
    let last = events.last_id();
    drop(events);
    publish(server, 8..28).await?;
    let mut events = reconnect(server, last).await?;
    show(&mut events, 1 + CAPACITY).await?;

    println!("\nOne more message is published, and the server shuts down.");
    publish(server, 28..29).await?;
    drop(stop);
    while let Some(event) = events.next().await? {
        print(&event);
    }
    println!("The stream ends after its last event.");
    Ok(())
}

async fn publish(server: SocketAddr, numbers: std::ops::Range<u32>) -> Result<()> {
    for number in numbers {
        client::publish(server, format!("tick {number}")).await?;
    }
    Ok(())
}

async fn reconnect(server: SocketAddr, last: Option<u64>) -> Result<Events> {
    println!("It reconnects with `Last-Event-ID: {}`.", last.ok_or("no event has come yet")?);
    client::events(server, last).await
}

/// Prints `count` events. Fails if one is missing or duplicated.
async fn show(events: &mut Events, count: usize) -> Result<()> {
    for _ in 0..count {
        let before = events.last_id();
        let event = events.next().await?.ok_or("the stream ended too early")?;
        print(&event);
        let advanced = if event.name.is_some() { event.data.parse()? } else { 1 };
        if event.id != Some(before.map_or(0, |id| id + advanced)) {
            return Err("an event is missing or duplicated".into());
        }
    }
    Ok(())
}

fn print(event: &Event) {
    let id = event.id.map_or(String::new(), |id| id.to_string());
    let name = event.name.as_deref().unwrap_or("message");
    println!("    id {id:<2}  {name:<7}  {}", event.data);
}
