//! What a snapshot hides, for it differs in each run: names that the server made, and what `redact` names by dotted
//! paths of a message (`json.at`, `headers.trace`, `id`), wherever in the outcome the same field is shown.

use crate::broker::Settlement;
use crate::model::{Act, Object, Publish, Text, exchange_in_words};
use crate::player::{ActionRecord, Attempt};
use crate::report::event::attempt_in_words;
use crate::rules::{QuotedName, quoted_names};
use serde_json::{Value as Json, json};

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
    pub fn action(&self, action: &ActionRecord) -> String {
        match action {
            ActionRecord::Settled(settlement) => settlement_as_action(*settlement).to_owned(),
            ActionRecord::Held => "hold".to_owned(),
            ActionRecord::TimedOut => "timed out".to_owned(),
            ActionRecord::CameBack => "came back".to_owned(),
            ActionRecord::Crashed => "crash".to_owned(),
            ActionRecord::ClosedChannel => "close_channel".to_owned(),
            ActionRecord::Cancelled => "cancel".to_owned(),
            ActionRecord::Sent { forward, exchange, routing_key } => {
                let verb = if *forward { "forward" } else { "publish" };
                let exchange = self.shown("exchange", exchange_in_words(exchange));
                let key = self.shown("routing_key", server_names_hidden(routing_key));
                format!("{verb} to {exchange} with key {key}")
            }
            ActionRecord::Replied { to } => {
                let to = self.shown("reply_to", self.shown("routing_key", server_names_hidden(to)));
                format!("reply to {to}")
            }
            ActionRecord::Retried { rung } => format!("retry: {}", self.shown("routing_key", rung)),
            ActionRecord::RetriesUsedUp => "retry: no delay is left".to_owned(),
        }
    }

    /// Returns what was refused.
    pub fn attempt(&self, attempt: &Attempt) -> String {
        match attempt {
            Attempt::Step(act) => attempt_in_words(&Attempt::Step(Box::new(self.act(act)))),
            other => attempt_in_words(other),
        }
    }

    /// Returns an act whose names of messages are hidden.
    fn act(&self, act: &Act) -> Act {
        let hidden = |field: &str, text: &mut Text| {
            if self.hides(field) {
                *text = Text::Fixed(HIDDEN.into());
            }
        };
        let publish = |publish: &mut Publish| {
            hidden("exchange", &mut publish.exchange);
            hidden("routing_key", &mut publish.routing_key);
        };
        let mut act = act.clone();
        match &mut act {
            Act::Publish(one) => publish(one),
            Act::Call(call) => publish(&mut call.publish),
            Act::Delete { object: Object::Exchange { name, .. }, .. } if self.hides("exchange") => {
                *name = HIDDEN.into()
            }
            _ => {}
        }
        act
    }

    /// Hides names in a reply text of a broker.
    pub fn reply_text(&self, text: &str) -> String {
        let field = |name: QuotedName| match name {
            QuotedName::Exchange => "exchange",
            QuotedName::RoutingKey => "routing_key",
        };
        let mut shown = String::new();
        let mut end = 0;
        for (_, place) in quoted_names(text).into_iter().filter(|(name, _)| self.hides(field(*name))) {
            shown.push_str(&text[end..place.start]);
            shown.push_str(HIDDEN);
            end = place.end;
        }
        shown.push_str(&text[end..]);
        shown
    }
}

/// Writes a settlement as a scenario's action.
fn settlement_as_action(settlement: Settlement) -> &'static str {
    match settlement {
        Settlement::Ack => "ack",
        Settlement::Nack { requeue: false } => "nack",
        Settlement::Nack { requeue: true } => "nack, requeue",
        Settlement::Reject { requeue: false } => "reject",
        Settlement::Reject { requeue: true } => "reject, requeue",
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
    fn a_hidden_field_is_hidden_in_actions_and_reply_texts() {
        let sent = ActionRecord::Sent { forward: false, exchange: "out".into(), routing_key: "k1".into() };
        let refused = "write access to topic 'k1' in exchange 'out' in vhost '/' refused";
        let shown = |path: &str| {
            let paths = [path.to_owned()];
            let redaction = Redaction { paths: &paths };
            (redaction.action(&sent), redaction.reply_text(refused))
        };
        assert_eq!(shown("id"), ("publish to out with key k1".into(), refused.into()));
        let hidden = refused.replace("k1", HIDDEN);
        assert_eq!(shown("routing_key"), (format!("publish to out with key {HIDDEN}"), hidden));
        let hidden = refused.replace("'out'", &format!("'{HIDDEN}'"));
        assert_eq!(shown("exchange"), (format!("publish to {HIDDEN} with key k1"), hidden));
    }
}
