//! The durable consumer, and whether it stands where the bridge does.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, Info};
use async_nats::jetstream::context::ConsumerInfoErrorKind;
use async_nats::jetstream::stream::{ConsumerErrorKind, Stream};

use super::Inbound;
use crate::error::Error;
use crate::stream::Failure;

pub(super) type Pull = Consumer<Config>;

impl Inbound {
    /// The consumer, which delivers the next message first, and how many it has delivered in its
    /// life.
    ///
    /// A consumer that has delivered messages which did not arrive delivers them again later, and
    /// newer ones first. Instead of waiting for that, it is made again where the bridge stands.
    pub(super) async fn consumer(&mut self, stream: &Stream) -> Result<(Pull, u64), Failure> {
        let state = &stream.cached_info().state;
        let found = self.find(stream).await?;
        let next = match (self.next, &found) {
            (Some(next), _) => next,
            (None, Some(info)) => info.ack_floor.stream_sequence + 1,
            (None, None) => state.first_sequence.max(1),
        };
        self.next = Some(next);
        if state.last_sequence + 1 < next {
            return Err(Error::Shortened { reached: next - 1, last: state.last_sequence }.into());
        }
        if let Some(info) = found {
            if stands_at(&info, next) {
                let consumer = stream.get_consumer(&self.settings.durable).await.map_err(|_| Failure::Unanswered)?;
                return Ok((consumer, info.delivered.consumer_sequence));
            }
            self.counts.rewound.add(1);
            self.delete(stream).await?;
        }
        Ok((self.create(stream, next).await?, 0))
    }

    async fn find(&self, stream: &Stream) -> Result<Option<Info>, Failure> {
        match stream.consumer_info(&self.settings.durable).await {
            Ok(info) => Ok(Some(info)),
            Err(error) => match error.kind() {
                ConsumerInfoErrorKind::NotFound => Ok(None),
                ConsumerInfoErrorKind::JetStream(error) => Err(Error::Request(error.to_string()).into()),
                _ => Err(Failure::Unanswered),
            },
        }
    }

    async fn delete(&self, stream: &Stream) -> Result<(), Failure> {
        match stream.delete_consumer(&self.settings.durable).await {
            Ok(_) => Ok(()),
            Err(error) => match error.kind() {
                ConsumerErrorKind::JetStream(error) if error.error_code() == ErrorCode::CONSUMER_NOT_FOUND => Ok(()),
                kind => Err(failure(&kind)),
            },
        }
    }

    async fn create(&self, stream: &Stream, next: u64) -> Result<Pull, Failure> {
        let config = Config {
            durable_name: Some(self.settings.durable.clone()),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: next },
            ack_policy: AckPolicy::Explicit,
            // More than are ever in flight: a batch, and one whose acknowledgments are on their
            // way.
            max_ack_pending: i64::try_from(self.settings.batch).unwrap_or(i64::MAX / 4) * 4,
            ..Config::default()
        };
        stream.create_consumer(config).await.map_err(|error| failure(&error.kind()))
    }
}

fn failure(kind: &ConsumerErrorKind) -> Failure {
    match kind {
        ConsumerErrorKind::JetStream(error) => Error::Request(error.to_string()).into(),
        _ => Failure::Unanswered,
    }
}

/// Whether it delivers `next` first, and has nothing to deliver again.
fn stands_at(info: &Info, next: u64) -> bool {
    let config = &info.config;
    info.num_ack_pending == 0
        && info.delivered.stream_sequence + 1 == next
        && config.ack_policy == AckPolicy::Explicit
        && config.deliver_subject.is_none()
        && config.filter_subject.is_empty()
}
