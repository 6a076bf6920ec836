//! What the ports of HTTP have in common: requests in, their bodies bounded in time and bytes, answers out, in JSON.

use crate::serve::ControlRequest;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use std::net::TcpListener;
use std::time::Duration;

/// How long a body may take to come.
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// Serves at a socket that listens until the program ends.
pub(super) async fn serve(listener: TcpListener, router: Router) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    // It ends with the program.
    let _ = axum::serve(listener, router).await;
}

/// Why there is no body.
pub(super) enum BodyFailure {
    TooLong,
    TooLate,
}

/// Reads the whole body.
pub(super) async fn read(body: Body, bytes_max: usize) -> Result<Vec<u8>, BodyFailure> {
    match tokio::time::timeout(REQUEST_TIME, to_bytes(body, bytes_max)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        // A client that is gone amid its body hears nothing.
        Ok(Err(_)) => Err(BodyFailure::TooLong),
        Err(_) => Err(BodyFailure::TooLate),
    }
}

/// Returns what a header says.
pub(super) fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Makes a request to a control port of its head and its body.
pub(super) fn control_request(head: &Parts, body: Vec<u8>) -> ControlRequest {
    ControlRequest {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        body,
        host: header(&head.headers, &HOST).unwrap_or_default(),
        origin: header(&head.headers, &ORIGIN),
    }
}

/// Makes an answer of the text of a JSON value; `None` for no body.
pub(super) fn response(status: u16, json: Option<String>, headers: &[(&'static str, String)]) -> Response<Body> {
    let is_json = json.is_some();
    let mut response = Response::new(json.map_or_else(Body::empty, Body::from));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if is_json {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
