//! HTTP for a run that somebody plays: the page, its requests, the state as server-sent events; and the time that goes by.
//! One session, shared by all pages that are open; what takes files is done by whoever knows them.

use crate::io::serve::http::{BodyFailure, control_request, read, response, serve};
use crate::play::{JoinedPart, PageHas, PlayAnswer, PlaySession, PlaySetting, PlayWish, answer_play};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::http::{HeaderValue, Response};
use futures_util::stream;
use serde_json::{Value as Json, json};
use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// The most bytes of a request: a message by hand may be large.
const PLAY_BYTES_MAX: usize = 8 * 1_024 * 1_024;

/// How often a page is told what is new.
const NEWS_PAUSE: Duration = Duration::from_millis(100);

/// After which silence a sign of life is sent.
const NEWS_SIGN: Duration = Duration::from_secs(10);

/// The longest that the run waits for its next moment without a look.
const LOOK: Duration = Duration::from_millis(50);

/// How often the files are looked at.
const FILES_LOOK: Duration = Duration::from_secs(1);

/// What is known of the files of a run.
pub trait PlayFiles: Send {
    /// Reads them again.
    ///
    /// # Errors
    /// What is wrong with them.
    fn reload(&mut self) -> Result<PlaySetting, String>;

    /// Loads a part with these variables.
    ///
    /// # Errors
    /// What is wrong with it.
    fn load_part(&mut self, part: usize, vars: &[(String, Json)]) -> Result<JoinedPart, String>;

    /// Returns whether the files are not those that were read.
    fn have_changed(&self) -> bool;
}

/// A session with its files, as all who ask share it.
pub struct PlayHost {
    session: Mutex<PlaySession>,
    files: Mutex<Box<dyn PlayFiles>>,
    began: Instant,
    /// Rings when something was asked.
    bell: Notify,
}

impl std::fmt::Debug for PlayHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlayHost").field("began", &self.began).finish_non_exhaustive()
    }
}

impl PlayHost {
    /// Takes a session with its files.
    pub fn new(session: PlaySession, files: Box<dyn PlayFiles>) -> Arc<Self> {
        let (session, files) = (Mutex::new(session), Mutex::new(files));
        Arc::new(Self { session, files, began: Instant::now(), bell: Notify::new() })
    }

    /// Returns the session, and the real millisecond.
    pub(super) fn session(&self) -> (MutexGuard<'_, PlaySession>, u64) {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        (session, self.began.elapsed().as_millis() as u64)
    }

    fn files(&self) -> MutexGuard<'_, Box<dyn PlayFiles>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what takes files.
    fn fulfil(&self, wish: &PlayWish) -> (u16, Json) {
        // No lock is held over another.
        let done = match wish {
            PlayWish::Reload => {
                let read = self.files().reload();
                read.map(|setting| self.session().0.reload(setting))
            }
            PlayWish::Join { part, vars } => {
                let loaded = self.files().load_part(*part, vars);
                loaded.and_then(|joined| self.session().0.join(joined))
            }
        };
        if let Err(why) = done {
            self.session().0.complain(why.clone());
            return (409, json!({"error": why}));
        }
        (200, json!({"done": true}))
    }
}

/// Serves a session at a socket that listens until the program ends; paths begin with the token.
pub async fn serve_play(listener: TcpListener, host: Arc<PlayHost>, token: String) {
    tokio::spawn(keep_going(host.clone()));
    tokio::spawn(watch_files(host.clone()));
    serve(listener, Router::new().fallback(play).with_state((host, Arc::from(token)))).await;
}

/// Lets the run go on as its clock says.
async fn keep_going(host: Arc<PlayHost>) {
    loop {
        let (more, wait) = {
            let (mut session, now) = host.session();
            let more = session.turn(now);
            (more, session.next_ms().map(|next| Duration::from_millis(next.saturating_sub(now)).min(LOOK)))
        };
        match (more, wait) {
            (true, _) => tokio::task::yield_now().await,
            (false, None) => host.bell.notified().await,
            (false, Some(wait)) => tokio::select! {
                () = tokio::time::sleep(wait.max(Duration::from_millis(1))) => {}
                () = host.bell.notified() => {}
            },
        }
    }
}

/// Takes note when a file is not what plays any more.
async fn watch_files(host: Arc<PlayHost>) {
    loop {
        tokio::time::sleep(FILES_LOOK).await;
        let changed = host.files().have_changed();
        host.session().0.files_changed(changed);
    }
}

async fn play(State((host, token)): State<(Arc<PlayHost>, Arc<str>)>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = match read(body, PLAY_BYTES_MAX).await {
        Ok(body) => body,
        Err(BodyFailure::TooLong) => return json_response(413, &json!({"error": "this is more than 8 MiB"})),
        Err(BodyFailure::TooLate) => {
            return json_response(408, &json!({"error": "the request did not come in time"}));
        }
    };
    let request = control_request(&head, body);
    let answer = {
        let (mut session, now) = host.session();
        answer_play(&mut session, now, &token, &request)
    };
    let answer = match answer {
        PlayAnswer::Page(page) => page_response(page),
        PlayAnswer::Json(status, body) => json_response(status, &body),
        PlayAnswer::Stream(has) => return news(host, has),
        PlayAnswer::Wish(wish) => {
            let (status, body) = host.fulfil(&wish);
            json_response(status, &body)
        }
    };
    host.bell.notify_one();
    answer
}

pub(super) fn json_response(status: u16, body: &Json) -> Response<Body> {
    response(status, Some(format!("{body}\n")), &[("cache-control", "no-store".to_owned())])
}

pub(super) fn page_response(page: String) -> Response<Body> {
    let mut response = Response::new(Body::from(page));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // The page of another site shows it in no frame.
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

/// A page that follows the run, counted while it does.
struct Watcher {
    host: Arc<PlayHost>,
    has: PageHas,
    stamp: String,
}

impl Watcher {
    fn new(host: Arc<PlayHost>, has: PageHas) -> Self {
        host.session().0.watchers += 1;
        Self { host, has, stamp: String::new() }
    }

    /// Returns what is new, once something is.
    async fn next(&mut self) -> String {
        let mut silent = Duration::ZERO;
        loop {
            {
                let (mut session, now) = self.host.session();
                session.turn(now);
                let stamp = session.stamp();
                if stamp != self.stamp {
                    let (text, has) = session.news(self.has, now);
                    (self.stamp, self.has) = (stamp, has);
                    return text;
                }
            }
            if silent >= NEWS_SIGN {
                // A comment: a page that is gone shows by it.
                return ":\n\n".to_owned();
            }
            tokio::time::sleep(NEWS_PAUSE).await;
            silent += NEWS_PAUSE;
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let (mut session, _) = self.host.session();
        session.watchers = session.watchers.saturating_sub(1);
    }
}

/// Sends the state as it changes, until the page is gone.
fn news(host: Arc<PlayHost>, has: PageHas) -> Response<Body> {
    let parts = stream::unfold((Watcher::new(host, has), true), async |(mut watcher, is_first)| {
        if !is_first {
            tokio::time::sleep(NEWS_PAUSE).await;
        }
        let text = watcher.next().await;
        Some((Ok::<_, Infallible>(text), (watcher, false)))
    });
    let mut response = Response::new(Body::from_stream(parts));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
