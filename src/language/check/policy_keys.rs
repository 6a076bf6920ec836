//! Judges what a policy sets, key by key, as the newest RabbitMQ would: its own rules, its own words.
//! Takes the `definition` as it stands in the file; gives problems with places. Keys of plugins are notes.

use crate::language::decode::map_decoder::Diagnostics;
use crate::language::decode::suggestions;
use crate::language::syntax::tree::{Entry, Kind, Node};
use crate::model::{Millis, Profile};
use crate::rules::{ValueKind, check_delayed_retry, check_policy_value, differences, policy_keys, queue_argument};
use crate::source::{Code, Problem, Span};

/// How the keys begin that plugins bring along, mirrored queues among them: 4.0 has no such queues any more.
const OF_PLUGINS: [&str; 5] = ["federation-", "ha-", "shards-", "routing-key", "x-"];

/// Judges a definition; `operator` says that it is an operator policy's, which may set less.
pub fn check(definition: Option<&Node>, operator: bool, desk: &mut Diagnostics) {
    let Some(node) = definition.filter(|node| !node.is_faulty() && !node.is_late()) else { return };
    let Kind::Map(entries) = &node.kind else { return };
    if entries.is_empty() {
        let problem = Problem::new(Code::TopologyPolicy, "a policy sets something").at(node.span, "nothing is set");
        let help = "write what it sets: {message-ttl: 5000}; RabbitMQ would say: 400 no policy provided";
        return desk.judge(problem.help(help));
    }
    let faulty = entries.iter().filter(|entry| !check_entry(entry, operator, desk)).count();
    if faulty > 0 {
        return;
    }
    let definition = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect();
    if let Err(reason) = check_delayed_retry(&definition) {
        let delayed = entries.iter().find(|entry| entry.key.starts_with("delayed-retry"));
        let problem = Problem::new(Code::TopologyPolicy, "the delayed retry of this policy cannot be");
        let help = format!("RabbitMQ would say: 400 {reason}");
        desk.judge(problem.at(delayed.map_or(node.span, whole), "refused").help(help));
    }
}

/// Judges one key; false when something is wrong with its value.
fn check_entry(entry: &Entry, operator: bool, desk: &mut Diagnostics) -> bool {
    let newest = differences(Profile::NEWEST);
    let (key, keys) = (entry.key.as_str(), policy_keys(operator, newest));
    if !keys.contains(&key) {
        unknown(entry, operator, &keys, desk);
        return true;
    }
    let Err(reason) = check_policy_value(key, &entry.value.to_json(), newest) else { return true };
    let problem = Problem::new(Code::TopologyPolicy, format!("`{key}` does not take this value"));
    let says = format!("RabbitMQ would say: 400 {reason}");
    let help = hint(key, &entry.value).map_or(says.clone(), |hint| format!("{hint}; {says}"));
    desk.judge(problem.at(whole(entry), "refused").help(help));
    false
}

/// Says what a key may have been meant to be; one that an older version or a plugin knows is only noted.
fn unknown(entry: &Entry, operator: bool, keys: &[&'static str], desk: &mut Diagnostics) {
    let key = entry.key.as_str();
    let argument = key.strip_prefix("x-").filter(|bare| keys.contains(bare));
    let older = Profile::ALL.into_iter().find(|profile| policy_keys(operator, differences(*profile)).contains(&key));
    let of_plugin = argument.is_none() && OF_PLUGINS.iter().any(|start| key.starts_with(start));
    if older.is_some() || of_plugin {
        let message = match older {
            Some(profile) => format!("RabbitMQ {} has no policy key `{key}`; {profile} has it", Profile::NEWEST),
            None => format!("RabbitMQ itself has no policy key `{key}`: it belongs to a plugin"),
        };
        let note = Problem::note(Code::TopologyPolicyKey, message).at(entry.key_span, "not known to every broker");
        return desk.add(note.help("a broker that does not know it refuses the policy (400)"));
    }
    let of_users = operator && policy_keys(false, differences(Profile::NEWEST)).contains(&key);
    let message = match (of_users, operator) {
        (true, _) => format!("an operator policy cannot set `{key}`"),
        (false, true) => format!("operator policies know no key `{key}`"),
        (false, false) => format!("policies know no key `{key}`"),
    };
    let problem = Problem::new(Code::TopologyPolicyKey, message).at(entry.key_span, "refused");
    let help = match (of_users, argument) {
        (true, _) => "set it by one of `policies`".to_owned(),
        (false, Some(bare)) => format!("did you mean `{bare}`? only arguments begin with `x-`"),
        (false, None) => suggestions::suggest(key, keys.iter().copied(), "they know"),
    };
    desk.judge(problem.help(help));
}

/// Says what to write instead of what people try.
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
