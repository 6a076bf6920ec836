//! Requests of a page: what an HTTP request asks of a session, and the answer.
//! Whoever does not know the token, or comes from another site, finds nothing here.

use crate::play::request::{PlayRequest, read_request};
use crate::play::session::PlaySession;
use crate::play::view::{PageHas, scene, state};
use crate::report::play_page;
use crate::serve::{ControlRequest, is_from_here};
use serde_json::{Value as Json, json};

/// What the owner of a session is to do, which takes files.
#[derive(Debug, Clone, PartialEq)]
pub enum PlayWish {
    /// Read the files again, and begin anew.
    Reload,
    /// Load a part with these variables, and let it join.
    Join {
        /// Its number.
        part: usize,
        /// By name, as JSON.
        vars: Vec<(String, Json)>,
    },
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub enum PlayAnswer {
    /// A status with JSON.
    Json(u16, Json),
    /// The page.
    Page(String),
    /// The state as server-sent events, from what the page has.
    Stream(PageHas),
    /// The owner does it, then answers with 200.
    Wish(PlayWish),
}

fn error(status: u16, message: impl Into<String>) -> PlayAnswer {
    PlayAnswer::Json(status, json!({"error": message.into()}))
}

/// Answers a request at a real millisecond; paths begin with the token.
pub fn answer_play(session: &mut PlaySession, now_ms: u64, token: &str, request: &ControlRequest) -> PlayAnswer {
    if !is_from_here(request) {
        return error(403, "requests of other sites are refused");
    }
    let mut parts = request.path.split('/');
    if parts.nth(1) != Some(token) {
        return error(404, "the address holds a token: open it as rmqplay printed it");
    }
    let parts: Vec<&str> = parts.collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", [""]) => PlayAnswer::Page(play_page()),
        // Without the last slash what the page asks for would lead elsewhere.
        ("GET", []) => error(404, "the address ends with a slash: open it as rmqplay printed it"),
        ("GET", ["scene"]) => PlayAnswer::Json(200, scene(session)),
        ("GET", ["state"]) => match PageHas::read(&request.query) {
            Ok(has) => {
                session.turn(now_ms);
                PlayAnswer::Json(200, state(session, has).0)
            }
            Err(why) => error(400, why),
        },
        ("GET", ["events"]) => match PageHas::read(&request.query) {
            Ok(has) => PlayAnswer::Stream(has),
            Err(why) => error(400, why),
        },
        ("POST", ["do"]) => asked(session, now_ms, &request.body),
        (_, ["" | "scene" | "state" | "events" | "do"]) => {
            error(405, format!("{} is not for this address", request.method))
        }
        _ => error(404, "there is nothing at this address"),
    }
}

fn asked(session: &mut PlaySession, now_ms: u64, body: &[u8]) -> PlayAnswer {
    match read_request(body) {
        Err(why) => error(400, why),
        Ok(PlayRequest::Reload) => PlayAnswer::Wish(PlayWish::Reload),
        Ok(PlayRequest::Join { part, .. }) if part >= session.setting.parts.len() => {
            error(400, format!("there is no part {part}"))
        }
        Ok(PlayRequest::Join { part, vars }) => PlayAnswer::Wish(PlayWish::Join { part, vars }),
        Ok(request) => match session.take(request, now_ms) {
            Ok(()) => PlayAnswer::Json(200, json!({"done": true})),
            Err(why) => {
                session.complain(why.clone());
                error(409, why)
            }
        },
    }
}

impl PlaySession {
    /// Writes the state for a page as one server-sent event, where there is news; returns it with what the page has then.
    pub fn news(&mut self, has: PageHas, now_ms: u64) -> (String, PageHas) {
        self.turn(now_ms);
        let (state, has) = state(self, has);
        (format!("data: {state}\n\n"), has)
    }

    /// Returns what changes whenever a page has something new to show.
    pub fn stamp(&self) -> String {
        let held = self.clock.is_held();
        let (entries, said, moment) = (self.player.timeline().count(), self.log.count(), self.moment());
        format!(
            "{} {} {entries} {said} {moment:?} {held} {:?} {} {}",
            self.run, self.scene, self.clock.speed, self.is_changed, self.watchers
        )
    }
}
