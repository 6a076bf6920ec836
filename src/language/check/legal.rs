//! Judges single objects: names, flags and arguments that RabbitMQ would refuse.
//! Takes a decoded object with its places; gives problems in RabbitMQ's words. Cites ER, DL, TTL, LEN of the rules.

use crate::language::check::legal_arguments;
use crate::language::decode::collect::place;
use crate::language::decode::map_decoder::Diagnostics;
use crate::language::decode::read::{DecodeError, Read, text};
use crate::language::decode::suggestions;
use crate::language::syntax::tree::Node;
use crate::model::{Exchange, Name, Origin, Origins, Profile, Queue, QueueKind, Topology, by_number, one_line};
use crate::rules::{Pattern, differences, is_known_type};
use crate::source::{Code, Problem, Span};
use std::collections::BTreeMap;

/// The exchanges that every vhost has; `/` has the last one where a plugin is enabled (PX-4).
pub const PREDECLARED: [&str; 9] = [
    "",
    "amq.direct",
    "amq.fanout",
    "amq.topic",
    "amq.headers",
    "amq.match",
    "amq.rabbitmq.trace",
    "amq.rabbitmq.log",
    "amq.rabbitmq.event",
];

/// Reads an exchange type: RabbitMQ's own, or a plugin's `x-…`.
pub fn exchange_type(node: &Node) -> Read<Name> {
    const TYPES: [&str; 5] = ["direct", "fanout", "topic", "headers", "x-local-random"];
    let kind = text(node)?;
    if TYPES.contains(&kind.as_str()) || kind.starts_with("x-") {
        return Ok(kind.into());
    }
    let help = suggestions::suggest(&kind, TYPES, "there are, beside the `x-…` of plugins");
    Err(DecodeError::Value { message: format!("knows no exchange type `{kind}`"), help: Some(help) })
}

/// Judges an exchange: its name, and a type that only some versions have without a plugin (RT-17).
pub fn exchange(exchange: &Exchange, origin: &Origin, desk: &mut Diagnostics) {
    let knows = |profile: &Profile| is_known_type(&exchange.kind, differences(*profile));
    let knowing: Vec<Profile> = Profile::ALL.into_iter().filter(knows).collect();
    let lacking = desk.judged_for.refused_by(|version| (!is_known_type(&exchange.kind, version)).then_some(()));
    if let Some(lacking) = lacking.filter(|_| !knowing.is_empty()) {
        let message = format!(
            "{} no exchange type `{}`: exchange '{}'",
            lacking.who("has", "have"),
            exchange.kind,
            exchange.name
        );
        let span = origin.field("type").unwrap_or_else(|| place(origin));
        let note = Problem::note(Code::TopologyExchangeType, message).at(span, "not known to every version");
        let (listed, verb) = (Profile::listed(&knowing, " and "), by_number(knowing.len(), "has", "have"));
        let help = format!("{listed} {verb} it; a broker that does not know it refuses the exchange");
        desk.add(note.by("RT-17").help(help));
    }
    without_line_ends("exchange", &exchange.name, origin, desk);
    let reserved = exchange.name.starts_with("amq.") && !PREDECLARED.contains(&&*exchange.name);
    if exchange.name.is_empty() {
        let problem = Problem::new(Code::TopologyName, "the default exchange is always there and cannot be declared");
        desk.judge(problem.at(place(origin), "an empty name").help("leave it out, or name it"));
    } else if reserved {
        reserved_name("exchange", &exchange.name, origin, desk);
    }
}

/// Judges the name of what is written by the management API: its path has no place for an empty one.
pub fn has_name(kind: &str, name: &str, origin: &Origin, desk: &mut Diagnostics) {
    if name.is_empty() {
        let problem = Problem::new(Code::TopologyName, format!("a {kind} in a file needs a name"));
        desk.judge(problem.at(place(origin), "empty").help("name it"));
    }
}

fn reserved_name(kind: &str, name: &str, origin: &Origin, desk: &mut Diagnostics) {
    let problem =
        Problem::new(Code::TopologyName, format!("names that begin with `amq.` are RabbitMQ's own: {kind} '{name}'"));
    let help = "RabbitMQ would say: 403 ACCESS_REFUSED - contains reserved prefix 'amq.*'";
    desk.judge(problem.at(place(origin), "a reserved name").help(help));
}

/// A declare takes line ends out of the name and makes an object of another one: what the file names would never be there.
fn without_line_ends(kind: &str, name: &str, origin: &Origin, desk: &mut Diagnostics) {
    if !name.contains(['\n', '\r']) || desk.refused {
        return;
    }
    let made = name.replace(['\n', '\r'], "");
    let message = format!("a declare takes line ends out of a name: {kind} '{}'", one_line(name));
    let warning = Problem::warning(Code::TopologyName, message).at(place(origin), "a name of two lines");
    desk.add(warning.help(format!("RabbitMQ would make '{made}' without a word: name it so")));
}

/// Judges a queue: its name, its flags and its arguments.
pub fn queue(queue: &Queue, places: &BTreeMap<String, Span>, origin: &Origin, desk: &mut Diagnostics) {
    if queue.name.is_empty() {
        let problem = Problem::new(Code::TopologyName, "a queue in a file needs a name");
        desk.judge(problem.at(place(origin), "empty").help("an empty name would let the server choose one"));
    } else if queue.name.starts_with("amq.") {
        reserved_name("queue", &queue.name, origin, desk);
    }
    without_line_ends("queue", &queue.name, origin, desk);
    flags(queue, origin, desk);
    transient(queue, origin, desk);
    legal_arguments::check(queue, places, origin, desk);
}

/// Notes a transient queue that 4.3 refuses unless its configuration, or `--permit`, says otherwise (ER-12).
fn transient(queue: &Queue, origin: &Origin, desk: &mut Diagnostics) {
    if queue.durable || queue.exclusive || queue.kind() != QueueKind::Classic {
        return;
    }
    let Some(refused) = desk.judged_for.refused_by(|version| version.transient_queues_denied.then_some(())) else {
        return;
    };
    let message =
        format!("{} transient queues that are not exclusive: '{}'", refused.who("refuses", "refuse"), queue.name);
    let span = origin.field("durable").unwrap_or_else(|| place(origin));
    let note = Problem::note(Code::TopologyTransient, message).at(span, "transient");
    let help =
        "541 INTERNAL_ERROR, unless `transient_nonexcl_queues` is permitted there: make it durable, or exclusive";
    desk.add(note.by("ER-12").help(help));
}

/// Quorum queues and streams are durable, shared and stay.
fn flags(queue: &Queue, origin: &Origin, desk: &mut Diagnostics) {
    let kind = queue.kind();
    if kind == QueueKind::Classic {
        return;
    }
    let faults = [
        ("durable", !queue.durable, "durable"),
        ("exclusive", queue.exclusive, "not exclusive"),
        ("auto_delete", queue.auto_delete, "not auto-deleted"),
    ];
    for (key, _, must) in faults.iter().filter(|(_, faulty, _)| *faulty) {
        let span = origin.field(key).unwrap_or_else(|| place(origin));
        let message = format!("a {} queue is always {must}: queue '{}'", kind.as_str(), queue.name);
        let property = key.replace('_', "-");
        let help =
            format!("RabbitMQ would say: 406 PRECONDITION_FAILED - invalid property '{property}' for {}", queue.id());
        desk.judge(Problem::new(Code::TopologyFlag, message).at(span, "refused").help(help));
    }
}

/// Refuses exclusive queues in a topology of its own: they end with the connection that declares them (CO-21), so no
/// broker ever holds what the file says.
pub fn no_exclusive_queues(topology: &Topology, origins: &Origins, desk: &mut Diagnostics) {
    for queue in &topology.queues {
        let Some(span) = exclusive_place(queue, origins) else { continue };
        let message = format!("a topology cannot hold the exclusive queue '{}'", queue.name);
        let help = "it goes with its connection: in a scenario a consumer declares it, `queue: NAME, declare: {exclusive: \
                    true}`, or a step `declare`";
        desk.judge(Problem::new(Code::TopologyExclusive, message).at(span, "exclusive").help(help));
    }
}

/// Finds where a queue says that it is exclusive; quorum queues and streams are refused for it already.
pub fn exclusive_place(queue: &Queue, origins: &Origins) -> Option<Span> {
    let origin = origins.get(&queue.object()).filter(|_| queue.exclusive && queue.kind() == QueueKind::Classic)?;
    Some(origin.field("exclusive").unwrap_or_else(|| place(origin)))
}

/// Judges a regular expression: one that no engine reads is a problem, one that only RabbitMQ's reads is a note.
pub fn pattern(what: &str, pattern: &str, span: Span, desk: &mut Diagnostics) {
    if Pattern::is_plain(pattern) || desk.refused {
        return;
    }
    let Err(error) = fancy_regex::Regex::new(pattern) else { return };
    let pcre_only = ["\\Q", "(?R)", "(?0)", "(?1)", "(?&", "(?P>", "(*", "\\K", "\\C", "\\X", "(?|"];
    if pcre_only.iter().any(|mark| pattern.contains(mark)) {
        let note = Problem::note(
            Code::TopologyPattern,
            format!("{what} cannot be checked here: it uses what only PCRE knows"),
        );
        return desk.add(note.at(span, "RabbitMQ will judge it"));
    }
    let reason = match error {
        fancy_regex::Error::ParseError(_, error) => error.to_string(),
        fancy_regex::Error::CompileError(error) => error.to_string(),
        error => error.to_string(),
    };
    let reason = reason.to_lowercase();
    let problem = Problem::new(Code::TopologyPattern, format!("{what} is no regular expression: {reason}"));
    let help = match pattern.starts_with(['*', '+', '?']) {
        true => "`.*` matches everything; a bare `*` repeats what stands before it, and here nothing does",
        false => "a literal `.`, `(`, `[`, `*` or `+` needs a backslash before it",
    };
    desk.judge(problem.at(span, "cannot be read").help(help));
}
