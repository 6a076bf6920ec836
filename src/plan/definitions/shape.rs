//! What the fields of an export must be: a broker that sends something else is none that can be compared with.
//! Takes an entry of a list; says which field is of another kind. Fields of newer brokers are not looked at.

use std::fmt;

/// What a field holds, however it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldKind {
    Text,
    Flag,
    Number,
    Map,
    List,
    /// An empty list: some versions write an empty map so.
    EmptyList,
    Null,
}

impl fmt::Display for FieldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FieldKind::Text => "a text",
            FieldKind::Flag => "true or false",
            FieldKind::Number => "a number",
            FieldKind::Map => "a map",
            FieldKind::List | FieldKind::EmptyList => "a list",
            FieldKind::Null => "null",
        })
    }
}

/// What belongs at a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// A text that names the object. An entry without it is of something that vanishes just now, and is left out.
    Name,
    Text,
    /// A flag, or `undefined`, as 3.10 and 4.0 call one that an import left out.
    Flag,
    Number,
    Map,
    Tags,
}

impl Wanted {
    fn words(self) -> &'static str {
        match self {
            Wanted::Name | Wanted::Text => "a text",
            Wanted::Flag => "true or false",
            Wanted::Number => "a number",
            Wanted::Map => "a map",
            Wanted::Tags => "a list of texts",
        }
    }

    fn takes(self, kind: FieldKind) -> bool {
        match self {
            Wanted::Name | Wanted::Text => matches!(kind, FieldKind::Text | FieldKind::Null),
            Wanted::Flag => matches!(kind, FieldKind::Flag | FieldKind::Text | FieldKind::Null),
            Wanted::Number => matches!(kind, FieldKind::Number | FieldKind::Null),
            Wanted::Map => matches!(kind, FieldKind::Map | FieldKind::EmptyList | FieldKind::Null),
            Wanted::Tags => {
                matches!(kind, FieldKind::List | FieldKind::EmptyList | FieldKind::Text | FieldKind::Null)
            }
        }
    }
}

const POLICY: &[(&str, Wanted)] = &[
    ("vhost", Wanted::Name),
    ("name", Wanted::Name),
    ("pattern", Wanted::Text),
    ("apply-to", Wanted::Text),
    ("priority", Wanted::Number),
    ("definition", Wanted::Map),
];

/// The lists of an export with the fields of their entries that are read.
const LISTS: &[(&str, &[(&str, Wanted)])] = &[
    (
        "users",
        &[
            ("name", Wanted::Name),
            ("password_hash", Wanted::Text),
            ("hashing_algorithm", Wanted::Text),
            ("tags", Wanted::Tags),
            ("limits", Wanted::Map),
        ],
    ),
    ("vhosts", &[("name", Wanted::Name), ("metadata", Wanted::Map), ("limits", Wanted::Map)]),
    (
        "permissions",
        &[
            ("user", Wanted::Name),
            ("vhost", Wanted::Name),
            ("configure", Wanted::Text),
            ("write", Wanted::Text),
            ("read", Wanted::Text),
        ],
    ),
    (
        "topic_permissions",
        &[
            ("user", Wanted::Name),
            ("vhost", Wanted::Name),
            ("exchange", Wanted::Name),
            ("write", Wanted::Text),
            ("read", Wanted::Text),
        ],
    ),
    ("global_parameters", &[("name", Wanted::Name)]),
    ("policies", POLICY),
    ("operator_policies", POLICY),
    ("parameters", &[("vhost", Wanted::Name), ("component", Wanted::Name), ("name", Wanted::Name)]),
    (
        "queues",
        &[
            ("name", Wanted::Name),
            ("vhost", Wanted::Name),
            ("type", Wanted::Text),
            ("durable", Wanted::Flag),
            ("auto_delete", Wanted::Flag),
            ("exclusive", Wanted::Flag),
            ("arguments", Wanted::Map),
        ],
    ),
    (
        "exchanges",
        &[
            ("name", Wanted::Name),
            ("vhost", Wanted::Name),
            ("type", Wanted::Name),
            ("durable", Wanted::Flag),
            ("auto_delete", Wanted::Flag),
            ("internal", Wanted::Flag),
            ("arguments", Wanted::Map),
        ],
    ),
    (
        "bindings",
        &[
            ("source", Wanted::Name),
            ("vhost", Wanted::Name),
            ("destination", Wanted::Name),
            ("destination_type", Wanted::Text),
            ("routing_key", Wanted::Text),
            ("arguments", Wanted::Map),
        ],
    ),
];

/// Returns whether a list of that name is read at all.
pub(crate) fn is_read(list: &str) -> bool {
    LISTS.iter().any(|(known, _)| *known == list)
}

/// Says which field of an entry is none that RabbitMQ writes; `kind_of` tells what a field holds, `None` where it is not there.
pub(crate) fn fault(list: &str, kind_of: impl Fn(&str) -> Option<FieldKind>) -> Option<String> {
    let (_, fields) = LISTS.iter().find(|(known, _)| *known == list)?;
    fields.iter().find_map(|(key, wanted)| {
        let kind = kind_of(key).filter(|kind| !wanted.takes(*kind))?;
        Some(format!("`{key}` in an entry of `{list}` is {kind}, and RabbitMQ writes {} there", wanted.words()))
    })
}
