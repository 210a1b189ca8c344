//! The protocol: lines of text, in both directions.
//!
//! | a client sends | the server replies |
//! |---|---|
//! | `SUBSCRIBE topic…` | `subscribed topic`, for each topic |
//! | `UNSUBSCRIBE topic…` | `unsubscribed topic`, for each topic |
//! | `PUBLISH topic text` | `published topic n`: to `n` subscribers |
//! | `PAUSE`, `RESUME` | `paused`, `resumed`: nothing is delivered in between |
//! | `PING` | `pong` |
//! | `QUIT` | `bye`, and disconnects |
//!
//! A subscriber also receives `message topic text`, and `lagged topic n` if `n` messages were
//! overwritten before they could be sent to it. The last line before a shutdown is `shutdown`.

use std::fmt;

/// A command of a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command<'a> {
    Subscribe(Vec<&'a str>),
    Unsubscribe(Vec<&'a str>),
    Publish { topic: &'a str, text: &'a str },
    Pause,
    Resume,
    Ping,
    Quit,
}

impl<'a> Command<'a> {
    /// Parses a line. The error is the text of the reply.
    pub(super) fn parse(line: &'a str) -> Result<Self, &'static str> {
        let (name, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let rest = rest.trim_start();
        let topics = || match rest.split_whitespace().collect::<Vec<_>>() {
            topics if topics.is_empty() => Err("which topic?"),
            topics => Ok(topics),
        };
        match name.to_ascii_uppercase().as_str() {
            "SUBSCRIBE" => topics().map(Self::Subscribe),
            "UNSUBSCRIBE" => topics().map(Self::Unsubscribe),
            "PUBLISH" => {
                let (topic, text) = rest.split_once(' ').ok_or("publish what?")?;
                Ok(Self::Publish { topic, text })
            }
            "PAUSE" => Ok(Self::Pause),
            "RESUME" => Ok(Self::Resume),
            "PING" => Ok(Self::Ping),
            "QUIT" => Ok(Self::Quit),
            _ => Err("no such command"),
        }
    }
}

/// A line that the server sends.
#[derive(Debug)]
pub(super) enum Reply<'a> {
    Subscribed(&'a str),
    Unsubscribed(&'a str),
    Published { topic: &'a str, subscribers: usize },
    Message { topic: &'a str, text: &'a str },
    Lagged { topic: &'a str, missed: u64 },
    Paused,
    Resumed,
    Pong,
    Bye,
    Shutdown,
    Error(&'a str),
}

impl fmt::Display for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subscribed(topic) => write!(f, "subscribed {topic}"),
            Self::Unsubscribed(topic) => write!(f, "unsubscribed {topic}"),
            Self::Published { topic, subscribers } => write!(f, "published {topic} {subscribers}"),
            Self::Message { topic, text } => write!(f, "message {topic} {text}"),
            Self::Lagged { topic, missed } => write!(f, "lagged {topic} {missed}"),
            Self::Paused => f.write_str("paused"),
            Self::Resumed => f.write_str("resumed"),
            Self::Pong => f.write_str("pong"),
            Self::Bye => f.write_str("bye"),
            Self::Shutdown => f.write_str("shutdown"),
            Self::Error(what) => write!(f, "error {what}"),
        }
    }
}
