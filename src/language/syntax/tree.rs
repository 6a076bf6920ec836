//! The tree of a YAML file: every value and key with its place.
//! Made by `parse`, rewritten by `render`, read by the decoders. Never holds a secret apart from what the file says.

use crate::model::{Name, Template};
use crate::source::Span;
use std::hash::{Hash, Hasher};

/// How deep lists and maps may nest.
pub const DEPTH_MAX: usize = 100;

/// One value of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it says.
    pub kind: NodeKind,
    /// How it is written.
    pub style: Style,
}

/// What a value says.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// `null`, or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// An integer beyond `i64`.
    Big(u64),
    /// A fraction.
    Float(f64),
    /// A text.
    Text(Name),
    /// A list.
    List(Vec<Node>),
    /// A map.
    Map(Vec<Entry>),
    /// A text with `{{ … }}` that is rendered when the scenario plays.
    Late(Box<Template>),
    /// Was a problem already; readers pass over it in silence.
    Faulty,
}

/// How a scalar came to be: a rendered text may stand for the number it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Quoted,
    Block,
    Rendered,
}

/// One key of a map with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Name,
    /// Where the key stands.
    pub key_span: Span,
    /// What it is set to.
    pub value: Node,
}

impl Node {
    /// Makes a node as a file wrote it.
    pub fn new(span: Span, kind: NodeKind) -> Self {
        Self { span, kind, style: Style::Plain }
    }

    /// Makes a node that readers pass over.
    pub fn faulty(span: Span) -> Self {
        Self::new(span, NodeKind::Faulty)
    }

    /// Returns the entries of a map.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            NodeKind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Finds the value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// Returns the text of a text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns whether anything below is rendered late.
    pub fn is_late(&self) -> bool {
        match &self.kind {
            NodeKind::Late(_) => true,
            NodeKind::List(entries) => entries.iter().any(Node::is_late),
            NodeKind::Map(entries) => entries.iter().any(|entry| entry.value.is_late()),
            _ => false,
        }
    }

    /// Returns whether anything below was a problem.
    pub fn is_faulty(&self) -> bool {
        match &self.kind {
            NodeKind::Faulty => true,
            NodeKind::List(entries) => entries.iter().any(Node::is_faulty),
            NodeKind::Map(entries) => entries.iter().any(|entry| entry.value.is_faulty()),
            _ => false,
        }
    }

    /// Counts this node and all below it.
    pub fn size(&self) -> usize {
        match &self.kind {
            NodeKind::List(entries) => 1 + entries.iter().map(Node::size).sum::<usize>(),
            NodeKind::Map(entries) => 1 + entries.iter().map(|entry| 1 + entry.value.size()).sum::<usize>(),
            _ => 1,
        }
    }

    /// Returns in words what was found, without quoting it.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            NodeKind::Null => "nothing",
            NodeKind::Bool(true) => "true",
            NodeKind::Bool(false) => "false",
            NodeKind::Integer(_) | NodeKind::Big(_) => "a whole number",
            NodeKind::Float(_) => "a fraction",
            NodeKind::Text(_) => "a text",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a map",
            NodeKind::Late(_) => "a template that is rendered when it plays",
            NodeKind::Faulty => "something wrong",
        }
    }

    /// Returns the plain JSON of it; what is late or faulty becomes null.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.kind {
            NodeKind::Null | NodeKind::Late(_) | NodeKind::Faulty => Json::Null,
            NodeKind::Bool(yes) => Json::Bool(*yes),
            NodeKind::Integer(n) => Json::from(*n),
            NodeKind::Big(n) => Json::from(*n),
            NodeKind::Float(n) => Json::from(*n),
            NodeKind::Text(text) => Json::String(text.to_string()),
            NodeKind::List(entries) => Json::Array(entries.iter().map(Node::to_json).collect()),
            NodeKind::Map(entries) => {
                Json::Object(entries.iter().map(|entry| (entry.key.to_string(), entry.value.to_json())).collect())
            }
        }
    }

    /// Makes a rendered tree of JSON; all of it stands at `span`.
    pub fn from_json(json: &serde_json::Value, span: Span) -> Node {
        use serde_json::Value as Json;
        let kind = match json {
            Json::Null => NodeKind::Null,
            Json::Bool(yes) => NodeKind::Bool(*yes),
            Json::Number(n) => match (n.as_i64(), n.as_u64()) {
                (Some(n), _) => NodeKind::Integer(n),
                (None, Some(n)) => NodeKind::Big(n),
                (None, None) => NodeKind::Float(n.as_f64().unwrap_or(0.0)),
            },
            Json::String(text) => NodeKind::Text(text.as_str().into()),
            Json::Array(entries) => NodeKind::List(entries.iter().map(|entry| Node::from_json(entry, span)).collect()),
            Json::Object(map) => {
                let entry = |(key, value): (&String, &Json)| Entry {
                    key: key.as_str().into(),
                    key_span: span,
                    value: Node::from_json(value, span),
                };
                NodeKind::Map(map.iter().map(entry).collect())
            }
        };
        Node { span, kind, style: Style::Rendered }
    }
}

/// What a value says, wherever it stands and however it is written: a key of sets.
#[derive(Debug, Clone, Copy)]
pub struct Said<'n>(pub &'n Node);

impl PartialEq for Said<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0.kind, &other.0.kind) {
            (NodeKind::Float(a), NodeKind::Float(b)) => a.to_bits() == b.to_bits(),
            (NodeKind::List(a), NodeKind::List(b)) => a.iter().map(Said).eq(b.iter().map(Said)),
            (NodeKind::Map(a), NodeKind::Map(b)) => {
                let same = |(a, b): (&Entry, &Entry)| a.key == b.key && Said(&a.value) == Said(&b.value);
                a.len() == b.len() && a.iter().zip(b).all(same)
            }
            (a, b) => a == b,
        }
    }
}

impl Eq for Said<'_> {}

impl Hash for Said<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(&self.0.kind).hash(state);
        match &self.0.kind {
            NodeKind::Bool(yes) => yes.hash(state),
            NodeKind::Integer(n) => n.hash(state),
            NodeKind::Big(n) => n.hash(state),
            NodeKind::Float(n) => n.to_bits().hash(state),
            NodeKind::Text(text) => text.hash(state),
            NodeKind::List(entries) => entries.iter().for_each(|entry| Said(entry).hash(state)),
            NodeKind::Map(entries) => entries.iter().for_each(|entry| {
                entry.key.hash(state);
                Said(&entry.value).hash(state);
            }),
            NodeKind::Null | NodeKind::Late(_) | NodeKind::Faulty => {}
        }
    }
}

/// Finds the scalar that says `text` inside a place.
pub fn find(node: &Node, within: Span, text: &str) -> Option<Span> {
    let inside = |span: Span| span.file == within.file && span.start >= within.start && span.end <= within.end;
    match &node.kind {
        NodeKind::Text(found) if found == text && inside(node.span) => Some(node.span),
        NodeKind::List(entries) => entries.iter().find_map(|entry| find(entry, within, text)),
        NodeKind::Map(entries) => entries.iter().find_map(|entry| find(&entry.value, within, text)),
        _ => None,
    }
}
