//! The little of HTTP/1.1 that the control port needs: a request with a short body, an answer in JSON, one a connection.
//! Bounded in time and bytes; decides nothing of what is answered.

use crate::io::serve::handle::ServeHandle;
use crate::serve::{ControlAnswer, ControlRequest, answer_control, timeline_events};
use std::net::TcpListener;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The most bytes of a request.
const REQUEST_BYTES_MAX: usize = 64 * 1_024;

/// How long a part of the timeline may take to be read.
const WRITE_TIME: Duration = Duration::from_secs(30);

/// How long a stream waits for news.
const STREAM_PAUSE: Duration = Duration::from_millis(50);

/// After which silence a sign of life is sent.
const STREAM_SIGN: Duration = Duration::from_secs(10);

/// How long a request may take to come.
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// Answers requests at a socket that listens until the broker is gone; paths begin with the token.
pub async fn serve_control(listener: TcpListener, handle: ServeHandle, token: String) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(answer(stream, handle.clone(), token.clone()));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn answer(mut stream: TcpStream, handle: ServeHandle, token: String) {
    let answer = match tokio::time::timeout(REQUEST_TIME, read(&mut stream)).await {
        Ok(Some(request)) => {
            let asked =
                move |host: &mut crate::serve::ServedBroker, now_ms| answer_control(host, now_ms, &token, &request);
            handle.ask(asked).await.unwrap_or_else(|| ControlAnswer::error(503, "the broker is gone"))
        }
        Ok(None) => ControlAnswer::error(400, "this is no request, or one that is too long"),
        Err(_) => ControlAnswer::error(408, "the request did not come in time"),
    };
    if let Some(since) = answer.stream {
        stream_timeline(stream, &handle, since).await;
        return;
    }
    let body = if answer.body.is_null() { String::new() } else { format!("{}\n", answer.body) };
    let head = format!(
        "HTTP/1.1 {} {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.status,
        reason(answer.status),
        body.len()
    );
    // A client that is gone needs no answer.
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// Sends the timeline as it grows, until the client or the broker is gone. What a slow client does not take waits in the
/// timeline, which lets the oldest go.
async fn stream_timeline(mut stream: TcpStream, handle: &ServeHandle, mut since: u64) {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\nconnection: close\r\n\r\n";
    let mut text = head.to_owned();
    let mut silent = Duration::ZERO;
    loop {
        if !text.is_empty() {
            match tokio::time::timeout(WRITE_TIME, stream.write_all(text.as_bytes())).await {
                Ok(Ok(())) => silent = Duration::ZERO,
                Ok(Err(_)) | Err(_) => return,
            }
        }
        let Some((more, last)) = handle.ask(move |host, _| timeline_events(host, since)).await else { return };
        (text, since) = (more, last);
        if text.is_empty() {
            tokio::time::sleep(STREAM_PAUSE).await;
            silent += STREAM_PAUSE;
            if silent >= STREAM_SIGN {
                // A comment: a client that is gone shows by it.
                text = ":\n\n".to_owned();
            }
        }
    }
}

/// Reads one request; `None` where it is none, or too long.
async fn read(stream: &mut TcpStream) -> Option<ControlRequest> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if bytes.len() > REQUEST_BYTES_MAX || stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let (mut request, length) = parse(std::str::from_utf8(&bytes[..head]).ok()?)?;
    if length > REQUEST_BYTES_MAX {
        return None;
    }
    while bytes.len() < head + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    request.body = bytes[head + 4..head + 4 + length].to_vec();
    Some(request)
}

/// Parses the lines above the body; returns its length too.
fn parse(head: &str) -> Option<(ControlRequest, usize)> {
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    let mut request = ControlRequest { method, path, query, ..ControlRequest::default() };
    let mut length = 0;
    for line in lines {
        let (name, value) = line.split_once(':')?;
        match name.to_ascii_lowercase().as_str() {
            "host" => request.host = value.trim().to_owned(),
            "origin" => request.origin = Some(value.trim().to_owned()),
            "content-length" => length = value.trim().parse().ok()?,
            _ => {}
        }
    }
    Some((request, length))
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        _ => "Service Unavailable",
    }
}
