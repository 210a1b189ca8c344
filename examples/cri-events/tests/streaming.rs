//! Events have their sequences, losses are reported, and streams resume.
#![allow(missing_docs, clippy::pedantic)]

mod common;

use common::{Stage, event, number, read, refused, status};
use seqcast_cri_events::client::{Tail, connect};
use seqcast_cri_events::ledger::Ledger;
use seqcast_cri_events::message;
use seqcast_cri_events::proto::VersionRequest;
use seqcast_cri_events::ring::Kept;
use seqcast_cri_events::stream::OnLag;
use seqcast_cri_events::wish::{From, MISSED, RESUME_FROM, Wish};
use tonic::Code;

#[tokio::test]
async fn version_is_answered() {
    let stage = Stage::new(|_| {}).await;
    let mut client = connect(&stage.socket).await.unwrap();
    let version = client.version(VersionRequest::default()).await.unwrap().into_inner();
    assert_eq!((version.runtime_api_version.as_str(), version.runtime_name.as_str()), ("v1", "seqcast-cri-events"));
}

#[tokio::test]
async fn both_payloads_deliver_every_event_once_and_in_order() {
    for kept in [Kept::Full, Kept::Compact] {
        let mut stage = Stage::new(|options| options.payload = kept).await;
        stage.publish(5);
        let (mut latest, mut oldest) = (stage.tail(From::Latest).await, stage.tail(From::Oldest).await);
        assert_eq!((latest.start().unwrap().1, oldest.start().unwrap().1), (5, 0));
        // Without a wait: a stream begins when its header has been received.
        stage.publish(1000);
        let (mut one, mut other) = (Ledger::default(), Ledger::default());
        read(&mut latest, &mut one, 1005).await;
        read(&mut oldest, &mut other, 1005).await;
        assert_eq!((one.received(), other.received(), one.missed() + other.missed()), (1000, 1005, 0));
    }
}

#[tokio::test]
async fn full_messages_have_the_containers_and_brief_ones_do_not() {
    for (kept, containers) in [(Kept::Full, 1), (Kept::Compact, 0)] {
        let mut stage = Stage::new(|options| options.payload = kept).await;
        stage.publish(1);
        let message = stage.tail(From::Oldest).await.next().await.unwrap();
        assert_eq!(message.containers_statuses.len(), containers);
        assert_eq!(message::verify(&message), Ok(event(0)));
    }
}

/// More than the transport and the ring hold.
const MANY: u64 = 20_000;

#[tokio::test]
async fn a_client_that_did_not_read_receives_the_exact_loss() {
    for kept in [Kept::Full, Kept::Compact] {
        let mut stage = Stage::new(|options| (options.capacity, options.payload) = (64, kept)).await;
        let mut tail = stage.tail(From::Latest).await;
        let mut ledger = Ledger::default();
        for part in 1..=4 {
            stage.publish(MANY);
            read(&mut tail, &mut ledger, part * MANY).await;
        }
        assert!(ledger.balances() && ledger.span() == 4 * MANY, "{ledger:?}");
        assert!(ledger.missed() > 0, "nothing was missed, so the test is void: {ledger:?}");
        let seen = &stage.stats().subscribers[0];
        assert_eq!((seen.missed, seen.next_sequence, seen.lag), (ledger.missed(), 4 * MANY, 0));
    }
}

#[tokio::test]
async fn under_terminate_a_loss_ends_the_stream_with_the_sequence_to_resume_from() {
    let mut stage = Stage::new(|options| (options.capacity, options.on_lag) = (64, OnLag::Terminate)).await;
    let mut tail = stage.tail(From::Latest).await;
    stage.publish(MANY);
    let mut next = 0;
    let status = loop {
        match tail.next().await {
            Ok(message) => {
                assert_eq!((message.sequence, message.missed), (next, 0), "a gap before the end");
                next += 1;
            }
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::DataLoss);
    let (resume, missed) = (number(&status, RESUME_FROM).unwrap(), number(&status, MISSED).unwrap());
    assert_eq!(next + missed, resume);
    assert!(status.message().contains(&resume.to_string()), "{}", status.message());
    stage.subscribers(0).await;

    let mut ledger = Ledger::default();
    read(&mut stage.tail(From::Sequence(resume)).await, &mut ledger, MANY).await;
    assert_eq!((ledger.missed(), ledger.span()), (0, MANY - resume));
}

#[tokio::test]
async fn a_client_resumes_without_a_gap() {
    let mut stage = Stage::new(|_| {}).await;
    let mut ledger = Ledger::default();
    stage.publish(100);
    read(&mut stage.tail(From::Oldest).await, &mut ledger, 40).await;
    stage.publish(100);
    let mut tail = stage.tail(From::Sequence(40)).await;
    let (epoch, start) = tail.start().unwrap();
    ledger.open(epoch, start).unwrap();
    read(&mut tail, &mut ledger, 200).await;
    assert_eq!((ledger.received(), ledger.missed()), (200, 0));
    // The tail is accepted, because no event was missed.
    let mut tail = stage.tail(From::Sequence(200)).await;
    stage.publish(1);
    assert_eq!(tail.next().await.unwrap().sequence, 200);
}

#[tokio::test]
async fn resuming_at_an_overwritten_sequence_reports_the_exact_loss() {
    let mut stage = Stage::new(|options| options.capacity = 64).await;
    stage.publish(1000);
    let mut tail = stage.tail(From::Sequence(10)).await;
    assert_eq!(tail.start().unwrap().1, 10);
    let message = tail.next().await.unwrap();
    assert_eq!((message.sequence, message.missed), (944, 934), "the oldest, 936, plus a slack of 8");

    let mut stage = Stage::new(|options| (options.capacity, options.on_lag) = (64, OnLag::Terminate)).await;
    stage.publish(1000);
    let status = status(&mut stage.tail(From::Sequence(10)).await).await;
    assert_eq!(
        (status.code(), number(&status, RESUME_FROM), number(&status, MISSED)),
        (Code::DataLoss, Some(944), Some(934))
    );
}

#[tokio::test]
async fn a_sequence_from_the_future_is_refused_with_the_tail() {
    let mut stage = Stage::new(|_| {}).await;
    stage.publish(10);
    let status = refused(stage.try_tail(From::Sequence(11)).await);
    assert_eq!((status.code(), number(&status, RESUME_FROM)), (Code::OutOfRange, Some(10)));
    assert!(status.message().contains("11") && status.message().contains("10"), "{}", status.message());
    assert_eq!(refused(stage.try_tail(From::Sequence(u64::MAX)).await).code(), Code::OutOfRange);
    stage.subscribers(0).await;
}

#[tokio::test]
async fn a_sequence_of_another_run_is_refused() {
    let mut stage = Stage::new(|_| {}).await;
    stage.publish(10);
    let (epoch, _) = stage.tail(From::Latest).await.start().unwrap();
    let open = async |epoch| {
        Tail::open(&stage.socket, &Wish { from: From::Sequence(5), epoch: Some(epoch), name: None }).await
    };
    assert_eq!(open(epoch).await.unwrap().start(), Some((epoch, 5)));
    assert_eq!(refused(open(!epoch).await).code(), Code::FailedPrecondition);
}
