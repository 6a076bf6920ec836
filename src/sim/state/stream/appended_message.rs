//! A message in a stream: the one that was published or dead-lettered, and what the stream makes of it (ST-7). Put together
//! once, when a reader looks; most are passed on unseen.

use crate::broker::SharedMessage;
use crate::model::{Message, Table};
use crate::rules::{Differences, as_appended};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A message at its offset in a stream, shared by all who read it.
pub(crate) struct AppendedMessage {
    published: Arc<Message>,
    /// Of a dead letter, in place of the published ones.
    death: Option<Table>,
    offset: u64,
    rules: &'static Differences,
    whole: OnceLock<Arc<Message>>,
}

impl AppendedMessage {
    /// Takes a message as it was published; of a dead letter, with the headers that its death left.
    pub(crate) fn new(published: Arc<Message>, death: Option<Table>, offset: u64, rules: &'static Differences) -> Self {
        Self { published, death, offset, rules, whole: OnceLock::new() }
    }
}

impl SharedMessage for AppendedMessage {
    fn published(&self) -> &Arc<Message> {
        &self.published
    }

    fn whole(&self) -> &Arc<Message> {
        self.whole.get_or_init(|| {
            let headers = self.death.as_ref().or(self.published.properties.headers.as_ref());
            let about = (self.death.is_some(), self.offset);
            Arc::new(as_appended(&self.published, headers, about, self.rules))
        })
    }
}

impl fmt::Debug for AppendedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.whole().fmt(f)
    }
}
