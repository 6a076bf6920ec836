//! Which publish a message in somebody's hands stems from, and what it is called. Keeps the latest only, and no body.

use crate::broker::{Ids, PublishId};
use crate::model::{Message, Name};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use smol_str::format_smolstr;
use std::collections::VecDeque;
use std::sync::{Arc, Weak};

/// How many messages are known of the outside clients, and as many of a scenario that plays beside them.
const KNOWN_MAX: usize = 20_000;

/// The messages that were published last.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownMessages {
    outside: LatestPublishes,
    scripted: LatestPublishes,
    /// By the place of what was published, which all copies in the broker share while anyone holds it.
    places: IndexMap<usize, PublishId, FxBuildHasher>,
    anonymous: u64,
    /// How often each id was published, of those that are known.
    ids: IndexMap<Name, (u64, u64), FxBuildHasher>,
}

/// Publishes in the order of their ids, which rise.
#[derive(Debug, Clone, Default)]
struct LatestPublishes(VecDeque<KnownPublish>);

#[derive(Debug, Clone)]
struct KnownPublish {
    id: PublishId,
    name: Name,
    content: Weak<Message>,
}

impl LatestPublishes {
    fn get(&self, id: PublishId) -> Option<&KnownPublish> {
        let first = self.0.front()?.id;
        // Each id is one more than the last, but where one of several connections is ahead.
        let near = usize::try_from(id.0.checked_sub(first.0)?).ok()?;
        match self.0.get(near) {
            Some(found) if found.id == id => Some(found),
            _ => self.0.binary_search_by_key(&id, |known| known.id).ok().map(|at| &self.0[at]),
        }
    }

    /// Adds one, nearly always the latest; returns the one that is let go for it.
    fn add(&mut self, known: KnownPublish) -> Option<KnownPublish> {
        let at = match self.0.back() {
            Some(last) if last.id > known.id => self.0.partition_point(|other| other.id < known.id),
            _ => self.0.len(),
        };
        self.0.insert(at, known);
        if self.0.len() > KNOWN_MAX { self.0.pop_front() } else { None }
    }
}

impl KnownMessages {
    /// Names what is published: by its id, `id#k` for the k-th of an id, or `m` and a number.
    pub(crate) fn published(&mut self, publish: PublishId, message: &Arc<Message>) -> Name {
        let name = match message.properties.message_id.as_ref().filter(|id| !id.is_empty()) {
            Some(id) => self.of_id(id),
            None => {
                self.anonymous += 1;
                format_smolstr!("m{}", self.anonymous)
            }
        };
        self.places.insert(place_of(message), publish);
        let known = KnownPublish { id: publish, name: name.clone(), content: Arc::downgrade(message) };
        let latest = if Ids::is_outside_publish(publish) { &mut self.outside } else { &mut self.scripted };
        if let Some(gone) = latest.add(known) {
            // Its place is nobody else's: what is known holds it.
            self.places.swap_remove(&(gone.content.as_ptr() as usize));
            self.forget_id(&gone.name);
        }
        name
    }

    fn of_id(&mut self, id: &Name) -> Name {
        let (count, alive) = self.ids.entry(id.clone()).or_default();
        (*count, *alive) = (*count + 1, *alive + 1);
        if *count == 1 { id.clone() } else { format_smolstr!("{id}#{count}") }
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

    fn known(&self, publish: PublishId) -> Option<&KnownPublish> {
        if Ids::is_outside_publish(publish) { self.outside.get(publish) } else { self.scripted.get(publish) }
    }

    /// Returns what a message is called that stems from a publish.
    pub(crate) fn of_publish(&self, publish: PublishId) -> Option<&Name> {
        self.known(publish).map(|known| &known.name)
    }

    /// Returns what was published, while anyone holds it.
    pub(crate) fn content_of(&self, publish: PublishId) -> Option<Arc<Message>> {
        self.known(publish)?.content.upgrade()
    }

    /// Returns what a message in somebody's hands is called.
    pub(crate) fn of_content(&self, published: &Arc<Message>) -> Name {
        let known = self.places.get(&place_of(published)).and_then(|publish| self.of_publish(*publish));
        known.cloned().or_else(|| published.properties.message_id.clone()).unwrap_or_else(|| "(a message)".into())
    }
}

fn place_of(message: &Arc<Message>) -> usize {
    Arc::as_ptr(message) as usize
}
