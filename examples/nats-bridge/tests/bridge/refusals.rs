//! What the broker refuses is an error, and stays in the ring.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy};
use bytes::Bytes;
use seqcast::{Boxed, Publisher, SubscribeError};
use seqcast_nats_bridge::{Error, Instance, Link, Outbound, StreamSettings, create_stream};
use tokio::task::block_in_place;

use crate::support::{
    STREAM, SUBJECT, broker, expect_stored, link, message, outbound, outbound_settings, ring, stream, until, within,
};

/// A bridge that has forwarded so many messages.
async fn forwarded(link: &Link, count: u64) -> (Publisher<Boxed<Bytes>>, Outbound) {
    let (mut publisher, source) = ring(256);
    let mut outbound = outbound(&source);
    let counts = outbound.counts();
    publisher.publish_many((0..count).map(message));
    tokio::select! {
        result = outbound.run(link) => panic!("{result:?}"),
        () = until("all are acknowledged", || counts.acknowledged.get() == count) => {}
    }
    (publisher, outbound)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_deleted() {
    let Some(broker) = broker() else { return };
    let link = link(broker.address()).await;
    stream(&link).await;
    let (mut publisher, mut outbound) = forwarded(&link, 100).await;
    let counts = outbound.counts();
    let deleting = async {
        // It has found the stream, and waits for messages.
        until("it runs again", || counts.sessions.get() == 2).await;
        link.context().delete_stream(STREAM).await.unwrap();
        publisher.publish_many((100..150).map(message));
        std::future::pending::<()>().await;
    };
    let error = tokio::select! {
        result = within(outbound.run(&link)) => result.unwrap_err(),
        () = deleting => unreachable!(),
    };
    assert_eq!(error, Error::NoStream(STREAM.to_owned()));
    assert_eq!((counts.acknowledged.get(), outbound.next_sequence()), (100, 100));
    // Made again, it is another stream: what was acknowledged is not there.
    stream(&link).await;
    let error = within(outbound.run(&link)).await.unwrap_err();
    assert_eq!(error, Error::Shortened { reached: 100, last: 0 });
    // The messages are still in the ring. A new bridge forwards them, as the program decides.
    let mut left = publisher.ring().subscribe_gating_at(seqcast::Start::At(100)).unwrap();
    drop((outbound, publisher));
    assert!(left.iter().map(Result::unwrap).eq((100..150).map(message)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_full() {
    let Some(broker) = broker() else { return };
    let link = link(broker.address()).await;
    let settings = StreamSettings { max_messages: Some(120), ..StreamSettings::new(STREAM, SUBJECT) };
    within(create_stream(&link, &settings)).await.unwrap();
    let (mut publisher, mut outbound) = forwarded(&link, 100).await;
    publisher.publish_many((100..150).map(message));
    drop(publisher);
    for _ in 0..2 {
        let error = within(outbound.run(&link)).await.unwrap_err();
        println!("{error}");
        assert!(matches!(error, Error::Refused { sequence: 120, .. }), "{error:?}");
        assert_eq!(outbound.next_sequence(), 120);
    }
    // An operator gives it room.
    let config = link.context().get_stream(STREAM).await.unwrap().cached_info().config.clone();
    link.context().update_stream(Config { max_messages: 1000, ..config }).await.unwrap();
    within(outbound.run(&link)).await.unwrap();
    expect_stored(&link, 0..150).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_too_large() {
    let Some(broker) = broker() else { return };
    let link = link(broker.address()).await;
    stream(&link).await;
    let (mut publisher, mut outbound) = forwarded(&link, 10).await;
    publisher.publish(Bytes::from(vec![b'x'; 2 << 20]));
    let error = within(outbound.run(&link)).await.unwrap_err();
    println!("{error}");
    assert!(matches!(error, Error::Refused { sequence: 10, .. }), "{error:?}");
    // The stream's own limit, which the client does not know.
    let config = link.context().get_stream(STREAM).await.unwrap().cached_info().config.clone();
    link.context().update_stream(Config { max_message_size: 1000, ..config }).await.unwrap();
    let (mut publisher, source) = ring(64);
    let mut outbound = crate::support::outbound(&source);
    publisher.publish(Bytes::from(vec![b'x'; 2000]));
    let error = within(outbound.run(&link)).await.unwrap_err();
    println!("{error}");
    assert!(matches!(error, Error::Refused { sequence: 0, .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_publisher() {
    let Some(broker) = broker() else { return };
    let link = link(broker.address()).await;
    stream(&link).await;
    let (mut publisher, mut outbound) = forwarded(&link, 100).await;
    link.context().publish(SUBJECT, "intruder".into()).await.unwrap().await.unwrap();
    publisher.publish_many((100..150).map(message));
    let error = within(outbound.run(&link)).await.unwrap_err();
    assert_eq!(error, Error::Foreign { sequence: 101, id: None });
    assert_eq!(outbound.next_sequence(), 100);
    // Another bridge is one, too. It begins after what is there, and the first one notices.
    let (_publisher, mut other) = forwarded(&link, 7).await;
    let error = within(outbound.run(&link)).await.unwrap_err();
    assert!(matches!(error, Error::Foreign { sequence: 108, id: Some(_) }), "{error:?}");
    drop(_publisher);
    within(other.run(&link)).await.unwrap();
}

/// The first message is refused, as that of another program took its place. By its place alone, the
/// second one would fit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_publisher_makes_no_place_for_a_later_message() {
    let Some(broker) = broker() else { return };
    let link = link(broker.address()).await;
    stream(&link).await;
    let (mut publisher, mut outbound) = forwarded(&link, 100).await;
    let counts = outbound.counts();
    let intruding = async {
        until("it runs again", || counts.sessions.get() == 2).await;
        link.context().publish(SUBJECT, "intruder".into()).await.unwrap().await.unwrap();
        publisher.publish_many((100..150).map(message));
        std::future::pending::<()>().await;
    };
    let error = tokio::select! {
        result = within(outbound.run(&link)) => result.unwrap_err(),
        () = intruding => unreachable!(),
    };
    assert_eq!(error, Error::Foreign { sequence: 101, id: None });
    assert_eq!((counts.acknowledged.get(), outbound.next_sequence()), (100, 100));
    let stored = link.context().get_stream(STREAM).await.unwrap().cached_info().state.last_sequence;
    assert_eq!(stored, 101);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_has_lost_its_messages() {
    let Some(mut broker) = broker() else { return };
    let link = link(broker.address()).await;
    stream(&link).await;
    let (mut publisher, mut outbound) = forwarded(&link, 100).await;
    publisher.publish_many((100..150).map(message));
    block_in_place(|| broker.kill());
    broker.forget().unwrap();
    block_in_place(|| broker.start()).unwrap();
    let error = within(outbound.run(&link)).await.unwrap_err();
    assert_eq!(error, Error::NoStream(STREAM.to_owned()));
    stream(&link).await;
    let error = within(outbound.run(&link)).await.unwrap_err();
    assert_eq!(error, Error::Shortened { reached: 100, last: 0 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unsuitable_streams_and_rings() {
    let Some(broker) = broker() else { return };
    let link = link(broker.address()).await;
    let config = Config { name: STREAM.to_owned(), subjects: vec![SUBJECT.to_owned()], ..Config::default() };
    for config in [
        Config { no_ack: true, ..config.clone() },
        Config { retention: RetentionPolicy::WorkQueue, discard: DiscardPolicy::New, ..config.clone() },
        Config { retention: RetentionPolicy::Interest, ..config },
    ] {
        link.context().create_stream(config).await.unwrap();
        let (_publisher, source) = ring(64);
        let error = within(outbound(&source).run(&link)).await.unwrap_err();
        assert!(matches!(error, Error::Unsuitable(_)), "{error:?}");
        link.context().delete_stream(STREAM).await.unwrap();
    }
    let (publisher, _) = seqcast::boxed::<Bytes>(64);
    let error = Outbound::new(&publisher.ring(), Instance::new(), outbound_settings()).unwrap_err();
    assert_eq!(error, Error::Subscribe(SubscribeError::NotGated));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_such_stream() {
    let Some(broker) = broker() else { return };
    let link = link(broker.address()).await;
    let (_publisher, source) = ring(64);
    let error = tokio::time::timeout(Duration::from_secs(30), outbound(&source).run(&link)).await.unwrap().unwrap_err();
    assert_eq!(error, Error::NoStream(STREAM.to_owned()));
}
