//! What is lost on the wire is sent again, and never stored after what came later.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use seqcast_nats_bridge::{Broker, Link, Outbound, OutboundCounts, StreamSettings, create_stream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::proxy::Proxy;
use crate::support::{
    STREAM, SUBJECT, broker, expect_stored, forward, link, link_with, message, outbound, ring, seed, stream, until,
    within,
};

const PATIENCE: Duration = Duration::from_millis(200);

/// A proxy before the broker, a link through it, and the stream.
async fn through_proxy(broker: &Broker, rng: fastrand::Rng) -> (Proxy, Link) {
    let proxy = Proxy::to(broker.address(), rng).await;
    let link = link_with(proxy.address, PATIENCE).await;
    stream(&link).await;
    (proxy, link)
}

/// Publishes these many messages to a ring and forwards them, until the ring ends.
fn forward_all(link: Link, messages: u64) -> (Arc<OutboundCounts>, JoinHandle<Outbound>) {
    let (mut publisher, source) = ring(1024);
    let outbound = outbound(&source);
    let counts = outbound.counts();
    let forwarding = forward(outbound, link);
    thread::spawn(move || publisher.publish_many((0..messages).map(message)));
    (counts, forwarding)
}

/// 1 message of 200 does not arrive, without any other sign of it. Its successors do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_lost_in_flight_is_not_overtaken() {
    const MESSAGES: u64 = 10_000;
    let Some(broker) = broker() else { return };
    let (proxy, link_out) = through_proxy(&broker, seed()).await;
    proxy.faults.lose_messages.store(5, Ordering::Relaxed);
    let (counts, forwarding) = forward_all(link_out, MESSAGES);
    within(forwarding).await.unwrap();
    println!("{} were lost: {counts:?}", proxy.faults.lost.load(Ordering::Relaxed));
    assert!(counts.out_of_order.get() > 0 && proxy.faults.lost.load(Ordering::Relaxed) > 0);
    expect_stored(&link(broker.address()).await, 0..MESSAGES).await;
}

/// One acknowledgment stands for all messages before its own, so a lost one costs nothing but at
/// the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_acknowledgments_cost_nothing_but_time() {
    const MESSAGES: u64 = 10_000;
    let Some(broker) = broker() else { return };
    let (proxy, link_out) = through_proxy(&broker, seed()).await;
    proxy.faults.lose_acks.store(500, Ordering::Relaxed);
    let (counts, forwarding) = forward_all(link_out, MESSAGES);
    within(forwarding).await.unwrap();
    println!("{} were lost: {counts:?}", proxy.faults.lost.load(Ordering::Relaxed));
    expect_stored(&link(broker.address()).await, 0..MESSAGES).await;
}

/// Connections break at random moments, in the middle of messages, with losses of both kinds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wire_that_breaks_again_and_again() {
    const MESSAGES: u64 = 20_000;
    let Some(broker) = broker() else { return };
    let mut rng = seed();
    let (proxy, link_out) = through_proxy(&broker, rng.fork()).await;
    proxy.faults.lose_messages.store(1, Ordering::Relaxed);
    proxy.faults.lose_acks.store(100, Ordering::Relaxed);
    let (counts, forwarding) = forward_all(link_out, MESSAGES);
    let mut cuts = 0;
    while !forwarding.is_finished() {
        sleep(Duration::from_millis(rng.u64(0..100))).await;
        proxy.faults.cut();
        cuts += 1;
    }
    within(forwarding).await.unwrap();
    println!("{cuts} cuts: {counts:?}");
    assert!(counts.duplicates.get() > 0);
    expect_stored(&link(broker.address()).await, 0..MESSAGES).await;
}

/// The broker has forgotten the ids of what it has stored. It refuses the copies by their place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_after_the_duplicate_window_are_refused() {
    let Some(broker) = broker() else { return };
    let proxy = Proxy::to(broker.address(), seed()).await;
    // Acknowledgments are waited for so long that only the broken connection ends it.
    let link_out = link_with(proxy.address, Duration::from_secs(30)).await;
    let window = Duration::from_millis(100);
    let settings = StreamSettings { duplicate_window: window, ..StreamSettings::new(STREAM, SUBJECT) };
    within(create_stream(&link_out, &settings)).await.unwrap();
    proxy.faults.lose_acks.store(1000, Ordering::Relaxed);
    let (mut publisher, source) = ring(64);
    let outbound = outbound(&source);
    let counts = outbound.counts();
    let forwarding = forward(outbound, link_out);
    publisher.publish_many((0..50).map(message));
    until("50 acknowledgments are lost", || proxy.faults.lost.load(Ordering::Relaxed) == 50).await;
    // The broker removes ids with a timer of its own.
    sleep(window * 5).await;
    proxy.faults.lose_acks.store(0, Ordering::Relaxed);
    proxy.faults.cut();
    drop(publisher);
    within(forwarding).await.unwrap();
    println!("{counts:?}");
    assert_eq!((counts.acknowledged.get(), counts.duplicates.get()), (50, 0));
    assert!(counts.out_of_order.get() > 0);
    expect_stored(&link(broker.address()).await, 0..50).await;
}
