//! Where dead letters go: an exchange that nobody declares, a queue that nobody declares.
//! Takes a topology with its places; returns notes, since RabbitMQ allows it. What becomes of the messages is DL-3, DL-30.

use crate::language::check::in_effect::InEffect;
use crate::language::check::topology_references::{Declared, field, labelled};
use crate::language::decode::map_decoder::Diagnostics;
use crate::model::{Origins, Queue, Topology};
use crate::source::{Code, Problem, Span};
use serde_json::Value as Json;

/// What becomes of dead letters that no queue takes.
const DROPS: &str = "drops what dies there";

/// The same of a queue that dead-letters at least once.
const KEEPS: &str = "keeps what dies there in the queue, and tries again";

/// Checks the queues of a topology, and policies that apply to none of them.
pub fn check(topology: &Topology, origins: &Origins, declared: &Declared, desk: &mut Diagnostics) {
    for queue in &topology.queues {
        if desk.is_full() {
            return;
        }
        of_queue(queue, topology, origins, declared, None, desk);
    }
    for policy in &topology.policies {
        let Some(exchange) = policy.definition.get("dead-letter-exchange").and_then(Json::as_str) else { continue };
        if !declared.has_exchange(&policy.vhost, exchange) {
            let message =
                format!("policy '{}' dead-letters to exchange '{exchange}', which nobody declares", policy.name);
            let help = format!("RabbitMQ allows it, and {DROPS}; {}", declared.exchange_help(&policy.vhost, exchange));
            let span = field(origins, &policy.object(false), &["definition"]);
            let note = Problem::note(Code::TopologyDeadLetterExchange, message).by("DL-3");
            let note = labelled(note, span, "not declared");
            desk.add_unless_told(note.help(help));
        }
    }
}

/// Checks one queue, which a step or a consumer may declare at `place`.
pub fn of_queue(
    queue: &Queue,
    topology: &Topology,
    origins: &Origins,
    declared: &Declared,
    place: Option<Span>,
    desk: &mut Diagnostics,
) {
    let default = desk.judged_for.default_type(&queue.vhost);
    let in_effect = InEffect::of(topology, queue, default, desk.judged_for.newest());
    let settings = &in_effect.settings;
    let Some(exchange) = &settings.dead_letter_exchange else { return };
    let kept = if settings.at_least_once { KEEPS } else { DROPS };
    let by = |rule| if settings.at_least_once { "DL-30" } else { rule };
    let at = |key: &str| in_effect.place_of(key, origins).or(place);
    if !declared.has_exchange(&queue.vhost, exchange) {
        let message = format!("queue '{}' dead-letters to exchange '{exchange}', which nobody declares", queue.name);
        let help = format!("RabbitMQ allows it, and {kept}; {}", declared.exchange_help(&queue.vhost, exchange));
        let note = Problem::note(Code::TopologyDeadLetterExchange, message).by(by("DL-3"));
        return desk.add(labelled(note, at("dead-letter-exchange"), "not declared").help(help));
    }
    let Some(key) = settings.dead_letter_routing_key.as_ref().filter(|_| exchange.is_empty()) else { return };
    if !declared.has_queue(&queue.vhost, key) && !key.starts_with("amq.") {
        let message = format!("queue '{}' dead-letters to the queue '{key}', which nobody declares", queue.name);
        let help = format!("RabbitMQ allows it, and {kept}; {}", declared.queue_help(&queue.vhost, key));
        let note = Problem::note(Code::TopologyDeadLetterNowhere, message).by(by("DL-5"));
        desk.add(labelled(note, at("dead-letter-routing-key"), "the dead letters go nowhere").help(help));
    }
}
