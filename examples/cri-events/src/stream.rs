//! What a client reads: a subscriber of the ring as a stream of responses.

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
use crate::told;
use crate::totals::{End, Totals};

/// What to do about a client to which events are lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum OnLag {
    /// Go on, and tell it with the next event how many.
    #[default]
    Skip,
    /// End its stream with `DATA_LOSS` and the sequence to resume from.
    Terminate,
}

/// The events of one client. Dropping it, which the connection does as soon as the client is gone, is all there is to unsubscribing.
pub(crate) struct RingStream<P: Payload> {
    subscriber: Subscriber<P::Storage>,
    on_lag: OnLag,
    /// Lost since the last event, and not told yet.
    missed: u64,
    /// None while it goes on.
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
                        return this.last(End::Lagged, told::data_loss(lagged.resumed_at, this.missed));
                    }
                }
                Err(RecvError::Closed) => {
                    let next = this.subscriber.next_sequence();
                    return this.last(End::Closed, told::closing(next, this.missed));
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

/// Events that end where they are once the server is in a hurry, so that a client that reads, but is far behind, gets a final status too.
pub(crate) struct Hurried {
    events: Events,
    /// What the client is due next. What is lost before it is told, or told when it resumes there.
    next: u64,
    hurry: CancellationToken,
    woken: Pin<Box<WaitForCancellationFutureOwned>>,
    over: bool,
}

impl Hurried {
    /// Events of a client that begins with `start`.
    pub(crate) fn new(events: Events, start: u64, hurry: &CancellationToken) -> Self {
        // One of its own, so that clients do not wait for each other's lock.
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
            // Polled only to be woken.
            if next.is_ready() || this.woken.as_mut().poll(cx).is_pending() {
                return next;
            }
        }
        this.over = true;
        Poll::Ready(Some(Err(told::closing(this.next, 0))))
    }
}
