//! Decodes steps: one verb each, with who acts, where, and whether a refusal is expected.
//! Takes a rendered node; gives the driver's lines.

use crate::language::check::legal;
use crate::language::decode::collect::ClimbedLadders;
use crate::language::decode::map_decoder::{Diagnostics, MapDecoder, each};
use crate::language::decode::read;
use crate::language::decode::read::DecodeError;
use crate::language::decode::scenario::access_steps;
use crate::language::decode::scenario::call::call;
use crate::language::decode::scenario::expectations::expectation;
use crate::language::decode::scenario::held::{get, settle};
use crate::language::decode::scenario::publish::{Folder, publish};
use crate::language::decode::scenario::refused::refused;
use crate::language::decode::suggestions;
use crate::language::decode::topology::objects::{Surroundings, binding_fields, exchange_fields, queue_fields};
use crate::language::syntax::tree::{Entry, Node, NodeKind};
use crate::language::words::{Word, WordGroup};
use crate::model::{Act, Name, Object, Pace, QueueName, QuietWait, Side, Step, TransactionAct, When};
use crate::source::{Code, Help, Problem, Span, nearest_name};
use std::collections::BTreeSet;

/// Lists all words that a step begins with.
fn verbs() -> impl Iterator<Item = &'static str> + Clone {
    let words = WordGroup::named("step").map_or(&[][..], |group| group.words);
    words.iter().map(Word::key).filter(|key| !BESIDE.contains(key) && *key != "for_each")
}

/// Keys that stand beside the verb.
const BESIDE: [&str; 4] = ["as", "vhost", "refused", "every"];

/// What is done by whoever has the messages in hand.
const OF_HOLDERS: [&str; 5] = ["ack", "nack", "reject", "recover", "qos"];

/// Where steps are decoded.
pub struct StepSurroundings<'w> {
    pub folder: Folder<'w>,
    /// Of a step that names none.
    pub vhost: Name,
    /// What consumers may climb.
    pub ladders: ClimbedLadders,
}

/// Decodes a list of steps.
pub fn steps(what: &str, node: &Node, stage: &StepSurroundings<'_>, desk: &mut Diagnostics) -> Vec<Step> {
    let mut before: Option<(Span, u32)> = None;
    each(what, node, desk, |node, desk| {
        // What a `for_each` wrote out stands at one place of the file.
        let index = before.filter(|(span, _)| *span == node.span).map_or(0, |(_, index)| index + 1);
        before = Some((node.span, index));
        step(node, index, stage, desk)
    })
}

/// Lists the names that steps start, of which each start must be refused.
pub fn refused_starts<'n>(lists: impl Iterator<Item = &'n Node>) -> BTreeSet<&'n str> {
    let steps = lists.filter_map(|node| if let NodeKind::List(steps) = &node.kind { Some(steps) } else { None });
    let starts =
        steps.flatten().filter_map(|step| Some((step.get("start")?.as_text()?, step.get("refused").is_some())));
    let (mut refused, mut started) = (BTreeSet::new(), BTreeSet::new());
    starts.for_each(|(name, fails)| _ = if fails { refused.insert(name) } else { started.insert(name) });
    refused.retain(|name| !started.contains(name));
    refused
}

/// Finds an `every` that repeats nothing, in steps as they are written.
pub fn check_pace(steps: Option<&Node>, desk: &mut Diagnostics) {
    let Some(NodeKind::List(steps)) = steps.map(|node| &node.kind) else { return };
    for step in steps.iter().filter(|step| step.get("for_each").is_none()) {
        let Some(entry) = step.entries().iter().find(|entry| entry.key == "every") else { continue };
        let help = match step.get("publish") {
            Some(_) => "put it into the `publish`, with a `count`; or repeat the step by `for_each: [a, b]`",
            None => "repeat the step by `for_each: [a, b]`, or put `advance` between two steps",
        };
        let problem = Problem::new(Code::ScenarioEvery, "`every` is the time between the repetitions of a step");
        desk.add(problem.at(entry.key_span, "this step is not repeated").help(help));
    }
}

/// Checks `at_end`: the run is over there, and all that can be done is to judge what it left.
pub fn check_at_end(steps: &[Step], desk: &mut Diagnostics) {
    for step in steps {
        let (message, help) = match &step.act {
            Act::Expect(expectation) if expectation.letters().is_some() => (
                "at the end queues are read, which may make room for dead letters that wait: they cannot be counted there",
                "move the expectation to `steps:`",
            ),
            Act::Expect(expectation) if expectation.when == When::Quiet => continue,
            Act::Expect(_) => (
                "at the end nothing is waited for any more: `within`, `for` and `at` have no meaning there",
                "leave the time out, or move the expectation to `steps:`",
            ),
            _ => ("only `expect` can stand in `at_end`: the run is over", "do it in `steps:`, or in `finally:`"),
        };
        desk.add(Problem::new(Code::ScenarioAtEnd, message).at(step.span, "at the end").help(help));
    }
}

fn step(node: &Node, index: u32, stage: &StepSurroundings<'_>, desk: &mut Diagnostics) -> Option<Step> {
    let mut fields = MapDecoder::of("step", "a step", node, desk)?;
    let actor = fields.opt("as", desk, read::name);
    let vhost = fields.opt("vhost", desk, read::name).unwrap_or_else(|| stage.vhost.clone());
    let refused = fields.node("refused").and_then(|node| refused(node, desk));
    let pace = fields.opt("every", desk, read::duration).map(|every| Pace { every, index });
    if node.entries().is_empty() {
        let problem = Problem::new(Code::ScenarioStep, "this step does nothing").at(node.span, "empty");
        desk.add(problem.help("begin it with a word like `publish`, `expect` or `advance`"));
    }
    let words: Vec<&Entry> = node.entries().iter().filter(|entry| !BESIDE.contains(&entry.key.as_str())).collect();
    let verb = *words.iter().find(|entry| verbs().any(|verb| verb == entry.key)).or(words.first())?;
    if !verbs().any(|known| known == verb.key) {
        let problem = Problem::new(Code::ScenarioStep, format!("there is no step `{}`", verb.key));
        desk.add(problem.at(verb.key_span, "unknown step").help(suggestions::suggest(&verb.key, verbs(), "there are")));
        return None;
    }
    for second in words.iter().filter(|entry| entry.key != verb.key) {
        let known = verbs().any(|known| known == second.key);
        let message = match known {
            true => format!("a step does one thing, found `{}` and `{}`", verb.key, second.key),
            false => format!("unknown key `{}` in a step", second.key),
        };
        let help = match known {
            true => "begin each step with a dash of its own".into(),
            false => beside_help(verb, second),
        };
        desk.add(Problem::new(Code::ScenarioStep, message).at(second.key_span, "beside it").help(help));
    }
    let is_below = |entry: &&&Entry| inner(verb).is_some_and(|group| group.has(&entry.key));
    if matches!(verb.value.kind, NodeKind::Null) && words.iter().any(|entry| is_below(&entry)) {
        return None;
    }
    check_beside(verb, node, desk);
    let act = desk.must_be_refused(refused.is_some(), |desk| act(verb, &vhost, stage, desk))?;
    Some(Step { span: node.span, act, actor, vhost, refused, pace })
}

/// Returns the group of what a verb takes.
fn inner(verb: &Entry) -> Option<&'static WordGroup> {
    let word = WordGroup::named("step")?.words.iter().find(|word| word.key() == verb.key)?;
    WordGroup::named(word.kind.split('@').nth(1)?)
}

/// Returns what to do with a key that stands beside a verb and is none of a step.
fn beside_help(verb: &Entry, second: &Entry) -> Help {
    if let Some(near) = nearest_name(&second.key, BESIDE) {
        return Help::did_you_mean(near);
    }
    let below = inner(verb).and_then(|group| match group.has(&second.key) {
        true => Some(format!("keys of `{}` are indented below it", verb.key)),
        false => {
            let near = suggestions::nearest(&second.key, group.keys())?;
            Some(format!("did you mean `{near}`? it is indented below `{}`", verb.key))
        }
    });
    let of_meaning = || suggestions::nearest(&second.key, BESIDE).map(Help::did_you_mean);
    let of_another = |word: &&Word| {
        let group = word.kind.split('@').nth(1).and_then(WordGroup::named);
        word.key() != verb.key && group.is_some_and(|group| group.has(&second.key))
    };
    let others = || WordGroup::named("step")?.words.iter().find(of_another);
    let beside = || match others() {
        Some(other) => {
            format!("`{}` is a key of `{}`: begin that step with a dash of its own", second.key, other.key())
        }
        None => format!("beside it a step knows {}", suggestions::listed(BESIDE)),
    };
    below.map(Help::from).or_else(of_meaning).unwrap_or_else(|| beside().into())
}

/// Refuses `as` and `refused` where nobody could be the one who acts, or is refused.
fn check_beside(verb: &Entry, step: &Node, desk: &mut Diagnostics) {
    let beside = |key: &str| step.entries().iter().find(|entry| entry.key == key);
    let of_runner = [
        "expect",
        "advance",
        "wait_until_quiet",
        "start",
        "stop",
        "crash",
        "close_connection",
        "restart_broker",
        "stop_node",
        "start_node",
    ];
    if let Some(entry) = beside("as").filter(|_| OF_HOLDERS.contains(&verb.key.as_str())) {
        let message = format!("`{}` is done over the channel that is meant: `as` has no meaning there", verb.key);
        let help = "leave `as` out; it stands beside the `get` that takes the message, and in the consumer";
        desk.add(Problem::new(Code::ScenarioAs, message).at(entry.key_span, "it is held already").help(help));
    }
    let (inert, managed) = (of_runner.contains(&verb.key.as_str()), access_steps::VERBS.contains(&verb.key.as_str()));
    if let Some(entry) = beside("as").filter(|_| inert || managed) {
        let message = format!("`{}` is done by the runner: `as` has no meaning there", verb.key);
        let help = match managed {
            true => "users of a topology have no tags, so the management API refuses them all: leave `as` out",
            false => "leave `as` out",
        };
        desk.add(Problem::new(Code::ScenarioAs, message).at(entry.key_span, "nobody acts").help(help));
    }
    if let Some(entry) = beside("refused").filter(|_| inert && verb.key != "start") {
        let message = format!("`{}` asks nobody who could refuse it", verb.key);
        let help = "put `refused` beside the step that the broker refuses: `publish`, `get`, `declare`, `start` …";
        desk.add(Problem::new(Code::ScenarioRefused, message).at(entry.key_span, "never refused").help(help));
    }
}

fn act(verb: &Entry, vhost: &Name, stage: &StepSurroundings<'_>, desk: &mut Diagnostics) -> Option<Act> {
    let node = &verb.value;
    let named = |desk: &mut Diagnostics| desk.read(&format!("`{}`", verb.key), node, read::name);
    let around = Surroundings { vhost: vhost.clone() };
    Some(match verb.key.as_str() {
        "publish" => Act::Publish(Box::new(publish(node, &stage.folder, desk)?)),
        "expect" => Act::Expect(Box::new(expectation(node, vhost, desk)?)),
        "advance" => Act::Advance(desk.read("`advance`", node, read::duration)?),
        "wait_until_quiet" => wait_until_quiet(node, desk)?,
        "start" => Act::Start(named(desk)?),
        "stop" => Act::Stop(named(desk)?),
        "crash" => Act::Crash(named(desk)?),
        "get" => get(node, vhost, desk)?,
        "ack" | "nack" | "reject" => settle(&verb.key, node, desk)?,
        "consume" => consume(node, vhost, desk)?,
        "qos" => qos(node, desk)?,
        "recover" => recover(node, desk)?,
        "tx" => transaction(node, desk)?,
        "purge" => Act::Purge(queue_of("`purge`", node, vhost, desk)?),
        "declare" => declare(node, &around, desk)?,
        "delete" => delete(node, vhost, desk)?,
        "bind" => Act::Bind(Box::new(binding(node, vhost, desk)?)),
        "unbind" => Act::Unbind(Box::new(binding(node, vhost, desk)?)),
        verb if access_steps::VERBS.contains(&verb) => access_steps::act(verb, node, vhost, desk)?,
        "call" => Act::Call(Box::new(call(node, &stage.folder, desk)?)),
        "close_connection" => close_connection(node, desk)?,
        "stop_node" => stop_node(node, vhost, desk)?,
        "start_node" => nothing_beside("`start_node`", node, desk).map(|()| Act::StartNodes)?,
        // All other words were refused above.
        _ => nothing_beside("`restart_broker`", node, desk).map(|()| Act::RestartBroker)?,
    })
}

/// Reads whose connection ends and who ends it; a name alone means: by the broker.
fn close_connection(node: &Node, desk: &mut Diagnostics) -> Option<Act> {
    if let NodeKind::Text(_) = node.kind {
        let of = desk.read("`close_connection`", node, read::name)?;
        return Some(Act::CloseConnection { of, by: Side::Broker });
    }
    let mut fields = MapDecoder::of("close_connection", "`close_connection`", node, desk)?;
    let of = fields.need("of", desk, read::name);
    let by = fields.opt("by", desk, read::word(&["broker", "client", "network"]));
    fields.finish(desk);
    let by = match by {
        Some("client") => Side::Client,
        Some("network") => Side::Network,
        _ => Side::Broker,
    };
    Some(Act::CloseConnection { of: of?, by })
}

/// Reads a duration, or `{within, for}`.
fn wait_until_quiet(node: &Node, desk: &mut Diagnostics) -> Option<Act> {
    if !matches!(node.kind, NodeKind::Map(_)) {
        let within = desk.read("`wait_until_quiet`", node, read::duration)?;
        return Some(Act::WaitUntilQuiet(QuietWait { within, lasting: None }));
    }
    let mut fields = MapDecoder::of("wait_until_quiet", "`wait_until_quiet`", node, desk)?;
    let within = fields.need("within", desk, read::duration);
    let lasting = fields.opt("for", desk, read::duration);
    fields.finish(desk);
    Some(Act::WaitUntilQuiet(QuietWait { within: within?, lasting }))
}

/// A restart takes nothing, how long it lasts is the broker's; nor does a start of nodes, which means all that are down.
fn nothing_beside(what: &'static str, node: &Node, desk: &mut Diagnostics) -> Option<()> {
    match &node.kind {
        NodeKind::Null | NodeKind::Bool(true) => Some(()),
        NodeKind::Map(entries) if entries.is_empty() => Some(()),
        _ => {
            desk.wrong(what, node, DecodeError::Kind("nothing, or `true`"));
            None
        }
    }
}

/// Reads `{leader_of: QUEUE}`: nodes have other names on each cluster.
fn stop_node(node: &Node, vhost: &Name, desk: &mut Diagnostics) -> Option<Act> {
    let mut fields = MapDecoder::of("stop_node", "`stop_node`", node, desk)?;
    let queue = fields.need("leader_of", desk, read::name);
    fields.finish(desk);
    Some(Act::StopNode { leader_of: QueueName { vhost: vhost.clone(), name: queue? } })
}

/// Reads a queue's name, or `{queue, global_prefetch}`.
fn consume(node: &Node, vhost: &Name, desk: &mut Diagnostics) -> Option<Act> {
    let in_vhost = |name| QueueName { vhost: vhost.clone(), name };
    if !matches!(node.kind, NodeKind::Map(_)) {
        let queue = in_vhost(desk.read("`consume`", node, read::name)?);
        return Some(Act::Consume { queue, global_prefetch: 0 });
    }
    let mut fields = MapDecoder::of("consume", "`consume`", node, desk)?;
    let queue = fields.need("queue", desk, read::name);
    let global_prefetch = fields.opt("global_prefetch", desk, read::between(0u16, u16::MAX)).unwrap_or(0);
    fields.finish(desk);
    Some(Act::Consume { queue: in_vhost(queue?), global_prefetch })
}

/// Reads whose channel is recovered; a name alone is enough.
fn recover(node: &Node, desk: &mut Diagnostics) -> Option<Act> {
    if !matches!(node.kind, NodeKind::Map(_)) {
        return Some(Act::Recover { of: desk.read("`recover`", node, read::name)?, requeue: true });
    }
    let mut fields = MapDecoder::of("recover", "`recover`", node, desk)?;
    let of = fields.need("of", desk, read::name);
    let requeue = fields.opt("requeue", desk, read::boolean).unwrap_or(true);
    fields.finish(desk);
    Some(Act::Recover { of: of?, requeue })
}

fn transaction(node: &Node, desk: &mut Diagnostics) -> Option<Act> {
    let all = [TransactionAct::Select, TransactionAct::Commit, TransactionAct::Rollback];
    let word = desk.read("`tx`", node, read::word(&["select", "commit", "rollback"]))?;
    all.into_iter().find(|act| act.as_str() == word).map(Act::Transaction)
}

fn qos(node: &Node, desk: &mut Diagnostics) -> Option<Act> {
    let mut fields = MapDecoder::of("qos", "`qos`", node, desk)?;
    let of = fields.need("of", desk, read::name);
    let prefetch = fields.need("prefetch", desk, read::between(0u16, u16::MAX));
    let global = fields.opt("global", desk, read::boolean).unwrap_or(false);
    fields.finish(desk);
    Some(Act::Qos { of: of?, prefetch: prefetch?, global })
}

/// Reads a queue's name, or `{queue}`.
fn queue_of(what: &'static str, node: &Node, vhost: &Name, desk: &mut Diagnostics) -> Option<QueueName> {
    let name = |name| QueueName { vhost: vhost.clone(), name };
    if !matches!(node.kind, NodeKind::Map(_)) {
        return desk.read(what, node, read::name).map(name);
    }
    let mut fields = MapDecoder::of("queue_only", what, node, desk)?;
    let queue = fields.need("queue", desk, read::name);
    fields.finish(desk);
    queue.map(name)
}

/// Takes the one object of a map, `{queue: …}` or `{exchange: …}`, beside which these keys may stand.
fn queue_or_exchange<'n>(what: &str, node: &'n Node, beside: &[&str], desk: &mut Diagnostics) -> Option<&'n Entry> {
    let is_object = |entry: &&Entry| matches!(&*entry.key, "queue" | "exchange");
    let is_unknown = |entry: &&Entry| !is_object(entry) && !beside.contains(&entry.key.as_str());
    let objects: Vec<&Entry> = node.entries().iter().filter(is_object).collect();
    match objects.as_slice() {
        [entry] => {
            for other in node.entries().iter().filter(is_unknown) {
                let message = format!("unknown key `{}` in {what}", other.key);
                let problem = Problem::new(Code::YamlUnknownKey, message).at(other.key_span, "unknown key");
                let below = format!("what is said of the {} stands in a map: `{}: {{name: …}}`", entry.key, entry.key);
                let near = suggestions::nearest(&other.key, beside.iter().copied()).map(Help::did_you_mean);
                desk.add(problem.help(near.unwrap_or_else(|| below.into())));
            }
            Some(entry)
        }
        _ => {
            desk.wrong(what, node, DecodeError::Kind("`queue:` or `exchange:`"));
            None
        }
    }
}

fn declare(node: &Node, around: &Surroundings, desk: &mut Diagnostics) -> Option<Act> {
    let entry = queue_or_exchange("`declare`", node, &["passive"], desk)?;
    let passive = node.entries().iter().find(|entry| entry.key == "passive");
    if passive.and_then(|passive| desk.read("`passive`", &passive.value, read::boolean)) == Some(true) {
        return declare_passive(entry, &around.vhost, desk);
    }
    let short;
    let value = match entry.value.kind {
        NodeKind::Text(_) => {
            let name = Entry { key: "name".into(), key_span: entry.key_span, value: entry.value.clone() };
            short = Node::new(entry.value.span, NodeKind::Map(vec![name]));
            &short
        }
        _ => &entry.value,
    };
    let mut origin = crate::language::decode::collect::origin(value);
    origin.whole = value.span;
    if entry.key == "queue" {
        let mut fields = MapDecoder::of("queue", "a queue", value, desk)?;
        let read = queue_fields(&mut fields, around, desk);
        fields.not_yet(
            desk,
            &[("bindings", "bind it by a step `bind`"), ("retry", "declare a queue with `retry` in the topology")],
        );
        fields.finish(desk);
        let (queue, arguments) = read?;
        if !desk.refused {
            legal::queue(&queue, &arguments.places, &origin, desk);
        }
        return Some(Act::DeclareQueue(Box::new(queue)));
    }
    let mut fields = MapDecoder::of("exchange", "an exchange", value, desk)?;
    let read = exchange_fields(&mut fields, around, desk);
    fields.not_yet(desk, &[("bindings", "bind it by a step `bind`")]);
    fields.finish(desk);
    let exchange = read?;
    if !desk.refused {
        legal::exchange(&exchange, &origin, desk);
    }
    Some(Act::DeclareExchange(Box::new(exchange)))
}

/// A passive declare asks for a name; RabbitMQ looks at nothing else that it says.
fn declare_passive(entry: &Entry, vhost: &Name, desk: &mut Diagnostics) -> Option<Act> {
    if let NodeKind::Map(fields) = &entry.value.kind {
        let message = format!("a passive declare asks only whether the {} is there, by its name", entry.key);
        let name = fields.iter().find(|field| field.key == "name").and_then(|field| match &field.value.kind {
            NodeKind::Text(name) => Some(name.as_str()),
            _ => None,
        });
        let help = format!("write `declare: {{{}: {}, passive: true}}`", entry.key, name.unwrap_or("NAME"));
        let problem = Problem::new(Code::ScenarioPassive, message);
        desk.add(problem.at(entry.value.span, "RabbitMQ compares none of this").help(help));
        return None;
    }
    let name = desk.read(&format!("`{}`", entry.key), &entry.value, read::name)?;
    let vhost = vhost.clone();
    Some(Act::DeclarePassive(match entry.key.as_str() {
        "queue" => Object::Queue { vhost, name },
        _ => Object::Exchange { vhost, name },
    }))
}

fn delete(node: &Node, vhost: &Name, desk: &mut Diagnostics) -> Option<Act> {
    if !matches!(node.kind, NodeKind::Map(_)) {
        desk.wrong("`delete`", node, DecodeError::Kind("`queue:` or `exchange:`"));
        return None;
    }
    let mut fields = MapDecoder::of("delete", "`delete`", node, desk)?;
    let queue = fields.opt("queue", desk, read::name);
    let exchange = fields.opt("exchange", desk, read::name);
    let if_unused = fields.opt("if_unused", desk, read::boolean).unwrap_or(false);
    let if_empty = fields.opt("if_empty", desk, read::boolean).unwrap_or(false);
    let both = (fields.has("queue"), fields.has("exchange"));
    if both == (false, false) || both == (true, true) {
        desk.wrong("`delete`", node, DecodeError::Kind("`queue:` or `exchange:`"));
        return None;
    }
    if let (true, Some(entry)) = (both.1, fields.entry("if_empty")) {
        let problem = Problem::new(Code::YamlUnknownKey, "an exchange holds nothing: `if_empty` is for queues");
        desk.add(problem.at(entry.key_span, "of an exchange").help("leave it out, or write `if_unused`"));
    }
    fields.finish(desk);
    let vhost = vhost.clone();
    let object = match (queue, exchange) {
        (Some(name), _) => Object::Queue { vhost, name },
        (None, name) => Object::Exchange { vhost, name: name? },
    };
    Some(Act::Delete { object, if_unused, if_empty })
}

fn binding(node: &Node, vhost: &Name, desk: &mut Diagnostics) -> Option<crate::model::Binding> {
    let mut fields = MapDecoder::of("binding", "a binding", node, desk)?;
    let read = binding_fields(&mut fields, vhost.clone(), desk);
    fields.finish(desk);
    read
}
