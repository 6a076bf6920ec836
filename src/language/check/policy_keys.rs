//! Judges what a policy sets, key by key, as the versions that the file may meet would: by RabbitMQ's rules, in its words.
//! Takes the `definition` as it stands in the file; gives problems with places. Keys of plugins are notes.

use crate::language::decode::judged_for::RefusedBy;
use crate::language::decode::map_decoder::Diagnostics;
use crate::language::decode::suggestions;
use crate::language::syntax::tree::{Entry, Node, NodeKind};
use crate::model::{ApplyTo, Millis, Profile, QueueKind};
use crate::rules::{
    Differences, ValueKind, applies_to_queue, check_delayed_retry, check_policy_value, differences, policy_keys,
    queue_argument,
};
use crate::source::{Code, Help, Problem, Span};

/// How the keys begin that plugins bring along.
const OF_PLUGINS: [&str; 4] = ["federation-", "shards-", "routing-key", "x-"];

/// Judges a definition; `operator` says that it is an operator policy's, which may set less.
pub fn check(definition: Option<&Node>, operator: bool, desk: &mut Diagnostics) {
    // What must be refused is the broker's to judge.
    let definition = definition.filter(|_| !desk.refused);
    let Some(node) = definition.filter(|node| !node.is_faulty() && !node.is_late()) else { return };
    let NodeKind::Map(entries) = &node.kind else { return };
    if entries.is_empty() {
        let problem = Problem::new(Code::TopologyPolicy, "a policy sets something").at(node.span, "nothing is set");
        let help = "write what it sets: {message-ttl: 5000}; RabbitMQ would say: 400 no policy provided";
        return desk.judge(problem.help(help));
    }
    let mut partly = Vec::new();
    let faulty = entries.iter().filter(|entry| !check_entry(entry, operator, &mut partly, desk)).count();
    known_to_some(partly, operator, desk);
    if faulty > 0 {
        return;
    }
    let definition = entries.iter().map(|entry| (entry.key.to_string(), entry.value.to_json())).collect();
    let delays = desk.judged_for.any(|version| version.delayed_retry);
    if let Some(reason) = check_delayed_retry(&definition).err().filter(|_| delays) {
        let delayed = entries.iter().find(|entry| entry.key.starts_with("delayed-retry"));
        let problem = Problem::new(Code::TopologyPolicy, "the delayed retry of this policy cannot be");
        let help = format!("RabbitMQ would say: 400 {reason}");
        desk.judge(problem.at(delayed.map_or(node.span, whole), "refused").help(help));
    }
}

/// Judges one key; false when something is wrong with its value.
fn check_entry(entry: &Entry, operator: bool, partly: &mut Vec<PartlyKnown>, desk: &mut Diagnostics) -> bool {
    let key = entry.key.as_str();
    let knows = |version: &'static Differences| policy_keys(operator, version).contains(&key);
    let lacking = desk.judged_for.refused_by(|version| (!knows(version)).then_some(()));
    match lacking {
        Some(lacking) if lacking.is_by_all() => {
            unknown(entry, operator, &lacking, desk);
            return true;
        }
        Some(lacking) => partly.push(PartlyKnown::of(entry, &lacking, desk)),
        None => {}
    }
    let value = entry.value.to_json();
    let knowing = desk.judged_for.among(knows);
    let Some(refused) = knowing.refused_by(|version| check_policy_value(key, &value, version).err()) else {
        return true;
    };
    let says = format!("RabbitMQ would say: 400 {}", refused.reason);
    let (message, help) = match refused.is_by_all() {
        true => (format!("`{key}` does not take this value"), says),
        false => (
            format!("{} this value of `{key}`", refused.who("refuses", "refuse")),
            format!("{}; {says}", refused.who_takes()),
        ),
    };
    let help = hint(key, &entry.value).map_or(help.clone(), |hint| format!("{hint}; {help}"));
    let problem = Problem::new(Code::TopologyPolicy, message).by(rule_of_value(key));
    desk.judge_for(&refused, problem.at(whole(entry), "refused").help(help));
    !refused.is_by_all()
}

/// Returns the rule by which some versions refuse a value that others take, or all do.
fn rule_of_value(key: &str) -> &'static str {
    match key {
        "delivery-limit" => "CO-13",
        "queue-master-locator" => "PO-4",
        _ => "PO-9",
    }
}

/// Returns the rule that lists the keys of policies.
fn rule_of_keys(operator: bool) -> &'static str {
    if operator { "PO-5" } else { "PO-4" }
}

/// A key that only some versions know.
struct PartlyKnown {
    key: String,
    place: Span,
    /// Who lacks it, and who has it.
    lacking: (String, String),
    ignoring: Option<String>,
}

impl PartlyKnown {
    fn of(entry: &Entry, lacking: &RefusedBy<()>, desk: &Diagnostics) -> Self {
        let key = entry.key.to_string();
        let ignoring = ignored_by(&key, desk);
        Self { key, place: entry.key_span, lacking: (lacking.who("has", "have"), lacking.having()), ignoring }
    }
}

/// Notes keys that only some versions know, those of the same versions together.
fn known_to_some(mut keys: Vec<PartlyKnown>, operator: bool, desk: &mut Diagnostics) {
    while !keys.is_empty() {
        let like = keys.remove(0);
        let (alike, others): (Vec<_>, Vec<_>) = keys.into_iter().partition(|it| it.lacking == like.lacking);
        keys = others;
        let (lacking, having) = &like.lacking;
        let names: Vec<&str> = std::iter::once(&like).chain(&alike).map(|it| it.key.as_str()).collect();
        let message = match names.as_slice() {
            [key] => format!("{lacking} no policy key `{key}`; {having} it"),
            [first @ .., last] => {
                format!("{lacking} no policy keys `{}` and `{last}`; {having} them", first.join("`, `"))
            }
            [] => continue,
        };
        let mut note = Problem::note(Code::TopologyPolicyKey, message).by(rule_of_keys(operator));
        note = note.at(like.place, "not known to every version");
        note = alike.iter().fold(note, |note, it| note.at(it.place, "nor this"));
        let ignoring = std::iter::once(&like).chain(&alike).find_map(|it| it.ignoring.as_deref());
        let ignoring = ignoring.map_or_else(String::new, |types| {
            format!("; where it is known, {types} queues ignore a policy with it as a whole, see PO-2")
        });
        desk.add(note.help(format!("a broker that does not know it refuses the policy (400){ignoring}")));
    }
}

/// Names the types of queues that ignore every policy with a key, in the versions that know it.
fn ignored_by(key: &str, desk: &Diagnostics) -> Option<String> {
    let knowing = desk.judged_for.among(|version| policy_keys(false, version).contains(&key));
    let definition = [(key.to_owned(), serde_json::Value::Null)].into_iter().collect();
    let ignores =
        |kind: &QueueKind| !knowing.any(|version| applies_to_queue(ApplyTo::All, &definition, *kind, version));
    let kinds = [QueueKind::Classic, QueueKind::Quorum].into_iter().filter(ignores);
    let names: Vec<&str> = kinds.map(QueueKind::as_str).collect();
    (!names.is_empty()).then(|| names.join(" and "))
}

/// Reports what a key may have been meant to be; one that another version or a plugin knows is told so.
fn unknown(entry: &Entry, operator: bool, lacking: &RefusedBy<()>, desk: &mut Diagnostics) {
    let key = entry.key.as_str();
    let keys = policy_keys(operator, desk.judged_for.newest());
    let argument = key.strip_prefix("x-").filter(|bare| keys.contains(bare));
    let elsewhere =
        Profile::ALL.into_iter().find(|profile| policy_keys(operator, differences(*profile)).contains(&key));
    if let Some(profile) = elsewhere {
        let message = format!("{} no policy key `{key}`; {profile} has it", lacking.who("has", "have"));
        let problem = Problem::new(Code::TopologyPolicyKey, message).by(rule_of_keys(operator));
        let problem =
            problem.at(entry.key_span, "refused").help("a broker that does not know it refuses the policy (400)");
        return desk.judge_for(lacking, problem);
    }
    if argument.is_none() && key.starts_with("x-") && queue_argument(key).is_some() {
        let message = format!("policies know no key `{key}`: it is an argument of queues, and no policy changes it");
        let problem = Problem::new(Code::TopologyPolicyKey, message).at(entry.key_span, "refused");
        let help = "RabbitMQ refuses the policy (400); set it where the queue is declared";
        return desk.judge(problem.by(rule_of_keys(operator)).help(help));
    }
    if argument.is_none() && OF_PLUGINS.iter().any(|start| key.starts_with(start)) {
        let message = format!("RabbitMQ itself has no policy key `{key}`: it belongs to a plugin");
        let note = Problem::note(Code::TopologyPolicyKey, message).at(entry.key_span, "not known to every broker");
        return desk.add(note.help("a broker that does not know it refuses the policy (400)"));
    }
    let of_users = operator && policy_keys(false, desk.judged_for.newest()).contains(&key);
    let message = match (of_users, operator) {
        (true, _) => format!("an operator policy cannot set `{key}`"),
        (false, true) => format!("operator policies know no key `{key}`"),
        (false, false) => format!("policies know no key `{key}`"),
    };
    let problem = Problem::new(Code::TopologyPolicyKey, message).at(entry.key_span, "refused");
    let help = match (of_users, argument) {
        (true, _) => "set it by one of `policies`".into(),
        (false, Some(bare)) => {
            Help::DidYouMean { near: bare.to_owned(), aside: Some("only arguments begin with `x-`".to_owned()) }
        }
        (false, None) => suggestions::suggest(key, keys.iter().copied(), "they know"),
    };
    desk.judge(problem.help(help));
}

/// Returns what to write instead of what people try.
fn hint(key: &str, value: &Node) -> Option<String> {
    let text = value.as_text()?;
    if text.parse::<i64>().is_ok() {
        return Some("leave the quotes out".to_owned());
    }
    let is_time = queue_argument(key).is_some_and(|argument| argument.kind == ValueKind::Duration);
    let length: Millis = text.parse().ok().filter(|_| is_time)?;
    Some(format!("in a policy numbers are RabbitMQ's own, times are milliseconds: say {}", length.0))
}

fn whole(entry: &Entry) -> Span {
    entry.key_span.to(entry.value.span)
}
