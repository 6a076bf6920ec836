//! Decodes `tally`: which messages are added up, by what, and what it must come to.
//! Takes the fields of an expectation; gives one whose groups are texts.

use crate::language::decode::map_decoder::{Diagnostics, MapDecoder};
use crate::language::decode::read;
use crate::language::decode::scenario::matchers::{key, matcher};
use crate::language::syntax::tree::{Node, NodeKind};
use crate::model::{Matcher, Name, QueueName, TallyExpectation, TallyGroups, TallySource};
use crate::source::{Code, Problem};
use std::collections::BTreeMap;

/// Decodes `tally` with `is`, or `includes`, beside it.
pub fn tally(fields: &mut MapDecoder<'_>, vhost: &Name, desk: &mut Diagnostics) -> Option<TallyExpectation> {
    let node = fields.node("tally")?;
    let (is, includes) = (fields.entry("is"), fields.entry("includes"));
    let mut inner = MapDecoder::of("tally", "`tally`", node, desk)?;
    let source = source(&mut inner, vhost, desk);
    let (by, sum) = (inner.opt("by", desk, key), inner.opt("sum", desk, key));
    let only = inner.node("where").map_or(Some(Matcher::default()), |node| only(node, desk));
    let grouped = inner.has("by");
    inner.finish(desk);
    if let (Some(_), Some(second)) = (is, includes) {
        let problem = Problem::new(Code::ScenarioTally, "`is` names all groups, `includes` some of them");
        desk.add(problem.at(second.key_span, "beside `is`").help("keep one of them"));
    }
    let Some(entry) = is.or(includes) else {
        let problem = Problem::new(Code::ScenarioTally, "a tally says what it must come to");
        let help = match grouped {
            true => "write `is: {alice: 30, bob: 12}` beside `tally`",
            false => "write `is: 42` beside `tally`",
        };
        desk.add(problem.at(node.span, "no `is` beside it").help(help));
        return None;
    };
    let groups = groups(&entry.value, grouped, entry.key == "includes", desk)?;
    Some(TallyExpectation { source: source?, by, sum, only: only?, groups })
}

fn source(inner: &mut MapDecoder<'_>, vhost: &Name, desk: &mut Diagnostics) -> Option<TallySource> {
    if let (Some(_), Some(second)) = (inner.entry("consumer"), inner.entry("queue")) {
        let problem = Problem::new(Code::ScenarioTally, "a tally looks at the messages of a consumer or of a queue");
        desk.add(problem.at(second.key_span, "beside `consumer`").help("keep one of them, or write two expectations"));
        return None;
    }
    if inner.has("consumer") {
        return inner.opt("consumer", desk, read::name).map(TallySource::Consumer);
    }
    if inner.has("queue") {
        let name = inner.opt("queue", desk, read::name)?;
        return Some(TallySource::Queue(QueueName { vhost: vhost.clone(), name }));
    }
    Some(TallySource::Published)
}

/// Decodes `where`: the conditions of a rule that need no consumer.
fn only(node: &Node, desk: &mut Diagnostics) -> Option<Matcher> {
    let matcher = matcher(node, desk)?;
    let of_consumers = [
        ("attempt", matcher.attempt.is_some()),
        ("chance", matcher.chance.is_some()),
        ("seen", matcher.seen.is_some()),
        ("when", matcher.when.is_some()),
    ];
    for (key, _) in of_consumers.iter().filter(|(_, given)| *given) {
        let entry = node.entries().iter().find(|entry| entry.key == *key)?;
        let problem =
            Problem::new(Code::ScenarioTally, format!("`{key}` speaks of a consumer at work, not of a message"));
        let help = "`where` takes `id`, `routing_key`, `exchange`, `header`, `json`, `redelivered` and `x_death`";
        desk.add(problem.at(entry.key_span, "not in `where`").help(help));
    }
    Some(matcher)
}

fn groups(node: &Node, grouped: bool, includes: bool, desk: &mut Diagnostics) -> Option<TallyGroups> {
    let what = if includes { "`includes`" } else { "`is`" };
    if !grouped {
        return desk.read(what, node, read::count).map(TallyGroups::Total);
    }
    let NodeKind::Map(entries) = &node.kind else {
        let message = format!("{what} takes a map of groups and counts, found {}", node.describe());
        let problem = Problem::new(Code::ValueKind, message).at(node.span, "expected a map");
        let key = what.trim_matches('`');
        let help = format!("the tally has groups: write `{key}: {{alice: 30, bob: \">=10\"}}`");
        desk.add(problem.help(help));
        return None;
    };
    let mut groups = BTreeMap::new();
    for entry in entries {
        let count = desk.read(&format!("the group `{}`", entry.key), &entry.value, read::count);
        groups.extend(count.map(|count| (entry.key.to_string(), count)));
    }
    (groups.len() == entries.len()).then_some(TallyGroups::Each { groups, includes })
}
