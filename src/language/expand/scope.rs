//! The names that a template may use at load: vars, environment, matrix axes, the item of a `for_each`.
//! A later source of vars wins; a var may use environment and other vars. Evaluated when asked for, cycles are problems.

use crate::language::decode::map_decoder::Diagnostics;
use crate::language::syntax::tree::{Node, NodeKind};
use crate::language::{Settings, World};
use crate::source::{Code, Problem, Span};
use serde_json::Value as Json;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Names that mean something already and cannot be vars.
pub const RESERVED: [&str; 9] = ["env", "item", "message", "batch", "attempt", "consumer", "instance", "moment", "n"];

/// Where the value of a name comes from.
#[derive(Clone)]
enum Definition<'a> {
    Written { node: &'a Node, key: Span },
    Given(Json),
}

/// Renders a value in the names of a scope.
pub type Evaluate = fn(&VariableScope<'_>, &Node, &mut Diagnostics) -> Node;

/// Holds the names of one file, or of one cell of a scenario.
pub struct VariableScope<'a> {
    pub world: &'a dyn World,
    /// How a var that holds templates is evaluated.
    evaluate: Evaluate,
    definitions: BTreeMap<String, Definition<'a>>,
    known: RefCell<BTreeMap<String, Option<Json>>>,
    under_way: RefCell<BTreeSet<String>>,
    items: RefCell<Vec<Json>>,
}

impl<'a> VariableScope<'a> {
    /// Makes a scope without vars.
    pub fn new(world: &'a dyn World, evaluate: Evaluate) -> Self {
        let (definitions, known) = (BTreeMap::new(), RefCell::default());
        Self { world, evaluate, definitions, known, under_way: RefCell::default(), items: RefCell::default() }
    }

    /// Adds the `vars:` of a file; they win over what is there.
    pub fn write(&mut self, vars: Option<&'a Node>, desk: &mut Diagnostics) {
        let Some(vars) = vars else { return };
        if vars.entries().is_empty() && !vars.is_faulty() && !matches!(vars.kind, NodeKind::Map(_)) {
            let message = format!("`vars` is a map of names and values, found {}", vars.describe());
            return desk.add(Problem::new(Code::ValueKind, message).at(vars.span, "expected a map"));
        }
        for entry in vars.entries() {
            if RESERVED.contains(&entry.key.as_str()) {
                let message = format!("`{}` has a meaning in templates already and cannot be a var", entry.key);
                // It is a var all the same, so that nothing else is said of the templates that use it.
                desk.add(Problem::new(Code::TemplateReserved, message).at(entry.key_span, "choose another name"));
            }
            let definition = Definition::Written { node: &entry.value, key: entry.key_span };
            self.definitions.insert(entry.key.to_string(), definition);
        }
    }

    /// Adds one name with its value.
    pub fn give(&mut self, name: &str, value: Json) {
        self.definitions.insert(name.to_owned(), Definition::Given(value));
    }

    /// Adds what the command line gives; it wins over all.
    pub fn settle(&mut self, settings: &Settings) {
        for (name, value) in &settings.vars {
            self.give(name, value.clone());
        }
    }

    /// Adds what the command line gives, but for the axes, which a choice has settled.
    pub fn settle_without(&mut self, settings: &Settings, axes: &[(String, Json)]) {
        for (name, value) in settings.vars.iter().filter(|(name, _)| !axes.iter().any(|(axis, _)| axis == name)) {
            self.give(name, value.clone());
        }
    }

    /// Evaluates the vars of one source, so that a faulty one is found even where nobody uses it.
    pub fn check(&self, vars: Option<&Node>, desk: &mut Diagnostics) {
        for entry in vars.map_or(&[][..], Node::entries) {
            self.value(&entry.key, desk);
        }
    }

    /// Evaluates every written var, so that a faulty one is found even where nobody uses it.
    pub fn check_all(&self, desk: &mut Diagnostics) {
        for name in self.definitions.keys() {
            self.value(name, desk);
        }
    }

    /// Lists the names of all vars.
    pub fn names(&self) -> Vec<&str> {
        self.definitions.keys().map(String::as_str).collect()
    }

    /// Returns whether the name is a var.
    pub fn has(&self, name: &str) -> bool {
        self.definitions.contains_key(name) || (name == "item" && !self.items.borrow().is_empty())
    }

    /// Returns the value of a name; `None` when it has none or is a problem.
    pub fn value(&self, name: &str, desk: &mut Diagnostics) -> Option<Json> {
        if name == "item" && !self.items.borrow().is_empty() {
            return self.items.borrow().last().cloned();
        }
        if let Some(known) = self.known.borrow().get(name) {
            return known.clone();
        }
        let value = match self.definitions.get(name)? {
            Definition::Given(value) => Some(value.clone()),
            Definition::Written { node, key } => self.evaluate(name, node, *key, desk),
        };
        self.known.borrow_mut().insert(name.to_owned(), value.clone());
        value
    }

    fn evaluate(&self, name: &str, node: &Node, key: Span, desk: &mut Diagnostics) -> Option<Json> {
        if !self.under_way.borrow_mut().insert(name.to_owned()) {
            let problem = Problem::new(Code::TemplateCycle, format!("the var `{name}` needs itself"));
            desk.add(problem.at(key, "goes in a circle").help("give one of the vars on the way a value of its own"));
            return None;
        }
        let items = std::mem::take(&mut *self.items.borrow_mut());
        let rendered = (self.evaluate)(self, node, desk);
        *self.items.borrow_mut() = items;
        self.under_way.borrow_mut().remove(name);
        (!rendered.is_faulty()).then(|| rendered.to_json())
    }

    /// Runs something with `item` set.
    pub fn with_item<T>(&self, item: Json, run: impl FnOnce() -> T) -> T {
        self.items.borrow_mut().push(item);
        let result = run();
        self.items.borrow_mut().pop();
        result
    }
}
