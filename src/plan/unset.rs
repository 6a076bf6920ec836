//! Values that a file takes from secrets which are not set: what the broker has stands in for them, so that all else compares.
//! Takes both topologies; changes the desired one. Never guesses where the broker has nothing.

use crate::model::{Object, Template, Topology};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// Puts the broker's values in the place of templates that could not be rendered, in the values of parameters and the
/// definitions of policies.
pub fn fill_unset(desired: &mut Topology, unset: &BTreeSet<Object>, there: &Topology) {
    for parameter in desired.parameters.iter_mut().filter(|it| unset.contains(&it.object())) {
        let object = parameter.object();
        let known = there.parameters.iter().find(|it| it.object() == object);
        fill(&mut parameter.value, known.map(|it| &it.value));
    }
    for (name, value) in &mut desired.global_parameters {
        if unset.contains(&Object::GlobalParameter { name: name.as_str().into() }) {
            fill(value, there.global_parameters.get(name));
        }
    }
    let kinds = [
        (&mut desired.policies, &there.policies, false),
        (&mut desired.operator_policies, &there.operator_policies, true),
    ];
    for (wanted, there, operator) in kinds {
        for policy in wanted.iter_mut().filter(|it| unset.contains(&it.object(operator))) {
            let known = there.iter().find(|it| it.vhost == policy.vhost && it.name == policy.name);
            for (key, value) in &mut policy.definition {
                fill(value, known.and_then(|known| known.definition.get(key)));
            }
        }
    }
}

fn fill(wanted: &mut Json, there: Option<&Json>) {
    match wanted {
        Json::String(text) if Template::looks_like_one(text) => {
            if let Some(there) = there {
                *wanted = there.clone();
            }
        }
        Json::Object(map) => {
            map.iter_mut().for_each(|(key, value)| fill(value, there.and_then(|there| there.get(key))))
        }
        Json::Array(list) => {
            list.iter_mut().enumerate().for_each(|(at, value)| fill(value, there.and_then(|there| there.get(at))));
        }
        _ => {}
    }
}
