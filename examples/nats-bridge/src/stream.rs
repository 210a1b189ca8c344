//! What both bridges ask the broker about a stream.

use std::error::Error as _;
use std::time::Duration;

use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{
    CreateStreamErrorKind, GetStreamError, GetStreamErrorKind, RequestError, RequestErrorKind,
};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RawMessageErrorKind, RetentionPolicy, StorageType, Stream};
use tokio::time::sleep;

use crate::error::{Error, Result};
use crate::link::Link;

/// The pause before a request that was not answered is sent again.
pub(crate) const PAUSE: Duration = Duration::from_millis(50);

/// Why a request has no result.
pub(crate) enum Failure {
    /// It was not answered. The broker may have done it.
    Unanswered,
    /// It fails until an operator changes something.
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// Settings of a stream that [`create_stream`] makes.
#[derive(Clone, Debug)]
pub struct StreamSettings {
    /// Its name.
    pub name: String,
    /// The subject that it stores.
    pub subject: String,
    /// How long the broker remembers ids of messages. 2 minutes by default, as the broker's.
    pub duplicate_window: Duration,
    /// How many messages it keeps. Further ones are refused, not the oldest removed. Unlimited by
    /// default.
    pub max_messages: Option<u32>,
}

impl StreamSettings {
    /// A stream `name` of the subject `subject`.
    pub fn new(name: impl Into<String>, subject: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            subject: subject.into(),
            duplicate_window: Duration::from_secs(120),
            max_messages: None,
        }
    }
}

/// Makes a stream that a bridge can use, unless there is one of that name. Waits for the broker.
pub async fn create_stream(link: &Link, settings: &StreamSettings) -> Result<()> {
    let config = Config {
        name: settings.name.clone(),
        subjects: vec![settings.subject.clone()],
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        duplicate_window: settings.duplicate_window,
        max_messages: settings.max_messages.map_or(-1, i64::from),
        ..Config::default()
    };
    loop {
        link.connected().await;
        match link.context().get_or_create_stream(config.clone()).await {
            Ok(_) => return Ok(()),
            Err(error) => match error.kind() {
                CreateStreamErrorKind::TimedOut | CreateStreamErrorKind::Response => sleep(PAUSE).await,
                kind => return Err(Error::Request(kind.to_string())),
            },
        }
    }
}

/// The stream `name` and its state, if the bridges can use it.
pub(crate) async fn find(link: &Link, name: &str) -> std::result::Result<Stream, Failure> {
    let stream = link.context().get_stream(name).await.map_err(|error| not_found(&error, name))?;
    let config = &stream.cached_info().config;
    if config.no_ack {
        return Err(Error::Unsuitable("it does not acknowledge (`no_ack`)").into());
    }
    if config.retention != RetentionPolicy::Limits {
        return Err(
            Error::Unsuitable("consumers remove its messages, so its last one may be missing (`retention`)").into()
        );
    }
    Ok(stream)
}

fn not_found(error: &GetStreamError, name: &str) -> Failure {
    match error.kind() {
        GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND => {
            Error::NoStream(name.to_owned()).into()
        }
        GetStreamErrorKind::Request => {
            let request = error.source().and_then(|source| source.downcast_ref::<RequestError>());
            match request.map(RequestError::kind) {
                Some(RequestErrorKind::NoResponders) => Error::Request("it has no JetStream".to_owned()).into(),
                _ => Failure::Unanswered,
            }
        }
        kind => Error::Request(kind.to_string()).into(),
    }
}

/// What a stream has at a sequence.
pub(crate) enum Stored {
    /// A message, with its `Nats-Msg-Id` if it has one.
    Message(Option<String>),
    /// Nothing: the message was removed.
    Removed,
}

/// What the stream has at `sequence`, which is not beyond its last one.
pub(crate) async fn stored(stream: &Stream, sequence: u64) -> std::result::Result<Stored, Failure> {
    match stream.get_raw_message(sequence).await {
        Ok(message) => Ok(Stored::Message(message.headers.get(NATS_MESSAGE_ID).map(ToString::to_string))),
        Err(error) => match error.kind() {
            RawMessageErrorKind::NoMessageFound => Ok(Stored::Removed),
            RawMessageErrorKind::JetStream(error) => Err(Error::Request(error.to_string()).into()),
            _ => Err(Failure::Unanswered),
        },
    }
}
