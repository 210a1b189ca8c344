//! A shutdown takes a short time, and sends a final status to every client that reads.
#![allow(missing_docs, clippy::pedantic)]

mod common;

use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Folder, Stage, number, read, status};
use rustix::process::{Pid, Signal, kill_process};
use seqcast_cri_events::host::Ending;
use seqcast_cri_events::ledger::Ledger;
use seqcast_cri_events::ring::Kept;
use seqcast_cri_events::wish::{From, MISSED, RESUME_FROM};
use tonic::Code;

/// A limit for a busy machine. The shutdown waits for less than a second, which `host.rs` asserts
/// of its constants.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_reads_what_is_left_and_then_a_final_status() {
    let mut stage = Stage::new(|options| options.payload = Kept::Compact).await;
    let mut clients = Vec::new();
    for _ in 0..32 {
        let mut tail = stage.tail(From::Latest).await;
        clients.push(tokio::spawn(async move {
            let mut ledger = Ledger::default();
            read(&mut tail, &mut ledger, 5).await;
            status(&mut tail).await
        }));
    }
    stage.publish(5);
    let (socket, asked) = (stage.socket.clone(), Instant::now());
    assert_eq!(stage.server.shutdown(stage.outlet).await, Ending::Clean);
    for client in clients {
        let status = client.await.unwrap();
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!((number(&status, RESUME_FROM), number(&status, MISSED)), (Some(5), Some(0)));
    }
    assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
    assert!(!socket.exists(), "the socket's file still exists");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_do_not_read_or_send_do_not_delay_it() {
    let mut stage = Stage::new(|options| (options.capacity, options.payload) = (64, Kept::Compact)).await;
    let mut healthy = stage.tail(From::Latest).await;
    // Clients that do not read their stream, do not drive their connection, send nothing, or have
    // no stream.
    let _unread = stage.tail(From::Latest).await;
    let socket = stage.socket.clone();
    let (stuck, waiting) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let wish = seqcast_cri_events::wish::Wish::default();
        let tail = runtime.block_on(seqcast_cri_events::client::Tail::open(&socket, &wish)).unwrap();
        stuck.send(()).unwrap();
        std::thread::park_timeout(common::LONG);
        drop(tail);
    });
    waiting.recv().unwrap();
    let _silent = UnixStream::connect(&stage.socket).unwrap();
    let _without_stream = seqcast_cri_events::client::connect(&stage.socket).await.unwrap();
    stage.subscribers(3).await;
    for _ in 0..100 {
        stage.publish(1000);
        tokio::task::yield_now().await;
    }
    let feed = stage.server.feed().clone();
    let reading = tokio::spawn(async move { status(&mut healthy).await });
    let asked = Instant::now();
    assert_eq!(stage.server.shutdown(stage.outlet).await, Ending::Cut);
    let took = asked.elapsed();
    assert!(took < SOON, "{took:?}");
    assert_eq!(number(&reading.await.unwrap(), RESUME_FROM), Some(100_000));
    common::until("all clients are unsubscribed", || (feed.stats)().subscribers.is_empty()).await;
    thread.thread().unpark();
    thread.join().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_far_behind_gets_the_sequence_to_resume_from() {
    const EVENTS: u64 = 50_000;
    let mut stage = Stage::new(|options| options.capacity = 1 << 16).await;
    let mut tail = stage.tail(From::Latest).await;
    stage.subscribers(1).await;
    stage.publish(EVENTS);
    let reading = tokio::spawn(async move {
        let mut next = 0;
        loop {
            match tokio::time::timeout(common::LONG, tail.next()).await.expect("the end of the stream in time") {
                Ok(message) => next = message.sequence + 1,
                Err(status) => return (next, status),
            }
            // It reads all the time, and would need at least three seconds for all events.
            if next % 16 == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    let asked = Instant::now();
    stage.server.shutdown(stage.outlet).await;
    assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
    let (next, status) = reading.await.unwrap();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert_eq!((number(&status, RESUME_FROM), number(&status, MISSED)), (Some(next), Some(0)));
    assert!(next < EVENTS);
}

/// Starts the server's binary, and waits for its first line.
fn start(folder: &Folder, load: &str) -> Child {
    let mut server = Command::new(env!("CARGO_BIN_EXE_server"))
        .args(["--load", load, "--socket"])
        .arg(folder.socket())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    // Reads byte by byte, because the test reads what follows.
    let out = server.stdout.as_mut().unwrap();
    BufReader::with_capacity(1, out).read_line(&mut line).unwrap();
    assert!(line.starts_with("serving on "), "{line}");
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_end_the_binary_in_order() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = Folder::new();
        let mut server = start(&folder, "bursts");
        let wish = seqcast_cri_events::wish::Wish::default();
        let mut tail = seqcast_cri_events::client::Tail::open(&folder.socket(), &wish).await.unwrap();
        tail.next().await.unwrap();
        let asked = Instant::now();
        kill_process(Pid::from_child(&server), signal).unwrap();
        assert_eq!(status(&mut tail).await.code(), Code::Unavailable);
        let ended = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            server.stdout.take().unwrap().read_to_string(&mut text).unwrap();
            (server.wait().unwrap(), text)
        });
        let (exit, text) = ended.await.unwrap();
        assert!(exit.success() && text.contains("events published"), "{exit}: {text}");
        assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
        assert!(!folder.socket().exists());
    }
}

#[test]
fn a_server_without_load_runs_until_it_is_shut_down() {
    let folder = Folder::new();
    let mut server = start(&folder, "none");
    assert!(server.try_wait().unwrap().is_none());
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
}

#[test]
fn a_closed_standard_output_does_not_prevent_a_shutdown() {
    let folder = Folder::new();
    let mut server = start(&folder, "bursts");
    drop(server.stdout.take());
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
    assert!(!folder.socket().exists());
}

#[test]
fn excessive_options_are_refused() {
    for option in [["--calm", "18446744073709551615"], ["--burst", "4294967295"]] {
        let folder = Folder::new();
        let output = Command::new(env!("CARGO_BIN_EXE_server"))
            .args(option)
            .arg("--socket")
            .arg(folder.socket())
            .output()
            .unwrap();
        // The exit code of clap.
        assert_eq!(output.status.code(), Some(2), "{option:?}");
    }
}
