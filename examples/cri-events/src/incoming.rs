//! Accepted connections, which a shutdown can cut.

use std::future::Future;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::Sleep;
use tokio_stream::Stream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::{Connected, UdsConnectInfo};

/// How long to wait after a failed accept, such as when the system has no descriptor left.
const PAUSE: Duration = Duration::from_millis(50);

/// How long a connection may take to send its first bytes.
const SILENCE: Duration = Duration::from_secs(10);

/// The connections of a listener.
pub(crate) struct Incoming {
    listener: UnixListener,
    cut: CancellationToken,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Incoming {
    pub(crate) fn new(listener: UnixListener, cut: CancellationToken) -> Self {
        Self { listener, cut, pause: None }
    }
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(pause) = &mut self.pause {
                std::task::ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            match std::task::ready!(self.listener.poll_accept(cx)) {
                Ok((stream, _)) => return Poll::Ready(Some(Ok(Connection::new(stream, &self.cut, SILENCE)))),
                Err(error) => {
                    // Standard error may be closed, and there is no other place to report it.
                    let _ = writeln!(io::stderr(), "cannot accept a connection: {error}");
                    self.pause = Some(Box::pin(tokio::time::sleep(PAUSE)));
                }
            }
        }
    }
}

/// A connection that fails when it is cut, and when its client sends nothing. So a client that does
/// not read or write cannot keep it open.
pub(crate) struct Connection {
    stream: UnixStream,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Runs until the first bytes arrive.
    silence: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    fn new(stream: UnixStream, cut: &CancellationToken, silence: Duration) -> Self {
        let silence = Some(Box::pin(tokio::time::sleep(silence)));
        Self { stream, cut: Box::pin(cut.clone().cancelled_owned()), silence }
    }

    /// Fails if the connection is cut. Otherwise wakes its task when it is.
    fn poll_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(()) => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the server has shut down")),
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = UdsConnectInfo;

    fn connect_info(&self) -> UdsConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Some(silence) = &mut self.silence {
            if read.is_ready() {
                self.silence = None;
            } else if silence.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_connection_whose_client_sends_nothing_fails() {
        let (one, mut other) = UnixStream::pair().unwrap();
        let silence = Duration::from_millis(10);
        let mut connection = Connection::new(one, &CancellationToken::new(), silence);
        assert_eq!(connection.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);

        let (one, mut speaker) = UnixStream::pair().unwrap();
        let mut connection = Connection::new(one, &CancellationToken::new(), silence);
        speaker.write_u8(7).await.unwrap();
        assert_eq!(connection.read_u8().await.unwrap(), 7);
        tokio::time::sleep(silence * 3).await;
        let later = tokio::time::timeout(silence * 3, connection.read_u8()).await;
        assert!(later.is_err(), "a client that has sent something may be silent");
        other.shutdown().await.unwrap();
    }
}
