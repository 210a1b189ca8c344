//! Publishers as a `futures_sink::Sink`, behind the feature `sink`.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_sink::Sink;

use super::exclusive::Publisher;
use super::shared::SharedPublisher;
use crate::error::{Closed, TryPublishError};
use crate::slots::Storage;

/// `$make` makes the `publisher` of the example.
macro_rules! sink {
    ($publisher:ident, $make:literal) => {
        /// Requires the feature `sink`.
        ///
        /// `start_send` publishes the message if there is still room. Otherwise the publisher
        /// holds the message, and publishes it when it is polled again. Messages that are
        /// published by the publisher's own methods meanwhile come before it. Dropping the
        /// publisher drops the message.
        ///
        /// `poll_close` publishes a held message, and leaves the ring open. Drop the publisher to
        /// close the ring. A call of `close` on the publisher is its own method, even with
        /// `SinkExt` in scope. It closes the ring, so call `flush` before it.
        ///
        /// # Errors
        ///
        /// [`Closed`]: the ring is closed. It contains the message that was not published, if
        /// there is one.
        ///
        /// # Panics
        ///
        /// `start_send` panics if the publisher holds a message. Call `poll_ready` before it.
        ///
        /// # Cancel safety
        ///
        /// If a `send` is dropped before it is ready, the publisher may hold its message, and
        /// publish it when it is polled again. A [`publish_async`](Self::publish_async) that is
        /// dropped has published nothing.
        ///
        /// # Examples
        ///
        /// ```
        /// use futures::{SinkExt, StreamExt, future, stream};
        ///
        /// # futures::executor::block_on(async {
        #[doc = $make]
        /// let gating = publisher.ring().subscribe_gating().unwrap();
        /// // The sink waits for the reader. Its drop at the end closes the ring.
        /// let sending = stream::iter(0..100).map(Ok).forward(publisher);
        /// let (sent, received) = future::join(sending, gating.collect::<Vec<_>>()).await;
        /// sent.unwrap();
        /// assert!(received.into_iter().map(Result::unwrap).eq(0..100));
        /// # });
        /// ```
        impl<S: Storage> Sink<S::Item> for $publisher<S> {
            type Error = Closed<Option<S::Item>>;

            fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
                let publisher = self.get_mut();
                ready!(publisher.poll_held(cx))?;
                Self::poll_ready(publisher, cx).map_err(|Closed(())| Closed(None))
            }

            fn start_send(self: Pin<&mut Self>, item: S::Item) -> Result<(), Self::Error> {
                let publisher = self.get_mut();
                assert!(publisher.handle.held().is_none(), "`start_send` called without `poll_ready`");
                match publisher.try_publish(item) {
                    Ok(_) => Ok(()),
                    Err(TryPublishError::Closed(item)) => Err(Closed(Some(item))),
                    Err(TryPublishError::Full(item)) => {
                        *publisher.handle.held() = Some(Box::new(item));
                        Ok(())
                    }
                }
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
                self.get_mut().poll_held(cx)
            }

            fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
                self.get_mut().poll_held(cx)
            }
        }

        impl<S: Storage> $publisher<S> {
            /// Publishes the held message.
            fn poll_held(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed<Option<S::Item>>>> {
                while let Some(item) = self.handle.held().take() {
                    match self.try_publish(*item) {
                        Ok(_) => self.handle.end_wait(),
                        Err(TryPublishError::Closed(item)) => {
                            self.handle.end_wait();
                            return Poll::Ready(Err(Closed(Some(item))));
                        }
                        Err(TryPublishError::Full(item)) => {
                            *self.handle.held() = Some(Box::new(item));
                            // If the ring is closed, the next attempt returns the message.
                            let _ = ready!(Self::poll_ready(self, cx));
                        }
                    }
                }
                Poll::Ready(Ok(()))
            }
        }
    };
}

sink!(Publisher, "let (publisher, _) = seqcast::Builder::new(4).gated().inline::<u32>();");
sink!(SharedPublisher, "let publisher = seqcast::Builder::new(4).gated().inline::<u32>().0.share();");
