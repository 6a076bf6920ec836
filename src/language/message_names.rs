//! Notes expectations of messages that nobody publishes: mostly an id that is misspelt.
//! Takes a decoded scenario and its tree, for places; is silent where an id is known only when it plays.

use super::fields::Desk;
use super::near;
use super::stage_names::find;
use super::tree::Node;
use crate::model::{Act, Action, Scenario, Subject, Text};
use crate::source::Problem;
use std::collections::BTreeSet;

/// Checks `message` and `of`.
pub fn check(scenario: &Scenario, tree: &Node, desk: &mut Desk) {
    let Some(published) = Published::of(scenario) else { return };
    for expectation in scenario.expectations() {
        let id = match &expectation.subject {
            Subject::Message(message) => message.id.fixed(),
            Subject::Publishes(publishes) => publishes.of.as_ref().and_then(Text::fixed),
            _ => None,
        };
        let Some(id) = id.filter(|id| !published.knows(id)) else { continue };
        let note = Problem::note("scenario::unknown_message", format!("nobody publishes a message `{id}`"));
        let span = find(tree, expectation.span, id).unwrap_or(expectation.span);
        let help = match published.ids.is_empty() {
            true => "name the message where it is published: `id: …`".to_owned(),
            false => near::suggest(id, published.ids.iter().copied(), "there are"),
        };
        desk.add(note.at(span, "not published here").help(help));
    }
}

/// Holds what a scenario publishes.
struct Published<'a> {
    ids: BTreeSet<&'a str>,
    /// Some have no id: they are called `m1`, `worker:m1`.
    nameless: bool,
}

impl<'a> Published<'a> {
    /// Lists all ids; nothing when one of them is a template.
    fn of(scenario: &'a Scenario) -> Option<Self> {
        let mut ids: Vec<Option<&'a Text>> = Vec::new();
        for step in scenario.all_steps() {
            match &step.act {
                Act::Publish(publish) => ids.push(publish.id.as_ref()),
                Act::Call(call) => ids.push(call.publish.id.as_ref()),
                _ => {}
            }
        }
        for consumer in &scenario.consumers {
            let of_rules = consumer.rules.iter().flat_map(|rule| &rule.actions);
            let of_timeout = consumer.timeout.iter().flat_map(|timeout| &timeout.actions);
            for action in of_rules.chain(of_timeout) {
                match action {
                    Action::Publish(publish) | Action::Reply(publish) => ids.push(publish.id.as_ref()),
                    Action::Forward(forward) => ids.extend(forward.id.as_ref().map(Some)),
                    _ => {}
                }
            }
        }
        let nameless = ids.iter().any(Option::is_none);
        let fixed: Option<BTreeSet<&str>> = ids.into_iter().flatten().map(|id| id.fixed().map(|id| &**id)).collect();
        Some(Self { ids: fixed?, nameless })
    }

    /// Says whether messages may be called that: by an id, with its number in a series or without it, or as the k-th of
    /// one id.
    fn knows(&self, name: &str) -> bool {
        let numbered = |name: &str, mark: char| {
            let (id, number) = name.rsplit_once(mark)?;
            number.parse::<u64>().ok().map(|_| id.len())
        };
        let first = numbered(name, '#').map_or(name, |length| &name[..length]);
        let of_series = numbered(first, '.').map(|length| &first[..length]);
        let label = first.rsplit_once(':').map_or(first, |(_, label)| label);
        let nameless = label.strip_prefix('m').is_some_and(|number| number.parse::<u64>().is_ok());
        let numbers = |id: &str| id.strip_prefix(first).and_then(|rest| rest.strip_prefix('.')?.parse::<u64>().ok());
        let known = self.ids.contains(first) || self.ids.iter().any(|id| numbers(id).is_some());
        known || of_series.is_some_and(|id| self.ids.contains(id)) || (self.nameless && nameless)
    }
}
