//! The instrumentation: a future that publishes a span for each poll of another future.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use seqcast::{Inline, SharedPublisher};

/// One poll of a task.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) task: &'static str,
    pub(crate) start: Instant,
    /// How long the poll took.
    pub(crate) poll: Duration,
    /// How long it took to publish the task's previous span.
    pub(crate) last_publish: Duration,
}

pub(crate) struct Traced<F> {
    task: &'static str,
    spans: SharedPublisher<Inline<Span>>,
    last_publish: Duration,
    future: Pin<Box<F>>,
}

impl<F> Traced<F> {
    pub(crate) fn new(task: &'static str, spans: SharedPublisher<Inline<Span>>, future: F) -> Self {
        Self { task, spans, last_publish: Duration::ZERO, future: Box::pin(future) }
    }
}

impl<F: Future> Future for Traced<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let start = Instant::now();
        let output = self.future.as_mut().poll(cx);
        let polled = Instant::now();
        let span = Span { task: self.task, start, poll: polled - start, last_publish: self.last_publish };
        // Never waits for an exporter. It fails only when the ring is closed, and a closed ring
        // needs no spans.
        let _ = self.spans.publish(span);
        self.last_publish = polled.elapsed();
        output
    }
}
