//! The demonstration: publisher, ring, bridge, broker, bridge, ring, checker; a dashboard at the
//! first ring; and kills.

mod account;
mod dashboard;
mod killer;
mod payload;

use std::error::Error;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use seqcast::{Boxed, Builder, Publisher, Subscriber};
use seqcast_nats_bridge::{
    Arrived, Broker, Inbound, InboundSettings, Instance, Link, Outbound, OutboundSettings, StreamSettings,
    create_stream,
};
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::sleep;

use crate::Options;
use account::Account;

type Problem = Box<dyn Error + Send + Sync>;
type Result<T> = std::result::Result<T, Problem>;

/// Messages that each ring holds.
const CAPACITY: usize = 1024;
/// A message after the last one would arrive within this time.
const SILENCE: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(2);
const STREAM: &str = "demo";
const SUBJECT: &str = "demo.messages";

/// Runs it. Returns what is wrong.
pub(crate) async fn run(options: Options) -> Result<Vec<String>> {
    let broker = block_in_place(Broker::started)?;
    println!("nats-server listens on {}", broker.address());
    // A connection for each direction, as in two processes.
    let (link_out, link_in) =
        (Link::open(broker.address(), PATIENCE).await?, Link::open(broker.address(), PATIENCE).await?);
    create_stream(&link_out, &StreamSettings::new(STREAM, SUBJECT)).await?;

    let (publisher, dashboard) = Builder::new(CAPACITY).gated().boxed::<Bytes>();
    let source = publisher.ring();
    let instance = Instance::new();
    let mut outbound = Outbound::new(&source, instance, OutboundSettings::new(STREAM, SUBJECT))?;
    println!("the ring is instance {instance}");

    let (sink, _) = Builder::new(CAPACITY).gated().boxed::<Arrived>();
    let checker = sink.ring().subscribe_gating()?;
    let mut inbound = Inbound::new(sink, InboundSettings::new(STREAM, "demo"));

    let account = Arc::new(Account::new(source, outbound.counts(), inbound.counts()));
    let dashboard = dashboard::start(dashboard);
    let publishing = thread::spawn(move || publish(publisher, options.messages));
    let checking = tokio::spawn(check(checker, options.messages));
    let killing = tokio::spawn(killer::run(broker, options, Arc::clone(&account)));
    let forwarding = tokio::spawn(async move { outbound.run(&link_out).await });
    let receiving = tokio::spawn(async move { inbound.run(&link_in).await });
    let printing = tokio::spawn(account::print(Arc::clone(&account)));

    // A bridge that fails ends the demonstration. So does a message that is wrong.
    let (mut checker, _broker) = tokio::select! {
        both = async { tokio::try_join!(result(checking), result(killing)) } => both?,
        result = result(receiving) => match result? {},
        Err(error) = result(forwarding) => return Err(error),
    };
    sleep(SILENCE).await;
    let mut wrong = Vec::new();
    if checker.try_recv().is_ok() {
        wrong.push("more messages arrived than were published".to_owned());
    }
    publishing.join().expect("the publisher does not panic");
    printing.abort();
    let dashboard = dashboard.join().expect("the dashboard does not panic");
    account.close(options, &dashboard, &mut wrong);
    Ok(wrong)
}

/// What a task returns.
async fn result<T, E: Into<Problem>>(task: JoinHandle<std::result::Result<T, E>>) -> Result<T> {
    task.await?.map_err(Into::into)
}

/// Waits while the bridge is a lap behind.
fn publish(mut publisher: Publisher<Boxed<Bytes>>, messages: u64) {
    for number in 0..messages {
        publisher.publish(payload::of(number));
    }
}

/// Reads so many messages, and fails if one is not the next.
async fn check(mut subscriber: Subscriber<Boxed<Arrived>>, messages: u64) -> Result<Subscriber<Boxed<Arrived>>> {
    for number in 0..messages {
        let arrived =
            subscriber.recv_async().await.map_err(|error| format!("message {number} did not arrive: {error}"))?;
        if arrived.payload != payload::of(number) {
            return Err(format!("message {number} should have arrived, not {:?}", arrived.payload).into());
        }
    }
    Ok(subscriber)
}
