//! Reads the keys of a map of another tool: each taken key once, what is left over is told.
//! Takes a node and what it is called; problems go to a list, so that one pass finds them all. Never quotes a value.

use crate::language::{Entry, Node, NodeKind};
use crate::model::{Name, Table, Value};
use crate::source::{Code, Problem, Span};
use serde_json::Value as Json;

/// A map with the keys that were taken.
pub struct ForeignMap<'n> {
    /// What it is, as in `Queue 'orders'`.
    pub what: String,
    node: &'n Node,
    taken: Vec<bool>,
}

impl<'n> ForeignMap<'n> {
    /// Opens a map; what is none is a problem.
    pub fn of(what: impl Into<String>, node: &'n Node, problems: &mut Vec<Problem>) -> Option<Self> {
        let what = what.into();
        match &node.kind {
            NodeKind::Map(entries) => Some(Self { what, node, taken: vec![false; entries.len()] }),
            _ => {
                problems.push(wrong_kind(&what, "a map", node));
                None
            }
        }
    }

    /// Returns where the map stands: its first key, for short marks.
    pub fn span(&self) -> Span {
        self.node.entries().first().map_or(self.node.span, |entry| entry.key_span)
    }

    /// Takes a key; null counts as absent.
    pub fn entry(&mut self, key: &str) -> Option<&'n Entry> {
        let at = self.node.entries().iter().position(|entry| entry.key == key)?;
        self.taken[at] = true;
        Some(&self.node.entries()[at]).filter(|entry| !matches!(entry.value.kind, NodeKind::Null))
    }

    /// Takes the value of a key.
    pub fn node(&mut self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Takes keys that change nothing on a broker.
    pub fn ignore(&mut self, keys: &[&str]) {
        for key in keys {
            self.entry(key);
        }
    }

    /// Reads a text; a number or a switch is taken as the text it is written as.
    pub fn text(&mut self, key: &str, problems: &mut Vec<Problem>) -> Option<String> {
        let node = self.node(key)?;
        match &node.kind {
            NodeKind::Text(text) => Some(text.to_string()),
            NodeKind::Integer(n) => Some(n.to_string()),
            _ => self.wrong(key, "a text", node, problems),
        }
    }

    /// Reads a text that must be there.
    pub fn need(&mut self, key: &str, problems: &mut Vec<Problem>) -> Option<String> {
        if self.node(key).is_none() {
            let message = format!("{} needs `{key}`", self.what);
            problems.push(Problem::new(Code::ValueMissing, message).at(self.span(), format!("no `{key}` in this one")));
        }
        self.text(key, problems)
    }

    /// Reads a name of AMQP that must be there.
    pub fn name(&mut self, key: &str, problems: &mut Vec<Problem>) -> Option<Name> {
        self.need(key, problems).map(Name::from)
    }

    /// Reads true or false; a text that says so counts.
    pub fn flag(&mut self, key: &str, absent: bool, problems: &mut Vec<Problem>) -> bool {
        let Some(node) = self.node(key) else { return absent };
        match &node.kind {
            NodeKind::Bool(yes) => *yes,
            NodeKind::Text(text) if text == "true" || text == "false" => text == "true",
            _ => self.wrong(key, "true or false", node, problems).unwrap_or(absent),
        }
    }

    /// Reads a whole number; a text that holds one counts.
    pub fn integer(&mut self, key: &str, problems: &mut Vec<Problem>) -> Option<i64> {
        let node = self.node(key)?;
        match &node.kind {
            NodeKind::Integer(n) => Some(*n),
            NodeKind::Text(text) if text.is_empty() => None,
            NodeKind::Text(text) => match text.parse() {
                Ok(n) => Some(n),
                Err(_) => self.wrong(key, "a whole number", node, problems),
            },
            _ => self.wrong(key, "a whole number", node, problems),
        }
    }

    /// Reads a list of texts, or one text.
    pub fn texts(&mut self, key: &str, problems: &mut Vec<Problem>) -> Vec<String> {
        let Some(node) = self.node(key) else { return Vec::new() };
        let nodes = match &node.kind {
            NodeKind::List(entries) => entries.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut texts = Vec::new();
        for node in nodes {
            match &node.kind {
                NodeKind::Text(text) => texts.push(text.to_string()),
                NodeKind::Integer(n) => texts.push(n.to_string()),
                _ => problems.push(wrong_kind(&format!("`{key}` of {}", self.what), "texts", node)),
            }
        }
        texts
    }

    /// Reads a map as RabbitMQ reads JSON.
    pub fn json(&mut self, key: &str, problems: &mut Vec<Problem>) -> Option<serde_json::Map<String, Json>> {
        let node = self.node(key)?;
        match node.to_json() {
            Json::Object(map) => Some(map),
            _ => self.wrong(key, "a map", node, problems),
        }
    }

    /// Reads a map of arguments; what is null is left out, as RabbitMQ's API refuses it.
    pub fn arguments(&mut self, key: &str, problems: &mut Vec<Problem>) -> Table {
        let map = self.json(key, problems).unwrap_or_default();
        map.iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.as_str(), Value::from_json(value)))
            .collect()
    }

    /// Opens a block, which Terraform writes as a list of one.
    pub fn block(&mut self, key: &str, problems: &mut Vec<Problem>) -> Option<Self> {
        let block = self.node(key).and_then(|node| one_or_many(node).first());
        match block {
            Some(block) => ForeignMap::of(format!("`{key}` of {}", self.what), block, problems),
            None => {
                let message = format!("{} needs `{key}`", self.what);
                let problem = Problem::new(Code::ValueMissing, message);
                problems.push(problem.at(self.span(), format!("no `{key}` in this one")));
                None
            }
        }
    }

    /// Notes which keys have no counterpart.
    pub fn finish(self, problems: &mut Vec<Problem>) {
        for (entry, _) in self.node.entries().iter().zip(&self.taken).filter(|(_, taken)| !**taken) {
            let message = format!("`{}` of {} has no counterpart and is left out", entry.key, self.what);
            problems.push(Problem::note(Code::ConvertLeftOut, message).at(entry.key_span, "left out"));
        }
    }

    fn wrong<T>(&self, key: &str, expected: &str, node: &Node, problems: &mut Vec<Problem>) -> Option<T> {
        problems.push(wrong_kind(&format!("`{key}` of {}", self.what), expected, node));
        None
    }
}

/// Reports that something of another kind stands there.
pub fn wrong_kind(what: &str, expected: &str, node: &Node) -> Problem {
    let message = format!("{what} takes {expected}, found {}", node.describe());
    Problem::new(Code::ValueKind, message).at(node.span, format!("expected {expected}"))
}

/// Notes that something has no counterpart.
pub fn left_out(message: impl Into<String>, span: Span) -> Problem {
    Problem::note(Code::ConvertLeftOut, message).at(span, "left out")
}

/// Notes that something was taken for granted which the source does not say.
pub fn assumed(message: impl Into<String>, span: Span) -> Problem {
    Problem::note(Code::ConvertAssumed, message).at(span, "assumed")
}

/// Returns the entries of a list, or the one thing that stands there.
pub fn one_or_many(node: &Node) -> &[Node] {
    match &node.kind {
        NodeKind::List(entries) => entries,
        NodeKind::Null => &[],
        _ => std::slice::from_ref(node),
    }
}
