//! HTTP for the management API: requests with their bodies in, answers out, in JSON.
//! Bounded in time and bytes; decides nothing of what is answered.

use crate::io::serve::handle::ServeHandle;
use crate::serve::{ApiAnswer, ApiRequest, answer_management};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Value as Json, json};
use std::net::TcpListener;
use std::time::Duration;

/// The most bytes of a request to the management API, as RabbitMQ's configuration has it.
const MANAGEMENT_BYTES_MAX: usize = 20_000_000;

/// How long a body may take to come.
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// Answers requests to the management API at a socket that listens until the broker is gone.
pub async fn serve_management(listener: TcpListener, handle: ServeHandle) {
    serve(listener, Router::new().fallback(management).with_state(handle)).await;
}

async fn serve(listener: TcpListener, router: Router) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    // It ends with the program.
    let _ = axum::serve(listener, router).await;
}

async fn management(State(handle): State<ServeHandle>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let failed = |status: u16, error: &str, reason: &str| ApiAnswer {
        status,
        headers: Vec::new(),
        body: Some(json!({"error": error, "reason": reason})),
    };
    let answer = match read(body, MANAGEMENT_BYTES_MAX).await {
        Err(BodyFailure::TooLong) => failed(400, "bad_request", "Exceeded HTTP request body size limit"),
        Err(BodyFailure::TooLate) => failed(408, "request_timeout", "the request did not come in time"),
        Ok(body) => {
            let request = ApiRequest {
                method: head.method.to_string(),
                path: head.uri.path().to_owned(),
                query: head.uri.query().unwrap_or_default().to_owned(),
                authorization: text(&head.headers, &axum::http::header::AUTHORIZATION),
                reason: text(&head.headers, &HeaderName::from_static("x-reason")),
                body,
            };
            let asked = move |host: &mut crate::serve::ServedBroker, now_ms| answer_management(host, now_ms, &request);
            let gone = || failed(503, "service_unavailable", "the broker is gone");
            handle.ask(asked).await.unwrap_or_else(gone)
        }
    };
    response(answer.status, answer.body, &answer.headers)
}

/// Why there is no body.
enum BodyFailure {
    TooLong,
    TooLate,
}

async fn read(body: Body, bytes_max: usize) -> Result<Vec<u8>, BodyFailure> {
    match tokio::time::timeout(REQUEST_TIME, to_bytes(body, bytes_max)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        // A client that is gone amid its body hears nothing.
        Ok(Err(_)) => Err(BodyFailure::TooLong),
        Err(_) => Err(BodyFailure::TooLate),
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn response(status: u16, body: Option<Json>, headers: &[(&'static str, String)]) -> Response<Body> {
    let is_json = body.is_some();
    let mut response = Response::new(body.map_or_else(Body::empty, |json| Body::from(json.to_string())));
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
