//! A wire between client and broker that loses messages, and breaks.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::SUBJECT;

/// A proxy on a loopback address, until it is dropped.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    pub(crate) faults: Arc<Faults>,
    accepting: JoinHandle<()>,
}

/// What goes wrong, of a thousand.
pub(crate) struct Faults {
    /// Messages to the stream that do not arrive.
    pub(crate) lose_messages: AtomicU32,
    /// Acknowledgments that do not arrive.
    pub(crate) lose_acks: AtomicU32,
    /// Messages from the stream that do not arrive.
    pub(crate) lose_deliveries: AtomicU32,
    /// What did not arrive so far.
    pub(crate) lost: AtomicU64,
    rng: Mutex<fastrand::Rng>,
    cuts: watch::Sender<u64>,
}

impl Faults {
    /// Breaks every connection.
    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    fn strikes(&self, per_mille: &AtomicU32) -> bool {
        let per_mille = per_mille.load(Ordering::Relaxed);
        let strikes = per_mille > 0 && self.rng.lock().unwrap().u32(0..1000) < per_mille;
        self.lost.fetch_add(strikes.into(), Ordering::Relaxed);
        strikes
    }

    fn loses(&self, frame: &Frame<'_>) -> bool {
        match frame.verb {
            b"HPUB" if frame.subject == SUBJECT.as_bytes() => self.strikes(&self.lose_messages),
            b"MSG" if frame.payload.starts_with(b"{\"stream\":") => self.strikes(&self.lose_acks),
            b"HMSG" if frame.reply.starts_with(b"$JS.ACK.") => self.strikes(&self.lose_deliveries),
            _ => false,
        }
    }
}

impl Proxy {
    pub(crate) async fn to(broker: SocketAddr, rng: fastrand::Rng) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let faults = Arc::new(Faults {
            lose_messages: AtomicU32::new(0),
            lose_acks: AtomicU32::new(0),
            lose_deliveries: AtomicU32::new(0),
            lost: AtomicU64::new(0),
            rng: Mutex::new(rng),
            cuts: watch::Sender::new(0),
        });
        let shared = Arc::clone(&faults);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // Dropping the client breaks its connection.
                let Ok(broker) = TcpStream::connect(broker).await else { continue };
                tokio::spawn(connection(client, broker, Arc::clone(&shared)));
            }
        });
        Self { address, faults, accepting }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.faults.cut();
    }
}

async fn connection(client: TcpStream, broker: TcpStream, faults: Arc<Faults>) {
    let mut cuts = faults.cuts.subscribe();
    let ((from_client, to_client), (from_broker, to_broker)) = (client.into_split(), broker.into_split());
    tokio::select! {
        _ = pump(from_client, to_broker, &faults) => {}
        _ = pump(from_broker, to_client, &faults) => {}
        _ = cuts.changed() => {}
    }
}

/// Passes frames on, except those that are lost.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, faults: &Faults) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    while from.read_buf(&mut bytes).await? > 0 {
        let mut passed = 0;
        let mut kept = Vec::new();
        while let Some(frame) = Frame::first(&bytes[passed..]) {
            if !faults.loses(&frame) {
                kept.extend_from_slice(&bytes[passed..passed + frame.length]);
            }
            passed += frame.length;
        }
        bytes.drain(..passed);
        to.write_all(&kept).await?;
    }
    Ok(())
}

/// A line of the protocol, and its payload if it has one.
struct Frame<'a> {
    verb: &'a [u8],
    subject: &'a [u8],
    /// For deliveries only.
    reply: &'a [u8],
    payload: &'a [u8],
    length: usize,
}

impl<'a> Frame<'a> {
    /// The frame at the beginning, if it is there as a whole.
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let end = bytes.windows(2).position(|two| two == b"\r\n")?;
        let mut words = bytes[..end].split(|&byte| byte == b' ').filter(|word| !word.is_empty());
        let (verb, subject) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let reply = words.clone().nth(1).unwrap_or_default();
        let begin = end + 2;
        let mut length = begin;
        let mut payload = 0;
        if [&b"PUB"[..], b"HPUB", b"MSG", b"HMSG"].contains(&verb) {
            payload = std::str::from_utf8(words.next_back()?).unwrap().parse().unwrap();
            length += payload + 2;
        }
        (bytes.len() >= length).then(|| Self { verb, subject, reply, payload: &bytes[begin..begin + payload], length })
    }
}
