//! The nearest right spelling.
//! Takes a word and what it might have meant; gives one candidate, or none when nothing is near.

use crate::source::Help;

/// How many candidates are measured: a broker's export may declare very many.
const CANDIDATES_MAX: usize = 2_000;

/// What other tools and people call it, and what it is called here: the meanings are not near in spelling.
const OTHER_WORDS: [(&str, &[&str]); 123] = [
    ("ack_mode", &["auto_ack"]),
    ("acknowledge", &["ack"]),
    ("acknowledged", &["acked"]),
    ("actions", &["do"]),
    ("after", &["advance"]),
    ("always", &["for"]),
    ("assert", &["expect"]),
    ("assertion", &["expect"]),
    ("assertions", &["at_end"]),
    ("auto_acknowledge", &["auto_ack"]),
    ("await", &["expect"]),
    ("backoff", &["delays", "delay", "every"]),
    ("basic_ack", &["ack"]),
    ("basic_consume", &["consume"]),
    ("basic_get", &["get"]),
    ("basic_nack", &["nack"]),
    ("basic_publish", &["publish"]),
    ("basic_qos", &["prefetch"]),
    ("basic_reject", &["reject"]),
    ("binding_key", &["routing_key"]),
    ("bindingkey", &["routing_key"]),
    ("callback", &["on_message"]),
    ("check", &["expect"]),
    ("cleanup", &["finally"]),
    ("concurrent_consumers", &["instances"]),
    ("concurrent_message_limit", &["concurrency"]),
    ("concurrentconsumers", &["instances"]),
    ("consume_fn", &["on_message"]),
    ("consumed", &["received"]),
    ("content", &["body"]),
    ("data", &["json", "body"]),
    ("dead_letter_exchange", &["dead_letter"]),
    ("dead_letter_queue", &["dead_letter"]),
    ("dead_letter_routing_key", &["dead_letter"]),
    ("deadletterexchange", &["dead_letter"]),
    ("deadletterroutingkey", &["dead_letter"]),
    ("delivered", &["received"]),
    ("depth", &["ready"]),
    ("describe", &["description", "scenario"]),
    ("dlk", &["dead_letter"]),
    ("dlq", &["dead_letter"]),
    ("dlx", &["dead_letter"]),
    ("drain", &["purge"]),
    ("during", &["for"]),
    ("emit", &["publish"]),
    ("eventually", &["within"]),
    ("exchange", &["source"]),
    ("exchange_declare", &["declare"]),
    ("from", &["source"]),
    ("given", &["topology"]),
    ("handled", &["acked"]),
    ("handler", &["on_message"]),
    ("key", &["routing_key"]),
    ("kill", &["crash"]),
    ("length", &["ready"]),
    ("listener", &["on_message"]),
    ("listeners", &["consumers"]),
    ("max_attempts", &["attempts", "retry"]),
    ("max_retries", &["retry", "attempts"]),
    ("message_count", &["ready"]),
    ("message_id", &["id"]),
    ("messages_ready", &["ready"]),
    ("messages_unacknowledged", &["unacked"]),
    ("must", &["expect"]),
    ("name", &["scenario", "id"]),
    ("no_ack", &["auto_ack"]),
    ("noack", &["auto_ack"]),
    ("on_message_callback", &["on_message"]),
    ("parallel", &["concurrency"]),
    ("pattern", &["routing_key"]),
    ("pause", &["advance"]),
    ("persistent", &["delivery_mode"]),
    ("poll", &["within"]),
    ("prefetch_count", &["prefetch"]),
    ("prefetchcount", &["prefetch"]),
    ("priorities", &["max_priority"]),
    ("processed", &["acked"]),
    ("produce", &["publish"]),
    ("properties", &["headers"]),
    ("qos", &["prefetch"]),
    ("queue", &["routing_key"]),
    ("queue_bind", &["bind"]),
    ("queue_declare", &["declare"]),
    ("queue_delete", &["delete"]),
    ("queue_name", &["queue"]),
    ("queue_purge", &["purge"]),
    ("redeliveries", &["attempts"]),
    ("repeat", &["count"]),
    ("replicas", &["instances"]),
    ("requeued", &["nacked"]),
    ("restart", &["restart_broker"]),
    ("retries", &["retry", "attempts", "reconnect"]),
    ("routing", &["routing_key"]),
    ("rules", &["on_message"]),
    ("seconds", &["advance"]),
    ("send", &["publish"]),
    ("setup", &["topology"]),
    ("should", &["expect"]),
    ("size", &["ready"]),
    ("sleep", &["advance", "delay"]),
    ("subject", &["routing_key"]),
    ("subscribe", &["start", "consume"]),
    ("subscribers", &["consumers"]),
    ("subscriptions", &["consumers"]),
    ("teardown", &["finally"]),
    ("test", &["scenario"]),
    ("text", &["body"]),
    ("then", &["do"]),
    ("threads", &["concurrency"]),
    ("timeout", &["within"]),
    ("times", &["count"]),
    ("title", &["scenario"]),
    ("to", &["routing_key"]),
    ("topic", &["routing_key"]),
    ("ttl", &["message_ttl", "expiration"]),
    ("unsubscribe", &["stop"]),
    ("until", &["within"]),
    ("user", &["as"]),
    ("username", &["user", "name", "as"]),
    ("verify", &["expect"]),
    ("virtual_host", &["vhost"]),
    ("wait", &["advance", "delay"]),
    ("workers", &["instances"]),
];

/// Finds the candidate that a word was most likely meant to be.
pub fn nearest<'c, S: AsRef<str> + ?Sized + 'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c S>,
) -> Option<&'c str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '.', ' '], "_");
    let wanted = plain(word);
    let meanings = OTHER_WORDS.iter().find(|(other, _)| *other == wanted).map_or(&[][..], |(_, meanings)| meanings);
    let length = wanted.chars().count();
    let most = (length / 3).max(1);
    let mut measured = 0;
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates.into_iter().map(AsRef::as_ref) {
        if meanings.contains(&candidate) {
            return Some(candidate);
        }
        if measured == CANDIDATES_MAX || candidate.chars().count().abs_diff(length) > most {
            continue;
        }
        measured += 1;
        let distance = strsim::damerau_levenshtein(&wanted, &plain(candidate));
        if distance <= most && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, name)| name)
}

/// Writes a list of candidates as a sentence part, cut when it is long.
pub fn listed<S: AsRef<str>>(candidates: impl IntoIterator<Item = S>) -> String {
    let all: Vec<String> = candidates.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match all.len() {
        0 => "none".into(),
        1..=12 => all.join(", "),
        n => format!("{} and {} more", all[..10].join(", "), n - 10),
    }
}

/// Asks `did you mean`, or lists what there is.
pub fn suggest<'c, S: AsRef<str> + ?Sized + 'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c S> + Clone,
    kind: &str,
) -> Help {
    match nearest(word, candidates.clone()) {
        Some(near) => Help::did_you_mean(near),
        None => format!("{kind}: {}", listed(candidates.into_iter().map(AsRef::as_ref))).into(),
    }
}
