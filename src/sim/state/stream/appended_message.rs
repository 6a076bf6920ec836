//! A message in a stream: the one that was published or dead-lettered, and what the stream makes of it (ST-7). Put together
//! once, when a reader looks; most are passed on unseen.

use crate::broker::{PublishId, SharedMessage};
use crate::model::{Message, Moment, Name, Table};
use crate::rules::{Differences, as_appended};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A message at its offset in a stream, shared by the log and all who read it.
pub(crate) struct AppendedMessage {
    pub offset: u64,
    /// When it came.
    pub at: Moment,
    /// To which exchange, and with which key; those that come alike in a row share it.
    pub published_to: Arc<(Name, Name)>,
    /// ST-9: the text of `x-stream-filter-value`.
    pub filter_value: Option<Box<Name>>,
    /// The client's publish that it stems from.
    pub origin: PublishId,
    pub published: Arc<Message>,
    /// Of a dead letter, in place of the published headers.
    pub death: Option<Box<Table>>,
    pub rules: &'static Differences,
    /// As readers see it, once one has looked.
    pub whole: OnceLock<Arc<Message>>,
}

impl SharedMessage for AppendedMessage {
    fn published(&self) -> &Arc<Message> {
        &self.published
    }

    fn whole(&self) -> &Arc<Message> {
        self.whole.get_or_init(|| {
            let headers = self.death.as_deref().or(self.published.properties.headers.as_ref());
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
