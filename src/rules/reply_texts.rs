//! RabbitMQ's reply texts, understood here and nowhere else: the rule behind a refusal, its meaning where the code alone
//! does not tell, the names and durations that it quotes. Takes codes and texts, returns data; never refuses.

use crate::rules::arguments::{ValueKind, queue_argument};

use std::ops::Range;

/// Part of a text, and the rule; the first that is contained counts, so that the narrower stand first.
const BY_TEXT: &[(&str, &str)] = &[
    // Rights and logins.
    ("Login was refused", "PE-1"),
    ("user connection limit", "ER-13"),
    ("number of channels opened", "ER-13"),
    ("connection limit", "ER-8"),
    ("access to vhost", "PE-1"),
    ("access to topic", "PE-7"),
    ("access to ", "PE-2"),
    ("user_id property", "PE-9"),
    ("contains reserved prefix", "PE-4"),
    ("deletion of system exchange", "PE-4"),
    ("operation not permitted on the default exchange", "RT-3"),
    ("cannot publish to internal", "RT-12"),
    // What is not there, or not for this one.
    ("no queue '", "ER-1"),
    ("no exchange '", "ER-1"),
    ("no previously declared queue", "ER-1"),
    ("cannot obtain exclusive access", "ER-5"),
    ("with single active consumer", "CO-7"),
    ("in exclusive use", "CO-8"),
    ("queue limit in vhost", "ER-11"),
    // Consumers and settlements.
    ("unknown delivery tag", "CO-17"),
    ("attempt to reuse consumer tag", "CO-22"),
    ("does not support global qos", "CO-4"),
    ("prefetch_size", "CO-4"),
    ("requeue=false", "CO-16"),
    ("delivery acknowledgement on channel", "CO-19"),
    ("reply consumer", "RT-22"),
    // Transactions.
    ("to confirm mode", "TX-2"),
    ("to tx mode", "TX-2"),
    ("channel is not transactional", "TX-2"),
    ("partial tx completion", "TX-6"),
    ("failed to deliver message", "TX-7"),
    // Streams.
    ("consumer prefetch count is not set", "ST-1"),
    ("automatic acknowledgement not supported", "ST-1"),
    ("basic.get not supported", "ST-2"),
    ("queue.purge not supported", "ST-2"),
    ("basic.nack and basic.reject not supported", "ST-4"),
    ("invalid_stream_offset_arg", "ST-3"),
    ("invalid arg 'x-stream-offset'", "ST-3"),
    ("invalid arg 'x-stream-filter'", "ST-9"),
    ("invalid arg 'x-stream-match-unfiltered'", "ST-9"),
    ("Exceeded max value for x-stream", "ST-5"),
    ("Invalid value for", "ST-5"),
    ("invalid_max_age", "ST-5"),
    // Messages.
    ("message size", "ER-7"),
    ("invalid expiration", "TTL-1"),
    ("delivery_mode_unknown", "ER-7"),
    ("unacceptable_type_in_header", "RT-13"),
    ("immediate=true", "RT-14"),
    // Declarations.
    ("routing_key_but_no_dlx_defined", "DL-7"),
    ("invalid type '", "DL-8"),
    ("inequivalent arg 'x-queue-type'", "ER-4"),
    ("inequivalent arg 'x-", "ER-3"),
    ("inequivalent arg", "ER-2"),
    ("of queue type rabbit_", "ER-6"),
    ("invalid property", "ER-6"),
    ("Cannot declare a server-named queue", "ER-6"),
    ("invalid_dlx_strategy", "DL-24"),
    ("invalid_overflow", "LEN-3"),
    ("arg 'x-overflow'", "LEN-3"),
    ("arg 'x-message-ttl'", "TTL-2"),
    ("arg 'x-expires'", "EXP-1"),
    ("arg 'x-max-length", "LEN-1"),
    ("arg 'x-max-priority'", "PRI-1"),
    ("arg 'x-priority'", "CO-5"),
    ("arg 'x-consumer-timeout'", "CO-25"),
    ("invalid arg", "ER-7"),
    ("queue.delete operations with", "ER-10"),
    ("Feature `", "ER-12"),
    ("The binding key must", "PX-1"),
    ("hash-header", "PX-1"),
    ("Unsupported property", "PX-1"),
    ("key not permitted", "PX-2"),
    ("not valid for this exchange type", "PX-2"),
    ("Destination not found", "PX-2"),
    ("'x-recent-history-length'", "PX-3"),
    ("could not find queue/exchange", "PX-3"),
    ("exchange type", "RT-17"),
    ("x-match", "RT-8"),
    ("wildcards, at most 2", "RT-20"),
    ("' in use", "ER-7"),
    (" in use", "RT-15"),
    (" not empty", "ER-7"),
    // By force, and by HTTP.
    ("is not a valid", "PO-9"),
    ("not recognised policy settings", "PO-4"),
    ("no policy provided", "PO-9"),
    ("apply-to", "PO-7"),
    ("pattern should be", "PO-9"),
    ("in limits", "MG-9"),
];

/// Returns the number of the rule by which a broker says no.
///
/// ```
/// use rmqplay::rules::rule_of_refusal;
/// assert_eq!(rule_of_refusal(404, "NOT_FOUND - no queue 'q' in vhost '/'"), "ER-1");
/// assert_eq!(rule_of_refusal(320, "CONNECTION_FORCED - vhost 'v' is deleted"), "CO-27");
/// ```
pub fn rule_of_refusal(code: u16, text: &str) -> &'static str {
    let found = BY_TEXT.iter().find(|(part, _)| text.contains(part));
    match (found, code) {
        (_, 320) => "CO-27",
        (Some((_, rule)), _) => rule,
        (None, 403) => "PE-2",
        (None, 404) => "ER-1",
        (None, 400..=499) if !text.contains(" - ") => "MG-1",
        (None, _) => "ER-7",
    }
}

/// The meaning of a refusal to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalMeaning {
    /// The vhost is not there.
    NoVhost,
    /// The broker goes down.
    ShuttingDown,
    /// The queue is there, but did not answer in time: 3.10 says it with the code of one that is not.
    QueueTimedOut,
    /// The queue is just being made by another client (or its node is down): ER-1.
    QueueHalfMade,
    /// What it is about is not there.
    NotFound,
    /// It belongs to another connection.
    Locked,
    /// Anything else: the text is for people.
    Other,
}

/// Classifies a refusal by code and text.
pub fn meaning_of_refusal(code: u16, text: &str) -> RefusalMeaning {
    match code {
        _ if text.contains("due to timeout") => RefusalMeaning::QueueTimedOut,
        320 if text.contains("shutdown") => RefusalMeaning::ShuttingDown,
        404 if text.ends_with("is down or inaccessible") => RefusalMeaning::QueueHalfMade,
        404 => RefusalMeaning::NotFound,
        405 => RefusalMeaning::Locked,
        530 if text.contains("not found") => RefusalMeaning::NoVhost,
        _ => RefusalMeaning::Other,
    }
}

/// What a reply text puts in quotes and a message holds too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotedName {
    /// The exchange that it was published to.
    Exchange,
    /// The key that it was published with.
    RoutingKey,
}

/// What stands before a quoted name. (Topic permissions call the routing key a topic.)
const QUOTED: [(&str, QuotedName); 3] =
    [("exchange '", QuotedName::Exchange), ("topic '", QuotedName::RoutingKey), ("key '", QuotedName::RoutingKey)];

/// Finds the names that a reply text quotes, in order; each kind's first.
///
/// ```
/// use rmqplay::rules::{QuotedName, quoted_names};
/// assert_eq!(quoted_names("no exchange 'out' in vhost '/'"), [(QuotedName::Exchange, 13..16)]);
/// ```
pub fn quoted_names(text: &str) -> Vec<(QuotedName, Range<usize>)> {
    let mut found: Vec<(QuotedName, Range<usize>)> = Vec::new();
    for (before, name) in QUOTED {
        let Some(start) = text.find(before).map(|at| at + before.len()) else { continue };
        let Some(length) = text[start..].find('\'') else { continue };
        found.push((name, start..start + length));
    }
    found.sort_by_key(|(_, place)| place.start);
    found
}

/// Finds the durations that a reply text quotes, in order: `received '250' but current is '500'`. A text that names no
/// argument of time quotes none.
pub fn quoted_durations(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    for part in text.split('\'') {
        parts.push(start..start + part.len());
        start += part.len() + 1;
    }
    let is_time = |word: &str| {
        let argument = queue_argument(word).filter(|_| word.starts_with("x-"));
        argument.is_some_and(|argument| argument.kind == ValueKind::Duration)
    };
    if !parts.iter().any(|part| is_time(&text[part.clone()])) {
        return Vec::new();
    }
    parts.into_iter().filter(|part| text[part.clone()].parse::<u64>().is_ok()).collect()
}

/// What stands in front of the refusals of deprecated features.
const INTERNAL_ERROR: &str = "INTERNAL_ERROR - ";

/// Returns what 4.3 says of a deprecated feature that it does not permit, after the code (ER-12).
pub fn denial(feature: &str) -> String {
    format!(
        "Feature `{feature}` is deprecated.\nBy default, this feature is not permitted anymore.\nThe feature will be \
         removed from a future major RabbitMQ version, regardless of the configuration; actual version to be \
         determined.\nTo continue using this feature"
    )
}

/// Returns a refusal's text as 4.3 says it by default: a broker that denies a feature by its configuration says so in the
/// second line, and its text is cut earlier then (ER-12).
pub fn as_by_default(text: String) -> String {
    let about = text.strip_prefix(INTERNAL_ERROR).and_then(|rest| rest.strip_prefix("Feature `"));
    match about.and_then(|rest| rest.split_once("` is deprecated.\n")) {
        Some((feature, rest)) if rest.starts_with("Its use is not permitted per the configuration") => {
            cut(format!("{INTERNAL_ERROR}{}", denial(feature)))
        }
        _ => on_one_line(text),
    }
}

/// Writes an Erlang term without the line breaks that RabbitMQ puts into one of more than 80 columns, names in it included
/// (TX-7).
fn on_one_line(text: String) -> String {
    let Some((front, term)) = text.split_once("failed to deliver message: {") else { return text };
    let term: String = term.lines().map(str::trim_start).collect();
    format!("{front}failed to deliver message: {{{term}")
}

/// Cuts a text that does not fit into a short string, as the broker does.
pub fn cut(text: String) -> String {
    if text.len() <= 255 {
        return text;
    }
    let mut end = 252;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_stand_on_one_line() {
        let broken = "RESOURCE_ERROR - failed to deliver message: {not_found,\n                 {resource,<<\"/\">>,queue,\n       <<\"a\">>}}";
        let joined = "RESOURCE_ERROR - failed to deliver message: {not_found,{resource,<<\"/\">>,queue,<<\"a\">>}}";
        assert_eq!(as_by_default(broken.to_owned()), joined);
        assert_eq!(as_by_default(joined.to_owned()), joined);
    }

    #[test]
    fn texts_tell_what_codes_do_not() {
        let timed_out = "NOT_FOUND - failed to perform operation on queue 'q' in vhost 'v' due to timeout";
        let shutdown = "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'";
        let meanings = [
            (404, timed_out, RefusalMeaning::QueueTimedOut),
            (404, "NOT_FOUND - no queue 'q' in vhost 'v'", RefusalMeaning::NotFound),
            (530, "NOT_ALLOWED - vhost v not found", RefusalMeaning::NoVhost),
            (530, "NOT_ALLOWED - access to vhost 'v' refused for user 'u'", RefusalMeaning::Other),
            (320, shutdown, RefusalMeaning::ShuttingDown),
        ];
        for (code, text, meaning) in meanings {
            assert_eq!(meaning_of_refusal(code, text), meaning, "{text}");
        }
    }

    #[test]
    fn durations_are_quoted_beside_the_name_of_an_argument_of_time() {
        let text = "inequivalent arg 'x-message-ttl' for queue 'q1': received '250' but current is '500'";
        let quoted: Vec<&str> = quoted_durations(text).into_iter().map(|place| &text[place]).collect();
        assert_eq!(quoted, ["250", "500"]);
        assert!(quoted_durations("inequivalent arg 'x-max-length' for queue 'q': received '5'").is_empty());
    }
}
