//! One client: commands in, replies and messages out.

use std::io;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_stream::StreamExt;
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};

use super::broadcast::Receiver;
use super::protocol::{Command, Reply};
use super::subscriptions::{Delivery, Subscriptions};
use super::topics::Topics;

const LONGEST_LINE: usize = 64 * 1024;

pub(super) struct Connection {
    lines: FramedRead<OwnedReadHalf, LinesCodec>,
    socket: OwnedWriteHalf,
    topics: Topics,
    subscriptions: Subscriptions,
    paused: bool,
    shutdown: Receiver<()>,
}

enum Event {
    Line(Option<Result<String, LinesCodecError>>),
    Delivery(Delivery),
    Shutdown,
}

impl Connection {
    pub(super) fn new(socket: TcpStream, topics: Topics, shutdown: Receiver<()>) -> Self {
        let (reading, socket) = socket.into_split();
        Self {
            lines: FramedRead::new(reading, LinesCodec::new_with_max_length(LONGEST_LINE)),
            socket,
            topics,
            subscriptions: Subscriptions::default(),
            paused: false,
            shutdown,
        }
    }

    pub(super) async fn run(mut self) {
        // An error means that the client has disconnected, which the server ignores.
        let _ = self.serve().await;
    }

    async fn serve(&mut self) -> io::Result<()> {
        loop {
            let event = tokio::select! {
                // Commands come before messages, so a client with a busy topic can still
                // unsubscribe.
                biased;
                // Both results mean a shutdown: a message, or a channel that is closed.
                _ = self.shutdown.recv() => Event::Shutdown,
                line = self.lines.next() => Event::Line(line),
                delivery = self.subscriptions.next(), if !self.paused => Event::Delivery(delivery),
            };
            match event {
                Event::Line(Some(Ok(line))) => {
                    if !self.obey(&line).await? {
                        return Ok(());
                    }
                }
                Event::Line(Some(Err(LinesCodecError::MaxLineLengthExceeded))) => {
                    return self.reply(Reply::Error("line too long")).await;
                }
                Event::Line(Some(Err(LinesCodecError::Io(error)))) => return Err(error),
                Event::Line(None) => return Ok(()),
                Event::Delivery((topic, Ok(text))) => {
                    self.reply(Reply::Message { topic: &topic, text: &text }).await?;
                }
                // The client reads too slowly. The stream continues with the oldest message in the
                // ring.
                Event::Delivery((topic, Err(missed))) => {
                    self.reply(Reply::Lagged { topic: &topic, missed }).await?;
                }
                Event::Shutdown => return self.reply(Reply::Shutdown).await,
            }
        }
    }

    /// Executes a command. Returns whether the client stays.
    async fn obey(&mut self, line: &str) -> io::Result<bool> {
        match Command::parse(line) {
            Ok(Command::Subscribe(topics)) => {
                for topic in topics {
                    // A new receiver would skip the messages that the old one has not read.
                    if !self.subscriptions.contains(topic) {
                        self.subscriptions.insert(topic, self.topics.subscribe(topic));
                    }
                    self.reply(Reply::Subscribed(topic)).await?;
                }
            }
            Ok(Command::Unsubscribe(topics)) => {
                for topic in topics {
                    self.subscriptions.remove(topic);
                    self.topics.left(topic);
                    self.reply(Reply::Unsubscribed(topic)).await?;
                }
            }
            Ok(Command::Publish { topic, text }) => {
                let subscribers = self.topics.publish(topic, text);
                self.reply(Reply::Published { topic, subscribers }).await?;
            }
            Ok(Command::Pause) => {
                self.paused = true;
                self.reply(Reply::Paused).await?;
            }
            Ok(Command::Resume) => {
                self.paused = false;
                self.reply(Reply::Resumed).await?;
            }
            Ok(Command::Ping) => self.reply(Reply::Pong).await?,
            Ok(Command::Quit) => {
                self.reply(Reply::Bye).await?;
                return Ok(false);
            }
            Err(what) => self.reply(Reply::Error(what)).await?,
        }
        Ok(true)
    }

    async fn reply(&mut self, reply: Reply<'_>) -> io::Result<()> {
        self.socket.write_all(format!("{reply}\n").as_bytes()).await
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for topic in self.subscriptions.clear() {
            self.topics.left(&topic);
        }
    }
}
