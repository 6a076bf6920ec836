//! Decodes the steps of what is held: `get`, with a name under which the message stays in hand, and its settlement.
//! Takes a rendered node; gives acts.

use crate::language::decode::map_decoder::{Diagnostics, MapDecoder};
use crate::language::decode::read;
use crate::language::syntax::tree::{Node, NodeKind};
use crate::model::{Act, HeldSettlement, Name, QueueName};
use crate::source::{Code, Problem};

/// Reads a queue's name, or `{queue, ack, as}`.
pub fn get(node: &Node, vhost: &Name, desk: &mut Diagnostics) -> Option<Act> {
    let in_vhost = |name| QueueName { vhost: vhost.clone(), name };
    if !matches!(node.kind, NodeKind::Map(_)) {
        let queue = in_vhost(desk.read("`get`", node, read::name)?);
        return Some(Act::Get { queue, ack: true, held_as: None });
    }
    let mut fields = MapDecoder::of("get", "`get`", node, desk)?;
    let queue = fields.need("queue", desk, read::name);
    let ack = fields.opt("ack", desk, read::boolean);
    let held_as = fields.opt("as", desk, read::name);
    if let (Some(true), Some(_), Some(entry)) = (ack, &held_as, fields.entry("ack")) {
        let problem = Problem::new(Code::ScenarioHeld, "what is acked at once is not in hand: `as` has no meaning");
        desk.add(problem.at(entry.key_span, "acks it").help("leave one of the two out: `ack: true`, or `as`"));
    }
    fields.finish(desk);
    let ack = ack.unwrap_or(held_as.is_none());
    Some(Act::Get { queue: in_vhost(queue?), ack, held_as })
}

/// Reads the name under which a message is held, or `{of, requeue, multiple}`.
pub fn settle(verb: &str, node: &Node, desk: &mut Diagnostics) -> Option<Act> {
    let (group, what) = match verb {
        "ack" => ("ack_held", "`ack`"),
        "nack" => ("nack_held", "`nack`"),
        _ => ("reject_held", "`reject`"),
    };
    let how = |requeue| match verb {
        "ack" => HeldSettlement::Ack,
        "nack" => HeldSettlement::Nack { requeue },
        _ => HeldSettlement::Reject { requeue },
    };
    if !matches!(node.kind, NodeKind::Map(_)) {
        let held = desk.read(what, node, read::name)?;
        return Some(Act::Settle { held, how: how(false), multiple: false });
    }
    let mut fields = MapDecoder::of(group, what, node, desk)?;
    let held = fields.need("of", desk, read::name);
    let multiple = fields.may_have("multiple") && fields.opt("multiple", desk, read::boolean).unwrap_or(false);
    let requeue = fields.may_have("requeue") && fields.opt("requeue", desk, read::boolean).unwrap_or(false);
    fields.finish(desk);
    Some(Act::Settle { held: held?, how: how(requeue), multiple })
}
