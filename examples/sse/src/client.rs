//! A client of the server, on HTTP/1.1.

use std::error::Error;
use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// The result of a request, with an error of any layer.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A server-sent event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its `id`, or the last `id` before it.
    pub id: Option<u64>,
    /// Its `event` field. `None` for a message.
    pub name: Option<String>,
    /// Its `data` field.
    pub data: String,
}

/// A stream of events. Dropping it disconnects.
#[derive(Debug)]
pub struct Events {
    body: Incoming,
    /// Dropping it disconnects.
    _connection: Connection,
    /// Text that was received and not yet returned.
    text: Vec<u8>,
    last_id: Option<u64>,
    comments: u64,
}

/// Connects, and continues after the event with the id `last`.
pub async fn events(server: SocketAddr, last: Option<u64>) -> Result<Events> {
    let mut request = Request::get("/events").header(HOST, server.to_string());
    if let Some(id) = last {
        request = request.header("Last-Event-ID", id.to_string());
    }
    let (response, connection) = send(server, request.body(Full::default())?).await?;
    expect_ok(response.status())?;
    Ok(Events { body: response.into_body(), _connection: connection, text: Vec::new(), last_id: last, comments: 0 })
}

/// Publishes a message, and returns its sequence.
pub async fn publish(server: SocketAddr, text: impl Into<String>) -> Result<u64> {
    let request = Request::post("/publish").header(HOST, server.to_string());
    let (response, _connection) = send(server, request.body(Full::from(text.into()))?).await?;
    expect_ok(response.status())?;
    let body = response.into_body().collect().await?.to_bytes();
    Ok(std::str::from_utf8(&body)?.parse()?)
}

fn expect_ok(status: StatusCode) -> Result<()> {
    if status == StatusCode::OK { Ok(()) } else { Err(status.to_string().into()) }
}

/// Sends a request on a connection of its own, which is closed when the returned `Connection`
/// drops.
async fn send(server: SocketAddr, request: Request<Full<Bytes>>) -> Result<(Response<Incoming>, Connection)> {
    let socket = TcpStream::connect(server).await?;
    socket.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
    // An error of the connection is also an error of the request or of its body.
    let connection = Connection(tokio::spawn(async { drop(connection.await) }));
    Ok((sender.send_request(request).await?, connection))
}

#[derive(Debug)]
struct Connection(JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Events {
    /// The next event, or `None` when the server has ended the stream.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            while let Some(end) = self.text.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<_> = self.text.drain(..end + 2).collect();
                if let Some(event) = self.parse(std::str::from_utf8(&block)?)? {
                    return Ok(Some(event));
                }
            }
            match self.body.frame().await {
                Some(frame) => self.text.extend(frame?.into_data().unwrap_or_default()),
                None => return Ok(None),
            }
        }
    }

    /// The id to send when reconnecting.
    pub fn last_id(&self) -> Option<u64> {
        self.last_id
    }

    /// The number of comments received. They keep the connection alive.
    pub fn comments(&self) -> u64 {
        self.comments
    }

    /// The event in a block of lines. `None` if the block has no data.
    fn parse(&mut self, block: &str) -> Result<Option<Event>> {
        let (mut name, mut data) = (None, Vec::new());
        for line in block.split(['\n', '\r']) {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "" if line.starts_with(':') => self.comments += 1,
                "id" => self.last_id = Some(value.parse()?),
                "event" => name = Some(value.to_owned()),
                "data" => data.push(value),
                _ => {}
            }
        }
        let event = Event { id: self.last_id, name, data: data.join("\n") };
        Ok((!data.is_empty()).then_some(event))
    }
}
