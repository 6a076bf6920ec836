//! Decodes `expect`: whom it speaks of, what must hold, and when it is judged.
//! Takes a rendered node; gives an expectation whose lists keep their places.

use crate::language::decode::map_decoder::{Diagnostics, MapDecoder, each};
use crate::language::decode::read;
use crate::language::decode::read::{DecodeError, Read};
use crate::language::decode::scenario::matchers::DEATH_REASONS;
use crate::language::decode::scenario::metric::metric;
use crate::language::decode::scenario::publish::expiration;
use crate::language::decode::scenario::tally::tally;
use crate::language::decode::suggestions;
use crate::language::syntax::tree::{Entry, Node, NodeKind};
use crate::model::{
    Batches, ConnectionExpectation, ConsumerExpectation, Count, DeathPattern, Entries, Expectation, MessageExpectation,
    MessagePattern, Millis, Moment, Name, Order, Peak, Property, PropertyPattern, PublishExpectation, PublishOutcome,
    QueueExpectation, QueueKind, QueueName, Received, Subject, Tolerance, When,
};
use crate::source::{Code, Help, Problem, Span};

/// All keys that say whom an expectation speaks of.
const SUBJECTS: [&str; 13] = [
    "queue",
    "consumer",
    "message",
    "confirmed",
    "nacked",
    "returned",
    "refused",
    "lost",
    "unroutable",
    "dropped",
    "tally",
    "connections",
    "metric",
];

/// Decodes one `expect`.
pub fn expectation(node: &Node, vhost: &Name, desk: &mut Diagnostics) -> Option<Expectation> {
    let mut fields = MapDecoder::of("expect", "an expectation", node, desk)?;
    let when = when(&mut fields, desk);
    if !has_one_subject(node, desk) {
        return None;
    }
    let has = |key: &str| node.get(key).is_some();
    let subject = if has("queue") {
        queue(&mut fields, vhost, desk).map(Subject::Queue)
    } else if has("consumer") {
        consumer(&mut fields, desk).map(Subject::Consumer)
    } else if has("message") {
        message(&mut fields, desk).map(Subject::Message)
    } else if has("tally") {
        tally(&mut fields, vhost, desk).map(|tally| Subject::Tally(Box::new(tally)))
    } else if has("metric") {
        metric(&mut fields, vhost, desk).map(Subject::Metric)
    } else if has("connections") {
        let count = fields.opt("connections", desk, read::count);
        let of = fields.opt("of", desk, read::name);
        count.map(|count| Subject::Connections(ConnectionExpectation { count, of }))
    } else {
        counted(&mut fields, node, desk)
    };
    match subject {
        Some(subject) => {
            fields.finish(desk);
            Some(Expectation { span: node.span, subject, when: when? })
        }
        None => None,
    }
}

/// An expectation speaks of one thing; only `nacked` is also what a consumer does.
fn has_one_subject(node: &Node, desk: &mut Diagnostics) -> bool {
    let consumer = node.get("consumer").is_some();
    let mut given = SUBJECTS.into_iter().filter(|key| node.get(key).is_some() && !(consumer && *key == "nacked"));
    let (Some(first), Some(second)) = (given.next(), given.next()) else { return true };
    let place = node.entries().iter().find(|entry| entry.key == second).map_or(node.span, |entry| entry.key_span);
    let message = format!("an expectation has one subject, found `{first}` and `{second}`");
    let problem = Problem::new(Code::ScenarioTwoSubjects, message).at(place, "the second");
    desk.add(problem.help("write two expectations, each with a dash of its own"));
    false
}

fn when(fields: &mut MapDecoder<'_>, desk: &mut Diagnostics) -> Option<When> {
    let given: Vec<_> = ["within", "for", "at"].into_iter().filter_map(|key| fields.entry(key)).collect();
    if let [first, second, ..] = given[..] {
        let message = format!("`{}` and `{}` cannot both say when it is judged", first.key, second.key);
        let problem = Problem::new(Code::ScenarioTwoTimes, message).at(second.key_span, "the second");
        desk.add(problem.at(first.key_span, "the first").help("write two expectations"));
        return None;
    }
    let Some(entry) = given.first() else { return Some(When::Quiet) };
    let length = desk.read(&format!("`{}`", entry.key), &entry.value, read::duration)?;
    Some(match entry.key.as_str() {
        "within" => When::Within(length),
        "for" => When::For(length),
        _ => When::At(Moment(length.0)),
    })
}

/// Decodes the subjects that are a key and a count.
fn counted(fields: &mut MapDecoder<'_>, node: &Node, desk: &mut Diagnostics) -> Option<Subject> {
    use PublishOutcome::{Confirmed, Lost, Nacked, Refused, Returned, RolledBack};
    for outcome in [Confirmed, Nacked, Returned, Refused, Lost, RolledBack] {
        let key = outcome.as_str();
        if fields.has(key) {
            let count = fields.opt(key, desk, read::count);
            let of = fields.opt("of", desk, read::late_name);
            return Some(Subject::Publishes(PublishExpectation { outcome, count: count?, of }));
        }
    }
    if fields.has("unroutable") {
        return fields.opt("unroutable", desk, read::count).map(Subject::Unroutable);
    }
    if fields.has("dropped") {
        return fields.opt("dropped", desk, read::count).map(Subject::Dropped);
    }
    let misspelt = node.entries().iter().find_map(|it| Some((it, suggestions::nearest(&it.key, SUBJECTS)?)));
    let problem = Problem::new(Code::ScenarioNoSubject, "an expectation says whom it speaks of");
    desk.add(match misspelt {
        Some((entry, near)) => problem.at(entry.key_span, "unknown key").help(Help::did_you_mean(near)),
        None => problem.at(node.span, "no subject").help(format!("one of {}", suggestions::listed(SUBJECTS))),
    });
    None
}

fn queue(fields: &mut MapDecoder<'_>, vhost: &Name, desk: &mut Diagnostics) -> Option<QueueExpectation> {
    let name = fields.opt("queue", desk, read::name);
    let expectation = QueueExpectation {
        queue: QueueName { vhost: vhost.clone(), name: name.clone().unwrap_or_default() },
        kind: kind(fields, desk),
        ready: fields.opt("ready", desk, read::count),
        unacked: fields.opt("unacked", desk, read::count),
        total: fields.opt("total", desk, read::count),
        consumers: fields.opt("consumers", desk, read::count),
        dead_lettering: dead_lettering(fields, desk),
        peak: fields.node("peak").and_then(|node| peak(node, desk)),
        messages: messages(fields, desk),
    };
    name.map(|_| expectation)
}

/// Reads the type that a queue must have: it is looked up once, for it never changes.
fn kind(fields: &mut MapDecoder<'_>, desk: &mut Diagnostics) -> Option<QueueKind> {
    let entry = fields.entry("type")?;
    let word = desk.read("`type`", &entry.value, read::word(&["classic", "quorum", "stream"]))?;
    if let Some(time) = ["within", "for"].into_iter().find_map(|key| fields.entry(key)) {
        let message = format!("a queue's type never changes: `{}` waits for nothing", time.key);
        let problem = Problem::new(Code::ScenarioQueueType, message).at(entry.key_span, "looked up once");
        let help =
            "leave the time out; where a consumer declares the queue, wait for its count first: `ready: 0, within: 5s`";
        desk.add(problem.at(time.key_span, "waits").help(help));
    }
    QueueKind::named(word)
}

/// Reads how many dead letters wait: a live broker tells them up to 10 s late.
fn dead_lettering(fields: &mut MapDecoder<'_>, desk: &mut Diagnostics) -> Option<Count> {
    let count = fields.opt("dead_lettering", desk, read::count)?;
    let entry = fields.entry("dead_lettering")?;
    if let Some(time) = ["for", "at"].into_iter().find_map(|key| fields.entry(key)) {
        let message =
            format!("a live broker tells waiting dead letters up to 10 s late: `{}` cannot be kept", time.key);
        let problem = Problem::new(Code::ScenarioDeadLettering, message).at(entry.key_span, "told late");
        desk.add(problem.at(time.key_span, "asks for a moment").help("wait for it: `within: 20s`"));
    }
    let short = fields.entry("within").filter(|time| read::duration(&time.value).is_ok_and(|it| it < Millis(10_000)));
    if let Some(time) = short {
        let message = "a live broker tells waiting dead letters up to 10 s late";
        let note = Problem::note(Code::ScenarioDeadLettering, message).at(time.value.span, "may be too short there");
        desk.add(note.help("give it more: `within: 20s`"));
    }
    Some(count)
}

fn peak(node: &Node, desk: &mut Diagnostics) -> Option<Peak> {
    let mut fields = MapDecoder::of("peak", "`peak`", node, desk)?;
    let peak = Peak {
        ready: fields.opt("ready", desk, read::count),
        unacked: fields.opt("unacked", desk, read::count),
        total: fields.opt("total", desk, read::count),
    };
    fields.finish(desk);
    Some(peak)
}

fn order(fields: &mut MapDecoder<'_>, desk: &mut Diagnostics) -> Option<Order> {
    let word = fields.opt("order", desk, read::word(&["any", "as_listed"]))?;
    Some(if word == "any" { Order::Any } else { Order::AsListed })
}

/// Takes `messages`, a list or `{includes}`, with `order` beside it.
fn messages(fields: &mut MapDecoder<'_>, desk: &mut Diagnostics) -> Option<Entries<MessagePattern>> {
    let order = order(fields, desk);
    let includes = fields.node("includes");
    match (fields.node("messages"), includes) {
        (Some(node), _) if read::count(node).is_ok() => {
            let problem = Problem::new(
                Code::ValueKind,
                format!("`messages` is the list of what a queue holds, found {}", node.describe()),
            );
            desk.add(
                problem
                    .at(node.span, "expected a list")
                    .help("write `ready: 3` for how many; `messages: [a, b]` lists them"),
            );
            None
        }
        (Some(node), second) => {
            if let Some(second) = second {
                two_lists("messages", second, desk);
            }
            entries(("includes", "`messages`"), node, order, desk, pattern)
        }
        (None, Some(node)) => Some(included(node, order, desk, pattern)),
        (None, None) => None,
    }
}

/// Decodes a whole list, or `{includes: [...], order: any}`.
fn entries<T>(
    (group, what): (&str, &'static str),
    node: &Node,
    order_beside: Option<Order>,
    desk: &mut Diagnostics,
    decode: impl FnMut(&Node, &mut Diagnostics) -> Option<T>,
) -> Option<Entries<T>> {
    if let NodeKind::Map(_) = node.kind {
        let mut fields = MapDecoder::of(group, what, node, desk)?;
        let order = order(&mut fields, desk).or(order_beside).unwrap_or(Order::Any);
        if !fields.has("includes") {
            fields.missing("includes", desk);
        }
        let entries = fields.node("includes").map(|list| included(list, Some(order), desk, decode));
        fields.finish(desk);
        return entries.map(|entries| Entries { span: node.span, ..entries });
    }
    let count_before = desk.problems.len();
    let entries = each(what, node, desk, decode);
    let whole = desk.problems.len() == count_before && matches!(node.kind, NodeKind::List(_));
    let order = order_beside.unwrap_or(Order::AsListed);
    whole.then_some(Entries { entries, order, includes: false, span: node.span })
}

fn two_lists(whole: &str, second: &Node, desk: &mut Diagnostics) {
    let message = format!("`{whole}` is the whole list, `includes` a part of it");
    let problem = Problem::new(Code::ScenarioTwoLists, message).at(second.span, "the second list");
    desk.add(problem.help("keep one of them, or write two expectations"));
}

/// Decodes a list of what must be among others.
fn included<T>(
    node: &Node,
    order: Option<Order>,
    desk: &mut Diagnostics,
    decode: impl FnMut(&Node, &mut Diagnostics) -> Option<T>,
) -> Entries<T> {
    if matches!(&node.kind, NodeKind::List(entries) if entries.is_empty()) {
        let problem = Problem::new(Code::ScenarioIncludesNothing, "`includes` lists nothing, so it always holds");
        desk.add(
            problem
                .at(node.span, "empty")
                .help("list what must be there; an empty list without `includes` says that nothing is"),
        );
    }
    let entries = each("`includes`", node, desk, decode);
    Entries { entries, order: order.unwrap_or(Order::Any), includes: true, span: node.span }
}

/// Decodes one message of a list: its id alone, or the fields that matter.
pub fn pattern(node: &Node, desk: &mut Diagnostics) -> Option<MessagePattern> {
    let mut pattern = MessagePattern::any(node.span);
    if !matches!(node.kind, NodeKind::Map(_)) {
        pattern.id = Some(desk.read("a message", node, |node| match read::late_name(node) {
            Err(DecodeError::Kind(_) | DecodeError::Scalar(_)) => Err(DecodeError::Kind("its id, or a map of fields")),
            other => other,
        })?);
        return Some(pattern);
    }
    let mut fields = MapDecoder::of("message", "a message", node, desk)?;
    pattern.id = fields.opt("id", desk, read::late_name);
    pattern.body = fields.opt("body", desk, read::late_text);
    pattern.json = fields.opt("json", desk, read::late_value);
    pattern.headers = fields.opt("headers", desk, read::headers).unwrap_or_default();
    pattern.without_headers = fields.opt("without_headers", desk, read::texts).unwrap_or_default();
    pattern.exchange = fields.opt("exchange", desk, read::name);
    pattern.routing_key = fields.opt("routing_key", desk, read::late_name);
    pattern.redelivered = fields.opt("redelivered", desk, read::boolean);
    pattern.properties =
        Property::ALL.into_iter().filter_map(|one| Some((one, property(&mut fields, one, desk)?))).collect();
    pattern.without_properties = fields.opt("without_properties", desk, property_names).unwrap_or_default();
    contradictions(&pattern, node, desk);
    pattern.x_death =
        fields.node("x_death").and_then(|node| entries(("includes_deaths", "`x_death`"), node, None, desk, death));
    fields.finish(desk);
    Some(pattern)
}

/// Reads what a property must be: a text or a number, as a publish gives it.
fn property(fields: &mut MapDecoder<'_>, property: Property, desk: &mut Diagnostics) -> Option<PropertyPattern> {
    let key = property.as_str();
    match property {
        Property::Priority | Property::Timestamp => fields.opt(key, desk, read::count).map(PropertyPattern::Number),
        Property::DeliveryMode => {
            let mode = fields.opt(key, desk, read::between(1u8, 2));
            mode.map(|mode| PropertyPattern::Number(Count::exactly(mode.into())))
        }
        Property::Expiration => fields.opt(key, desk, expiration).map(PropertyPattern::Text),
        _ => fields.opt(key, desk, read::late_name).map(PropertyPattern::Text),
    }
}

/// Reads the names of properties.
fn property_names(node: &Node) -> Read<Vec<Property>> {
    read::texts(node)?
        .into_iter()
        .map(|name| {
            Property::named(&name).ok_or_else(|| {
                let help = match name.as_str() {
                    "headers" => "headers are named by `without_headers`".into(),
                    "id" => "the property is `message_id`".into(),
                    name => suggestions::suggest(name, Property::ALL.map(Property::as_str), "there are"),
                };
                DecodeError::Value { message: format!("knows no property `{name}`"), help: Some(help) }
            })
        })
        .collect()
}

/// Refuses a property that must have a value and must not be there.
fn contradictions(pattern: &MessagePattern, node: &Node, desk: &mut Diagnostics) {
    for (property, _) in &pattern.properties {
        if !pattern.without_properties.contains(property) {
            continue;
        }
        let key = property.as_str();
        let place =
            |key: &str| node.entries().iter().find(|entry| entry.key == key).map_or(node.span, |it| it.key_span);
        let message = format!("no message has `{key}` and is without it");
        let problem = Problem::new(Code::ValueBad, message).at(place("without_properties"), "names it, too");
        desk.add(problem.at(place(key), "must be this").help("keep one of them"));
    }
}

fn death(node: &Node, desk: &mut Diagnostics) -> Option<DeathPattern> {
    let mut fields = MapDecoder::of("death", "an entry of x_death", node, desk)?;
    let routing_keys = |node: &Node| match &node.kind {
        NodeKind::List(keys) => keys.iter().map(read::name).collect::<Read<Vec<_>>>(),
        _ => Err(DecodeError::Kind("a list of routing keys")),
    };
    let both = if fields.has("routing-keys") { "routing-keys" } else { "routing_keys" };
    let original = if fields.has("original-expiration") { "original-expiration" } else { "original_expiration" };
    let pattern = DeathPattern {
        span: node.span,
        queue: fields.opt("queue", desk, read::name),
        reason: fields.opt("reason", desk, read::word(&DEATH_REASONS)).map(str::to_owned),
        exchange: fields.opt("exchange", desk, read::name),
        count: fields.opt("count", desk, read::count),
        routing_keys: fields.opt(both, desk, routing_keys),
        original_expiration: fields.opt(original, desk, read::amqp),
    };
    fields.finish(desk);
    Some(pattern)
}

fn consumer(fields: &mut MapDecoder<'_>, desk: &mut Diagnostics) -> Option<ConsumerExpectation> {
    let consumer = fields.opt("consumer", desk, read::name);
    let order = order(fields, desk);
    let mut list =
        |key: &'static str, desk: &mut Diagnostics| fields.node(key).and_then(|node| received(key, node, order, desk));
    let (mut taken, acked) = (list("received", desk), list("acked", desk));
    let (nacked, rejected) = (list("nacked", desk), list("rejected", desk));
    if let Some(node) = fields.node("includes") {
        if fields.has("received") {
            two_lists("received", node, desk);
        }
        let included = included(node, order, desk, pattern);
        taken = taken.or(Some(Received::Messages(included)));
    }
    let unacked = fields.opt("unacked", desk, read::count);
    let batches = fields.node("batches").and_then(|node| batches(node, desk));
    let shares = fields.node("shares").map_or_else(Vec::new, |node| shares(node, desk));
    Some(ConsumerExpectation {
        consumer: consumer?,
        received: taken,
        acked,
        nacked,
        rejected,
        unacked,
        batches,
        shares,
    })
}

/// Reads a number of batches, or a list of their sizes.
fn batches(node: &Node, desk: &mut Diagnostics) -> Option<Batches> {
    match &node.kind {
        NodeKind::List(_) => {
            let before = desk.problems.len();
            let sizes = each("`batches`", node, desk, |node, desk| desk.read("a batch's size", node, read::count));
            (desk.problems.len() == before).then_some(Batches::Sizes(sizes))
        }
        _ => desk
            .read("`batches`", node, |node| match read::count(node) {
                Err(DecodeError::Kind(_) | DecodeError::Scalar(_)) => {
                    Err(DecodeError::Kind("a count, or the list of all sizes like [100, 100, 50]"))
                }
                other => other,
            })
            .map(Batches::Count),
    }
}

/// Reads `{worker.1: ">=10"}`; which instances there are is checked where consumers are known.
fn shares(node: &Node, desk: &mut Diagnostics) -> Vec<(Name, Count, Span)> {
    if !matches!(node.kind, NodeKind::Map(_)) {
        desk.wrong("`shares`", node, DecodeError::Kind("a map of instances and counts like {worker.1: \">=10\"}"));
    }
    let one = |entry: &Entry, desk: &mut Diagnostics| {
        let count = desk.read(&format!("the share of `{}`", entry.key), &entry.value, read::count)?;
        Some((entry.key.as_str().into(), count, entry.key_span))
    };
    node.entries().iter().filter_map(|entry| one(entry, desk)).collect()
}

/// Reads a count, or a list of messages.
fn received(key: &'static str, node: &Node, order: Option<Order>, desk: &mut Diagnostics) -> Option<Received> {
    match &node.kind {
        NodeKind::List(_) | NodeKind::Map(_) => {
            entries(("includes", key), node, order, desk, pattern).map(Received::Messages)
        }
        _ => desk.read(&format!("`{key}`"), node, count_or_list).map(Received::Count),
    }
}

fn count_or_list(node: &Node) -> Read<Count> {
    let help = Some("messages are a list: [poison, fine]; a count is 3 or \">=3\"".into());
    match read::count(node) {
        Err(DecodeError::Kind(_) | DecodeError::Scalar(_)) => Err(DecodeError::Kind("a list of ids, or a count")),
        Err(DecodeError::Value { message, .. }) => Err(DecodeError::Value { message, help }),
        Err(DecodeError::Sentence { message, .. }) => Err(DecodeError::Sentence { message, help }),
        other => other,
    }
}

fn message(fields: &mut MapDecoder<'_>, desk: &mut Diagnostics) -> Option<MessageExpectation> {
    let id = fields.opt("message", desk, read::late_name);
    let gaps = fields
        .node("gaps")
        .map(|node| each("`gaps`", node, desk, |node, desk| desk.read("a gap", node, read::duration)));
    let tolerance = fields.opt("tolerance", desk, tolerance).unwrap_or(Tolerance::Within(Millis(0)));
    let attempts = fields.opt("attempts", desk, read::count);
    let name = |node: &Node, desk: &mut Diagnostics| desk.read("a queue", node, read::name);
    let routed_to = fields
        .node("routed_to")
        .and_then(|node| entries(("includes_queues", "`routed_to`"), node, Some(Order::Any), desk, name));
    Some(MessageExpectation { id: id?, gaps, tolerance, attempts, routed_to })
}

/// Reads `10%` or `200ms`.
fn tolerance(node: &Node) -> Read<Tolerance> {
    if let Some(percent) = node.as_text().and_then(|text| text.trim().strip_suffix('%')) {
        return match percent.trim().parse::<f64>() {
            Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Tolerance::Percent(percent)),
            _ => Err(DecodeError::Value { message: "takes a percentage from 0% to 100%".into(), help: None }),
        };
    }
    read::duration(node).map(Tolerance::Within)
}
