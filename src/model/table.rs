//! AMQP field tables: named values in order, shared until one holder writes.
//! Cheap to clone and small; made for the few dozen entries that headers and arguments have: look-ups walk the entries.

use crate::model::{Name, Value};
use rustc_hash::FxHasher;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Index;
use std::sync::Arc;

/// An AMQP field table; keeps its order, compares without it.
///
/// ```
/// use rmqplay::model::{Table, Value};
/// let mut table: Table = [("x-max-length", Value::I64(5))].into_iter().collect();
/// let before = table.clone();
/// table.insert("x-expires".into(), Value::I64(60_000));
/// assert_eq!((before.len(), table.len()), (1, 2));
/// assert_eq!(table["x-max-length"], Value::I64(5));
/// ```
#[derive(Clone, Default)]
pub struct Table(
    // `None` is the empty one: most tables are, and hold nothing.
    Option<Arc<Vec<(Name, Value)>>>,
);

impl Hash for Table {
    /// Tables compare without their order, so that it does not count here either.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let hash_of = |entry: &(Name, Value)| {
            let mut hasher = FxHasher::default();
            entry.hash(&mut hasher);
            hasher.finish()
        };
        self.len().hash(state);
        self.entries().iter().fold(0, |sum: u64, entry| sum.wrapping_add(hash_of(entry))).hash(state);
    }
}

impl Table {
    /// Makes an empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an empty table with room for so many entries.
    pub fn with_capacity(entries: usize) -> Self {
        Self(Some(Arc::new(Vec::with_capacity(entries))))
    }

    /// Makes a table of entries as they are: a name that comes twice stays twice, and its first value is the one that is found.
    pub fn from_entries(entries: Vec<(Name, Value)>) -> Self {
        if entries.is_empty() { Self::new() } else { Self(Some(Arc::new(entries))) }
    }

    /// Returns a copy of its own, with room for so many more entries.
    pub fn with_room(&self, more: usize) -> Self {
        let mut entries = Vec::with_capacity(self.len() + more);
        entries.extend_from_slice(self.entries());
        Self(Some(Arc::new(entries)))
    }

    /// Returns how many fields there are.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Returns whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// Returns the value of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries().iter().find(|(key, _)| &**key == name).map(|(_, value)| value)
    }

    /// Returns the value of that name for writing; a shared table is copied first.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let at = self.place(name)?;
        Some(&mut self.entries_mut()[at].1)
    }

    /// Returns whether a field has this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets a value: in its old place where the name is there already, else at the end. Gives the old value.
    pub fn insert(&mut self, name: Name, value: Value) -> Option<Value> {
        if let Some(old) = self.get_mut(&name) {
            return Some(std::mem::replace(old, value));
        }
        self.entries_mut().push((name, value));
        None
    }

    /// Removes an entry; those behind it keep their order.
    pub fn shift_remove(&mut self, name: &str) -> Option<Value> {
        let at = self.place(name)?;
        Some(self.entries_mut().remove(at).1)
    }

    /// Keeps the entries that fit.
    pub fn retain(&mut self, mut fits: impl FnMut(&str, &Value) -> bool) {
        if !self.is_empty() {
            self.entries_mut().retain(|(key, value)| fits(key, value));
        }
    }

    /// Orders the entries by name; does nothing to a table that is in order.
    pub fn sort_keys(&mut self) {
        if !self.keys().is_sorted() {
            self.entries_mut().sort_by(|a, b| a.0.cmp(&b.0));
        }
    }

    /// Lists the fields in order.
    pub fn iter(&self) -> Iter<'_> {
        self.entries().iter().map(|(key, value)| (key, value))
    }

    /// Lists the names in order.
    pub fn keys(&self) -> impl Iterator<Item = &Name> {
        self.entries().iter().map(|(key, _)| key)
    }

    /// Lists the values in order.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.entries().iter().map(|(_, value)| value)
    }

    /// Lists the values in order, to change.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        let entries = self.0.as_mut().map(Arc::make_mut);
        entries.into_iter().flatten().map(|(_, value)| value)
    }

    /// Returns whether both are one and the same table, so that neither needs to be read to know that they are equal.
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        }
    }

    fn entries(&self) -> &[(Name, Value)] {
        self.0.as_ref().map_or(&[], |entries| entries.as_slice())
    }

    /// Returns the entries for writing; those that are shared are copied first.
    fn entries_mut(&mut self) -> &mut Vec<(Name, Value)> {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.entries().iter().position(|(key, _)| &**key == name)
    }
}

/// Walks over names and values.
pub type Iter<'a> = std::iter::Map<std::slice::Iter<'a, (Name, Value)>, fn(&(Name, Value)) -> (&Name, &Value)>;

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other)
            || self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Index<&str> for Table {
    type Output = Value;
    /// Returns the value of that name; panics when it is not there.
    fn index(&self, name: &str) -> &Value {
        self.get(name).expect("the table has no entry of that name")
    }
}

impl<K: Into<Name>> FromIterator<(K, Value)> for Table {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        let mut table = Self::new();
        table.extend(entries);
        table
    }
}

impl<K: Into<Name>> Extend<(K, Value)> for Table {
    fn extend<I: IntoIterator<Item = (K, Value)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key.into(), value);
        }
    }
}

impl<'a> IntoIterator for &'a Table {
    type Item = (&'a Name, &'a Value);
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl IntoIterator for Table {
    type Item = (Name, Value);
    type IntoIter = std::vec::IntoIter<(Name, Value)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.map(Arc::unwrap_or_clone).unwrap_or_default().into_iter()
    }
}
