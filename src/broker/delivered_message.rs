//! A message as it comes out of a broker: the one that was published, and what the broker changed about it since.
//! Both are put together once, when somebody looks; on its way from queue to queue nobody does.

use crate::broker::PublishId;
use crate::model::{Message, Properties, Table};
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// A message that several are given alike, and that is put together when the first of them looks.
pub trait SharedMessage: Send + Sync {
    /// Returns it as its client published it.
    fn published(&self) -> &Arc<Message>;

    /// Returns it as those see it who are given it.
    fn whole(&self) -> &Arc<Message>;
}

/// A message in somebody's hands; reads as the [`Message`] that AMQP shows.
///
/// ```
/// use rmqplay::broker::DeliveredMessage;
/// use rmqplay::model::{Message, Table, Value};
/// let published = std::sync::Arc::new(Message::default());
/// let headers: Table = [("x-delivery-count", Value::I64(1))].into_iter().collect();
/// let letter = DeliveredMessage::from(published).with_headers(headers);
/// assert_eq!(letter.header("x-delivery-count"), Some(&Value::I64(1)));
/// ```
#[derive(Clone)]
pub struct DeliveredMessage {
    published: Arc<Message>,
    /// In place of the published ones.
    headers: Option<Table>,
    /// Whether the published `expiration` was taken away.
    lasting: bool,
    /// Of a stream, which all its readers share.
    appended: Option<Arc<dyn SharedMessage>>,
    /// The publish that it stems from; 0 where that is not known.
    origin: PublishId,
    whole: OnceLock<Arc<Message>>,
}

impl DeliveredMessage {
    /// Puts these headers in place of those that were published.
    pub fn with_headers(self, headers: Table) -> Self {
        let published = self.appended.map_or(self.published, |appended| appended.whole().clone());
        let (headers, whole) = (Some(headers), OnceLock::new());
        Self { published, headers, lasting: self.lasting, appended: None, origin: self.origin, whole }
    }

    /// Makes what a death leaves of a message: these headers, and no TTL of its own (DL-12).
    pub fn of_dead(published: Arc<Message>, headers: Table) -> Self {
        Self { headers: Some(headers), lasting: true, ..Self::from(published) }
    }

    /// Makes what a stream gives to each of its readers.
    pub fn of_stream(appended: Arc<dyn SharedMessage>) -> Self {
        let published = appended.published().clone();
        Self { appended: Some(appended), ..Self::from(published) }
    }

    /// Says from which publish it stems, through any number of deaths.
    pub fn stemming_from(self, origin: PublishId) -> Self {
        Self { origin, ..self }
    }

    /// Returns the publish that it stems from; `None` of a live broker, which does not tell, and of what no client published.
    pub fn origin(&self) -> Option<PublishId> {
        (self.origin != PublishId(0)).then_some(self.origin)
    }

    /// Returns it as its client published it, which all copies share.
    pub fn published(&self) -> &Arc<Message> {
        &self.published
    }

    fn put_together(&self) -> Arc<Message> {
        let Message { properties, body } = &*self.published;
        let expiration = if self.lasting { None } else { properties.expiration.clone() };
        let headers = self.headers.clone().or_else(|| properties.headers.clone());
        Arc::new(Message { properties: Properties { headers, expiration, ..properties.clone() }, body: body.clone() })
    }
}

impl From<Arc<Message>> for DeliveredMessage {
    fn from(published: Arc<Message>) -> Self {
        let (origin, whole) = (PublishId(0), OnceLock::new());
        Self { published, headers: None, lasting: false, appended: None, origin, whole }
    }
}

impl Deref for DeliveredMessage {
    type Target = Arc<Message>;
    fn deref(&self) -> &Arc<Message> {
        if let Some(appended) = &self.appended {
            return appended.whole();
        }
        if self.headers.is_none() && !self.lasting {
            return &self.published;
        }
        self.whole.get_or_init(|| self.put_together())
    }
}

impl PartialEq for DeliveredMessage {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for DeliveredMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
