//! The stream of a client: turns a subscriber of the ring into responses.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use seqcast::{RecvError, Subscriber};
use tokio_stream::Stream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;

use crate::payload::Payload;
use crate::proto::ContainerEventResponse;
use crate::source::Events;
use crate::statuses;
use crate::totals::{End, Totals};

/// What to do when a client has missed events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum OnLag {
    /// Continue, and report the number with the next event.
    #[default]
    Skip,
    /// End the stream with `DATA_LOSS` and the sequence to resume from.
    Terminate,
}

/// The events of one client. The connection drops it when the client disconnects, which
/// unsubscribes the client.
pub(crate) struct RingStream<P: Payload> {
    subscriber: Subscriber<P::Storage>,
    on_lag: OnLag,
    /// Events missed since the last event, and not reported yet.
    missed: u64,
    /// `None` until the stream ends.
    end: Option<End>,
    totals: Arc<Totals>,
}

impl<P: Payload> RingStream<P> {
    pub(crate) fn new(subscriber: Subscriber<P::Storage>, on_lag: OnLag, totals: Arc<Totals>) -> Self {
        totals.open();
        Self { subscriber, on_lag, missed: 0, end: None, totals }
    }

    fn last(&mut self, end: End, status: Status) -> Poll<Option<Result<ContainerEventResponse, Status>>> {
        self.end = Some(end);
        Poll::Ready(Some(Err(status)))
    }
}

impl<P: Payload> Stream for RingStream<P> {
    type Item = Result<ContainerEventResponse, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.end.is_some() {
            return Poll::Ready(None);
        }
        loop {
            match ready!(P::poll(&mut this.subscriber, cx)) {
                Ok(mut message) => {
                    message.sequence = this.subscriber.last_sequence().unwrap_or_default();
                    message.missed = std::mem::take(&mut this.missed);
                    this.totals.send();
                    return Poll::Ready(Some(Ok(message)));
                }
                Err(RecvError::Lagged(lagged)) => {
                    this.missed += lagged.missed;
                    this.totals.miss(lagged.missed);
                    if this.on_lag == OnLag::Terminate {
                        return this.last(End::Lagged, statuses::data_loss(lagged.resumed_at, this.missed));
                    }
                }
                Err(RecvError::Closed) => {
                    let next = this.subscriber.next_sequence();
                    return this.last(End::Closed, statuses::closing(next, this.missed));
                }
            }
        }
    }
}

impl<P: Payload> Drop for RingStream<P> {
    fn drop(&mut self) {
        self.totals.end(self.end.unwrap_or(End::Client));
    }
}

/// A stream that can end early in a shutdown, so that a client that is far behind also gets a final
/// status.
pub(crate) struct Hurried {
    events: Events,
    /// The sequence after the last event sent. A loss after it is reported when the client resumes.
    next: u64,
    hurry: CancellationToken,
    woken: Pin<Box<WaitForCancellationFutureOwned>>,
    over: bool,
}

impl Hurried {
    /// Wraps the events of a client that begins at `start`.
    pub(crate) fn new(events: Events, start: u64, hurry: &CancellationToken) -> Self {
        // A token for each client, so that clients do not contend for one lock.
        let hurry = hurry.child_token();
        let woken = Box::pin(hurry.clone().cancelled_owned());
        Self { events, next: start, hurry, woken, over: false }
    }
}

impl Stream for Hurried {
    type Item = Result<ContainerEventResponse, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.over {
            return Poll::Ready(None);
        }
        if !this.hurry.is_cancelled() {
            let next = this.events.as_mut().poll_next(cx);
            match &next {
                Poll::Ready(Some(Ok(message))) => this.next = message.sequence + 1,
                Poll::Ready(_) => this.over = true,
                Poll::Pending => {}
            }
            // Polls the token to be woken by it.
            if next.is_ready() || this.woken.as_mut().poll(cx).is_pending() {
                return next;
            }
        }
        this.over = true;
        Poll::Ready(Some(Err(statuses::closing(this.next, 0))))
    }
}
