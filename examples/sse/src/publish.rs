//! `POST /publish`: publishes the body.

use axum::extract::State;
use axum::http::StatusCode;

use crate::server::App;

/// Returns the sequence of the message.
pub(crate) async fn publish(State(app): State<App>, text: String) -> Result<String, StatusCode> {
    match app.publisher.publish(text) {
        Ok(sequence) => Ok(sequence.to_string()),
        // The server is shutting down.
        Err(_closed) => Err(StatusCode::SERVICE_UNAVAILABLE),
    }
}
