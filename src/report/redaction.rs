//! What a snapshot hides, for it differs in each run: names that the server made, and what `redact` names by dotted
//! paths of a message (`json.at`, `headers.trace`, `id`), wherever in the outcome the same field is shown.

use crate::player::{ActionRecord, exchange_in_words};
use serde_json::{Value as Json, json};
use std::borrow::Cow;

/// What stands in for what is hidden.
const HIDDEN: &str = "[redacted]";

/// Hides fields of messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Redaction<'s> {
    pub paths: &'s [String],
}

impl Redaction<'_> {
    /// Returns whether a field of a message is hidden as a whole.
    pub fn hides(&self, field: &str) -> bool {
        self.paths.iter().any(|path| path == field || path == "*")
    }

    fn shown<'t>(&self, field: &str, text: &'t str) -> &'t str {
        if self.hides(field) { HIDDEN } else { text }
    }

    /// Shows a message's name, which is its id.
    pub fn name<'t>(&self, name: &'t str) -> &'t str {
        self.shown("id", name)
    }

    /// Shows the digest of names; of those that are hidden there is none that lasts.
    pub fn digest(&self, digest: u64) -> String {
        if self.hides("id") { HIDDEN.to_owned() } else { format!("{digest:016x}") }
    }

    /// Returns what a consumer did.
    pub fn deed(&self, deed: &ActionRecord) -> String {
        match deed {
            ActionRecord::Did(word) => (*word).to_owned(),
            ActionRecord::Sent { verb, exchange, routing_key } => {
                let exchange = self.shown("exchange", exchange_in_words(exchange));
                let key = self.shown("routing_key", server_names_hidden(routing_key));
                format!("{verb} to {exchange} with key {key}")
            }
            ActionRecord::Replied { to } => {
                let to = self.shown("reply_to", self.shown("routing_key", server_names_hidden(to)));
                format!("reply to {to}")
            }
            ActionRecord::Retried { rung } => format!("retry: {}", self.shown("routing_key", rung)),
        }
    }

    /// Hides names in a sentence of ours or of the broker's, which puts them in quotes after a word for what they are.
    pub fn sentence<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let words = [("routing_key", &["key '", "topic '"][..]), ("exchange", &["exchange '"][..])];
        let words = words.iter().filter(|(field, _)| self.hides(field)).flat_map(|(_, words)| *words);
        words.fold(Cow::Borrowed(text), |text, word| match text.split_once(word) {
            Some((before, rest)) => match rest.split_once('\'') {
                Some((_, after)) => Cow::Owned(format!("{before}{word}{HIDDEN}'{after}")),
                None => text,
            },
            None => text,
        })
    }
}

/// Replaces names that the server made up.
pub(crate) fn server_names_hidden(text: &str) -> &str {
    if text.starts_with("amq.gen-") || text.starts_with("amq.rabbitmq.reply-to.") { "[server-named]" } else { text }
}

/// Hides what stands at a dotted path and says whether anything did. `*` is any key or entry, lists are passed through
/// (`json.lines.at` is `at` of every line), and a key may hold dots itself (`headers.trace.id`).
pub(crate) fn redact_path(shown: &mut Json, path: &str) -> bool {
    if path.is_empty() {
        *shown = json!(HIDDEN);
        return true;
    }
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    match shown {
        Json::Array(entries) => match first.parse::<usize>() {
            Ok(index) => entries.get_mut(index).is_some_and(|entry| redact_path(entry, rest)),
            Err(_) => {
                let below = if first == "*" { rest } else { path };
                entries.iter_mut().filter_map(|entry| redact_path(entry, below).then_some(())).count() > 0
            }
        },
        Json::Object(map) if first == "*" => {
            map.values_mut().filter_map(|value| redact_path(value, rest).then_some(())).count() > 0
        }
        Json::Object(map) => {
            let key_ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
            key_ends.fold(false, |hidden, end| {
                let below = path.get(end + 1..).unwrap_or("");
                map.get_mut(&path[..end]).is_some_and(|value| redact_path(value, below)) || hidden
            })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_hide_what_they_lead_to_and_nothing_else() {
        let whole = json!({"json": {"at": 1, "lines": [{"at": 2, "n": 3}, {"at": 4}]}, "headers": {"trace.id": 5, "x": {"at": 6}}});
        let hidden = |path: &str| {
            let mut shown = whole.clone();
            let any = redact_path(&mut shown, path);
            (any, shown.to_string().matches("[redacted]").count())
        };
        assert_eq!(hidden("json.at"), (true, 1));
        assert_eq!(hidden("json.lines.at"), (true, 2));
        assert_eq!(hidden("json.lines.*.at"), (true, 2));
        assert_eq!(hidden("json.lines.1.at"), (true, 1));
        assert_eq!(hidden("headers.trace.id"), (true, 1));
        assert_eq!(hidden("headers.*.at"), (true, 1));
        assert_eq!(hidden("json.nothing"), (false, 0));
    }

    #[test]
    fn a_hidden_field_is_hidden_in_deeds_and_sentences() {
        let sent = ActionRecord::Sent { verb: "publish", exchange: "out".into(), routing_key: "k1".into() };
        let refused = "write access to topic 'k1' in exchange 'out' in vhost '/' refused";
        let shown = |path: &str| {
            let paths = [path.to_owned()];
            let redaction = Redaction { paths: &paths };
            (redaction.deed(&sent), redaction.sentence(refused).into_owned())
        };
        assert_eq!(shown("id"), ("publish to out with key k1".into(), refused.into()));
        let hidden = refused.replace("k1", HIDDEN);
        assert_eq!(shown("routing_key"), (format!("publish to out with key {HIDDEN}"), hidden));
        let hidden = refused.replace("'out'", &format!("'{HIDDEN}'"));
        assert_eq!(shown("exchange"), (format!("publish to {HIDDEN} with key k1"), hidden));
    }
}
