//! Arenas with typed indexes: what a name is looked up once for, is then found by index.
//! Indexes are never handed out twice, so a stale one finds nothing instead of something else.

use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

/// An index of an [`Arena`], of a type of its own for each kind of value.
pub(crate) trait Index: Copy {
    /// Makes the index of the n-th value.
    fn nth(n: u32) -> Self;

    /// Returns which value it is of.
    fn place(self) -> usize;
}

macro_rules! indexes {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(u32);

        impl Index for $name {
            #[inline]
            fn nth(n: u32) -> Self {
                Self(n)
            }

            #[inline]
            fn place(self) -> usize {
                self.0 as usize
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "#{}", self.0)
            }
        }
    )*};
}

indexes! {
    /// A virtual host.
    VhostId
    /// A channel; clients know it by another number.
    ChannelIndex
    /// An exchange.
    ExchangeId
    /// A queue.
    QueueId
    /// A subscription.
    ConsumerId
    /// Where the dead of a queue go.
    DeadLetteringId
}

/// What a binding leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BindingDestination {
    Queue(QueueId),
    Exchange(ExchangeId),
}

/// Values by index.
#[derive(Clone)]
pub(crate) struct Arena<I, T> {
    items: Vec<Option<Box<T>>>,
    indexes: PhantomData<fn() -> I>,
}

impl<I: Index, T> Arena<I, T> {
    pub(crate) fn new() -> Self {
        Self { items: Vec::new(), indexes: PhantomData }
    }

    pub(crate) fn insert(&mut self, item: T) -> I {
        self.items.push(Some(Box::new(item)));
        I::nth(self.items.len() as u32 - 1)
    }

    #[inline]
    pub(crate) fn get(&self, index: I) -> Option<&T> {
        self.items.get(index.place())?.as_deref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, index: I) -> Option<&mut T> {
        self.items.get_mut(index.place())?.as_deref_mut()
    }

    pub(crate) fn remove(&mut self, index: I) -> Option<T> {
        self.items.get_mut(index.place())?.take().map(|item| *item)
    }

    /// Returns all that is there, in order of arrival.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (I, &T)> {
        self.items.iter().enumerate().filter_map(|(n, item)| Some((I::nth(n as u32), item.as_deref()?)))
    }

    /// Returns how many indexes were handed out.
    pub(crate) fn indexes(&self) -> usize {
        self.items.len()
    }
}

/// The same for values that change seldom: copies of all share them until they change.
#[derive(Clone)]
pub(crate) struct SharedArena<I, T> {
    items: Vec<Option<Arc<T>>>,
    indexes: PhantomData<fn() -> I>,
}

impl<I: Index, T: Clone> SharedArena<I, T> {
    /// Hashes where the values are: copies that share them hash alike.
    pub(crate) fn hash_places(&self, state: &mut impl Hasher) {
        self.items.iter().for_each(|item| item.as_ref().map(Arc::as_ptr).hash(state));
    }

    pub(crate) fn new() -> Self {
        Self { items: Vec::new(), indexes: PhantomData }
    }

    pub(crate) fn insert(&mut self, item: T) -> I {
        self.items.push(Some(Arc::new(item)));
        I::nth(self.items.len() as u32 - 1)
    }

    #[inline]
    pub(crate) fn get(&self, index: I) -> Option<&T> {
        self.items.get(index.place())?.as_deref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, index: I) -> Option<&mut T> {
        self.items.get_mut(index.place())?.as_mut().map(Arc::make_mut)
    }

    pub(crate) fn remove(&mut self, index: I) -> Option<T> {
        self.items.get_mut(index.place())?.take().map(Arc::unwrap_or_clone)
    }

    /// Returns all that is there, in order of arrival.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (I, &T)> {
        self.items.iter().enumerate().filter_map(|(n, item)| Some((I::nth(n as u32), item.as_deref()?)))
    }
}
