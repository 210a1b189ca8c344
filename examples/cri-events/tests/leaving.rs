//! A client that disconnects is unsubscribed, even if no other event is published.
#![allow(missing_docs, clippy::pedantic)]

mod common;

use std::process::{Command, Stdio};

use common::{Stage, until};
use seqcast_cri_events::client::connect;
use seqcast_cri_events::proto::GetEventsRequest;
use seqcast_cri_events::ring::Kept;
use seqcast_cri_events::totals::End;
use seqcast_cri_events::wish::From;

#[tokio::test]
async fn an_idle_client_that_disconnects_is_unsubscribed() {
    for kept in [Kept::Full, Kept::Compact] {
        let stage = Stage::new(|options| options.payload = kept).await;
        let tails = [stage.tail(From::Latest).await, stage.tail(From::Latest).await];
        stage.subscribers(2).await;
        drop(tails);
        stage.subscribers(0).await;
        assert_eq!(stage.server.feed().totals.ended(End::Client), 2);
    }
}

#[tokio::test]
async fn an_idle_stream_that_is_cancelled_is_unsubscribed_while_its_connection_stays() {
    let stage = Stage::new(|_| {}).await;
    let mut client = connect(&stage.socket).await.unwrap();
    let (one, other) = (
        client.get_container_events(GetEventsRequest {}).await,
        client.get_container_events(GetEventsRequest {}).await,
    );
    stage.subscribers(2).await;
    drop(one);
    stage.subscribers(1).await;
    drop(other);
    stage.subscribers(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_client_that_is_killed_is_unsubscribed() {
    let stage = Stage::new(|_| {}).await;
    let mut client = Command::new(env!("CARGO_BIN_EXE_client"))
        .args(["--name", "to be killed", "--socket"])
        .arg(&stage.socket)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    stage.subscribers(1).await;
    assert_eq!(stage.stats().subscribers[0].name.as_deref(), Some("to be killed"));
    client.kill().unwrap();
    stage.subscribers(0).await;
    client.wait().unwrap();
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_a_burst_is_unsubscribed() {
    let mut stage = Stage::new(|options| options.capacity = 64).await;
    for _ in 0..50 {
        let mut tail = stage.tail(From::Latest).await;
        stage.publish(500);
        tail.next().await.unwrap();
        drop(tail);
    }
    stage.subscribers(0).await;
    let totals = &stage.server.feed().totals;
    until("every stream has ended", || totals.ended(End::Client) == totals.opened()).await;
}
