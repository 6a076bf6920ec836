//! One line per change, in words: `+` is made, `~` is changed, `!` cannot be changed.
//! Gives sentences; colours and layout belong to `report`.

use crate::model::Object;
use crate::plan::{Change, ChangeKind, FieldChange};

/// Says in one line what a change is.
pub fn explain(change: &Change) -> String {
    let object = named(&change.object);
    match &change.kind {
        ChangeKind::Create { words } if words.is_empty() => format!("+ {object}"),
        ChangeKind::Create { words } => format!("+ {object} ({})", words.join(", ")),
        ChangeKind::Update { fields } => format!("~ {object}: {}", joined(fields)),
        ChangeKind::Immutable { fields } => format!("! {object} cannot change {}", immutable(fields)),
    }
}

/// Names an object with its vhost.
fn named(object: &Object) -> String {
    match object {
        Object::Vhost { .. } => object.to_string(),
        _ => object.vhost().map_or_else(|| object.to_string(), |vhost| format!("{object} in vhost '{vhost}'")),
    }
}

fn joined(fields: &[FieldChange]) -> String {
    fields.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn one(field: &FieldChange) -> String {
    if field.old == "***" {
        format!("{} changes", field.name)
    } else {
        format!("{} {} -> {}", field.name, field.old, field.new)
    }
}

fn immutable(fields: &[FieldChange]) -> String {
    fields.iter().map(|field| format!("{}: {} -> {}", field.name, field.old, field.new)).collect::<Vec<_>>().join(", ")
}
