//! Decodes the rules of a consumer: what matches, and the actions that follow.
//! Takes rendered nodes; gives rules. A rule that settles nothing is worth a note.

use crate::language::decode::map_decoder::{Diagnostics, MapDecoder, each};
use crate::language::decode::read;
use crate::language::decode::read::DecodeError;
use crate::language::decode::scenario::matchers::matcher;
use crate::language::decode::scenario::publish::{Folder, forward, publish};
use crate::language::decode::scenario::refused::refused;
use crate::language::decode::suggestions;
use crate::language::syntax::tree::{Entry, Node, NodeKind};
use crate::language::words::examples::{self, Shape};
use crate::language::words::{Word, WordGroup};
use crate::model::{Action, ActionLine, ActionList, Matcher, Rule};
use crate::source::{Code, Help, Problem, Span};

/// Decodes `on_message`: a list of rules, or one.
pub fn rules(node: &Node, auto_ack: bool, folder: &Folder<'_>, desk: &mut Diagnostics) -> Vec<Rule> {
    let rules: Vec<Rule> = match &node.kind {
        NodeKind::Map(_) => rule(node, auto_ack, folder, desk).into_iter().collect(),
        _ => each("`on_message`", node, desk, |node, desk| rule(node, auto_ack, folder, desk)),
    };
    never_reached(&rules, desk);
    rules
}

/// Notes what no message comes to: rules behind one that takes all, and attempts before the first.
fn never_reached(rules: &[Rule], desk: &mut Diagnostics) {
    if let Some([all, next]) = rules.windows(2).find(|pair| pair[0].matcher == Matcher::default()) {
        let message = "no message comes to this rule: the one before it takes all";
        let note = Problem::note(Code::ScenarioNeverReached, message).at(next.span, "never reached");
        let help = "the first rule that fits is taken: put the one without `match` last";
        desk.add(note.at(all.span, "fits every message").help(help));
    }
    let none_yet = |rule: &&Rule| rule.matcher.attempt.is_some_and(|count| count.max == Some(0));
    if let Some(rule) = rules.iter().find(none_yet) {
        let note = Problem::note(Code::ScenarioNeverReached, "no message comes to this rule: the first `attempt` is 1");
        desk.add(note.at(rule.span, "never reached").help("write `attempt: 1` for the first time"));
    }
}

fn rule(node: &Node, auto_ack: bool, folder: &Folder<'_>, desk: &mut Diagnostics) -> Option<Rule> {
    let mut fields = MapDecoder::of("rule", "a rule of `on_message`", node, desk)?;
    let matcher = fields.node("match").map_or(Some(Matcher::default()), |node| matcher(node, desk));
    let done = fields.node("do");
    if done.is_none() {
        fields.missing("do", desk);
    }
    let done = done.map_or_else(ActionList::default, |done| {
        let list = actions("`do`", done, folder, desk);
        if !list.actions.is_empty() && !node.is_faulty() {
            judge(&list, auto_ack, done.span, desk);
        }
        list
    });
    fields.finish(desk);
    Some(Rule { span: node.span, matcher: matcher?, done })
}

/// Decodes what stands at a `do`: a list of actions, or one.
pub fn actions(what: &str, node: &Node, folder: &Folder<'_>, desk: &mut Diagnostics) -> ActionList {
    let lines = match &node.kind {
        NodeKind::List(_) => each(what, node, desk, |node, desk| line(node, folder, desk)),
        _ => line(node, folder, desk).into_iter().collect(),
    };
    let (actions, lines) = lines.into_iter().unzip();
    ActionList { actions, lines }
}

/// Returns whether an action settles the message.
fn settles(action: &Action) -> bool {
    matches!(action, Action::Ack { .. } | Action::Nack { .. } | Action::Reject { .. } | Action::Retry)
}

/// Reports what is allowed but hardly meant.
fn judge(list: &ActionList, auto_ack: bool, span: Span, desk: &mut Diagnostics) {
    let with_lines = || list.actions.iter().zip(&list.lines);
    let (actions, must_fail) = (&list.actions, |(_, line): &(&Action, &ActionLine)| line.refused.is_some());
    unheeded_returns(list, desk);
    let leaves = |action: &Action| matches!(action, Action::Crash | Action::CloseChannel);
    let meant = |action: &Action| leaves(action) || matches!(action, Action::Hold | Action::Cancel);
    let settling = with_lines().filter(|it| !must_fail(it)).filter(|(action, _)| settles(action)).count();
    if !auto_ack && !actions.iter().any(|action| settles(action) || meant(action)) {
        let note = Problem::note(Code::ScenarioNeverSettled, "this rule settles nothing: its messages stay unacked");
        desk.add(note.at(span, "no ack, nack or reject").help("add `ack`, or `hold` to say that it is meant"));
    }
    if auto_ack && settling > 0 {
        let message = "with `auto_ack` there is nothing to settle: the broker closes the channel (406)";
        let note = Problem::note(Code::ScenarioSettledTwice, message);
        desk.add(note.at(span, "settles").help("leave the settling action out, or `auto_ack`"));
    }
    if !auto_ack && settling > 1 {
        let message = "a message is settled once: at the second time the broker closes the channel (406)";
        let note = Problem::note(Code::ScenarioSettledTwice, message);
        let help = "`ack`, `nack`, `reject` or `retry`: keep one of them, or say `refused: 406` beside the second";
        desk.add(note.at(span, "settles twice").help(help));
    }
    let refused_settling =
        with_lines().position(|(action, line)| line.refused.is_some() && settles(action) && *action != Action::Retry);
    if let Some(at) = refused_settling.filter(|at| at + 1 < actions.len()) {
        let note = Problem::note(Code::ScenarioNeverDone, "what follows a refused settlement is never done");
        let help = "the broker closes the channel with the refusal: put it last";
        desk.add(note.at(list.lines[at + 1].span, "goes on after its end").help(help));
    }
    if actions.iter().position(leaves).is_some_and(|at| at + 1 < actions.len()) {
        let note = Problem::note(Code::ScenarioNeverDone, "what follows a crash or a closed channel is never done");
        desk.add(note.at(span, "goes on after its end").help("put `crash` or `close_channel` last"));
    }
}

/// Notes what comes back and is passed over: the message is settled as if it had arrived.
fn unheeded_returns(list: &ActionList, desk: &mut Diagnostics) {
    for (at, (action, line)) in list.actions.iter().zip(&list.lines).enumerate() {
        let goes_on = list.actions[at + 1..].iter().any(|action| matches!(action, Action::Ack { .. }));
        if is_mandatory(action) && line.on_return.is_none() && line.refused.is_none() && goes_on {
            let message = "what comes back is acked all the same: its message is lost";
            let note = Problem::note(Code::ScenarioOnReturn, message).at(line.span, "nobody heeds its return");
            let help = "say beside it what is done then instead of the rest: `on_return: {nack: {requeue: true}}`";
            desk.add(note.help(help));
        }
    }
}

/// Returns whether what an action publishes may come back.
fn is_mandatory(action: &Action) -> bool {
    match action {
        Action::Publish(publish) => publish.mandatory,
        Action::Forward(forward) => forward.mandatory,
        _ => false,
    }
}

/// What may stand beside an action.
const BESIDE: [&str; 2] = ["refused", "on_return"];

/// Decodes one action with what stands beside it.
fn line(node: &Node, folder: &Folder<'_>, desk: &mut Diagnostics) -> Option<(Action, ActionLine)> {
    let beside = |key: &str| node.entries().iter().find(|entry| entry.key == key);
    let verb = node.entries().iter().find(|entry| !BESIDE.contains(&entry.key.as_str()));
    let span = verb.map_or(node.span, |entry| entry.key_span);
    let action = desk.must_be_refused(beside("refused").is_some(), |desk| action(node, folder, desk));
    let refused = beside("refused").and_then(|entry| {
        let refused = refused(&entry.value, desk);
        if let (Some(verb), Some(false)) = (verb, action.as_ref().map(may_be_refused)) {
            let message = format!("`{}` asks nobody who could refuse it", verb.key);
            let help = "`refused` stands beside what the broker may refuse: `publish`, `forward`, `reply`, `retry`, `ack`, `nack`, \
                        `reject`, `requeue`";
            desk.add(Problem::new(Code::ScenarioRefused, message).at(entry.key_span, "never refused").help(help));
        }
        refused
    });
    let on_return = beside("on_return").map(|entry| on_return(entry, action.as_ref(), folder, desk));
    Some((action?, ActionLine { span, refused, on_return }))
}

fn may_be_refused(action: &Action) -> bool {
    settles(action) || matches!(action, Action::Publish(_) | Action::Forward(_) | Action::Reply(_))
}

/// Decodes what is done when a publish comes back; nothing else comes back, and what is done then stays what it is.
fn on_return(entry: &Entry, action: Option<&Action>, folder: &Folder<'_>, desk: &mut Diagnostics) -> ActionList {
    let list = actions("`on_return`", &entry.value, folder, desk);
    let fault = match action {
        Some(Action::Publish(_) | Action::Forward(_)) if action.is_some_and(is_mandatory) => None,
        Some(Action::Publish(_) | Action::Forward(_)) => Some((
            "only a mandatory publish comes back",
            "write `mandatory: true` into it: the broker drops what no queue takes otherwise",
        )),
        Some(_) => Some((
            "`on_return` stands beside a `publish` or a `forward`: nothing else comes back",
            "a `reply` and a `retry` are no mandatory publishes; `refused` expects what the broker refuses",
        )),
        None => None,
    };
    if let Some((message, help)) = fault {
        desk.add(Problem::new(Code::ScenarioOnReturn, message).at(entry.key_span, "never returned").help(help));
    }
    if let Some(inner) = list.lines.iter().find(|line| line.on_return.is_some()) {
        let message = "what is done on a return has no `on_return` of its own";
        let help = "settle the message here: `on_return: {nack: {requeue: true}}`";
        desk.add(Problem::new(Code::ScenarioOnReturn, message).at(inner.span, "within another").help(help));
    }
    list
}

/// Decodes one action: a word, or a map of one word and what it takes.
fn action(node: &Node, folder: &Folder<'_>, desk: &mut Diagnostics) -> Option<Action> {
    let verbs: Vec<&Entry> = node.entries().iter().filter(|entry| !BESIDE.contains(&entry.key.as_str())).collect();
    let (word, span, value) = match &node.kind {
        NodeKind::Text(word) => (word.as_str(), node.span, None),
        NodeKind::Map(entries) => match verbs.as_slice() {
            [entry] => (entry.key.as_str(), entry.key_span, Some(&entry.value)),
            [] if !entries.is_empty() => {
                let key = &entries[0].key;
                let problem = Problem::new(Code::ScenarioAction, format!("`{key}` stands beside an action"));
                let help = format!(
                    "write both in one entry: `{{forward: {{exchange: orders}}, {}}}`",
                    match key.as_str() {
                        "refused" => "refused: 404",
                        _ => "on_return: nack",
                    }
                );
                desk.add(problem.at(entries[0].key_span, "no action with it").help(help));
                return None;
            }
            _ => {
                let second = verbs.get(1);
                let found: Vec<String> = verbs.iter().take(2).map(|entry| format!("`{}`", entry.key)).collect();
                let found = if found.is_empty() { String::new() } else { format!(", found {}", found.join(" and ")) };
                let message = format!("an action is one word with what it takes{found}");
                let problem = Problem::new(Code::ScenarioAction, message);
                let span = second.map_or(node.span, |entry| entry.key_span);
                let near = second.and_then(|entry| suggestions::nearest(&entry.key, BESIDE));
                let help = near.map_or("begin each action with a dash of its own".into(), Help::did_you_mean);
                desk.add(problem.at(span, "a second word").help(help));
                return None;
            }
        },
        NodeKind::Faulty => return None,
        _ => {
            desk.wrong("an action", node, DecodeError::Kind("a word like `ack`"));
            return None;
        }
    };
    let value = value.filter(|value| !matches!(value.kind, NodeKind::Null));
    let lacks = |expected: &str, example: &str, desk: &mut Diagnostics| {
        let problem = Problem::new(Code::ValueKind, format!("`{word}` takes {expected}, found nothing"));
        desk.add(problem.at(span, format!("expected {expected}")).help(format!("write `{word}: {example}`")));
        None
    };
    match word {
        "ack" => switches(value, ("ack", "`ack`"), &["multiple"], desk).map(|[multiple, _]| Action::Ack { multiple }),
        "nack" => switches(value, ("nack", "`nack`"), &["multiple", "requeue"], desk)
            .map(|[multiple, requeue]| Action::Nack { requeue, multiple }),
        "requeue" => switches(value, ("ack", "`requeue`"), &["multiple"], desk)
            .map(|[multiple, _]| Action::Nack { requeue: true, multiple }),
        "reject" => reject(value, desk),
        "hold" => Some(Action::Hold),
        "crash" => Some(Action::Crash),
        "close_channel" => Some(Action::CloseChannel),
        "cancel" => Some(Action::Cancel),
        "retry" => plain(value, "retry", Action::Retry, desk),
        "delay" => match value {
            Some(value) => desk.read("`delay`", value, read::duration).map(Action::Delay),
            None => lacks("a duration", "5s", desk),
        },
        "publish" => match value {
            Some(value) => {
                no_channel(value, desk);
                publish(value, folder, desk).map(|publish| Action::Publish(Box::new(publish)))
            }
            None => lacks("a message", "{exchange: orders, routing_key: order.created, body: hello}", desk),
        },
        "forward" => match value {
            Some(value) => forward(value, desk).map(|forward| Action::Forward(Box::new(forward))),
            None => lacks("where to", "{exchange: orders, routing_key: order.again}", desk),
        },
        "reply" => reply(value, span, folder, desk),
        _ => {
            let actions = WordGroup::named("action").map_or(&[][..], |group| group.words).iter().map(Word::key);
            let actions = actions.filter(|word| !BESIDE.contains(word));
            let problem = Problem::new(Code::ScenarioAction, format!("there is no action `{word}`"));
            let help = joined(word).unwrap_or_else(|| suggestions::suggest(word, actions, "there are"));
            desk.add(problem.at(span, "unknown action").help(help));
            None
        }
    }
}

/// Returns how actions are written that stand in one text: `ack, publish`, `nack(requeue=true)`.
fn joined(text: &str) -> Option<Help> {
    let group = WordGroup::named("action")?;
    let first = text.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|first| group.has(first))?;
    if text.contains(',') && !text.contains('(') {
        let words: Vec<&str> = text.split(',').map(str::trim).collect();
        return words
            .iter()
            .all(|word| group.has(word))
            .then(|| format!("write a list: `do: [{}]`", words.join(", ")).into());
    }
    let line = examples::of_key(group, first, Shape::Map).unwrap_or_else(|| first.to_owned());
    Some(format!("what an action takes stands behind it: `do: [{{{line}}}]`").into())
}

/// Takes an action that has no settings.
fn plain(value: Option<&Node>, word: &str, action: Action, desk: &mut Diagnostics) -> Option<Action> {
    let Some(value) = value else { return Some(action) };
    let problem = Problem::new(Code::ScenarioAction, format!("`{word}` takes nothing, found {}", value.describe()));
    let help = "the delays and the end stand in the topology, at the queue: `retry: {delays: [5s, 30s], then: QUEUE}`";
    desk.add(problem.at(value.span, "too much").help(help));
    None
}

fn reject(value: Option<&Node>, desk: &mut Diagnostics) -> Option<Action> {
    if let Some(entry) = value.and_then(|node| node.entries().iter().find(|entry| entry.key == "multiple")) {
        let problem = Problem::new(Code::ScenarioAction, "AMQP rejects one message at a time");
        let help = "`nack: {multiple: true}` settles all up to this one";
        desk.add(problem.at(entry.key_span, "basic.reject knows no `multiple`").help(help));
        return None;
    }
    switches(value, ("reject", "`reject`"), &["requeue"], desk).map(|[requeue, _]| Action::Reject { requeue })
}

/// Decodes a reply: a publish that says nothing of where it goes.
fn reply(value: Option<&Node>, span: Span, folder: &Folder<'_>, desk: &mut Diagnostics) -> Option<Action> {
    let empty = Node::new(span, NodeKind::Map(Vec::new()));
    let node = value.unwrap_or(&empty);
    let aims = ["exchange", "routing_key", "mandatory", "count", "every"];
    if let Some(entry) = node.entries().iter().find(|entry| aims.contains(&entry.key.as_str())) {
        let problem = Problem::new(Code::ScenarioAction, format!("a reply takes no `{}`", entry.key));
        let help = "it goes to the queue that `message.reply_to` names; `publish` sends a message elsewhere";
        desk.add(problem.at(entry.key_span, "not of a reply").help(help));
        return None;
    }
    no_channel(node, desk);
    publish(node, folder, desk).map(|publish| Action::Reply(Box::new(publish)))
}

/// Refuses `channel` in what a consumer publishes: it has channels of its own.
fn no_channel(node: &Node, desk: &mut Diagnostics) {
    if let Some(entry) = node.entries().iter().find(|entry| entry.key == "channel") {
        let problem = Problem::new(Code::ScenarioChannel, "a consumer publishes over a channel of its own");
        let help =
            "leave `channel` out; a consumer of amq.rabbitmq.reply-to publishes over the channel that it consumes on";
        desk.add(problem.at(entry.key_span, "of a step only").help(help));
    }
}

/// Reads up to two switches of an action, absent ones are off.
fn switches(
    node: Option<&Node>,
    (group, what): (&str, &'static str),
    keys: &[&'static str],
    desk: &mut Diagnostics,
) -> Option<[bool; 2]> {
    let mut found = [false; 2];
    let Some(node) = node else { return Some(found) };
    let mut fields = MapDecoder::of(group, what, node, desk)?;
    for (at, key) in keys.iter().copied().enumerate() {
        found[at] = fields.opt(key, desk, read::boolean).unwrap_or(false);
    }
    fields.finish(desk);
    Some(found)
}
