//! The resources of a Kubernetes file, and what several of them need: the secrets it holds, the names of its users.
//! Filled by `kubernetes`. Never reads a resource itself.

use crate::convert::read::Imported;
use crate::language::Node;
use crate::model::Name;
use std::collections::BTreeMap;

/// What the resources of a file have in common.
#[derive(Default)]
pub struct Resources<'n> {
    pub imported: Imported,
    /// The Kubernetes secrets that the file holds, by name: their keys, decoded.
    pub secrets: BTreeMap<String, BTreeMap<String, String>>,
    /// The names of users on the broker, by the names of their resources.
    pub users: BTreeMap<String, Name>,
    pub nodes: Vec<&'n Node>,
}
