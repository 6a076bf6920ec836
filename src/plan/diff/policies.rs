//! Policies, operator policies, parameters and global parameters: compared by value, written whole, one by one.

use crate::broker::Management;
use crate::model::{Object, Policy};
use crate::plan::diff::equality::{json_changes, push_text, same, shown_json};
use crate::plan::diff::findings::Findings;
use crate::plan::{Change, FieldChange, Write};
use crate::source::{Code, Problem};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// What belongs to one cluster and must not be carried to another.
const CLUSTER_OWN: [&str; 1] = ["internal_cluster_id"];

/// Returns whether a global parameter is the cluster's own name for itself.
pub(crate) fn is_of_cluster(name: &str) -> bool {
    CLUSTER_OWN.contains(&name)
}

/// Compares policies, then operator policies; what they can lose is judged when all are known.
pub(crate) fn policies(findings: &mut Findings<'_>) {
    let (desired, observed) = (findings.desired, &findings.observed.topology);
    let (user, operator) =
        ((&desired.policies, &observed.policies), (&desired.operator_policies, &observed.operator_policies));
    for ((desired, observed), operator) in [(user, false), (operator, true)] {
        let known: BTreeMap<Object, &Policy> =
            observed.iter().map(|policy| (policy.object(operator), policy)).collect();
        for policy in desired {
            let old = known.get(&policy.object(operator)).copied();
            one_policy(findings, policy, operator, old);
        }
    }
}

fn one_policy(findings: &mut Findings<'_>, policy: &Policy, operator: bool, old: Option<&Policy>) {
    const AT_ONCE: &str = "it takes effect at once on every queue it catches";
    let object = policy.object(operator);
    let writes = vec![Write::Manage(Management::PutPolicy { policy: Box::new(policy.clone()), operator })];
    let change = match old.map(|old| policy_changes(old, policy)) {
        Some(fields) if fields.is_empty() => {
            findings.unchanged += 1;
            return;
        }
        Some(fields) => Change::update(object, fields, AT_ONCE, writes),
        None => Change::create(object, policy_words(policy), AT_ONCE, writes),
    };
    findings.add(change);
}

fn policy_changes(old: &Policy, new: &Policy) -> Vec<FieldChange> {
    let keys: BTreeSet<&str> = old.definition.keys().chain(new.definition.keys()).map(String::as_str).collect();
    let mut fields = json_changes(|key| old.definition.get(key), |key| new.definition.get(key), &keys);
    push_text(&mut fields, "pattern", &old.pattern, &new.pattern);
    push_text(&mut fields, "apply-to", old.apply_to.as_str(), new.apply_to.as_str());
    push_text(&mut fields, "priority", &old.priority.to_string(), &new.priority.to_string());
    fields
}

/// Says what is worth knowing of a policy.
pub(crate) fn policy_words(policy: &Policy) -> Vec<String> {
    let mut words = vec![format!("pattern {}", policy.pattern), policy.apply_to.as_str().to_owned()];
    if policy.priority != 0 {
        words.push(format!("priority {}", policy.priority));
    }
    words.extend(policy.definition.iter().map(|(key, value)| format!("{key} {}", shown_json(Some(value)))));
    words
}

/// Compares runtime parameters; values may hold credentials and are not shown.
pub(crate) fn parameters(findings: &mut Findings<'_>) {
    let (desired, observed) = (findings.desired, findings.observed);
    for parameter in &desired.parameters {
        let object = parameter.object();
        let writes = vec![Write::Manage(Management::PutParameter(Box::new(parameter.clone())))];
        let old = observed.topology.parameters.iter().find(|old| old.object() == object).map(|old| &old.value);
        settle(findings, object, old, &parameter.value, writes);
    }
}

/// Compares global parameters; what names the cluster itself is left alone.
pub(crate) fn global_parameters(findings: &mut Findings<'_>) {
    let (desired, observed) = (findings.desired, findings.observed);
    for (name, value) in &desired.global_parameters {
        let object = Object::GlobalParameter { name: name.as_str().into() };
        let old = observed.topology.global_parameters.get(name);
        if is_of_cluster(name) && old.is_none_or(|old| !same(old, value)) {
            let text = format!("{object} belongs to the cluster that it was exported from and is left alone");
            findings.problem(&object, "value", Problem::note(Code::PlanClusterOwn, text));
            continue;
        }
        let writes =
            vec![Write::Manage(Management::PutGlobalParameter { name: name.as_str().into(), value: value.clone() })];
        settle(findings, object, old, value, writes);
    }
}

fn settle(findings: &mut Findings<'_>, object: Object, old: Option<&Json>, new: &Json, writes: Vec<Write>) {
    match old {
        None => {
            findings.add(Change::absent(object, Vec::new(), writes));
        }
        Some(old) if same(old, new) => findings.unchanged += 1,
        Some(old) => {
            let fields = value_changes(old, new);
            findings.add(Change::update(object, fields, "its component takes the new value up at once", writes));
        }
    }
}

/// Names the keys that differ. Values of URIs and passwords stay hidden: they carry credentials.
fn value_changes(old: &Json, new: &Json) -> Vec<FieldChange> {
    let (Json::Object(before), Json::Object(after)) = (old, new) else {
        return vec![FieldChange::new("value", shown_json(Some(old)), shown_json(Some(new)))];
    };
    let keys: BTreeSet<&str> = before.keys().chain(after.keys()).map(String::as_str).collect();
    let hide = |change: FieldChange| {
        let secret = ["uri", "password", "secret", "token"].iter().any(|word| change.name.contains(word));
        if secret { FieldChange::hidden(change.name) } else { change }
    };
    json_changes(|key| before.get(key), |key| after.get(key), &keys).into_iter().map(hide).collect()
}
