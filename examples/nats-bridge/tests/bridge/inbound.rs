//! From a stream into a ring, when the bridge or its consumer goes.

use std::sync::atomic::Ordering;
use std::time::Duration;

use seqcast::{Boxed, Builder, Publisher, Subscriber};
use seqcast_nats_bridge::{Arrived, Broker, Error, Inbound, InboundSettings, Link};
use tokio::task::block_in_place;
use tokio::time::{sleep, timeout};

use crate::proxy::Proxy;
use crate::support::{
    STREAM, broker, forward, inbound_settings, link, link_with, message, outbound, receive, ring, seed, stream, until,
    within,
};

const MESSAGES: u64 = 10_000;

/// A broker whose stream has messages `0..MESSAGES`.
async fn filled() -> Option<(Broker, Link)> {
    let broker = broker()?;
    let link = link(broker.address()).await;
    stream(&link).await;
    let (mut publisher, source) = ring(1024);
    let forwarding = forward(outbound(&source), link.clone());
    block_in_place(|| publisher.publish_many((0..MESSAGES).map(message)));
    drop(publisher);
    within(forwarding).await.unwrap();
    Some((broker, link))
}

fn sink() -> (Publisher<Boxed<Arrived>>, Subscriber<Boxed<Arrived>>) {
    let (publisher, _) = Builder::new(1024).gated().boxed();
    let gating = publisher.ring().subscribe_gating().unwrap();
    (publisher, gating)
}

/// Reads messages `numbers`, each once and in order.
async fn expect(subscriber: &mut Subscriber<Boxed<Arrived>>, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let arrived = within(subscriber.recv_async()).await.unwrap();
        assert_eq!((arrived.stream_sequence, arrived.payload), (number + 1, message(number)));
    }
}

/// The future of `run` is dropped at random moments, and the broker is killed at some.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_dropped_loses_nothing_and_brings_nothing_twice() {
    let Some((mut broker, link)) = filled().await else { return };
    let mut rng = seed();
    let (publisher, mut gating) = sink();
    let mut inbound = Inbound::new(publisher, inbound_settings());
    let counts = inbound.counts();
    let reading = tokio::spawn(async move {
        expect(&mut gating, 0..MESSAGES).await;
        gating
    });
    while counts.received.get() < MESSAGES {
        let Err(_dropped) = timeout(Duration::from_micros(rng.u64(0..150_000)), inbound.run(&link)).await else {
            panic!("it ended by itself")
        };
        if rng.u8(0..8) == 0 {
            block_in_place(|| broker.kill());
            block_in_place(|| broker.start()).unwrap();
        }
    }
    let mut gating = within(reading).await.unwrap();
    assert!(gating.try_recv().is_err());
    println!("{counts:?}");
}

/// A process that is started again has a new ring. It begins after what was acknowledged: nothing
/// is missing between the two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_begins_after_what_was_acknowledged() {
    let Some((_broker, link)) = filled().await else { return };
    let (publisher, mut gating) = sink();
    let inbound = Inbound::new(publisher, inbound_settings());
    let receiving = receive(inbound, link.clone());
    expect(&mut gating, 0..3000).await;
    receiving.abort();
    let _ = receiving.await;
    let durable = inbound_settings().durable;
    let mut floor = 0;
    // Acknowledgments are on their way.
    for _ in 0..50 {
        let stream = link.context().get_stream(STREAM).await.unwrap();
        floor = stream.consumer_info(&durable).await.unwrap().ack_floor.stream_sequence;
        sleep(Duration::from_millis(10)).await;
    }
    let rest: Vec<_> = gating.iter().flatten().collect();
    let published = 3000 + rest.len() as u64;
    assert!((3000..=published).contains(&floor), "{floor} acknowledged, {published} published");

    let (publisher, mut gating) = sink();
    let receiving = receive(Inbound::new(publisher, inbound_settings()), link);
    expect(&mut gating, floor..MESSAGES).await;
    receiving.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_were_removed_are_reported() {
    let Some((_broker, link)) = filled().await else { return };
    let stream = link.context().get_stream(STREAM).await.unwrap();
    let (publisher, mut gating) = sink();
    let mut inbound = Inbound::new(publisher, inbound_settings());
    let counts = inbound.counts();
    // The ring holds 1024, and the bridge the rest of its batch.
    tokio::select! {
        result = inbound.run(&link) => panic!("{result:?}"),
        () = until("the ring is full", || counts.received.get() == 1024) => {}
    }
    stream.purge().sequence(5001).await.unwrap();
    let reading = tokio::spawn(async move {
        expect(&mut gating, 0..1024).await;
        gating
    });
    let Err(error) = within(inbound.run(&link)).await;
    assert_eq!(error, Error::Removed { first: 1025, count: 5000 - 1024 });
    let mut gating = within(reading).await.unwrap();
    // It is reported once. The next run continues.
    let receiving = receive(inbound, link);
    expect(&mut gating, 5000..MESSAGES).await;
    receiving.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_or_a_stream_that_is_deleted() {
    let Some((_broker, link)) = filled().await else { return };
    let stream = link.context().get_stream(STREAM).await.unwrap();
    let (publisher, mut gating) = sink();
    let mut inbound = Inbound::new(publisher, inbound_settings());
    let running = link.clone();
    let receiving = tokio::spawn(async move {
        let Err(error) = inbound.run(&running).await;
        error
    });
    expect(&mut gating, 0..2000).await;
    // It is made again, where the bridge stands.
    stream.delete_consumer(&inbound_settings().durable).await.unwrap();
    expect(&mut gating, 2000..MESSAGES).await;
    link.context().delete_stream(STREAM).await.unwrap();
    assert_eq!(within(receiving).await.unwrap(), Error::NoStream(STREAM.to_owned()));
}

/// A broker that begins again at sequence 1: waiting for the sequence after the last one would pass
/// over its messages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_begins_anew_is_reported() {
    let Some((_broker, link)) = filled().await else { return };
    let (publisher, mut gating) = sink();
    let mut inbound = Inbound::new(publisher, inbound_settings());
    let reading = tokio::spawn(async move { expect(&mut gating, 0..MESSAGES).await });
    tokio::select! {
        result = inbound.run(&link) => panic!("{result:?}"),
        reading = reading => reading.unwrap(),
    }
    link.context().delete_stream(STREAM).await.unwrap();
    stream(&link).await;
    let Err(error) = within(inbound.run(&link)).await;
    assert_eq!(error, Error::Shortened { reached: MESSAGES, last: 0 });
}

/// 1 delivery of 500 does not arrive, without any other sign of it. The broker would repeat it
/// after its successors.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_is_lost_is_not_passed_over() {
    let Some((broker, _link)) = filled().await else { return };
    let proxy = Proxy::to(broker.address(), seed()).await;
    proxy.faults.lose_deliveries.store(2, Ordering::Relaxed);
    let link = link_with(proxy.address, Duration::from_millis(200)).await;
    let (publisher, mut gating) = sink();
    // Fewer messages than were asked for may come, so their number is no sign either.
    let mut inbound = Inbound::new(publisher, InboundSettings { batch: 20_000, ..inbound_settings() });
    let counts = inbound.counts();
    tokio::select! {
        result = inbound.run(&link) => panic!("{result:?}"),
        () = expect(&mut gating, 0..MESSAGES) => {}
    }
    println!("{} were lost: {counts:?}", proxy.faults.lost.load(Ordering::Relaxed));
    assert!(counts.rewound.get() > 0);
}
