//! Decodes the steps that the management side does: policies, permissions and limits, set and cleared.
//! Takes a rendered node; gives acts.

use crate::language::check::policy_keys;
use crate::language::decode::map_decoder::{Diagnostics, MapDecoder};
use crate::language::decode::read;
use crate::language::decode::suggestions;
use crate::language::decode::topology::access::{permission_fields, topic_permission_fields};
use crate::language::decode::topology::policies::policy_fields;
use crate::language::syntax::tree::{Node, NodeKind, find};
use crate::model::{Act, LimitedParty, Name};
use crate::source::{Code, Problem};
use std::collections::BTreeMap;

/// The words that these steps begin with.
pub const VERBS: [&str; 12] = [
    "set_policy",
    "clear_policy",
    "set_operator_policy",
    "clear_operator_policy",
    "set_permission",
    "clear_permission",
    "set_topic_permission",
    "clear_topic_permission",
    "set_vhost_limits",
    "clear_vhost_limits",
    "set_user_limits",
    "clear_user_limits",
];

/// The limits that RabbitMQ knows (MG-9).
const OF_VHOSTS: [&str; 2] = ["max-connections", "max-queues"];
const OF_USERS: [&str; 2] = ["max-connections", "max-channels"];

/// Decodes what one of these steps does.
pub fn act(verb: &str, node: &Node, vhost: &Name, desk: &mut Diagnostics) -> Option<Act> {
    match verb {
        "set_policy" => set_policy("`set_policy`", false, node, vhost, desk),
        "set_operator_policy" => set_policy("`set_operator_policy`", true, node, vhost, desk),
        "clear_policy" | "clear_operator_policy" => {
            let name = desk.read(&format!("`{verb}`"), node, read::name)?;
            Some(Act::ClearPolicy { vhost: vhost.clone(), name, operator: verb == "clear_operator_policy" })
        }
        "set_permission" => {
            let mut fields = MapDecoder::of("permission", "`set_permission`", node, desk)?;
            let permission = permission_fields(&mut fields, None, vhost, desk);
            fields.finish(desk);
            Some(Act::SetPermission(Box::new(permission?)))
        }
        "clear_permission" => clear_permission(node, vhost, desk),
        "set_topic_permission" => {
            let mut fields = MapDecoder::of("topic_permission", "`set_topic_permission`", node, desk)?;
            let permission = topic_permission_fields(&mut fields, None, vhost, desk);
            fields.finish(desk);
            Some(Act::SetTopicPermission(Box::new(permission?)))
        }
        "clear_topic_permission" => {
            let mut fields = MapDecoder::of("cleared_topic_permission", "`clear_topic_permission`", node, desk)?;
            let (user, exchange) = (fields.need("user", desk, read::name), fields.need("exchange", desk, read::name));
            let vhost = fields.opt("vhost", desk, read::name).unwrap_or_else(|| vhost.clone());
            fields.finish(desk);
            Some(Act::ClearTopicPermission { user: user?, vhost, exchange: exchange? })
        }
        "set_vhost_limits" => {
            let mut fields = MapDecoder::of("vhost_limits", "`set_vhost_limits`", node, desk)?;
            let vhost = fields.opt("vhost", desk, read::name).unwrap_or_else(|| vhost.clone());
            set_limits(Some(LimitedParty::Vhost(vhost)), OF_VHOSTS, node, fields, desk)
        }
        "clear_vhost_limits" => clear_vhost_limits(node, vhost, desk),
        "set_user_limits" => {
            let mut fields = MapDecoder::of("user_limits", "`set_user_limits`", node, desk)?;
            let user = fields.need("user", desk, read::name);
            set_limits(user.map(LimitedParty::User), OF_USERS, node, fields, desk)
        }
        _ => clear_user_limits(node, desk),
    }
}

/// Reads a user's name, or `{user, vhost}`.
fn clear_permission(node: &Node, vhost: &Name, desk: &mut Diagnostics) -> Option<Act> {
    if !matches!(node.kind, NodeKind::Map(_)) {
        let user = desk.read("`clear_permission`", node, read::name)?;
        return Some(Act::ClearPermission { user, vhost: vhost.clone() });
    }
    let mut fields = MapDecoder::of("cleared_permission", "`clear_permission`", node, desk)?;
    let user = fields.need("user", desk, read::name);
    let vhost = fields.opt("vhost", desk, read::name).unwrap_or_else(|| vhost.clone());
    fields.finish(desk);
    Some(Act::ClearPermission { user: user?, vhost })
}

/// Reads names of limits, or `{vhost, limits}`.
fn clear_vhost_limits(node: &Node, vhost: &Name, desk: &mut Diagnostics) -> Option<Act> {
    if !matches!(node.kind, NodeKind::Map(_)) {
        let limits = known_limits("`clear_vhost_limits`", node, OF_VHOSTS, desk)?;
        return Some(Act::ClearLimits { of: LimitedParty::Vhost(vhost.clone()), limits });
    }
    let mut fields = MapDecoder::of("cleared_vhost_limits", "`clear_vhost_limits`", node, desk)?;
    let vhost = fields.opt("vhost", desk, read::name).unwrap_or_else(|| vhost.clone());
    let limits = match fields.node("limits") {
        Some(node) => known_limits("`limits`", node, OF_VHOSTS, desk),
        None => {
            fields.missing("limits", desk);
            None
        }
    };
    fields.finish(desk);
    Some(Act::ClearLimits { of: LimitedParty::Vhost(vhost), limits: limits? })
}

/// Reads a user's name, which means all limits, or `{user, limits}`.
fn clear_user_limits(node: &Node, desk: &mut Diagnostics) -> Option<Act> {
    let all = || OF_USERS.map(Name::from).to_vec();
    if !matches!(node.kind, NodeKind::Map(_)) {
        let user = desk.read("`clear_user_limits`", node, read::name)?;
        return Some(Act::ClearLimits { of: LimitedParty::User(user), limits: all() });
    }
    let mut fields = MapDecoder::of("cleared_user_limits", "`clear_user_limits`", node, desk)?;
    let user = fields.need("user", desk, read::name);
    let limits = match fields.node("limits") {
        Some(node) => known_limits("`limits`", node, OF_USERS, desk),
        None => Some(all()),
    };
    fields.finish(desk);
    Some(Act::ClearLimits { of: LimitedParty::User(user?), limits: limits? })
}

fn set_policy(what: &'static str, operator: bool, node: &Node, vhost: &Name, desk: &mut Diagnostics) -> Option<Act> {
    let mut fields = MapDecoder::of("policy", what, node, desk)?;
    let policy = policy_fields(&mut fields, None, vhost, desk);
    policy_keys::check(fields.node("definition"), operator, desk);
    fields.finish(desk);
    Some(Act::SetPolicy { policy: Box::new(policy?), operator })
}

/// Reads the limits of a map, each a key of it.
fn set_limits(
    of: Option<LimitedParty>,
    known: [&'static str; 2],
    node: &Node,
    mut fields: MapDecoder<'_>,
    desk: &mut Diagnostics,
) -> Option<Act> {
    let mut limits = BTreeMap::new();
    for name in known {
        if let Some(value) = fields.opt(name, desk, read::between(-1i64, i64::from(u32::MAX))) {
            limits.insert(Name::from(name), value);
        }
    }
    fields.finish(desk);
    if node.entries().iter().all(|entry| matches!(entry.key.as_str(), "user" | "vhost")) {
        let problem = Problem::new(Code::ValueMissing, "no limit is set").at(node.span, "sets nothing");
        desk.add(problem.help(format!("there are {}", suggestions::listed(known))));
    }
    (!limits.is_empty()).then_some(Act::SetLimits { of: of?, limits })
}

/// Reads names of limits.
fn known_limits(what: &str, node: &Node, known: [&'static str; 2], desk: &mut Diagnostics) -> Option<Vec<Name>> {
    let names = desk.read(what, node, read::texts)?;
    let mut all_known = true;
    for name in names.iter().filter(|name| !known.contains(&name.as_str())) {
        all_known = false;
        let place = find(node, node.span, name).unwrap_or(node.span);
        let problem = Problem::new(Code::ValueBad, format!("RabbitMQ has no limit `{name}` here"));
        desk.add(problem.at(place, "unknown limit").help(suggestions::suggest(name, known, "there are")));
    }
    (all_known && !names.is_empty()).then(|| names.iter().map(|name| name.as_str().into()).collect())
}
