//! What a scenario publishes: texts and values that may hold templates, rendered when the step plays.
//! Plain data; `play` renders and sends it.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{Millis, Name, Scope, Table, Template, TemplateError, Value};
use std::sync::Arc;

/// A text, fixed or rendered when it plays.
#[derive(Debug, Clone, PartialEq)]
pub enum Text {
    Fixed(Name),
    Template(Template),
}

/// An AMQP value or JSON tree whose leaves may be templates.
#[derive(Debug, Clone, PartialEq)]
pub enum LateValue {
    Fixed(Value),
    Template(Template),
    Array(Vec<LateValue>),
    Table(Vec<(String, LateValue)>),
}

/// A message's body.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    Text(Text),
    /// Written as compact JSON; sets content type `application/json` unless another is named.
    Json(LateValue),
    Bytes(Arc<[u8]>),
}

/// Between a series and the number of one of it, `burst.3`.
const SERIES: char = '.';

/// Between an id and the number of a later publish of it, `order#2`.
const SAME_ID: char = '#';

/// Names the n-th of a series.
pub fn name_in_series(series: &Name, n: u32) -> Name {
    format!("{series}{SERIES}{n}").into()
}

/// Names the k-th publish of one id.
pub fn name_of_same_id(id: &Name, k: u64) -> Name {
    format!("{id}{SAME_ID}{k}").into()
}

/// Splits the name of one of a series into the series' and its number.
pub fn of_series(name: &str) -> Option<(&str, u64)> {
    numbered(name, SERIES)
}

/// Splits the name of a later publish of one id into the id and its number.
pub fn of_same_id(name: &str) -> Option<(&str, u64)> {
    numbered(name, SAME_ID)
}

fn numbered(name: &str, mark: char) -> Option<(&str, u64)> {
    let (before, number) = name.rsplit_once(mark)?;
    Some((before, number.parse().ok()?))
}

/// Describes one publish, or a series of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Publish {
    /// `""` is the default exchange.
    pub exchange: Text,
    pub routing_key: Text,
    pub mandatory: bool,
    /// How many; the template name `n` counts from 1.
    pub count: u32,
    /// Time between two of a series; 0 is back to back.
    pub every: Millis,
    /// Sets message_id and names the message everywhere.
    pub id: Option<Text>,
    pub payload: Payload,
    pub headers: Vec<(String, LateValue)>,
    pub content_type: Option<Text>,
    pub content_encoding: Option<Text>,
    /// 1 transient, 2 persistent (the default).
    pub delivery_mode: u8,
    pub priority: Option<LateValue>,
    pub correlation_id: Option<Text>,
    pub reply_to: Option<Text>,
    /// Milliseconds as RabbitMQ takes them, as text.
    pub expiration: Option<Text>,
    /// Seconds since 1970.
    pub timestamp: Option<LateValue>,
    pub kind: Option<Text>,
    pub user_id: Option<Text>,
    pub app_id: Option<Text>,
    /// A channel that consumers share: a step publishes over it instead of its user's own.
    pub channel: Option<Name>,
}

impl Text {
    /// Returns the text, rendered where it must be.
    pub fn render(&self, scope: &Scope) -> Result<Name, TemplateError> {
        match self {
            Text::Fixed(text) => Ok(text.clone()),
            Text::Template(template) => template.text(scope).map(Into::into),
        }
    }

    /// Returns the text if it holds no template.
    pub fn fixed(&self) -> Option<&Name> {
        match self {
            Text::Fixed(text) => Some(text),
            Text::Template(_) => None,
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text::Fixed(text.into())
    }
}

impl LateValue {
    /// Returns the value, rendered where it must be.
    pub fn render(&self, scope: &Scope) -> Result<Value, TemplateError> {
        Ok(match self {
            LateValue::Fixed(value) => value.clone(),
            LateValue::Template(template) => Value::from_json(&template.value(scope)?),
            LateValue::Array(entries) => {
                Value::Array(entries.iter().map(|entry| entry.render(scope)).collect::<Result<_, _>>()?)
            }
            LateValue::Table(entries) => {
                let rendered = entries.iter().map(|(key, value)| Ok((key.clone(), value.render(scope)?)));
                Value::Table(rendered.collect::<Result<Table, TemplateError>>()?)
            }
        })
    }
}
