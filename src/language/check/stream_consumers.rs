//! Judges consumers by the type of their queue: a prefetch and acknowledgements, which a stream wants (ST-1), where to
//! begin in one (ST-3), filters (ST-9), and arguments that a type refuses. Takes a decoded scenario and its tree, for places;
//! gives problems in RabbitMQ's words with the nearest right spelling.

use crate::language::check::stream_offsets::nearest_offset;
use crate::language::decode::map_decoder::Diagnostics;
use crate::language::decode::suggestions;
use crate::language::syntax::tree::{Entry, Node};
use crate::model::{Act, Consumer, Name, Queue, QueueKind, QueueName, Scenario, Value};
use crate::rules::{
    BadStreamArgument, Differences, ReaderRefusal, check_consumer_arguments, refused_reader, stream_filter,
    stream_offset, type_of_new_queue,
};
use crate::source::{Code, Help, Problem, Span};

/// What a consumer's argument may be.
const ARGUMENTS: [&str; 6] = [
    "x-priority",
    "x-stream-offset",
    "x-stream-filter",
    "x-stream-match-unfiltered",
    "x-consumer-timeout",
    "x-cancel-on-ha-failover",
];

/// What to write in the place of an offset that is none.
const OFFSETS: &str = "`first`, `last`, `next`, a whole number, `{$timestamp: SECONDS}` or an interval like `1h`";

/// Checks all consumers but those whose start must be refused.
pub fn check(scenario: &Scenario, tree: &Node, desk: &mut Diagnostics) {
    let must_be_refused = |consumer: &&Consumer| {
        let is_it = |act: &Act| matches!(act, Act::Start(name) if *name == consumer.name);
        scenario.steps.iter().chain(&scenario.finally).any(|step| step.refused.is_some() && is_it(&step.act))
    };
    for consumer in scenario.consumers.iter().filter(|consumer| !must_be_refused(consumer)) {
        let written = tree.get("consumers").map_or(&[][..], Node::entries).iter();
        let node = written.clone().find(|entry| *entry.key == *consumer.name).map(|entry| &entry.value);
        unknown_arguments(consumer, node, desk);
        if let Some(queue) = queue_of(consumer, scenario) {
            let judged = JudgedConsumer { consumer, node, queue };
            judged.arguments(desk);
            judged.reader(desk);
            judged.offset(desk);
            judged.filter(desk);
        }
    }
}

/// Returns the queue of a consumer; `None` where nobody declares it, or several that may be of different types.
fn queue_of<'s>(consumer: &'s Consumer, scenario: &'s Scenario) -> Option<&'s Queue> {
    if let Some(own) = &consumer.own_queue {
        return Some(&own.queue);
    }
    declared_queue(&consumer.queue, scenario)
}

/// Returns the queue of a name; `None` where nobody declares it, or several that may be of different types.
pub(crate) fn declared_queue<'s>(name: &QueueName, scenario: &'s Scenario) -> Option<&'s Queue> {
    let by_steps = scenario.all_steps().filter_map(|step| match &step.act {
        Act::DeclareQueue(queue) if step.refused.is_none() => Some(&**queue),
        _ => None,
    });
    let all = scenario.topology.queues.iter().chain(by_steps);
    let mut declared = all.filter(|queue| queue.id() == *name);
    let first = declared.next()?;
    declared.all(|other| other.kind() == first.kind()).then_some(first)
}

/// A consumer with its queue, and where it is written.
struct JudgedConsumer<'s> {
    consumer: &'s Consumer,
    node: Option<&'s Node>,
    queue: &'s Queue,
}

impl JudgedConsumer<'_> {
    fn kind(&self, rules: &Differences, desk: &Diagnostics) -> QueueKind {
        type_of_new_queue(self.queue, desk.judged_for.default_type(&self.queue.vhost), rules)
    }

    fn is_stream(&self, rules: &Differences, desk: &Diagnostics) -> bool {
        self.kind(rules, desk) == QueueKind::Stream
    }

    fn key_place(&self, key: &str) -> Span {
        let entry = self.node.and_then(|node| entry_of(node, key));
        entry.map_or(self.consumer.span, |entry| entry.key_span)
    }

    fn argument_place(&self, name: &str) -> Span {
        let arguments = self.node.and_then(|node| node.get("arguments"));
        arguments.and_then(|node| entry_of(node, name)).map_or(self.consumer.span, |entry| entry.value.span)
    }

    /// Reports the arguments that the type of the queue does not take.
    fn arguments(&self, desk: &mut Diagnostics) {
        let Consumer { name: consumer, queue, .. } = self.consumer;
        let mut given = self.consumer.arguments.clone();
        if let Some(priority) = self.consumer.priority {
            given.insert("x-priority".into(), Value::I64(priority));
        }
        for (name, value) in &given {
            let one = [(name.clone(), value.clone())].into_iter().collect();
            let refused = desk.judged_for.refused_by(|rules| {
                let kind = self.kind(rules, desk);
                check_consumer_arguments(&one, (&queue.vhost, &queue.name, kind), rules).err().map(|text| (kind, text))
            });
            let Some(refused) = refused else { continue };
            let (kind, text) = &refused.reason;
            let kind = kind.as_str();
            let (message, takes) = match refused.is_by_all() {
                true => (format!("a {kind} queue refuses `{name}`: consumer `{consumer}`"), String::new()),
                false => {
                    let who = refused.who("refuses", "refuse");
                    let message = format!("{who} `{name}` of a {kind} queue's consumer: `{consumer}`");
                    (message, format!("{}; ", refused.who_takes()))
                }
            };
            let key = if &**name == "x-priority" && self.consumer.priority.is_some() { "priority" } else { "" };
            let span = if key.is_empty() { self.argument_place(name) } else { self.key_place(key) };
            let whose = match &**name {
                "x-stream-offset" | "x-stream-filter" | "x-stream-match-unfiltered" => "only a stream takes it; ",
                _ => "",
            };
            let help = format!("{takes}{whose}RabbitMQ would say: 406 PRECONDITION_FAILED - {text}");
            let rule = if name.starts_with("x-stream-f") || name.starts_with("x-stream-m") { "ST-9" } else { "ST-1" };
            let rule = if &**name == "x-stream-offset" { "ST-3" } else { rule };
            let problem = Problem::new(Code::ScenarioStreamConsumer, message).by(rule);
            let problem =
                problem.at(span, format!("not for {kind} queues")).at(self.key_place("queue"), "consumed here");
            desk.judge_for(&refused, problem.help(help));
        }
    }

    /// Reports what a stream wants of each of its consumers, all at once.
    fn reader(&self, desk: &mut Diagnostics) {
        let Consumer { name, queue, auto_ack, prefetch, global_prefetch, .. } = self.consumer;
        let refused = |no_ack: bool, prefetch: u16, desk: &Diagnostics| {
            desk.judged_for.refused_by(|rules| {
                let is_stream = self.is_stream(rules, desk);
                let refuse = || refused_reader(&queue.vhost, &queue.name, (no_ack, prefetch, 0), rules);
                is_stream.then(refuse).flatten()
            })
        };
        // 4.3 takes the prefetch of the whole channel for that of each consumer (CO-4).
        let by_global = *global_prefetch > 0 && desk.judged_for.any(|rules| rules.global_qos_ignored);
        let faults = [
            (refused(false, if by_global { 1 } else { *prefetch }, desk), "queue", "a prefetch", NO_PREFETCH),
            (refused(*auto_ack, 1, desk), "auto_ack", "acknowledgements", NO_AUTO_ACK),
        ];
        for (refused, key, wanted, help) in faults {
            let Some(refused) = refused else { continue };
            let says = match &refused.reason {
                ReaderRefusal::OfChannel(text) => format!("406 PRECONDITION_FAILED - {text}"),
                ReaderRefusal::OfConnection(text) => format!("540 NOT_IMPLEMENTED - {text}"),
            };
            let message = format!("a stream refuses a consumer without {wanted}: `{name}`");
            let problem = Problem::new(Code::ScenarioStreamConsumer, message).at(self.key_place(key), "of a stream");
            desk.judge_for(&refused, problem.by("ST-1").help(format!("{help}; RabbitMQ would say: {says}")));
        }
        let global = desk.judged_for.refused_by(|rules| {
            let is_stream = self.is_stream(rules, desk);
            let global = if rules.global_qos_ignored { 0 } else { *global_prefetch };
            refused_reader(&queue.vhost, &queue.name, (false, 1, global), rules).filter(|_| is_stream)
        });
        if let Some(refused) = global
            && let ReaderRefusal::OfConnection(text) = &refused.reason
        {
            let message = format!("{} `global_prefetch` of a stream: `{name}`", refused.who("refuses", "refuse"));
            let problem = Problem::new(Code::ScenarioStreamConsumer, message);
            let problem = problem.at(self.key_place("global_prefetch"), "of a stream").by("ST-1");
            let help = format!("write `prefetch`; RabbitMQ would say: 540 NOT_IMPLEMENTED - {text}");
            desk.judge_for(&refused, problem.help(help));
        }
    }

    /// Reports an offset that is none.
    fn offset(&self, desk: &mut Diagnostics) {
        let Consumer { name, queue, arguments, .. } = self.consumer;
        let refused = desk.judged_for.refused_by(|rules| {
            let is_stream = self.is_stream(rules, desk);
            stream_offset(arguments, &queue.vhost, &queue.name, rules).err().filter(|_| is_stream)
        });
        let Some((refused, value)) = refused.zip(arguments.get("x-stream-offset")) else { return };
        let shown = value.as_text().map_or_else(|| value.to_json().to_string(), str::to_owned);
        let message = format!("`{shown}` is no offset of a stream: consumer `{name}`");
        let says = match &refused.reason {
            BadStreamArgument::Refused(text) => format!("RabbitMQ would say: 406 PRECONDITION_FAILED - {text}"),
            BadStreamArgument::Crashes => ENDS.to_owned(),
        };
        let help = match value.as_text().and_then(nearest_offset) {
            Some(near) => Help::DidYouMean { near, aside: Some(says) },
            None => format!("write {OFFSETS}; {says}").into(),
        };
        let span = self.argument_place("x-stream-offset");
        let problem = Problem::new(Code::ScenarioStreamOffset, message).at(span, "no offset");
        desk.judge_for(&refused, problem.by("ST-3").help(help));
    }

    /// Reports a filter that names nothing, and notes one that RabbitMQ passes over.
    fn filter(&self, desk: &mut Diagnostics) {
        let Consumer { name, arguments, .. } = self.consumer;
        let Some(value) = arguments.get("x-stream-filter") else { return };
        let span = self.argument_place("x-stream-filter");
        let refused = desk.judged_for.refused_by(|rules| {
            let is_stream = self.is_stream(rules, desk);
            stream_filter(arguments, rules).err().filter(|_| is_stream).map(drop)
        });
        if let Some(refused) = refused {
            let message = format!("`x-stream-filter` of consumer `{name}` names no value");
            let problem = Problem::new(Code::ScenarioStreamOffset, message).at(span, "no text in it").by("ST-9");
            desk.judge_for(&refused, problem.help(format!("write a text or a list of texts; {ENDS}")));
        } else if !matches!(value, Value::Text(_) | Value::Array(_))
            && desk.judged_for.any(|rules| rules.streams.filters && self.is_stream(rules, desk))
        {
            let message =
                format!("RabbitMQ passes over `x-stream-filter` of consumer `{name}`: it is no text and no list");
            let note = Problem::note(Code::ScenarioStreamOffset, message).at(span, "filters nothing").by("ST-9");
            desk.add(note.help("write a text or a list of texts"));
        }
    }
}

/// What RabbitMQ says of what it looks at too late.
const ENDS: &str = "RabbitMQ would end the connection with 541 INTERNAL_ERROR";

const NO_PREFETCH: &str = "write `prefetch: 100`, or how many messages may be in hand";

const NO_AUTO_ACK: &str = "leave `auto_ack` out and `ack` each message: that is how a stream learns that there is room";

/// Notes arguments that are nearly one that a consumer may have: RabbitMQ takes any, and does nothing with the others.
fn unknown_arguments(consumer: &Consumer, node: Option<&Node>, desk: &mut Diagnostics) {
    let known = |name: &Name| ARGUMENTS.contains(&&**name);
    for name in consumer.arguments.keys().filter(|name| !known(name)) {
        let near = suggestions::nearest(name, ARGUMENTS).filter(|near| near.contains("stream"));
        let Some(near) = near.filter(|_| name.contains("stream")) else { continue };
        let message = format!("RabbitMQ knows no argument `{name}` of a consumer: `{}`", consumer.name);
        let arguments = node.and_then(|node| node.get("arguments"));
        let span = arguments.and_then(|node| entry_of(node, name)).map_or(consumer.span, |entry| entry.key_span);
        let note = Problem::note(Code::ScenarioStreamConsumer, message).at(span, "without any effect");
        desk.add(note.by("ST-3").help(Help::did_you_mean(near)));
    }
}

fn entry_of<'n>(node: &'n Node, key: &str) -> Option<&'n Entry> {
    node.entries().iter().find(|entry| entry.key == key)
}
