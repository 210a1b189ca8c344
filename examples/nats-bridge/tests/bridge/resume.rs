//! A bridge that is dropped in the middle, and another one that continues.

use std::thread;
use std::time::Duration;

use seqcast::{Start, SubscribeError};
use seqcast_nats_bridge::{Error, Instance, Outbound, StreamSettings, create_stream};
use tokio::task::block_in_place;
use tokio::time::timeout;

use crate::support::{
    STREAM, SUBJECT, broker, expect_stored, forward, link, message, outbound, outbound_settings, ring, seed, stream,
    until, within,
};

const MESSAGES: u64 = 20_000;

/// The future of `run` is dropped at random moments.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_dropped_loses_nothing() {
    let Some(broker) = broker() else { return };
    let mut rng = seed();
    let link = link(broker.address()).await;
    stream(&link).await;
    let (mut publisher, source) = ring(256);
    let mut outbound = outbound(&source);
    let counts = outbound.counts();
    thread::spawn(move || publisher.publish_many((0..MESSAGES).map(message)));
    let mut runs = 1;
    while let Err(_dropped) = timeout(Duration::from_micros(rng.u64(0..100_000)), outbound.run(&link)).await {
        runs += 1;
    }
    println!("{runs} runs: {counts:?}");
    assert_eq!(counts.acknowledged.get(), MESSAGES);
    expect_stored(&link, 0..MESSAGES).await;
}

/// The bridge and its connection are dropped, and the broker is killed now and then. The next
/// bridge asks the stream where to continue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_bridge_continues_after_the_last_message_of_the_stream() {
    let Some(mut broker) = broker() else { return };
    let mut rng = seed();
    stream(&link(broker.address()).await).await;
    let (mut publisher, source) = ring(256);
    let instance = Instance::new();
    let mut outbound = Outbound::new(&source, instance, outbound_settings()).unwrap();
    thread::spawn(move || publisher.publish_many((0..MESSAGES).map(message)));
    let mut bridges = 1;
    loop {
        let link_out = link(broker.address()).await;
        let time = Duration::from_micros(rng.u64(0..200_000));
        if timeout(time, outbound.run(&link_out)).await.is_ok_and(|result| result == Ok(())) {
            break;
        }
        drop(link_out);
        // Holds the place while there is no bridge.
        let place = source.subscribe_gating_at(Start::At(outbound.next_sequence())).unwrap();
        drop(outbound);
        if rng.u8(0..4) == 0 {
            block_in_place(|| broker.kill());
            block_in_place(|| broker.start()).unwrap();
        }
        let link_out = link(broker.address()).await;
        outbound = within(Outbound::resume(&source, instance, outbound_settings(), &link_out)).await.unwrap();
        assert!(outbound.next_sequence() >= place.next_sequence());
        drop(place);
        bridges += 1;
    }
    println!("{bridges} bridges");
    expect_stored(&link(broker.address()).await, 0..MESSAGES).await;
}

/// A process that is started again has a new ring, whose sequences begin at 0 again. Its messages
/// are no duplicates of the old ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_ring_continues_the_stream() {
    let Some(broker) = broker() else { return };
    let link = link(broker.address()).await;
    stream(&link).await;
    for run in 0..3 {
        let (mut publisher, source) = ring(256);
        let forwarding = forward(outbound(&source), link.clone());
        block_in_place(|| publisher.publish_many((run * 1000..(run + 1) * 1000).map(message)));
        drop(publisher);
        let outbound = within(forwarding).await.unwrap();
        assert_eq!((outbound.next_sequence(), outbound.counts().duplicates.get()), (1000, 0));
    }
    expect_stored(&link, 0..3000).await;
}

/// With no gating subscriber to hold the place, messages are overwritten while there is no bridge.
/// The next one does not begin after them as if nothing was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_were_overwritten_meanwhile_are_an_error() {
    let Some(broker) = broker() else { return };
    let link = link(broker.address()).await;
    stream(&link).await;
    let (mut publisher, source) = ring(64);
    let instance = Instance::new();
    let mut outbound = Outbound::new(&source, instance, outbound_settings()).unwrap();
    publisher.publish_many((0..50).map(message));
    let counts = outbound.counts();
    tokio::select! {
        result = outbound.run(&link) => panic!("{result:?}"),
        () = until("50 are acknowledged", || counts.acknowledged.get() == 50) => {}
    }
    drop(outbound);
    // Message 50 is not overwritten yet, and then it is.
    publisher.publish_many((50..114).map(message));
    let outbound = within(Outbound::resume(&source, instance, outbound_settings(), &link)).await.unwrap();
    assert_eq!(outbound.next_sequence(), 50);
    drop(outbound);
    publisher.publish_many((114..200).map(message));
    let error = within(Outbound::resume(&source, instance, outbound_settings(), &link)).await.unwrap_err();
    assert_eq!(error, Error::Subscribe(SubscribeError::Evicted { oldest: 200 - 64 }));
    let stored = link.context().get_stream(STREAM).await.unwrap().cached_info().state.last_sequence;
    assert_eq!(stored, 50);
}

/// The stream has no last message that would say where to continue. Beginning with the first would
/// store all of them twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_was_purged_does_not_say_where_to_continue() {
    let Some(broker) = broker() else { return };
    let link = link(broker.address()).await;
    // The broker forgets the ids soon, too.
    let duplicate_window = Duration::from_millis(100);
    let settings = StreamSettings { duplicate_window, ..StreamSettings::new(STREAM, SUBJECT) };
    within(create_stream(&link, &settings)).await.unwrap();
    let (mut publisher, source) = ring(64);
    let instance = Instance::new();
    let mut outbound = Outbound::new(&source, instance, outbound_settings()).unwrap();
    publisher.publish_many((0..50).map(message));
    drop(publisher);
    within(outbound.run(&link)).await.unwrap();
    drop(outbound);
    link.context().get_stream(STREAM).await.unwrap().purge().await.unwrap();
    let error = within(Outbound::resume(&source, instance, outbound_settings(), &link)).await.unwrap_err();
    assert_eq!(error, Error::Foreign { sequence: 50, id: None });
}

/// A process was killed, and the broker still had messages of it to store when the next process
/// asked where the stream ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_messages_of_a_process_before_come_first() {
    let Some(broker) = broker() else { return };
    let link = link(broker.address()).await;
    stream(&link).await;
    let (mut publisher, source) = ring(64);
    let outbound = outbound(&source);
    let counts = outbound.counts();
    let forwarding = forward(outbound, link.clone());
    until("it has asked", || counts.sessions.get() == 1).await;
    for number in 0..3 {
        link.context().publish(SUBJECT, message(number)).await.unwrap().await.unwrap();
    }
    publisher.publish_many((3..50).map(message));
    drop(publisher);
    within(forwarding).await.unwrap();
    expect_stored(&link, 0..50).await;
}
