//! Back-pressure: who waits while the broker is down or a reader is slow, and who does not.

use std::thread;
use std::time::Duration;

use seqcast::{Builder, TryRecvError};
use seqcast_nats_bridge::{Arrived, Error, Inbound};
use tokio::task::block_in_place;
use tokio::time::sleep;

use crate::support::{
    STREAM, broker, expect_stored, forward, inbound_settings, link, message, outbound, receive, ring, stream, until,
    within,
};

/// Longer than anything would take that does not wait.
const A_WHILE: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishers_wait_for_the_broker_and_lossy_readers_do_not() {
    const CAPACITY: u64 = 64;
    const MESSAGES: u64 = 10_000;
    let Some(mut broker) = broker() else { return };
    let link = link(broker.address()).await;
    stream(&link).await;
    let (mut publisher, source) = ring(64);
    let mut lossy = source.subscribe();
    let outbound = outbound(&source);
    let counts = outbound.counts();
    let forwarding = forward(outbound, link.clone());
    let publishing = thread::spawn(move || publisher.publish_many((0..MESSAGES).map(message)));
    until("some are forwarded", || counts.acknowledged.get() > 100).await;

    block_in_place(|| broker.kill());
    // Acknowledgments that came before the kill may still be on their way.
    let mut full = 0;
    while source.next_sequence() != full {
        full = source.next_sequence();
        sleep(A_WHILE).await;
    }
    assert!(source.stats().subscribers.iter().any(|one| one.gating && one.lag == CAPACITY), "the ring is not full");
    let waited = source.stats().publishers_waited;
    // The lossy reader comes to the newest message at once, and finds that there is none after it.
    let mut newest = None;
    loop {
        match lossy.try_recv() {
            Ok(message) => newest = Some(message),
            Err(TryRecvError::Lagged(_)) => {}
            Err(_) => break,
        }
    }
    assert_eq!(newest, Some(message(full - 1)));
    sleep(A_WHILE).await;
    assert_eq!(source.next_sequence(), full, "the publisher did not wait");
    assert!(!publishing.is_finished() && lossy.is_empty());

    block_in_place(|| broker.start()).unwrap();
    within(forwarding).await.unwrap();
    assert_eq!(publishing.join().unwrap(), 0..MESSAGES);
    assert!(source.stats().publishers_waited >= waited + A_WHILE);
    // It has lost what it did not read meanwhile, and reads the rest.
    let rest: Vec<_> = lossy.iter().flatten().collect();
    assert_eq!(rest.last(), Some(&message(MESSAGES - 1)));
    assert_eq!(lossy.received() + lossy.missed(), MESSAGES);
    expect_stored(&link, 0..MESSAGES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_gate_deadline_publishers_wait_no_longer_and_the_bridge_reports_the_loss() {
    let Some(mut broker) = broker() else { return };
    let link = link(broker.address()).await;
    stream(&link).await;
    let (mut publisher, _) = Builder::new(64).gated().gate_deadline(A_WHILE).boxed();
    let mut outbound = outbound(&publisher.ring());
    block_in_place(|| broker.kill());
    let publishing = thread::spawn(move || publisher.publish_many((0..1000).map(message)));
    // It ends although nothing can be forwarded.
    until("all are published", || publishing.is_finished()).await;
    block_in_place(|| broker.start()).unwrap();
    let Err(Error::Lagged(lagged)) = within(outbound.run(&link)).await else { panic!("the loss is not reported") };
    assert_eq!((lagged.missed, lagged.resumed_at), (1000 - 64, 1000 - 64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pull_stops_while_a_gating_reader_is_slow() {
    const CAPACITY: u64 = 64;
    const MESSAGES: u64 = 5_000;
    let Some(broker) = broker() else { return };
    let link = link(broker.address()).await;
    stream(&link).await;
    let (mut publisher, source) = ring(1024);
    let forwarding = forward(outbound(&source), link.clone());
    thread::spawn(move || publisher.publish_many((0..MESSAGES).map(message)));
    within(forwarding).await.unwrap();

    let (sink, mut lossy) = Builder::new(64).gated().boxed::<Arrived>();
    let mut slow = sink.ring().subscribe_gating().unwrap();
    let settings = inbound_settings();
    let (batch, durable) = (settings.batch as u64, settings.durable.clone());
    let inbound = Inbound::new(sink, settings);
    let counts = inbound.counts();
    let receiving = receive(inbound, link.clone());
    until("the ring is full", || counts.received.get() == CAPACITY).await;
    sleep(A_WHILE).await;
    assert_eq!(counts.received.get(), CAPACITY);
    let stream = link.context().get_stream(STREAM).await.unwrap();
    let delivered = stream.consumer_info(&durable).await.unwrap().delivered.stream_sequence;
    assert!(delivered <= CAPACITY + batch, "{delivered} were pulled");
    assert_eq!(lossy.try_iter().flatten().count() as u64, CAPACITY);

    for number in 0..MESSAGES {
        let arrived = within(slow.recv_async()).await.unwrap();
        assert_eq!((arrived.stream_sequence, arrived.payload), (number + 1, message(number)));
    }
    receiving.abort();
}
