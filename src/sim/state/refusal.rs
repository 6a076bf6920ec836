//! How the broker says no: scope, code and its own text, cut at 255 bytes.

use crate::broker::{Refusal, Scope, code};
use crate::rules::cut;

/// Makes a refusal that closes the channel.
pub(crate) fn channel_error(code: u16, explanation: impl AsRef<str>) -> Refusal {
    amqp(Scope::Channel, code, explanation.as_ref())
}

/// Makes a refusal that closes the connection.
pub(crate) fn connection_error(code: u16, explanation: impl AsRef<str>) -> Refusal {
    amqp(Scope::Connection, code, explanation.as_ref())
}

/// Makes the 541 of a connection whose channel crashed.
pub(crate) fn internal_error() -> Refusal {
    Refusal::new(Scope::Connection, code::INTERNAL_ERROR, "INTERNAL_ERROR")
}

/// Makes the 406 of a channel.
pub(crate) fn precondition_failed(explanation: impl AsRef<str>) -> Refusal {
    channel_error(code::PRECONDITION_FAILED, explanation)
}

/// Makes the 404 of a channel for `queue 'q' in vhost 'v'`.
pub(crate) fn not_found(resource: &str) -> Refusal {
    channel_error(code::NOT_FOUND, format!("no {resource}"))
}

/// Makes an answer of the management API.
pub(crate) fn http_error(status: u16, reason: impl Into<String>) -> Refusal {
    Refusal::new(Scope::Management, status, reason)
}

/// Reports that the sim leaves out what the management API would do.
pub(crate) fn management_not_simulated(what: &str) -> Refusal {
    http_error(400, format!("not simulated: {what}")).not_simulated(what)
}

pub(crate) fn amqp(scope: Scope, number: u16, explanation: &str) -> Refusal {
    let text = format!("{} - {explanation}", code::name(number));
    Refusal::new(scope, number, cut(text))
}

/// Keeps hands off the default exchange (RT-3).
pub(crate) fn refuse_default(name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err(channel_error(code::ACCESS_REFUSED, "operation not permitted on the default exchange"));
    }
    Ok(())
}
