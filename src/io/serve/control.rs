//! HTTP for the control port: short requests in, answers out, in JSON, and the timeline as server-sent events.

use crate::io::serve::handle::ServeHandle;
use crate::io::serve::http::{BodyFailure, control_request, read, response, serve};
use crate::io::serve::play::{json_response, page_response};
use crate::play::{PageHas, PlayAnswer, answer_served, served_state};
use crate::serve::{ControlAnswer, ControlRequest, ServedBroker, answer_control, is_from_here, timeline_events};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};
use futures_util::stream;
use serde_json::json;
use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

/// The most bytes of a body.
const CONTROL_BYTES_MAX: usize = 64 * 1_024;

/// The type of OpenMetrics text.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How long a stream waits for news.
const STREAM_PAUSE: Duration = Duration::from_millis(50);

/// How often a page is told the state.
const PAGE_PAUSE: Duration = Duration::from_millis(200);

/// After which silence a sign of life is sent.
const STREAM_SIGN: Duration = Duration::from_secs(10);

/// Answers requests to the control port at a socket that listens until the broker is gone; paths begin with the token.
pub async fn serve_control(listener: TcpListener, handle: ServeHandle, token: String) {
    serve(listener, Router::new().fallback(control).with_state((handle, Arc::from(token)))).await;
}

async fn control(State((handle, token)): State<(ServeHandle, Arc<str>)>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let page = head.uri.path().strip_prefix(&format!("/{token}/play")).map(str::to_owned);
    let answer = match read(body, CONTROL_BYTES_MAX).await {
        Err(BodyFailure::TooLong) => ControlAnswer::error(400, "this is no request, or one that is too long"),
        Err(BodyFailure::TooLate) => ControlAnswer::error(408, "the request did not come in time"),
        Ok(body) => {
            let request = control_request(&head, body);
            if let Some(path) = page.filter(|_| is_from_here(&request)) {
                return served_page(handle, path, request).await;
            }
            let asked = move |host: &mut ServedBroker, now_ms| answer_control(host, now_ms, &token, &request);
            handle.ask(asked).await.unwrap_or_else(|| ControlAnswer::error(503, "the broker is gone"))
        }
    };
    match answer.stream {
        Some(since) => timeline(handle, since),
        None if answer.metrics.is_some() => {
            let mut response = response(answer.status, answer.metrics, &[]);
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(OPEN_METRICS));
            response
        }
        None => {
            let body = (!answer.body.is_null()).then(|| format!("{}\n", answer.body));
            response(answer.status, body, &[])
        }
    }
}

/// Answers a request of the page that shows the broker.
async fn served_page(handle: ServeHandle, path: String, request: ControlRequest) -> Response<Body> {
    let asked = move |host: &mut ServedBroker, now_ms| answer_served(host, now_ms, &path, &request);
    match handle.ask(asked).await {
        None => json_response(503, &json!({"error": "the broker is gone"})),
        Some(PlayAnswer::Page(page)) => page_response(page),
        Some(PlayAnswer::Json(status, body)) => json_response(status, &body),
        Some(PlayAnswer::Stream(has)) => served_news(handle, has),
        Some(PlayAnswer::Wish(_)) => json_response(404, &json!({"error": "a served broker has no files"})),
    }
}

/// Sends the state of a served broker, until the page or the broker is gone.
fn served_news(handle: ServeHandle, has: PageHas) -> Response<Body> {
    let parts = stream::unfold((handle, has, true), async |(handle, has, is_first)| {
        if !is_first {
            tokio::time::sleep(PAGE_PAUSE).await;
        }
        let (state, has) = handle.ask(move |host, now_ms| served_state(host, now_ms, has)).await?;
        Some((Ok::<_, Infallible>(format!("data: {state}\n\n")), (handle, has, false)))
    });
    let mut response = Response::new(Body::from_stream(parts));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
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
