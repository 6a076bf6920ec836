//! HTTP for the management API: requests with their bodies in, answers out, in JSON. Decides nothing of what is answered.

use crate::io::serve::handle::ServeHandle;
use crate::io::serve::http::{BodyFailure, header, read, response, serve};
use crate::serve::{ApiAnswer, ApiRequest, ServedBroker, answer_management};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderName, Response};
use serde_json::json;
use std::net::TcpListener;

/// The most bytes of a request to the management API, as RabbitMQ's configuration has it.
const MANAGEMENT_BYTES_MAX: usize = 20_000_000;

/// Answers requests to the management API at a socket that listens until the broker is gone.
pub async fn serve_management(listener: TcpListener, handle: ServeHandle) {
    serve(listener, Router::new().fallback(management).with_state(handle)).await;
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
                authorization: header(&head.headers, &AUTHORIZATION),
                reason: header(&head.headers, &HeaderName::from_static("x-reason")),
                body,
            };
            let asked = move |host: &mut ServedBroker, now_ms| answer_management(host, now_ms, &request);
            let gone = || failed(503, "service_unavailable", "the broker is gone");
            handle.ask(asked).await.unwrap_or_else(gone)
        }
    };
    response(answer.status, answer.body.map(|body| body.to_string()), &answer.headers)
}
