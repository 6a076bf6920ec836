//! Checks across objects: what is named must be declared.
//! Takes a whole topology with its places; gives problems with the nearest declared name.

use crate::language::check::legal::PREDECLARED;
use crate::language::decode::collect::place;
use crate::language::decode::map_decoder::Diagnostics;
use crate::language::decode::suggestions;
use crate::model::{Binding, DestinationKind, Name, Object, Origins, Topology};
use crate::source::{Code, Help, Level, Problem, Span, nearest_name};
use std::collections::BTreeSet;

/// Holds which names are declared, for quick answers.
#[derive(Debug, Default)]
pub struct Declared {
    pub queues: BTreeSet<(Name, Name)>,
    pub exchanges: BTreeSet<(Name, Name)>,
    pub users: BTreeSet<Name>,
}

impl Declared {
    /// Lists what a topology declares.
    pub fn of(topology: &Topology) -> Self {
        Self {
            queues: topology.queues.iter().map(|queue| (queue.vhost.clone(), queue.name.clone())).collect(),
            exchanges: topology.exchanges.iter().map(|it| (it.vhost.clone(), it.name.clone())).collect(),
            users: topology.users.iter().map(|user| user.name.clone()).collect(),
        }
    }

    /// Returns whether an exchange is there; every vhost has the predeclared ones.
    pub fn has_exchange(&self, vhost: &str, name: &str) -> bool {
        PREDECLARED.contains(&name) || self.exchanges.contains(&(vhost.into(), name.into()))
    }

    /// Returns whether a queue is there.
    pub fn has_queue(&self, vhost: &str, name: &str) -> bool {
        self.queues.contains(&(vhost.into(), name.into()))
    }

    /// Returns whether a name still is a template.
    pub fn has_template(&self) -> bool {
        let named = self.queues.iter().chain(&self.exchanges).flat_map(|(vhost, name)| [vhost, name]);
        named.chain(&self.users).any(|name| name.contains("{{"))
    }

    /// Returns what to do about a missing queue.
    pub fn queue_help(&self, vhost: &str, name: &str) -> Help {
        help("queue", vhost, name, &self.queues)
    }

    /// Returns what to do about a missing exchange.
    pub fn exchange_help(&self, vhost: &str, name: &str) -> Help {
        help("exchange", vhost, name, &self.exchanges)
    }
}

fn help(kind: &str, vhost: &str, name: &str, declared: &BTreeSet<(Name, Name)>) -> Help {
    let here = declared.iter().filter(|(of, _)| **of == *vhost).map(|(_, name)| &**name);
    if let Some(near) = nearest_name(name, here) {
        return Help::did_you_mean(near);
    }
    if let Some((elsewhere, _)) = declared.iter().find(|(_, known)| **known == *name) {
        return format!("a {kind} of that name is in vhost '{elsewhere}', not in '{vhost}'").into();
    }
    let here: Vec<&str> = declared.iter().filter(|(of, _)| **of == *vhost).map(|(_, name)| &**name).collect();
    match here.is_empty() {
        true => format!("vhost '{vhost}' declares no {kind}: add it under `{kind}s:`").into(),
        false => format!("declare it under `{kind}s:`; vhost '{vhost}' has {}", suggestions::listed(here)).into(),
    }
}

/// Checks bindings, alternate exchanges, and the users of permissions.
pub fn check_topology(topology: &Topology, origins: &Origins, desk: &mut Diagnostics) {
    let declared = Declared::of(topology);
    for binding in &topology.bindings {
        if desk.is_full() {
            break;
        }
        check_binding(binding, &declared, origins, desk);
    }
    for exchange in &topology.exchanges {
        let alternate = exchange.arguments.get("alternate-exchange").and_then(crate::model::Value::as_text);
        if let Some(name) = alternate.filter(|name| !declared.has_exchange(&exchange.vhost, name)) {
            let span = field(origins, &exchange.object(), &["alternate_exchange", "arguments"]);
            let message =
                format!("exchange '{}' has the alternate exchange '{name}', which nobody declares", exchange.name);
            let help = format!("RabbitMQ allows it; {}", declared.exchange_help(&exchange.vhost, name));
            desk.add(
                labelled(Problem::note(Code::TopologyAlternateExchange, message).by("RT-10"), span, "not declared")
                    .help(help),
            );
        }
    }
    let of_users = topology.permissions.iter().map(|it| (&it.user, it.object()));
    let of_topics = topology.topic_permissions.iter().map(|it| (&it.user, it.object()));
    for (user, object) in of_users.chain(of_topics) {
        if !declared.users.contains(user) && &**user != "guest" {
            let span = field(origins, &object, &["user"]);
            let message = format!("{object} are given, but no user '{user}' is declared");
            let help = match nearest_name(user, declared.users.iter().map(|name| &**name)) {
                Some(near) => Help::did_you_mean(near),
                None => "the broker must have that user already".into(),
            };
            let note = Problem::note(Code::TopologyUnknownUser, message).by("MG-4");
            desk.add(labelled(note, span, "not declared").help(help));
        }
    }
}

fn check_binding(binding: &Binding, declared: &Declared, origins: &Origins, desk: &mut Diagnostics) {
    let object = binding.object();
    let vhost = &*binding.vhost;
    if binding.source.is_empty()
        || (binding.destination.is_empty() && binding.destination_kind == DestinationKind::Exchange)
    {
        let problem = Problem::new(Code::TopologyDefaultExchange, "nothing can be bound to the default exchange");
        let help = "it leads to every queue by its name already; RabbitMQ would say: 403 ACCESS_REFUSED";
        return desk.judge(labelled(problem, field(origins, &object, &["source"]), "the default exchange").help(help));
    }
    if !declared.has_exchange(vhost, &binding.source) {
        let message = format!("no exchange '{}' is declared in vhost '{vhost}'", binding.source);
        let problem = labelled(
            Problem::new(Code::TopologyMissingExchange, message),
            field(origins, &object, &["source"]),
            "bound here",
        );
        desk.judge(problem.help(declared.exchange_help(vhost, &binding.source)));
    }
    let there = match binding.destination_kind {
        DestinationKind::Queue => declared.has_queue(vhost, &binding.destination),
        DestinationKind::Exchange => declared.has_exchange(vhost, &binding.destination),
    };
    if !there {
        let help = match binding.destination_kind {
            DestinationKind::Queue => declared.queue_help(vhost, &binding.destination),
            DestinationKind::Exchange => declared.exchange_help(vhost, &binding.destination),
        };
        let kind = binding.destination_kind.as_str();
        let code = if kind == "queue" { Code::TopologyMissingQueue } else { Code::TopologyMissingExchange };
        let message = format!("no {kind} '{}' is declared in vhost '{vhost}'", binding.destination);
        let span = field(origins, &object, &["destination", "queue", "exchange"]);
        desk.judge(labelled(Problem::new(code, message), span, "bound here").help(help));
    }
}

/// Finds where a field of an object stands, or the object.
pub fn field(origins: &Origins, object: &Object, keys: &[&str]) -> Option<Span> {
    let origin = origins.get(object)?;
    keys.iter().find_map(|key| origin.field(key)).or_else(|| Some(place(origin)))
}

/// Points at a place, where there is one.
pub fn labelled(problem: Problem, span: Option<Span>, text: &str) -> Problem {
    match span {
        Some(span) => problem.at(span, text),
        None => problem,
    }
}

/// Returns whether any finding stops the work.
pub fn stops(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.level == Level::Problem)
}
