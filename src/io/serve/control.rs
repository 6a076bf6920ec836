//! HTTP for the control port: short requests in, answers out, in JSON, and the timeline as server-sent events.

use crate::io::serve::handle::ServeHandle;
use crate::io::serve::http::{BodyFailure, header, read, response, serve};
use crate::serve::{ControlAnswer, ControlRequest, ServedBroker, answer_control, timeline_events};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderValue, Response};
use futures_util::stream;
use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

/// The most bytes of a body.
const CONTROL_BYTES_MAX: usize = 64 * 1_024;

/// How long a stream waits for news.
const STREAM_PAUSE: Duration = Duration::from_millis(50);

/// After which silence a sign of life is sent.
const STREAM_SIGN: Duration = Duration::from_secs(10);

/// Answers requests to the control port at a socket that listens until the broker is gone; paths begin with the token.
pub async fn serve_control(listener: TcpListener, handle: ServeHandle, token: String) {
    serve(listener, Router::new().fallback(control).with_state((handle, Arc::from(token)))).await;
}

async fn control(State((handle, token)): State<(ServeHandle, Arc<str>)>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let answer = match read(body, CONTROL_BYTES_MAX).await {
        Err(BodyFailure::TooLong) => ControlAnswer::error(400, "this is no request, or one that is too long"),
        Err(BodyFailure::TooLate) => ControlAnswer::error(408, "the request did not come in time"),
        Ok(body) => {
            let request = ControlRequest {
                method: head.method.to_string(),
                path: head.uri.path().to_owned(),
                query: head.uri.query().unwrap_or_default().to_owned(),
                body,
                host: header(&head.headers, &HOST).unwrap_or_default(),
                origin: header(&head.headers, &ORIGIN),
            };
            let asked = move |host: &mut ServedBroker, now_ms| answer_control(host, now_ms, &token, &request);
            handle.ask(asked).await.unwrap_or_else(|| ControlAnswer::error(503, "the broker is gone"))
        }
    };
    match answer.stream {
        Some(since) => timeline(handle, since),
        None => {
            let body = (!answer.body.is_null()).then(|| format!("{}\n", answer.body));
            response(answer.status, body, &[])
        }
    }
}

/// Sends the timeline as it grows, until the client or the broker is gone. What a slow client does not take waits in the
/// timeline, which lets the oldest go.
fn timeline(handle: ServeHandle, since: u64) -> Response<Body> {
    let parts = stream::unfold((handle, since), async |(handle, since)| {
        let (text, last) = next_part(&handle, since).await?;
        Some((Ok::<_, Infallible>(text), (handle, last)))
    });
    let mut response = Response::new(Body::from_stream(parts));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Waits for entries after one; returns them with the number of the last.
async fn next_part(handle: &ServeHandle, since: u64) -> Option<(String, u64)> {
    let mut silent = Duration::ZERO;
    loop {
        let (text, last) = handle.ask(move |host, _| timeline_events(host, since)).await?;
        if !text.is_empty() {
            return Some((text, last));
        }
        if silent >= STREAM_SIGN {
            // A comment: a client that is gone shows by it.
            return Some((":\n\n".to_owned(), since));
        }
        tokio::time::sleep(STREAM_PAUSE).await;
        silent += STREAM_PAUSE;
    }
}
