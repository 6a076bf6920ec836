//! Finds expectations of messages that nobody publishes, or that cannot be told from others: mostly an id that is misspelt.
//! Takes a decoded scenario and its tree, for places; is silent where an id is known only when it plays.

use crate::language::decode::map_decoder::Diagnostics;
use crate::language::decode::suggestions;
use crate::language::syntax::tree::Node;
use crate::language::syntax::tree::find;
use crate::model::{Act, Action, Publish, Scenario, Subject, Text, of_same_id, of_series};
use crate::source::{Code, Help, Problem};
use std::collections::{BTreeMap, BTreeSet};

/// Checks `message` and `of`, and the ids of rules.
pub fn check(scenario: &Scenario, tree: &Node, desk: &mut Diagnostics) {
    let Some(published) = Published::of(scenario) else { return };
    expectations(scenario, &published, tree, desk);
    for rule in scenario.consumers.iter().flat_map(|consumer| &consumer.rules) {
        let Some(id) = rule.matcher.id.as_ref().and_then(Text::fixed) else { continue };
        let help = match published.find(id) {
            _ if published.fits(id) => continue,
            Found::Series { last } => format!("a series has `{id}.1` to `{id}.{last}`: write `id: \"{id}.*\"`").into(),
            Found::Repeated { id } => format!("messages of one id all come as `{id}`").into(),
            Found::Message => continue,
            Found::Nothing | Found::Numbered => published.suggest(id),
        };
        let message = format!("no message comes to this rule: none is called `{id}`");
        let span = find(tree, rule.span, id).unwrap_or(rule.span);
        desk.add(Problem::note(Code::ScenarioUnknownMessage, message).at(span, "never reached").help(help));
    }
}

fn expectations(scenario: &Scenario, published: &Published, tree: &Node, desk: &mut Diagnostics) {
    for expectation in scenario.expectations() {
        let (id, is_one) = match &expectation.subject {
            Subject::Message(message) => (message.id.fixed(), true),
            Subject::Publishes(publishes) => (publishes.of.as_ref().and_then(Text::fixed), false),
            _ => continue,
        };
        let Some(id) = id else { continue };
        let problem = match published.find(id) {
            Found::Numbered if !is_one => continue,
            Found::Nothing | Found::Numbered => {
                let message = format!("nobody publishes a message `{id}`");
                Problem::new(Code::ScenarioUnknownMessage, message).help(published.suggest(id))
            }
            Found::Series { last } if is_one => {
                let message = format!("`{id}` is a series: its messages are `{id}.1` to `{id}.{last}`");
                Problem::new(Code::ScenarioSeries, message).help(format!("ask each one: `message: {id}.1`"))
            }
            Found::Repeated { id: first } if is_one => {
                let message = format!("messages of one id cannot be told apart once they are published: `{id}`");
                let help = format!("ask all of them, `message: {first}`, or publish them with ids of their own");
                Problem::new(Code::ScenarioSameId, message).help(help)
            }
            Found::Series { .. } | Found::Repeated { .. } | Found::Message => continue,
        };
        let span = find(tree, expectation.span, id).unwrap_or(expectation.span);
        desk.add(problem.at(span, "no message of this name"));
    }
}

/// What a name stands for.
enum Found<'a> {
    Nothing,
    Message,
    /// `a` of `a.1` to `a.5`.
    Series {
        last: u32,
    },
    /// `a` of ids like `a.7`, each given by hand.
    Numbered,
    /// `a#2`, the second of that id.
    Repeated {
        id: &'a str,
    },
}

/// What a scenario publishes.
struct Published<'a> {
    /// What is called by its id.
    single: BTreeSet<&'a str>,
    /// By id, how many a series has at most.
    series: BTreeMap<&'a str, u32>,
    /// Some have no id: they are called `m1`, `worker:m1`.
    nameless: bool,
}

impl<'a> Published<'a> {
    /// Lists all ids; nothing when one of them is a template.
    fn of(scenario: &'a Scenario) -> Option<Self> {
        let mut ids: Vec<(Option<&'a Text>, u32)> = Vec::new();
        let mut list = |publish: &'a Publish| ids.push((publish.id.as_ref(), publish.count));
        for step in scenario.all_steps() {
            match &step.act {
                Act::Publish(publish) => list(publish),
                Act::Call(call) => list(&call.publish),
                _ => {}
            }
        }
        let mut forwarded = Vec::new();
        for consumer in &scenario.consumers {
            for action in consumer.actions() {
                match action {
                    Action::Publish(publish) | Action::Reply(publish) => list(publish),
                    Action::Forward(forward) => forwarded.extend(forward.id.as_ref().map(|id| (Some(id), 1))),
                    _ => {}
                }
            }
        }
        ids.extend(forwarded);
        let mut published = Self { single: BTreeSet::new(), series: BTreeMap::new(), nameless: false };
        for (id, count) in ids {
            let Some(id) = id else {
                published.nameless = true;
                continue;
            };
            let id: &str = id.fixed()?;
            if count > 1 {
                let last = published.series.entry(id).or_default();
                *last = count.max(*last);
            } else {
                published.single.insert(id);
            }
        }
        Some(published)
    }

    /// Returns what a name stands for: an id, with its number in a series or without it, or the k-th of one id.
    fn find<'n>(&self, name: &'n str) -> Found<'n> {
        let (_, label) = name.rsplit_once(':').unwrap_or(("", name));
        let is_number = |text: &str| text.parse::<u64>().is_ok();
        let is_nameless = self.nameless && label.strip_prefix('m').is_some_and(is_number);
        let has = |(id, number)| self.series.get(id).is_some_and(|last| (1..=u64::from(*last)).contains(&number));
        if self.single.contains(name) || is_nameless || of_series(name).is_some_and(has) {
            return Found::Message;
        }
        if let Some(&last) = self.series.get(name) {
            return Found::Series { last };
        }
        match of_same_id(name) {
            Some((id, _)) if matches!(self.find(id), Found::Message) => Found::Repeated { id },
            _ if self.single.iter().filter_map(|id| of_series(id)).any(|(id, _)| id == name) => Found::Numbered,
            _ => Found::Nothing,
        }
    }

    /// Returns whether a name with `*` for any ending may fit a message.
    fn fits(&self, pattern: &str) -> bool {
        let Some(start) = pattern.strip_suffix('*') else { return false };
        let of_series = |id: &&str| format!("{id}.").starts_with(start) || start.starts_with(&format!("{id}."));
        self.nameless || self.single.iter().any(|id| id.starts_with(start)) || self.series.keys().any(of_series)
    }

    fn suggest(&self, id: &str) -> Help {
        let series = of_series(id).and_then(|(id, _)| self.series.get_key_value(id));
        let names: BTreeSet<&str> = self.single.iter().chain(self.series.keys()).copied().collect();
        match series {
            Some((id, last)) => format!("the series `{id}` has `{id}.1` to `{id}.{last}`").into(),
            None if names.is_empty() => "name the message where it is published: `id: …`".into(),
            None => suggestions::suggest_name(id, names, "there are"),
        }
    }
}
