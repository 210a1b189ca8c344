//! `POST /publish`: the body is the message.

use axum::extract::State;
use axum::http::StatusCode;

use crate::server::App;

/// The message's sequence.
pub(crate) async fn publish(State(app): State<App>, text: String) -> Result<String, StatusCode> {
    match app.publisher.publish(text) {
        Ok(sequence) => Ok(sequence.to_string()),
        // The server is stopping.
        Err(_closed) => Err(StatusCode::SERVICE_UNAVAILABLE),
    }
}
