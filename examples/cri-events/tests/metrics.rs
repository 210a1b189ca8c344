//! The metrics agree with the accounts of the clients.
#![allow(missing_docs, clippy::pedantic)]

mod common;

use std::collections::BTreeMap;
use std::io::ErrorKind;

use common::{Folder, Stage, read, until};
use seqcast_cri_events::client::Tail;
use seqcast_cri_events::ledger::Ledger;
use seqcast_cri_events::server::{Options, Server};
use seqcast_cri_events::web::{Address, Web};
use seqcast_cri_events::wish::{From, Wish};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// The whole response to a request line.
async fn ask(address: &Address, line: &str) -> String {
    let request = format!("{line} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    match address {
        Address::Tcp(address) => {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            stream.read_to_string(&mut answer).await.unwrap();
        }
        Address::Unix(path) => {
            let mut stream = UnixStream::connect(path).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            stream.read_to_string(&mut answer).await.unwrap();
        }
    }
    answer
}

/// All samples, by name and labels.
async fn scrape(address: &Address) -> BTreeMap<String, u64> {
    let answer = ask(address, "GET /metrics").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("text/plain; version=0.0.4"), "{head}");
    let mut samples = BTreeMap::new();
    let mut described = String::new();
    for line in body.lines() {
        if let Some(about) = line.strip_prefix("# TYPE ") {
            described = about.split(' ').next().unwrap().to_owned();
        } else if !line.starts_with('#') {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name == described || name.starts_with(&format!("{described}{{")), "{name} is not described");
            assert_eq!(samples.insert(name.to_owned(), value.parse().unwrap()), None, "{name} is duplicated");
        }
    }
    samples
}

fn of_client(samples: &BTreeMap<String, u64>, name: &str, client: &str) -> u64 {
    let label = format!("client=\"{client}\"");
    let mut found = samples.iter().filter(|(key, _)| key.starts_with(&format!("{name}{{")) && key.contains(&label));
    let value = *found.next().unwrap_or_else(|| panic!("no {name} of {client}")).1;
    assert!(found.next().is_none());
    value
}

#[tokio::test]
async fn metrics_agree_with_the_accounts_of_the_clients() {
    let folder = Folder::new();
    let path = folder.path().join("metrics.sock");
    for (number, address) in [Address::Tcp(([127, 0, 0, 1], 0).into()), Address::Unix(path)].into_iter().enumerate() {
        let mut stage = Stage::new(|options| (options.capacity, options.metrics) = (256, Some(address))).await;
        let address = stage.server.metrics_address().unwrap().clone();
        let mut clients = Vec::new();
        for name in ["quick", "slow", "late"] {
            if name == "late" {
                stage.publish(100);
            }
            let wish = Wish { from: From::Latest, name: Some(name.to_owned()), ..Wish::default() };
            clients.push((name, Tail::open(&stage.socket, &wish).await.unwrap(), Ledger::default()));
        }
        for _ in 0..20 {
            stage.publish(200);
            let (_, tail, ledger) = &mut clients[0];
            read(tail, ledger, stage.next).await;
        }
        for (_, tail, ledger) in &mut clients {
            read(tail, ledger, stage.next).await;
        }
        let samples = scrape(&address).await;
        assert_eq!((samples["seqcast_published_total"], samples["seqcast_holes_total"]), (stage.next, 0));
        assert_eq!(
            (samples["seqcast_subscribers"], samples["seqcast_capacity"], samples["seqcast_closed"]),
            (3, 256, 0)
        );
        for (name, _, ledger) in &clients {
            assert!(ledger.balances());
            assert_eq!(
                of_client(&samples, "seqcast_subscriber_missed_total", name),
                ledger.missed(),
                "{number}: {name}"
            );
            assert_eq!(of_client(&samples, "seqcast_subscriber_next_sequence", name), stage.next);
            assert_eq!(of_client(&samples, "seqcast_subscriber_lag", name), 0);
            assert_eq!(of_client(&samples, "seqcast_subscriber_parked", name), 1);
        }
        assert!(clients[1].2.missed() > 0, "nothing was missed, so the test is weak");
        let sum = |of: fn(&Ledger) -> u64| clients.iter().map(|(_, _, ledger)| of(ledger)).sum::<u64>();
        assert_eq!(samples["cri_events_sent_total"], sum(Ledger::received));
        assert_eq!(samples["cri_events_missed_total"], sum(Ledger::missed));
        assert_eq!(samples["cri_events_streams_total"], 3);

        let missed = sum(Ledger::missed);
        drop(clients.pop());
        stage.subscribers(2).await;
        let samples = scrape(&address).await;
        assert_eq!(samples["seqcast_subscribers"], 2);
        assert_eq!(samples["cri_events_streams_ended_total{by=\"client\"}"], 1);
        assert_eq!(samples["cri_events_missed_total"], missed, "a client that disconnected still counts");
    }
}

#[tokio::test]
async fn other_requests_get_an_error() {
    let stage = Stage::new(|options| options.metrics = Some("127.0.0.1:0".parse().unwrap())).await;
    let address = stage.server.metrics_address().unwrap();
    assert!(ask(address, "GET /").await.starts_with("HTTP/1.1 404 "));
    assert!(ask(address, "POST /metrics").await.starts_with("HTTP/1.1 405 "));
    assert!(ask(address, "nonsense").await.starts_with("HTTP/1.1 400 "));
    assert!(ask(address, "HEAD /metrics").await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn an_error_names_an_address_in_use() {
    let stage = Stage::new(|options| options.metrics = Some("127.0.0.1:0".parse().unwrap())).await;
    let folder = Folder::new();
    let mut options = Options::on(folder.socket());
    options.metrics = stage.server.metrics_address().cloned();
    let message = Server::start(&options).await.map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("metrics") && message.contains("127.0.0.1:"), "{message}");
    assert!(!folder.socket().exists(), "the socket's file still exists");
    assert!("here".parse::<Address>().unwrap_err().contains("HOST:PORT"));
    assert!(matches!("localhost:9464".parse(), Ok(Address::Tcp(address)) if address.ip().is_loopback()));
}

#[tokio::test]
async fn a_client_that_does_not_read_the_page_is_cut() {
    let folder = Folder::new();
    let address = Address::Unix(folder.socket());
    // More than the socket buffers hold.
    let _web = Web::start(&address, || "x".repeat(16 << 20)).await.unwrap();
    for request in ["GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n", "GET /met"] {
        let mut stream = UnixStream::connect(folder.socket()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let is_cut = || matches!(stream.try_write(b""), Err(error) if error.kind() != ErrorKind::WouldBlock);
        until("the connection is cut", is_cut).await;
    }
}
