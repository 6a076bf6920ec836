//! Which rule a broker follows when it says no: told by code and text, so that it is known of live brokers too.
//! Knows the broker's own words only; never refuses.

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

/// What a reply text puts in quotes and a message holds too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotedName {
    Exchange,
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
