//! A plan as one JSON document, for drift watches and reviews by machine.
//! Values of secrets are `***`, as in the lines for people.

use crate::broker::Refusal;
use crate::model::{Object, QueueName};
use crate::plan::{
    Applied, Change, ChangeKind, Decision, Extra, FieldChange, Plan, PolicyEffect, Risk, Stakes, explain, explain_extra,
};
use crate::report::plan::text::EQUAL_COVERS;
use crate::report::problems_json;
use crate::source::Sources;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// What a plan was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFor {
    /// As the user named them.
    pub files: Vec<String>,
    /// The broker's place, or the file that stands in its place.
    pub against: String,
    /// `broker` or `file`.
    pub kind: &'static str,
    /// As the broker writes it; `None` where a file does not tell.
    pub version: Option<String>,
}

/// Returns a plan with what `apply` would do about it.
pub fn plan_json(plan: &Plan, planned_for: &PlannedFor, decision: Decision, sources: &Sources) -> Json {
    json!({
        "type": "plan",
        "files": planned_for.files,
        "against": { "kind": planned_for.kind, "name": planned_for.against, "version": planned_for.version },
        "verdict": decision.as_str(),
        "changes": plan.changes.iter().map(change_json).collect::<Vec<Json>>(),
        "unchanged": plan.unchanged,
        "extras": plan.extras.iter().map(extra_json).collect::<Vec<Json>>(),
        "problems": problems_json(&plan.problems, sources),
    })
}

/// Returns a plan with what became of each change: made, refused or not written, and whether it was read back.
pub fn apply_json(
    plan: &Plan,
    planned_for: &PlannedFor,
    decision: Decision,
    sources: &Sources,
    applied: Option<&Applied>,
    again: Option<&Plan>,
) -> Json {
    let mut shown = plan_json(plan, planned_for, decision, sources);
    let done: BTreeSet<&Object> = applied.iter().flat_map(|applied| &applied.done).collect();
    let left: Option<BTreeSet<&Object>> = again.map(|again| again.changes.iter().map(|one| &one.object).collect());
    let changes = plan.changes.iter().map(|change| {
        let refused = applied.and_then(|all| all.refused.iter().find(|(object, _)| *object == change.object));
        applied_json(change, done.contains(&change.object), refused, left.as_ref())
    });
    let changes: Vec<Json> = changes.collect();
    if let Some(map) = shown.as_object_mut() {
        map.insert("type".into(), "apply".into());
        map.insert("changes".into(), changes.into());
        map.insert("is_equal".into(), again.map(Plan::is_empty).into());
        map.insert("equal_covers".into(), EQUAL_COVERS.into());
    }
    shown
}

fn applied_json(
    change: &Change,
    is_made: bool,
    refusal: Option<&(Object, Refusal)>,
    left: Option<&BTreeSet<&Object>>,
) -> Json {
    let result = match refusal {
        Some(_) => "refused",
        None if is_made => "made",
        None => "not_written",
    };
    let read_back = left.map(|left| match left.contains(&change.object) {
        true => "differs",
        false => "equal",
    });
    let mut shown = change_json(change);
    if let Some(map) = shown.as_object_mut() {
        map.insert("result".into(), result.into());
        map.insert("refusal".into(), refusal.map(|(_, refusal)| refusal.to_string()).into());
        map.insert("read_back".into(), read_back.into());
    }
    shown
}

fn change_json(change: &Change) -> Json {
    let (action, fields, stakes): (&str, &[FieldChange], Option<&Stakes>) = match &change.kind {
        ChangeKind::Create { .. } => ("create", &[], None),
        ChangeKind::Update { fields } => ("update", fields, None),
        ChangeKind::Replace { fields, stakes, .. } => ("replace", fields, Some(stakes)),
        ChangeKind::Delete { stakes, .. } => ("delete", &[], Some(stakes)),
    };
    let fields: Vec<Json> = fields.iter().map(field_json).collect();
    let way = match &change.kind {
        ChangeKind::Replace { way, .. } => Some(way.as_str()),
        _ => None,
    };
    json!({
        "action": action,
        "replaced_by": way,
        "object": object_json(&change.object),
        "text": explain(change),
        "fields": fields,
        "reason": change.why(),
        "effects": change.effects.iter().map(effect_json).collect::<Vec<Json>>(),
        "risk": change.risk.as_deref().map(risk_json),
        "goes_with_it": stakes.map(stakes_json),
    })
}

fn field_json(field: &FieldChange) -> Json {
    json!({ "name": field.name, "old": field.old, "new": field.new })
}

fn effect_json(effect: &PolicyEffect) -> Json {
    let queue = |queue: &QueueName| json!({ "vhost": *queue.vhost, "name": *queue.name });
    json!({
        "queues": effect.queues.iter().map(queue).collect::<Vec<Json>>(),
        "more": effect.more,
        "fields": effect.fields.iter().map(field_json).collect::<Vec<Json>>(),
    })
}

fn extra_json(extra: &Extra) -> Json {
    json!({
        "object": object_json(&extra.object),
        "text": explain_extra(extra),
        "goes_with_it": stakes_json(&extra.stakes),
    })
}

fn stakes_json(stakes: &Stakes) -> Json {
    json!({ "messages": stakes.messages, "consumers": stakes.consumers, "bindings": stakes.bindings })
}

fn risk_json(risk: &Risk) -> Json {
    let queue = |(queue, messages): &(QueueName, Option<u64>)| json!({ "vhost": *queue.vhost, "name": *queue.name, "messages": messages });
    let queues: Vec<Json> = risk.queues.iter().map(queue).collect();
    json!({ "what": risk.what, "old": risk.old, "new": risk.new, "queues": queues })
}

/// Returns an object's identity: its kind and what names it.
pub fn object_json(object: &Object) -> Json {
    match object {
        Object::User { name } => json!({ "kind": "user", "name": **name }),
        Object::Vhost { name } => json!({ "kind": "vhost", "name": **name }),
        Object::Permission { user, vhost } => json!({ "kind": "permission", "user": **user, "vhost": **vhost }),
        Object::TopicPermission { user, vhost, exchange } => {
            json!({ "kind": "topic_permission", "user": **user, "vhost": **vhost, "exchange": **exchange })
        }
        Object::GlobalParameter { name } => json!({ "kind": "global_parameter", "name": **name }),
        Object::Parameter { vhost, component, name } => {
            json!({ "kind": "parameter", "vhost": **vhost, "component": **component, "name": **name })
        }
        Object::Exchange { vhost, name } => named("exchange", vhost, name),
        Object::Policy { vhost, name } => named("policy", vhost, name),
        Object::OperatorPolicy { vhost, name } => named("operator_policy", vhost, name),
        Object::VhostLimit { vhost, name } => named("limit", vhost, name),
        Object::Queue { vhost, name } => named("queue", vhost, name),
        Object::Binding { vhost, source, kind, destination, routing_key, arguments } => json!({
            "kind": "binding",
            "vhost": **vhost,
            "source": **source,
            "destination": **destination,
            "destination_type": kind.as_str(),
            "routing_key": **routing_key,
            "arguments": serde_json::from_str::<Json>(arguments).unwrap_or_else(|_| json!({})),
        }),
    }
}

fn named(kind: &str, vhost: &str, name: &str) -> Json {
    json!({ "kind": kind, "vhost": vhost, "name": name })
}
