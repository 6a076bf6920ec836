//! Which publish a message in somebody's hands stems from, and what it is called. Keeps the latest only, and no body.

use crate::broker::PublishId;
use crate::model::{Message, Name};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::collections::VecDeque;
use std::sync::{Arc, Weak};

/// How many messages are known.
const KNOWN_MAX: usize = 20_000;

/// The messages that were published last.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownMessages {
    names: IndexMap<PublishId, (Name, Weak<Message>), FxBuildHasher>,
    /// By the place of what was published, which all copies in the broker share while anyone holds it.
    places: IndexMap<usize, PublishId, FxBuildHasher>,
    order: VecDeque<(PublishId, usize)>,
    anonymous: u64,
    /// How often each id was published, of those that are known.
    ids: IndexMap<Name, (u64, u64), FxBuildHasher>,
}

impl KnownMessages {
    /// Names what is published: by its id, `id#k` for the k-th of an id, or `m` and a number.
    pub(crate) fn published(&mut self, publish: PublishId, message: &Arc<Message>) -> Name {
        let name = match message.properties.message_id.clone().filter(|id| !id.is_empty()) {
            Some(id) => self.of_id(id),
            None => {
                self.anonymous += 1;
                format!("m{}", self.anonymous).into()
            }
        };
        let place = Arc::as_ptr(message) as usize;
        self.names.insert(publish, (name.clone(), Arc::downgrade(message)));
        self.places.insert(place, publish);
        self.order.push_back((publish, place));
        if self.order.len() > KNOWN_MAX
            && let Some((publish, place)) = self.order.pop_front()
        {
            if let Some((name, _)) = self.names.swap_remove(&publish) {
                self.forget_id(&name);
            }
            self.places.swap_remove(&place);
        }
        name
    }

    fn of_id(&mut self, id: Name) -> Name {
        let (count, alive) = self.ids.entry(id.clone()).or_default();
        (*count, *alive) = (*count + 1, *alive + 1);
        if *count == 1 { id } else { format!("{id}#{count}").into() }
    }

    fn forget_id(&mut self, name: &Name) {
        let id = name.split('#').next().unwrap_or_default();
        if let Some((_, alive)) = self.ids.get_mut(id) {
            *alive -= 1;
            if *alive == 0 {
                self.ids.swap_remove(id);
            }
        }
    }

    /// Returns what a message is called that stems from a publish.
    pub(crate) fn of_publish(&self, publish: PublishId) -> Option<&Name> {
        self.names.get(&publish).map(|(name, _)| name)
    }

    /// Returns what was published, while anyone holds it.
    pub(crate) fn content_of(&self, publish: PublishId) -> Option<Arc<Message>> {
        self.names.get(&publish)?.1.upgrade()
    }

    /// Returns what a message in somebody's hands is called.
    pub(crate) fn of_content(&self, published: &Arc<Message>) -> Name {
        let known = self.places.get(&(Arc::as_ptr(published) as usize)).and_then(|publish| self.of_publish(*publish));
        known.cloned().or_else(|| published.properties.message_id.clone()).unwrap_or_else(|| "(a message)".into())
    }
}
