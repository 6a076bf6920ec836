//! A vhost of rascal while it is read, and objects over their defaults.
//! Takes maps, the object's own first; gives the first value that is there.

use crate::language::{Node, NodeKind};
use crate::model::{Name, Table, Value};
use std::collections::BTreeMap;

/// One vhost of a configuration, with the names on the broker of what it declares.
pub struct RascalVhost<'n> {
    pub name: Name,
    pub exchanges: BTreeMap<String, Name>,
    pub queues: BTreeMap<String, Name>,
    pub namespace: Option<String>,
    /// Defaults, those of the vhost first.
    pub defaults: Vec<&'n Node>,
}

/// One exchange, queue or binding: its own map, then the defaults of its kind.
pub struct Layers<'n>(pub Vec<&'n Node>);

impl<'n> Layers<'n> {
    /// Finds a value by the path of its keys, in the first map that has it.
    pub fn get(&self, path: &[&str]) -> Option<&'n Node> {
        let find = |node: &&'n Node| path.iter().try_fold(*node, |node, key| node.get(key));
        self.0.iter().filter_map(find).find(|node| !matches!(node.kind, NodeKind::Null))
    }

    pub fn text(&self, path: &[&str]) -> Option<&'n str> {
        self.get(path).and_then(Node::as_text)
    }

    pub fn flag(&self, path: &[&str], absent: bool) -> bool {
        match self.get(path).map(|node| &node.kind) {
            Some(NodeKind::Bool(yes)) => *yes,
            _ => absent,
        }
    }

    /// Reads the arguments of all layers; the first one that names an argument sets it.
    pub fn arguments(&self, path: &[&str]) -> Table {
        let mut table = Table::new();
        for node in &self.0 {
            let found = path.iter().try_fold(*node, |node, key| node.get(key));
            for entry in found.map_or(&[][..], Node::entries) {
                if !table.contains_key(&entry.key) && !matches!(entry.value.kind, NodeKind::Null) {
                    table.insert(entry.key.as_str().into(), Value::from_json(&entry.value.to_json()));
                }
            }
        }
        table
    }
}

impl<'n> RascalVhost<'n> {
    /// Returns the defaults of a kind of object.
    pub fn layers(&self, kind: &str) -> Vec<&'n Node> {
        self.defaults.iter().filter_map(|defaults| defaults.get(kind)).collect()
    }

    /// Puts the namespace before a name.
    pub fn qualified(&self, name: &str) -> Name {
        match &self.namespace {
            Some(namespace) if !name.is_empty() => format!("{namespace}:{name}").into(),
            _ => name.into(),
        }
    }
}
