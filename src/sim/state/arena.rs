//! Places with typed numbers: what a name is looked up once for, is then found by index.
//! Numbers are never handed out twice, so a stale one finds nothing instead of something else.

use std::cmp::Ordering;
use std::marker::PhantomData;

/// Numbers one `T` of its [`Arena`].
pub(crate) struct Id<T>(u32, PhantomData<fn() -> T>);

/// Holds values by number.
pub(crate) struct Arena<T> {
    items: Vec<Option<Box<T>>>,
}

impl<T> Arena<T> {
    pub(crate) fn new() -> Self {
        Self { items: Vec::new() }
    }

    pub(crate) fn insert(&mut self, item: T) -> Id<T> {
        self.items.push(Some(Box::new(item)));
        Id(self.items.len() as u32 - 1, PhantomData)
    }

    pub(crate) fn get(&self, id: Id<T>) -> Option<&T> {
        self.items.get(id.0 as usize)?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, id: Id<T>) -> Option<&mut T> {
        self.items.get_mut(id.0 as usize)?.as_deref_mut()
    }

    pub(crate) fn remove(&mut self, id: Id<T>) -> Option<T> {
        self.items.get_mut(id.0 as usize)?.take().map(|item| *item)
    }

    /// Gives all that is there, in order of arrival.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        self.items.iter().enumerate().filter_map(|(i, item)| Some((Id(i as u32, PhantomData), item.as_deref()?)))
    }
}

#[cfg(test)]
impl<T> Id<T> {
    /// Gives the id of that number.
    pub(crate) fn nth(n: u32) -> Self {
        Id(n, PhantomData)
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for Id<T> {}

impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<T> std::fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{}", self.0)
    }
}
