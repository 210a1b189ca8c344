//! A client that records what it sends and what it receives.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

/// Much longer than any step takes.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Client {
    name: &'static str,
    lines: Lines<BufReader<OwnedReadHalf>>,
    socket: OwnedWriteHalf,
}

impl Client {
    pub async fn connect(name: &'static str, address: SocketAddr) -> Self {
        let (reading, socket) = TcpStream::connect(address).await.unwrap().into_split();
        Self { name, lines: BufReader::new(reading).lines(), socket }
    }

    pub async fn send(&mut self, line: &str) {
        self.socket.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// The next line. `None` if the server has disconnected.
    pub async fn receive(&mut self) -> Option<String> {
        timeout(PATIENCE, self.lines.next_line()).await.expect("a line in time").unwrap()
    }

    /// Sends a line, and records it and the next `replies` lines.
    pub async fn say(&mut self, line: &str, replies: usize, transcript: &mut String) {
        *transcript += &format!("{}> {line}\n", self.name);
        self.send(line).await;
        self.hear(replies, transcript).await;
    }

    /// Records the next lines.
    pub async fn hear(&mut self, lines: usize, transcript: &mut String) {
        for _ in 0..lines {
            let line = self.receive().await.expect("still connected");
            *transcript += &format!("{}< {line}\n", self.name);
        }
    }

    /// Records all lines until the server disconnects.
    pub async fn hear_out(mut self, transcript: &mut String) {
        while let Some(line) = self.receive().await {
            *transcript += &format!("{}< {line}\n", self.name);
        }
        *transcript += &format!("{}< (disconnected)\n", self.name);
    }
}
