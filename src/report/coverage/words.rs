//! The words for what can be exercised, and for what nothing exercised.

use crate::foresee::{Coverable, CoverableKind, NoSuggestion, WhyNoSuggestion};

/// Returns the word that counts a kind, and its key in JSON.
pub(crate) fn kind_word(kind: CoverableKind) -> (&'static str, &'static str) {
    match kind {
        CoverableKind::Queues => ("queues", "queues"),
        CoverableKind::Bindings => ("bindings", "bindings"),
        CoverableKind::Policies => ("policies", "policies"),
        CoverableKind::Permissions => ("rights", "rights"),
        CoverableKind::DeadLetters => ("dead-letter ways", "dead_letters"),
        CoverableKind::Retries => ("retry rungs", "retries"),
        CoverableKind::Limits => ("limits", "limits"),
    }
}

/// Says what did not happen.
pub(crate) fn what_is_missing(item: &Coverable) -> String {
    match item {
        Coverable::Queue(queue) => format!("queue '{}': no message came to it", queue.name),
        Coverable::Binding(binding) => format!("{binding}: no message fitted it"),
        Coverable::Policy { name, operator, .. } => {
            let kind = if *operator { "operator policy" } else { "policy" };
            format!("{kind} '{name}': nothing that it sets was at work")
        }
        Coverable::Right { user, exchange: None, right, .. } => format!("user '{user}': {right} was not asked for"),
        Coverable::Right { user, exchange: Some(exchange), right, .. } => {
            format!("user '{user}': {right} of keys on '{exchange}' was not asked for")
        }
        Coverable::DeadLetter(queue, death) => {
            format!("queue '{}': nothing was dead-lettered as {}", queue.name, death.as_str())
        }
        Coverable::Retry { queue, by, parks: true } => format!("queue '{}': nothing was parked in '{by}'", queue.name),
        Coverable::Retry { queue, by, parks: false } => {
            format!("queue '{}': nothing came back from '{by}'", queue.name)
        }
        Coverable::Limit(queue, limit) => format!("queue '{}': {} was not reached", queue.name, limit.as_str()),
    }
}

/// Says of something why there is no scenario for it.
pub fn no_suggestion(lacking: &NoSuggestion) -> String {
    let why = match &lacking.why {
        WhyNoSuggestion::TooMany(n) => format!("a scenario would need more than {n} messages"),
        WhyNoSuggestion::LeadsNowhere => "the dead letters come to no queue: see `rmqplay check`".to_owned(),
        WhyNoSuggestion::NoSample => "no name was found that the pattern fits or refuses".to_owned(),
        WhyNoSuggestion::DoesNotPass(profile) => format!("what was tried does not pass on sim {profile}"),
        WhyNoSuggestion::NotReadable => "names or values are not written as a scenario takes them".to_owned(),
        WhyNoSuggestion::NotInForce if matches!(lacking.item, Coverable::Right { .. }) => {
            "other rights refuse the user before, or everything is allowed".to_owned()
        }
        WhyNoSuggestion::NotOpen => {
            "clients do not publish to its exchange, or how it routes is not known; no other scenario comes by it"
                .to_owned()
        }
        WhyNoSuggestion::NotInForce => "nothing that was tried brings it about".to_owned(),
        WhyNoSuggestion::TooLarge => {
            "the topology is too large to play so often: give --scenarios, or a part of it".to_owned()
        }
    };
    format!("no scenario for {}: {why}", what_it_is(&lacking.item))
}

fn what_it_is(item: &Coverable) -> String {
    match item {
        Coverable::Right { user, exchange: None, right, .. } => format!("{right} of user '{user}'"),
        Coverable::Right { user, exchange: Some(exchange), right, .. } => {
            format!("{right} of keys on '{exchange}' of user '{user}'")
        }
        Coverable::DeadLetter(queue, death) => format!("dead letters ({}) of queue '{}'", death.as_str(), queue.name),
        Coverable::Retry { queue, by, .. } => format!("'{by}' in the retries of queue '{}'", queue.name),
        Coverable::Limit(queue, limit) => format!("{} of queue '{}'", limit.as_str(), queue.name),
        Coverable::Queue(queue) => format!("queue '{}'", queue.name),
        Coverable::Binding(binding) => binding.to_string(),
        Coverable::Policy { name, .. } => format!("policy '{name}'"),
    }
}
