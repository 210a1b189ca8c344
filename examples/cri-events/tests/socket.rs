//! Which server may bind a socket, and which clients may connect.
#![allow(missing_docs, clippy::pedantic)]

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

use common::{Folder, Stage};
use seqcast_cri_events::client::{Failure, connect};
use seqcast_cri_events::server::{Options, Server};
use seqcast_cri_events::socket::{BindError, Socket};
use seqcast_cri_events::wish::From;

async fn refusal(path: impl Into<PathBuf>) -> String {
    Server::start(&Options::on(path)).await.map(|_| ()).unwrap_err().to_string()
}

#[tokio::test]
async fn a_socket_of_a_dead_server_is_replaced() {
    let folder = Folder::new();
    // Dropping the listener leaves the file, as a killed server does.
    drop(UnixListener::bind(folder.socket()).unwrap());
    assert!(folder.socket().exists());
    let (server, outlet) = Server::start(&Options::on(folder.socket())).await.unwrap();
    connect(&folder.socket()).await.unwrap();
    server.shutdown(outlet).await;
    assert!(!folder.socket().exists());
}

#[tokio::test]
async fn a_socket_of_a_running_server_is_refused_and_keeps_working() {
    let stage = Stage::new(|_| {}).await;
    let message = refusal(&stage.socket).await;
    assert!(message.contains("another server answers") && message.contains("events.sock"), "{message}");
    stage.tail(From::Latest).await;
}

#[test]
fn a_server_that_is_too_busy_to_accept_is_neither_replaced_nor_waited_for() {
    let folder = Folder::new();
    let _busy = UnixListener::bind(folder.socket()).unwrap();
    // The server never accepts. Each bind connects once, until the backlog is full.
    for _ in 0..5000 {
        assert!(matches!(Socket::bind(&folder.socket()), Err(BindError::InUse(_))));
    }
}

#[tokio::test]
async fn a_file_that_is_not_a_socket_is_not_changed() {
    let folder = Folder::new();
    let file = folder.path().join("notes.txt");
    fs::write(&file, "precious").unwrap();
    let message = refusal(&file).await;
    assert!(message.contains("not a socket") && message.contains("notes.txt"), "{message}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert!(refusal(folder.path()).await.contains("not a socket"));
}

#[tokio::test]
async fn an_error_names_the_path() {
    let folder = Folder::new();
    let missing = refusal(folder.path().join("missing/events.sock")).await;
    assert!(missing.contains("missing/events.sock") && missing.contains("No such file"), "{missing}");
    let long = refusal(folder.path().join("long".repeat(30))).await;
    assert!(long.contains("longlong"), "{long}");
    let client = connect(&folder.path().join("long".repeat(30))).await;
    assert!(matches!(&client, Err(Failure::Forbidden(why)) if why.contains("longlong")), "{client:?}");
}

#[test]
fn a_socket_that_another_process_made_since_is_not_removed() {
    let folder = Folder::new();
    let ours = Socket::bind(&folder.socket()).unwrap();
    fs::remove_file(folder.socket()).unwrap();
    let _theirs = UnixListener::bind(folder.socket()).unwrap();
    drop(ours);
    assert!(folder.socket().exists());
}

/// Runs a copy of a binary in `folder`. Root would have all permissions, so root runs it as another
/// user.
fn run_unprivileged(folder: &Folder, binary: &str, socket: &Path) -> Output {
    static ONE: Mutex<()> = Mutex::new(());
    let child = {
        // A child that another thread spawns meanwhile would inherit the open copy, which could
        // then not be run.
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let copy = folder.path().join("binary");
        fs::copy(binary, &copy).unwrap();
        let mut command = Command::new(&copy);
        if fs::metadata(folder.path()).unwrap().uid() == 0 {
            command.uid(65534).gid(65534);
        }
        command.arg("--socket").arg(socket).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    child.wait_with_output().unwrap()
}

fn assert_denied(output: &Output, socket: &Path) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{message}");
    assert!(message.contains("Permission denied") && message.contains(socket.to_str().unwrap()), "{message}");
}

#[test]
fn an_error_names_a_folder_without_permission() {
    let folder = Folder::new();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let closed = Folder::new();
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let output = run_unprivileged(&folder, env!("CARGO_BIN_EXE_server"), &closed.socket());
    assert_denied(&output, &closed.socket());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_without_permission_fails_and_does_not_try_again() {
    let stage = Stage::new(|_| {}).await;
    fs::set_permissions(&stage.socket, fs::Permissions::from_mode(0o000)).unwrap();
    let output = run_unprivileged(&stage.folder, env!("CARGO_BIN_EXE_client"), &stage.socket);
    assert_denied(&output, &stage.socket);
}
