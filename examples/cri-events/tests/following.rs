//! A client that follows the events: it reconnects and resumes.
#![allow(missing_docs, clippy::pedantic)]

mod common;

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::{Folder, LONG, Stage, event, until};
use seqcast_cri_events::client::{Failure, Happening, Tail, follow};
use seqcast_cri_events::server::{Options, Server};
use seqcast_cri_events::stream::OnLag;
use seqcast_cri_events::wish::{From, Wish};
use tonic::Code;

#[tokio::test]
async fn under_terminate_it_resumes_after_each_loss_and_the_account_balances() {
    let mut stage = Stage::new(|options| (options.capacity, options.on_lag) = (64, OnLag::Terminate)).await;
    let goal = 30_000;
    let socket = stage.socket.clone();
    let mut losses = 0;
    let following = tokio::spawn(async move {
        let wish = Wish { from: From::Oldest, ..Wish::default() };
        let ledger = follow(&socket, wish, |happening| {
            match happening {
                Happening::Failed(Failure::Status(status), pause) if status.code() == Code::DataLoss => {
                    assert!(pause.is_zero(), "the next sequence would be overwritten after {pause:?}");
                    losses += 1;
                }
                Happening::Event(event) if event.sequence + 1 == goal => return ControlFlow::Break(()),
                Happening::Failed(failure, _) => panic!("{failure}"),
                _ => {}
            }
            ControlFlow::Continue(())
        });
        (ledger.await.unwrap(), losses)
    });
    stage.subscribers(1).await;
    while stage.next < goal - 1 {
        stage.publish((goal - 1 - stage.next).min(3000));
        tokio::task::yield_now().await;
    }
    // It has resumed before the last event is published.
    until("the client resumes", || stage.stats().subscribers.iter().any(|client| client.lag == 0)).await;
    stage.publish(1);
    let (ledger, losses) = tokio::time::timeout(LONG, following).await.expect("the end in time").unwrap();
    assert!(losses > 0 && ledger.missed() > 0, "nothing was missed, so the test is void");
    assert!(ledger.balances() && ledger.span() == goal, "{ledger:?}");
}

#[tokio::test]
async fn it_detects_that_the_server_was_restarted() {
    let folder = Folder::new();
    let options = Options::on(folder.socket());
    let (server, mut outlet) = Server::start(&options).await.unwrap();
    (0..10).for_each(|sequence| outlet.publish(event(sequence)));
    let received = Arc::new(AtomicU64::new(0));
    let (counter, socket) = (Arc::clone(&received), folder.socket());
    let path = socket.clone();
    let (mut restarts, mut failures) = (0, 0);
    let away = folder.path().join("away");
    let following = tokio::spawn(async move {
        let ledger = follow(&path, Wish { from: From::Oldest, ..Wish::default() }, |happening| {
            match happening {
                Happening::Event(_) => drop(counter.fetch_add(1, Ordering::SeqCst)),
                // The next attempt fails. The client must remember the restart meanwhile.
                Happening::Restarted => {
                    restarts += 1;
                    fs::rename(&socket, &away).unwrap();
                }
                Happening::Failed(..) => {
                    failures += 1;
                    let _ = fs::rename(&away, &socket);
                }
                Happening::Opened { .. } => {}
            }
            if counter.load(Ordering::SeqCst) == 30 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        (ledger.await.unwrap(), restarts, failures)
    });
    until("the events of the first run", || received.load(Ordering::SeqCst) == 10).await;
    server.shutdown(outlet).await;

    // The new run has more events than the old one. Only the epoch shows that it is another run.
    let (server, mut outlet) = Server::start(&options).await.unwrap();
    (0..20).for_each(|sequence| outlet.publish(event(sequence)));
    let (ledger, restarts, failures) = tokio::time::timeout(LONG, following).await.expect("the end in time").unwrap();
    assert!(restarts == 1 && failures >= 1, "{restarts} {failures}");
    assert_eq!((ledger.received(), ledger.missed(), ledger.span()), (20, 0, 20));
    server.shutdown(outlet).await;
}

/// Runs the client's binary. Returns whether it succeeded, and what it printed.
fn client(stage: &Stage, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_client"));
    let output = command.arg("--socket").arg(&stage.socket).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_binary_prints_events_losses_and_refusals() {
    let mut stage = Stage::new(|options| options.capacity = 16).await;
    stage.publish(100);
    let (good, text) = client(&stage, &["--from", "50", "--count", "3"]);
    assert!(good, "{text}");
    assert!(text.contains("-- 36 events were missed\n") && text.contains("86 STOPPED "), "{text}");
    assert!(text.contains("-- 3 received, 36 missed"), "{text}");

    let (good, text) = client(&stage, &["--from", "101"]);
    assert!(!good && text.contains("not published yet"), "{text}");
    let (good, text) = client(&stage, &["--from", "5", "--epoch", "0000000000000001"]);
    assert!(!good && text.contains("restarted"), "{text}");
    let (good, text) = client(&stage, &["--from", "tomorrow"]);
    assert!(!good && text.contains("neither a sequence nor"), "{text}");

    let (good, text) = client(&stage, &["--name", "na\u{ef}ve"]);
    assert!(!good && text.contains("seqcast-name"), "{text}");

    let off = Stage::new(|options| options.no_events = true).await;
    let (good, text) = client(&off, &[]);
    assert!(!good && text.contains("disabled"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_binary_ends_quietly_when_its_output_is_closed() {
    let mut stage = Stage::new(|_| {}).await;
    stage.publish(10);
    let mut command = Command::new(env!("CARGO_BIN_EXE_client"));
    command.arg("--socket").arg(&stage.socket).args(["--from", "oldest"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && text.is_empty(), "{text}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let folder = Folder::new();
    let _silent = UnixListener::bind(folder.socket()).unwrap();
    let opened =
        tokio::time::timeout(LONG, Tail::open(&folder.socket(), &Wish::default())).await.expect("an error in time");
    assert!(matches!(&opened, Err(Failure::Unreachable(why)) if why.contains("no answer")), "{opened:?}");
}
