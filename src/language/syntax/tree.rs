//! The tree of a YAML file: every value and key with its place.
//! Made by `parse`, rewritten by `render`, read by the decoders. Never holds a secret apart from what the file says.

use crate::model::Template;
use crate::source::Span;

/// Is one value of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub span: Span,
    pub kind: Kind,
    pub style: Style,
}

/// Is what a value says.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Null,
    Bool(bool),
    Integer(i64),
    /// An integer beyond `i64`.
    Big(u64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// A text with `{{ … }}` that is rendered when the scenario plays.
    Late(Box<Template>),
    /// Was a problem already; readers pass over it in silence.
    Faulty,
}

/// Says how a scalar came to be: a rendered text may stand for the number it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Quoted,
    Block,
    Rendered,
}

/// Is one key of a map with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: String,
    pub key_span: Span,
    pub value: Node,
}

impl Node {
    /// Makes a node as a file wrote it.
    pub fn new(span: Span, kind: Kind) -> Self {
        Self { span, kind, style: Style::Plain }
    }

    /// Makes a node that readers pass over.
    pub fn faulty(span: Span) -> Self {
        Self::new(span, Kind::Faulty)
    }

    /// Gives the entries of a map.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Finds the value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// Gives the text of a text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Says whether anything below is rendered late.
    pub fn is_late(&self) -> bool {
        match &self.kind {
            Kind::Late(_) => true,
            Kind::List(entries) => entries.iter().any(Node::is_late),
            Kind::Map(entries) => entries.iter().any(|entry| entry.value.is_late()),
            _ => false,
        }
    }

    /// Says whether anything below was a problem.
    pub fn is_faulty(&self) -> bool {
        match &self.kind {
            Kind::Faulty => true,
            Kind::List(entries) => entries.iter().any(Node::is_faulty),
            Kind::Map(entries) => entries.iter().any(|entry| entry.value.is_faulty()),
            _ => false,
        }
    }

    /// Counts this node and all below it.
    pub fn size(&self) -> usize {
        match &self.kind {
            Kind::List(entries) => 1 + entries.iter().map(Node::size).sum::<usize>(),
            Kind::Map(entries) => 1 + entries.iter().map(|entry| 1 + entry.value.size()).sum::<usize>(),
            _ => 1,
        }
    }

    /// Says in words what was found, without quoting it.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "nothing",
            Kind::Bool(true) => "true",
            Kind::Bool(false) => "false",
            Kind::Integer(_) | Kind::Big(_) => "a whole number",
            Kind::Float(_) => "a fraction",
            Kind::Text(_) => "a text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
            Kind::Late(_) => "a template that is rendered when it plays",
            Kind::Faulty => "something wrong",
        }
    }

    /// Gives the plain JSON of it; what is late or faulty becomes null.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.kind {
            Kind::Null | Kind::Late(_) | Kind::Faulty => Json::Null,
            Kind::Bool(yes) => Json::Bool(*yes),
            Kind::Integer(n) => Json::from(*n),
            Kind::Big(n) => Json::from(*n),
            Kind::Float(n) => Json::from(*n),
            Kind::Text(text) => Json::String(text.clone()),
            Kind::List(entries) => Json::Array(entries.iter().map(Node::to_json).collect()),
            Kind::Map(entries) => {
                Json::Object(entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect())
            }
        }
    }

    /// Makes a rendered tree of JSON; all of it stands at `span`.
    pub fn from_json(json: &serde_json::Value, span: Span) -> Node {
        use serde_json::Value as Json;
        let kind = match json {
            Json::Null => Kind::Null,
            Json::Bool(yes) => Kind::Bool(*yes),
            Json::Number(n) => match (n.as_i64(), n.as_u64()) {
                (Some(n), _) => Kind::Integer(n),
                (None, Some(n)) => Kind::Big(n),
                (None, None) => Kind::Float(n.as_f64().unwrap_or(0.0)),
            },
            Json::String(text) => Kind::Text(text.clone()),
            Json::Array(entries) => Kind::List(entries.iter().map(|entry| Node::from_json(entry, span)).collect()),
            Json::Object(map) => {
                let entry = |(key, value): (&String, &Json)| Entry {
                    key: key.clone(),
                    key_span: span,
                    value: Node::from_json(value, span),
                };
                Kind::Map(map.iter().map(entry).collect())
            }
        };
        Node { span, kind, style: Style::Rendered }
    }
}
