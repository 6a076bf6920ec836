//! A value that no message can be made of: its template cannot be rendered, or AMQP cannot carry what it made.
//! Takes what was composed, returns the fault with the template's place. Never sends.

use crate::broker::code;
use crate::model::{Action, Forward, LateValue, Publish, TemplateError, Text};
use crate::player::record::failure::Finding;
use crate::rules::{AmqpLimit, OverLimit, PublishPart};
use crate::source::{Code, Span};

/// What to do about a value that is over a limit.
const SHORTEN: &str = "shorten what the template makes; a value that grows each time round needs an end: a rule on `attempt` or \
                       `x_death`";

/// A fault of a value, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BadValue {
    pub fault: Fault,
    pub span: Option<Span>,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    Template(TemplateError),
    OverLimit(OverLimit),
}

impl From<TemplateError> for BadValue {
    fn from(error: TemplateError) -> Self {
        Self { fault: Fault::Template(error), span: None }
    }
}

impl From<OverLimit> for BadValue {
    fn from(over: OverLimit) -> Self {
        Self { fault: Fault::OverLimit(over), span: None }
    }
}

impl BadValue {
    /// Puts it at a place unless it has one.
    pub fn or_at(self, span: Option<Span>) -> Self {
        Self { span: self.span.or(span), ..self }
    }

    /// Returns the failure's code, its sentence, its finding and its help.
    pub fn in_words(&self) -> (Code, String, Vec<Finding>, Option<String>) {
        match &self.fault {
            Fault::Template(error) => {
                (Code::StepTemplate, format!("a template cannot be rendered: {}", error.message), Vec::new(), None)
            }
            Fault::OverLimit(over) => {
                let part = over.part.as_str();
                let found = match over.limit {
                    AmqpLimit::ShortString => format!("{} bytes: {}", over.size, over.value),
                    AmqpLimit::ContentHeader => format!("{} bytes, most of them in '{}'", over.size, over.value),
                    AmqpLimit::HeaderLevels => format!("{} levels in '{}'", over.size, over.value),
                    AmqpLimit::Number { .. } => over.value.clone(),
                };
                let message = format!("a message has a value that AMQP cannot carry: {part}");
                (Code::StepOverLimit, message, vec![Finding::new(part, over.limit, found)], Some(SHORTEN.to_owned()))
            }
        }
    }
}

/// Finds the template that made a part of a publish.
pub(crate) fn place_in_publish(publish: &Publish, over: &OverLimit) -> Option<Span> {
    let optional = |text: &Option<Text>| text.as_ref().and_then(place_of_text);
    let number = |value: &Option<LateValue>| value.as_ref().and_then(place_of_value);
    match over.part {
        PublishPart::Exchange => place_of_text(&publish.exchange),
        PublishPart::RoutingKey => place_of_text(&publish.routing_key),
        PublishPart::ContentType => optional(&publish.content_type),
        PublishPart::ContentEncoding => optional(&publish.content_encoding),
        PublishPart::CorrelationId => optional(&publish.correlation_id),
        PublishPart::ReplyTo => optional(&publish.reply_to),
        PublishPart::Expiration => optional(&publish.expiration),
        PublishPart::MessageId => optional(&publish.id),
        PublishPart::Type => optional(&publish.kind),
        PublishPart::UserId => optional(&publish.user_id),
        PublishPart::AppId => optional(&publish.app_id),
        PublishPart::Priority => number(&publish.priority),
        PublishPart::Timestamp => number(&publish.timestamp),
        PublishPart::HeaderName | PublishPart::Headers => place_in_headers(&publish.headers, over),
        PublishPart::ClusterId => None,
    }
}

/// Finds the template that made a part of what is forwarded.
pub(crate) fn place_in_forward(forward: &Forward, over: &OverLimit) -> Option<Span> {
    match over.part {
        PublishPart::Exchange => place_of_text(&forward.exchange),
        PublishPart::RoutingKey => forward.routing_key.as_ref().and_then(place_of_text),
        PublishPart::MessageId => forward.id.as_ref().and_then(place_of_text),
        PublishPart::Expiration => forward.expiration.as_ref().and_then(place_of_text),
        PublishPart::HeaderName | PublishPart::Headers => place_in_headers(&forward.headers, over),
        _ => None,
    }
}

/// Finds the template behind what a broker refuses to publish, by the code of the refusal.
pub(crate) fn place_of_refused(action: &Action, refused: u16) -> Option<Span> {
    match action {
        Action::Publish(publish) | Action::Reply(publish) => {
            let optional = |text: &Option<Text>| text.as_ref().and_then(place_of_text);
            match refused {
                code::NOT_FOUND | code::ACCESS_REFUSED => place_of_text(&publish.exchange),
                code::PRECONDITION_FAILED => optional(&publish.expiration).or_else(|| optional(&publish.user_id)),
                _ => None,
            }
        }
        Action::Forward(forward) => match refused {
            code::NOT_FOUND | code::ACCESS_REFUSED => place_of_text(&forward.exchange),
            code::PRECONDITION_FAILED => forward.expiration.as_ref().and_then(place_of_text),
            _ => None,
        },
        _ => None,
    }
}

/// Finds the header that the fault names, else the first that a template makes.
fn place_in_headers(headers: &[(String, LateValue)], over: &OverLimit) -> Option<Span> {
    let named = headers.iter().filter(|(name, _)| over.part == PublishPart::Headers && *name == over.value);
    named.chain(headers).find_map(|(_, value)| place_of_value(value))
}

fn place_of_text(text: &Text) -> Option<Span> {
    match text {
        Text::Fixed(_) => None,
        Text::Template(template) => Some(template.span),
    }
}

fn place_of_value(value: &LateValue) -> Option<Span> {
    match value {
        LateValue::Fixed(_) => None,
        LateValue::Template(template) => Some(template.span),
        LateValue::Array(entries) => entries.iter().find_map(place_of_value),
        LateValue::Table(entries) => entries.iter().find_map(|(_, value)| place_of_value(value)),
    }
}
