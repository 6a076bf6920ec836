//! One line per change, in words: `+` is made, `~` is changed, `-/+` would have to be replaced, `-` is deleted.
//! Gives sentences; colours and layout belong to `report`.

use crate::model::{Object, one_line};
use crate::plan::{Change, ChangeKind, Extra, FieldChange};

/// Says in one line what a change is.
pub fn explain(change: &Change) -> String {
    let object = named(&change.object);
    let text = match &change.kind {
        ChangeKind::Create { words } if words.is_empty() => format!("+ {object}"),
        ChangeKind::Create { words } => format!("+ {object} ({})", words.join(", ")),
        ChangeKind::Update { fields } => format!("~ {object}: {}", joined(fields)),
        ChangeKind::Replace { fields, .. } if fields.is_empty() => format!("-/+ {object} (its move is unfinished)"),
        ChangeKind::Replace { fields, .. } => format!("-/+ {object}: {}", joined(fields)),
        ChangeKind::Delete { words, .. } if words.is_empty() => format!("- {object}"),
        ChangeKind::Delete { words, .. } => format!("- {object} ({})", words.join(", ")),
    };
    one_line(&text).into_owned()
}

/// Says in one line what a broker holds beside the file.
pub fn explain_extra(extra: &Extra) -> String {
    let object = named(&extra.object);
    if extra.words.is_empty() {
        object
    } else {
        one_line(&format!("{object} ({})", extra.words.join(", "))).into_owned()
    }
}

/// Names an object with its vhost.
pub fn named(object: &Object) -> String {
    let text = match object {
        Object::Vhost { .. } => object.to_string(),
        _ => object.vhost().map_or_else(|| object.to_string(), |vhost| format!("{object} in vhost '{vhost}'")),
    };
    one_line(&text).into_owned()
}

fn joined(fields: &[FieldChange]) -> String {
    fields.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn one(field: &FieldChange) -> String {
    if field.hidden {
        format!("{} changes", field.name)
    } else {
        format!("{} {} -> {}", field.name, field.old, field.new)
    }
}
