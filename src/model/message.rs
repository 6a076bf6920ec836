//! A message: properties, headers and a body.
//! Plain data, shared by reference count. Never knows where it lies.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{Name, Table};
use std::sync::Arc;

/// Holds AMQP's basic properties; an absent one was not sent.
#[derive(Debug, Clone, PartialEq, Default, Hash)]
pub struct Properties {
    pub content_type: Option<Name>,
    pub content_encoding: Option<Name>,
    /// Headers; `None` and an empty table differ on the wire.
    pub headers: Option<Table>,
    /// 1 transient, 2 persistent.
    pub delivery_mode: Option<u8>,
    pub priority: Option<u8>,
    pub correlation_id: Option<Name>,
    pub reply_to: Option<Name>,
    /// Per-message TTL, as the text that was sent (milliseconds).
    pub expiration: Option<Name>,
    pub message_id: Option<Name>,
    /// Seconds since 1970.
    pub timestamp: Option<u64>,
    pub kind: Option<Name>,
    pub user_id: Option<Name>,
    pub app_id: Option<Name>,
    pub cluster_id: Option<Name>,
}

/// One of AMQP's basic properties but for the headers, as a file names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Property {
    ContentType,
    ContentEncoding,
    DeliveryMode,
    Priority,
    CorrelationId,
    ReplyTo,
    Expiration,
    MessageId,
    Timestamp,
    Type,
    UserId,
    AppId,
}

impl Property {
    /// All of them, in AMQP's order.
    pub const ALL: [Property; 12] = [
        Property::ContentType,
        Property::ContentEncoding,
        Property::DeliveryMode,
        Property::Priority,
        Property::CorrelationId,
        Property::ReplyTo,
        Property::Expiration,
        Property::MessageId,
        Property::Timestamp,
        Property::Type,
        Property::UserId,
        Property::AppId,
    ];

    /// Returns AMQP's name of it.
    pub fn as_str(self) -> &'static str {
        match self {
            Property::ContentType => "content_type",
            Property::ContentEncoding => "content_encoding",
            Property::DeliveryMode => "delivery_mode",
            Property::Priority => "priority",
            Property::CorrelationId => "correlation_id",
            Property::ReplyTo => "reply_to",
            Property::Expiration => "expiration",
            Property::MessageId => "message_id",
            Property::Timestamp => "timestamp",
            Property::Type => "type",
            Property::UserId => "user_id",
            Property::AppId => "app_id",
        }
    }

    /// Finds one by its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|property| property.as_str() == name)
    }
}

impl Properties {
    /// Returns a property that is a text; none where it is absent or a number.
    pub fn text(&self, property: Property) -> Option<&Name> {
        match property {
            Property::ContentType => self.content_type.as_ref(),
            Property::ContentEncoding => self.content_encoding.as_ref(),
            Property::CorrelationId => self.correlation_id.as_ref(),
            Property::ReplyTo => self.reply_to.as_ref(),
            Property::Expiration => self.expiration.as_ref(),
            Property::MessageId => self.message_id.as_ref(),
            Property::Type => self.kind.as_ref(),
            Property::UserId => self.user_id.as_ref(),
            Property::AppId => self.app_id.as_ref(),
            Property::DeliveryMode | Property::Priority | Property::Timestamp => None,
        }
    }

    /// Returns a property that is a number; none where it is absent or a text.
    pub fn number(&self, property: Property) -> Option<u64> {
        match property {
            Property::DeliveryMode => self.delivery_mode.map(u64::from),
            Property::Priority => self.priority.map(u64::from),
            Property::Timestamp => self.timestamp,
            _ => None,
        }
    }
}

/// What a delivered message offers to templates, as `message.id`.
pub const MESSAGE_FIELDS: [&str; 11] = [
    "id",
    "body",
    "json",
    "headers",
    "exchange",
    "routing_key",
    "redelivered",
    "priority",
    "reply_to",
    "correlation_id",
    "expiration",
];

/// What a publisher sends and a consumer gets.
#[derive(Debug, Clone, PartialEq, Default, Hash)]
pub struct Message {
    pub properties: Properties,
    pub body: Arc<[u8]>,
}

impl Message {
    /// Returns the header of that name.
    pub fn header(&self, name: &str) -> Option<&crate::model::Value> {
        self.properties.headers.as_ref()?.get(name)
    }

    /// Lists the entries of `x-death`, the latest first.
    pub fn deaths(&self) -> impl Iterator<Item = &crate::model::Table> {
        let entries = self.header("x-death").and_then(crate::model::Value::as_array).unwrap_or_default();
        entries.iter().filter_map(crate::model::Value::as_table)
    }

    /// Counts the deaths that `x-death` tells of, over all its entries.
    pub fn deaths_counted(&self) -> i64 {
        self.deaths().filter_map(|death| death.get("count")?.as_integer()).sum()
    }
}
