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
    letter: Letter,
    /// The publish that it stems from; 0 where that is not known.
    origin: PublishId,
}

/// What a message in somebody's hands is made of.
#[derive(Clone)]
enum Letter {
    /// As it was published.
    Published(Arc<Message>),
    /// With other headers than the published ones, and without its `expiration` after a death.
    Changed(Arc<ChangedMessage>),
    /// Of a stream, which all its readers share.
    Appended(Arc<dyn SharedMessage>),
}

/// A message and what the broker changed about it.
struct ChangedMessage {
    published: Arc<Message>,
    headers: Table,
    /// Whether the published `expiration` was taken away.
    lasting: bool,
    whole: OnceLock<Arc<Message>>,
}

impl DeliveredMessage {
    /// Puts these headers in place of those that were published.
    pub fn with_headers(self, headers: Table) -> Self {
        let (published, lasting) = match self.letter {
            Letter::Published(published) => (published, false),
            Letter::Changed(changed) => (changed.published.clone(), changed.lasting),
            Letter::Appended(appended) => (appended.whole().clone(), false),
        };
        Self { letter: Letter::changed(published, headers, lasting), origin: self.origin }
    }

    /// Makes what a death leaves of a message: these headers, and no TTL of its own (DL-12).
    pub fn of_dead(published: Arc<Message>, headers: Table) -> Self {
        Self { letter: Letter::changed(published, headers, true), origin: PublishId(0) }
    }

    /// Makes what a stream gives to each of its readers.
    pub fn of_stream(appended: Arc<dyn SharedMessage>) -> Self {
        Self { letter: Letter::Appended(appended), origin: PublishId(0) }
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
        match &self.letter {
            Letter::Published(published) => published,
            Letter::Changed(changed) => &changed.published,
            Letter::Appended(appended) => appended.published(),
        }
    }
}

impl Letter {
    fn changed(published: Arc<Message>, headers: Table, lasting: bool) -> Self {
        Self::Changed(Arc::new(ChangedMessage { published, headers, lasting, whole: OnceLock::new() }))
    }
}

impl From<Arc<Message>> for DeliveredMessage {
    fn from(published: Arc<Message>) -> Self {
        Self { letter: Letter::Published(published), origin: PublishId(0) }
    }
}

impl Deref for DeliveredMessage {
    type Target = Arc<Message>;
    fn deref(&self) -> &Arc<Message> {
        match &self.letter {
            Letter::Published(published) => published,
            Letter::Changed(changed) => changed.whole.get_or_init(|| changed.put_together()),
            Letter::Appended(appended) => appended.whole(),
        }
    }
}

impl ChangedMessage {
    fn put_together(&self) -> Arc<Message> {
        let Message { properties, body } = &*self.published;
        let expiration = if self.lasting { None } else { properties.expiration.clone() };
        let headers = Some(self.headers.clone());
        Arc::new(Message { properties: Properties { headers, expiration, ..properties.clone() }, body: body.clone() })
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
