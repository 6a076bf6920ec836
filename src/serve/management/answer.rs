//! Answers of the management API: RabbitMQ's statuses and its two fields of an error (MG-1).

use crate::broker::{Refusal, code};
use serde_json::{Value as Json, json};

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiAnswer {
    /// HTTP's.
    pub status: u16,
    /// Headers beside those that say what the body is.
    pub headers: Vec<(&'static str, String)>,
    /// `None`: there is no body.
    pub body: Option<Json>,
}

/// What an endpoint gives: an answer, or the one that says why not.
pub(crate) type Answered = Result<ApiAnswer, ApiAnswer>;

impl ApiAnswer {
    fn new(status: u16, body: Option<Json>) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    pub(crate) fn json(body: Json) -> Self {
        Self::new(200, Some(body))
    }

    /// Says that something was made (201), or that it was there already (204).
    pub(crate) fn put(was_there: bool) -> Self {
        Self::new(if was_there { 204 } else { 201 }, None)
    }

    pub(crate) fn done() -> Self {
        Self::new(204, None)
    }

    /// Says that RabbitMQ's own code fails over the request.
    pub(crate) fn crash() -> Self {
        Self::new(500, None)
    }

    pub(crate) fn error(status: u16, error: &str, reason: impl Into<Json>) -> Self {
        Self::new(status, Some(json!({"error": error, "reason": reason.into()})))
    }

    pub(crate) fn bad_request(reason: impl Into<Json>) -> Self {
        Self::error(400, "bad_request", reason)
    }

    pub(crate) fn not_authorised(reason: &str) -> Self {
        Self::error(401, "not_authorised", reason)
    }

    /// Says that what the path names is not there.
    pub(crate) fn no_object() -> Self {
        Self::error(404, "Object Not Found", "Not Found")
    }

    /// Says that the vhost of the path is not there, where something was to be made in it.
    pub(crate) fn no_vhost() -> Self {
        Self::error(404, "not_found", "vhost_not_found")
    }

    /// Says that the method is not for this path.
    pub(crate) fn wrong_method() -> Self {
        Self::new(405, None)
    }

    pub(crate) fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }

    /// Words what RabbitMQ refused to do for a user as if over AMQP.
    pub(crate) fn of_method(refusal: &Refusal) -> Self {
        match refusal.code {
            code::ACCESS_REFUSED | code::NOT_ALLOWED => Self::not_authorised("Access refused."),
            code::NOT_FOUND => Self::error(404, "not_found", refusal.without_code_name()),
            _ => Self::bad_request(refusal.without_code_name()),
        }
    }

    /// Words what closed the channel of a user (MG-10, MG-11).
    pub(crate) fn of_channel(refusal: &Refusal) -> Self {
        match refusal.code {
            code::ACCESS_REFUSED => Self::not_authorised(&refusal.text),
            _ => Self::bad_request(format!("{} {}", refusal.code, refusal.text)),
        }
    }

    /// Words what the management side refused.
    pub(crate) fn of_act(refusal: &Refusal) -> Self {
        match refusal.code {
            404 if refusal.text == "vhost_not_found" => Self::no_vhost(),
            404 => Self::no_object(),
            412 => Self::error(412, "precondition_failed", refusal.text.as_str()),
            500 => Self::error(500, "Internal Server Error", "Internal Server Error"),
            _ => Self::bad_request(refusal.text.as_str()),
        }
    }
}
