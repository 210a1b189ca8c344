//! Serves a page of text over HTTP.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::socket::Socket;

/// How long a client may take to send a request and to read the response.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait after a failed accept, such as when the system has no descriptor left.
const PAUSE: Duration = Duration::from_millis(50);

/// The address of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A TCP address.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Self::Unix(path.into()));
        }
        // A name may have several addresses. The first one is used.
        match text.to_socket_addrs().map(|mut addresses| addresses.next()) {
            Ok(Some(address)) => Ok(Self::Tcp(address)),
            Ok(None) => Err(format!("{text:?} resolves to no address")),
            Err(error) => Err(format!("{text:?} is neither HOST:PORT nor unix:PATH: {error}")),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

type Page = Arc<dyn Fn() -> String + Send + Sync>;

/// Serves the page until it is dropped.
#[derive(Debug)]
pub struct Web {
    address: Address,
    _socket: Option<Socket>,
    _stop: DropGuard,
}

impl Web {
    /// Serves `page` at `/metrics`.
    ///
    /// # Errors
    ///
    /// When the system cannot listen on the address.
    pub async fn start(address: &Address, page: impl Fn() -> String + Send + Sync + 'static) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let page: Page = Arc::new(page);
        let (address, socket) = match address {
            Address::Tcp(address) => {
                let listener = TcpListener::bind(address).await?;
                let address = Address::Tcp(listener.local_addr()?);
                let stopped = stop.clone();
                tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
                    loop {
                        serve(listener.accept().await.map(|(stream, _)| stream), &page, &stopped).await;
                    }
                }));
                (address, None)
            }
            Address::Unix(path) => {
                let socket = Socket::bind(path).map_err(io::Error::other)?;
                let listener = UnixListener::from_std(socket.listener()?)?;
                let stopped = stop.clone();
                tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
                    loop {
                        serve(listener.accept().await.map(|(stream, _)| stream), &page, &stopped).await;
                    }
                }));
                (address.clone(), Some(socket))
            }
        };
        Ok(Self { address, _socket: socket, _stop: stop.drop_guard() })
    }

    /// The address of the page. Port 0 is replaced by the port that the system chose.
    pub fn address(&self) -> &Address {
        &self.address
    }
}

/// Serves a connection in a task of its own.
async fn serve<S>(accepted: io::Result<S>, page: &Page, stop: &CancellationToken)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let stream = match accepted {
        Ok(stream) => stream,
        Err(error) => {
            eprintln!("cannot accept a connection: {error}");
            return tokio::time::sleep(PAUSE).await;
        }
    };
    let page = Arc::clone(page);
    let answer = service_fn(move |request| {
        let response = respond(&request, &page);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), answer);
    // An error concerns only this client.
    tokio::spawn(stop.clone().run_until_cancelled_owned(timeout(PATIENCE, connection)));
}

fn respond(request: &Request<Incoming>, page: &Page) -> Response<Full<Bytes>> {
    let (status, kind, text) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, "text/plain; version=0.0.4", page()),
        (_, "/metrics") => (StatusCode::METHOD_NOT_ALLOWED, "text/plain", "only GET and HEAD are allowed\n".to_owned()),
        _ => (StatusCode::NOT_FOUND, "text/plain", "metrics are at /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}
