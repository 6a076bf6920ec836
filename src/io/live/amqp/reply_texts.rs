//! What RabbitMQ's reply texts mean where the code alone does not tell: understood here and nowhere else.
//! Takes a refusal, gives a kind. Never words a sentence.

use crate::broker::{Refusal, code};

/// The meaning of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The vhost is not there.
    NoVhost,
    /// The broker goes down.
    ShuttingDown,
    /// The queue is there, but did not answer in time: 3.10 says it with the code of one that is not.
    QueueTimedOut,
    /// What it is about is not there.
    NotFound,
    /// The broker does not offer the mechanism of the login.
    NoMechanism,
    /// It belongs to another connection.
    Locked,
    /// Anything else: the text is for people.
    Other,
}

/// Classifies a refusal.
pub(crate) fn meaning_of(refusal: &Refusal) -> Meaning {
    match refusal.code {
        code::NOT_FOUND if refusal.text.contains("due to timeout") => Meaning::QueueTimedOut,
        code::NOT_FOUND => Meaning::NotFound,
        code::NOT_ALLOWED if refusal.text.contains("not found") => Meaning::NoVhost,
        code::CONNECTION_FORCED if refusal.text.contains("shutdown") => Meaning::ShuttingDown,
        _ if refusal.text.contains("unknown authentication mechanism") => Meaning::NoMechanism,
        code::RESOURCE_LOCKED => Meaning::Locked,
        _ if refusal.text.contains("due to timeout") => Meaning::QueueTimedOut,
        _ => Meaning::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::Scope;

    #[test]
    fn texts_tell_what_codes_do_not() {
        let meaning = |code, text: &str| meaning_of(&Refusal { scope: Scope::Channel, code, text: text.to_owned() });
        let timed_out = "NOT_FOUND - failed to perform operation on queue 'q' in vhost 'v' due to timeout";
        assert_eq!(meaning(404, timed_out), Meaning::QueueTimedOut);
        assert_eq!(meaning(404, "NOT_FOUND - no queue 'q' in vhost 'v'"), Meaning::NotFound);
        assert_eq!(meaning(530, "NOT_ALLOWED - vhost v not found"), Meaning::NoVhost);
        assert_eq!(meaning(530, "NOT_ALLOWED - access to vhost 'v' refused for user 'u'"), Meaning::Other);
        assert_eq!(
            meaning(320, "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'"),
            Meaning::ShuttingDown
        );
    }
}
