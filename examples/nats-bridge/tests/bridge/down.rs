//! A broker that is not there, or does not answer.

use std::process::Command;
use std::thread;
use std::time::Duration;

use seqcast_nats_bridge::Broker;
use tokio::task::block_in_place;
use tokio::time::sleep;

use crate::support::{broker, expect_stored, forward, link, link_with, message, outbound, ring, stream, until, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_down_from_the_start_is_waited_for() {
    const MESSAGES: u64 = 1000;
    if broker().is_none() {
        return;
    }
    let mut broker = Broker::new().unwrap();
    let link = link(broker.address()).await;
    let (mut publisher, source) = ring(64);
    let outbound = outbound(&source);
    let counts = outbound.counts();
    let waiting = link.clone();
    let forwarding = tokio::spawn(async move {
        stream(&waiting).await;
        forward(outbound, waiting).await.unwrap()
    });
    thread::spawn(move || publisher.publish_many((0..MESSAGES).map(message)));
    until("the ring is full", || source.next_sequence() == 64).await;
    sleep(Duration::from_millis(300)).await;
    assert_eq!((source.next_sequence(), counts.sent.get()), (64, 0));
    block_in_place(|| broker.start()).unwrap();
    within(forwarding).await.unwrap();
    expect_stored(&link, 0..MESSAGES).await;
}

/// It is killed while it starts, and while it is started it has no time to answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_dies_while_it_starts() {
    const MESSAGES: u64 = 20_000;
    let Some(mut broker) = broker() else { return };
    let link_out = link(broker.address()).await;
    stream(&link_out).await;
    let (mut publisher, source) = ring(256);
    let outbound = outbound(&source);
    let counts = outbound.counts();
    let forwarding = forward(outbound, link_out);
    thread::spawn(move || publisher.publish_many((0..MESSAGES).map(message)));
    until("half is forwarded", || counts.acknowledged.get() >= MESSAGES / 2).await;
    for pause in 0..40 {
        broker.launch().unwrap();
        sleep(Duration::from_millis(pause * 2)).await;
    }
    block_in_place(|| broker.start()).unwrap();
    within(forwarding).await.unwrap();
    expect_stored(&link(broker.address()).await, 0..MESSAGES).await;
}

/// Its process is suspended: connections stay, and nothing is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_hangs_is_waited_for() {
    const MESSAGES: u64 = 20_000;
    let Some(broker) = broker() else { return };
    let link_out = link_with(broker.address(), Duration::from_millis(150)).await;
    stream(&link_out).await;
    let (mut publisher, source) = ring(1024);
    let outbound = outbound(&source);
    let counts = outbound.counts();
    let forwarding = forward(outbound, link_out);
    thread::spawn(move || publisher.publish_many((0..MESSAGES).map(message)));
    for part in 1..4 {
        until("a part is forwarded", || counts.acknowledged.get() >= part * MESSAGES / 4).await;
        signal(&broker, "STOP");
        sleep(Duration::from_secs(1)).await;
        signal(&broker, "CONT");
    }
    within(forwarding).await.unwrap();
    println!("{counts:?}");
    expect_stored(&link(broker.address()).await, 0..MESSAGES).await;
}

fn signal(broker: &Broker, name: &str) {
    let id = broker.id().expect("it runs").to_string();
    assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
}
