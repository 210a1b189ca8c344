//! The broker is killed at random moments, and started again with what it has stored.

use std::thread;
use std::time::Duration;

use seqcast::Builder;
use seqcast_nats_bridge::{Arrived, Broker, Inbound};
use tokio::task::block_in_place;
use tokio::time::sleep;

use crate::support::{
    broker, expect_stored, forward, inbound_settings, link, message, outbound, receive, ring, seed, stream, until,
    within,
};

/// Ring, broker, ring, with kills when so many messages have arrived.
async fn through_the_broker(broker: &mut Broker, messages: u64, kills: usize, rng: &mut fastrand::Rng) {
    let (link_out, link_in) = (link(broker.address()).await, link(broker.address()).await);
    stream(&link_out).await;

    let (mut publisher, source) = ring(1024);
    let outbound = outbound(&source);
    let sent = outbound.counts();
    let forwarding = forward(outbound, link_out.clone());

    let (sink, _) = Builder::new(1024).gated().boxed::<Arrived>();
    let mut checker = sink.ring().subscribe_gating().unwrap();
    let inbound = Inbound::new(sink, inbound_settings());
    let received = inbound.counts();
    let receiving = receive(inbound, link_in);

    let publishing = thread::spawn(move || {
        for number in 0..messages {
            publisher.publish(message(number));
        }
    });
    let checking = tokio::spawn(async move {
        for number in 0..messages {
            let arrived = checker.recv_async().await.unwrap();
            assert_eq!((arrived.stream_sequence, arrived.payload), (number + 1, message(number)));
        }
        checker
    });

    let mut moments: Vec<_> = (0..kills).map(|_| rng.u64(0..messages)).collect();
    moments.sort_unstable();
    for moment in moments {
        until(format!("{moment} messages have arrived"), || received.received.get() >= moment).await;
        sleep(Duration::from_micros(rng.u64(0..3000))).await;
        block_in_place(|| {
            broker.kill();
            println!(
                "killed at {moment}: {} acknowledged, {} received",
                sent.acknowledged.get(),
                received.received.get()
            );
            thread::sleep(Duration::from_millis(rng.u64(0..200)));
            broker.start().unwrap();
        });
    }

    within(forwarding).await.unwrap();
    let mut checker = within(checking).await.unwrap();
    publishing.join().unwrap();
    assert_eq!(sent.acknowledged.get(), messages);
    // Nothing comes after the last one.
    sleep(Duration::from_millis(100)).await;
    assert_eq!(received.received.get(), messages);
    assert!(checker.try_recv().is_err_and(|error| error.is_empty()));
    receiving.abort();
    assert!(receiving.await.unwrap_err().is_cancelled(), "it failed");
    expect_stored(&link_out, 0..messages).await;
    println!("sent {sent:?}, received {received:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_comes_twice_over_two_kills() {
    let Some(mut broker) = broker() else { return };
    through_the_broker(&mut broker, 100_000, 2, &mut seed()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_over_many_kills_in_a_short_time() {
    let Some(mut broker) = broker() else { return };
    through_the_broker(&mut broker, 20_000, 12, &mut seed()).await;
}
