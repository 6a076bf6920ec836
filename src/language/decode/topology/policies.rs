//! Decodes policies, operator policies, parameters and global parameters.
//! Takes a rendered node; gives model objects. Definitions stay RabbitMQ's own JSON.

use crate::language::check::legal;
use crate::language::check::policy_keys;
use crate::language::decode::collect::{Collected, origin};
use crate::language::decode::map_decoder::{Diagnostics, MapDecoder};
use crate::language::decode::read;
use crate::language::decode::topology::access;
use crate::language::decode::topology::objects::Surroundings;
use crate::language::syntax::tree::{Node, NodeKind};
use crate::model::{ApplyTo, Name, Parameter, Policy};
use crate::source::{Code, Problem, Span};
use indexmap::IndexMap;

const APPLY_TO: [(&str, ApplyTo); 6] = [
    ("all", ApplyTo::All),
    ("queues", ApplyTo::Queues),
    ("classic_queues", ApplyTo::ClassicQueues),
    ("quorum_queues", ApplyTo::QuorumQueues),
    ("streams", ApplyTo::Streams),
    ("exchanges", ApplyTo::Exchanges),
];

const APPLY_TO_WORDS: [&str; 6] = ["all", "queues", "classic_queues", "quorum_queues", "streams", "exchanges"];

/// Reads what a policy says; a parameter of the component `operator_policy` says it too, without name and vhost.
pub fn policy_fields(
    fields: &mut MapDecoder<'_>,
    named: Option<(Name, Name)>,
    vhost: &Name,
    desk: &mut Diagnostics,
) -> Option<Policy> {
    let (vhost, name) = match named {
        Some((vhost, name)) => (vhost, Some(name)),
        None => {
            let vhost = fields.opt("vhost", desk, read::name).unwrap_or_else(|| vhost.clone());
            (vhost, fields.need("name", desk, read::name))
        }
    };
    let pattern = fields.need("pattern", desk, read::text);
    if let (Some(pattern), Some(node)) = (&pattern, fields.node("pattern")) {
        legal::pattern("`pattern`", pattern, node.span, desk);
    }
    let spelling = if fields.has("apply_to") { "apply_to" } else { "apply-to" };
    let word = fields.opt(spelling, desk, read::word(&APPLY_TO_WORDS)).unwrap_or("all");
    let apply_to = APPLY_TO.iter().find(|(known, _)| *known == word).map_or(ApplyTo::All, |(_, apply_to)| *apply_to);
    if let Some(node) = fields.node(spelling) {
        apply_to_versions(apply_to, node.span, desk);
    }
    let priority = fields.opt("priority", desk, read::integer).unwrap_or(0);
    let definition = fields.need("definition", desk, definition);
    Some(Policy { vhost, name: name?, pattern: pattern?, apply_to, priority, definition: definition? })
}

/// Older versions apply a policy to queues of all types only (PO-7).
fn apply_to_versions(apply_to: ApplyTo, span: Span, desk: &mut Diagnostics) {
    let is_typed = matches!(apply_to, ApplyTo::ClassicQueues | ApplyTo::QuorumQueues | ApplyTo::Streams);
    let lacking = desk.judged_for.refused_by(|version| (is_typed && !version.apply_to_types).then_some(()));
    let Some(lacking) = lacking else { return };
    let message = format!("{} `apply-to: {}`", lacking.who("refuses", "refuse"), apply_to.as_str());
    let taken = if lacking.is_by_all() { String::new() } else { format!("{}; ", lacking.who_takes()) };
    let help = format!(
        "{taken}RabbitMQ would say: 400 apply-to '{}' unrecognised; should be 'queues', 'exchanges' or 'all'",
        apply_to.as_str()
    );
    let problem = Problem::new(Code::TopologyPolicy, message).by("PO-7");
    desk.judge_for(&lacking, problem.at(span, "no type of queue there").help(help));
}

fn definition(node: &Node) -> read::Read<IndexMap<String, serde_json::Value>> {
    match (&node.kind, read::json(node)?) {
        (NodeKind::Map(_), serde_json::Value::Object(map)) => Ok(map.into_iter().collect()),
        _ => Err(read::DecodeError::Kind("a map of RabbitMQ's policy keys, like {message-ttl: 5000}")),
    }
}

/// Decodes one entry of `policies` or `operator_policies`.
pub fn policy(node: &Node, operator: bool, around: &Surroundings, into: &mut Collected, desk: &mut Diagnostics) {
    let what = if operator { "an operator policy" } else { "a policy" };
    let Some(mut fields) = MapDecoder::of("policy", what, node, desk) else { return };
    let read = policy_fields(&mut fields, None, &around.vhost, desk);
    policy_keys::check(fields.node("definition"), operator, desk);
    fields.finish(desk);
    if let Some(policy) = read {
        legal::has_name("policy", &policy.name, &origin(node), desk);
        into.policy(policy, operator, origin(node), desk);
    }
}

/// Decodes one entry of `parameters`; operator policies and vhost limits are objects of their own.
pub fn parameter(node: &Node, around: &Surroundings, into: &mut Collected, desk: &mut Diagnostics) {
    let Some(mut fields) = MapDecoder::of("parameter", "a parameter", node, desk) else { return };
    let vhost = fields.opt("vhost", desk, read::name).unwrap_or_else(|| around.vhost.clone());
    let component = fields.need("component", desk, read::text);
    let name = fields.need("name", desk, read::name);
    if !fields.has("value") {
        fields.missing("value", desk);
    }
    let value = fields.node("value");
    fields.finish(desk);
    let (Some(component), Some(name), Some(value)) = (component, name, value) else { return };
    legal::has_name("parameter", &name, &origin(node), desk);
    if component.is_empty() {
        let problem = Problem::new(Code::ValueBad, "`component` is empty: it says what a parameter is for");
        desk.judge(problem.at(node.span, "of no component").help("write `shovel`, `federation-upstream` or the like"));
    }
    match component.as_str() {
        "operator_policy" => {
            let Some(mut fields) = MapDecoder::of("policy", "an operator policy", value, desk) else { return };
            let read = policy_fields(&mut fields, Some((vhost, name)), &around.vhost, desk);
            policy_keys::check(fields.node("definition"), true, desk);
            fields.finish(desk);
            if let Some(policy) = read {
                into.policy(policy, true, origin(node), desk);
            }
        }
        "vhost-limits" => {
            if name != "limits" {
                let problem =
                    Problem::new(Code::TopologyLimits, format!("the limits of vhost '{vhost}' are called `limits`"));
                desk.judge(
                    problem.at(node.span, "another name").help("RabbitMQ refuses such a parameter by another name"),
                );
            }
            for (limit, value) in desk.read("`value`", value, access::limits).unwrap_or_default() {
                into.vhost_limit(&vhost, &limit, value);
            }
        }
        _ => {
            if let Some(value) = desk.read("`value`", value, read::json) {
                into.parameter(Parameter { vhost, component, name, value }, origin(node), desk);
            }
        }
    }
}

/// Decodes one entry of `global_parameters`.
pub fn global_parameter(node: &Node, into: &mut Collected, desk: &mut Diagnostics) {
    let Some(mut fields) = MapDecoder::of("global_parameter", "a global parameter", node, desk) else { return };
    let name = fields.need("name", desk, read::name);
    if !fields.has("value") {
        fields.missing("value", desk);
    }
    // A value may be null.
    let value = fields.node("value").and_then(|value| desk.read("`value`", value, read::json));
    fields.finish(desk);
    if let (Some(name), Some(value)) = (name, value) {
        legal::has_name("global parameter", &name, &origin(node), desk);
        into.global_parameter(name, value, origin(node), desk);
    }
}
