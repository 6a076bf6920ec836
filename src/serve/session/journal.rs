//! What is kept of a session for whoever asks: the latest happenings in order, and why.

use crate::broker::{Explanation, Method, What};
use crate::model::{Act, Message, Moment, Name, Object, TransactionAct};
use crate::player::{Attempt, Timeline, TimelineEvent};
use crate::serve::session::event::SessionEvent;
use crate::serve::session::known_messages::KnownMessages;
use std::sync::Arc;

/// Up to how many bytes of a body an entry may hold.
const BODY_BYTES_MAX: usize = 1_024;

/// The timeline of a served broker. The oldest entries are let go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Journal {
    pub timeline: Timeline,
}

impl Journal {
    /// Makes an empty one that adds up what happens.
    pub(crate) fn counting() -> Self {
        let mut journal = Self::default();
        journal.timeline.count_all();
        journal
    }

    /// Adds what a client did or was given.
    pub(crate) fn note(&mut self, moment: Moment, event: SessionEvent) {
        if let Some(event) = told(event) {
            self.timeline.record(moment, event);
        }
    }

    /// Adds a reason of the simulator.
    pub(crate) fn explain(&mut self, moment: Moment, insight: Box<Explanation>, known: &KnownMessages) {
        let name = |publish| known.of_publish(publish).cloned();
        let (behind, until) = match &insight.what {
            What::Blocked { behind, until, .. } => (behind.and_then(name), until.map(|until| moment + until)),
            _ => (None, None),
        };
        let message = insight.origin.and_then(name);
        self.timeline.record(moment, TimelineEvent::Told { message, behind, until, insight });
    }
}

/// Writes what a client did as an entry; `None` where that is no news.
fn told(event: SessionEvent) -> Option<TimelineEvent> {
    Some(match event {
        SessionEvent::Called { who, method, refusal: Some(refusal), .. } => {
            let what = act_of(&method).map_or(Attempt::Channel, |act| Attempt::Step(Box::new(act)));
            TimelineEvent::Refused { who, what, refusal: Box::new(refusal) }
        }
        SessionEvent::Called { who, method, refusal: None, .. } => {
            TimelineEvent::Did { who, act: Box::new(act_of(&method)?) }
        }
        SessionEvent::Published { who: by, message, exchange, routing_key, .. } => {
            TimelineEvent::Published { by, message, exchange, routing_key }
        }
        SessionEvent::PublishEnded { message, outcome } => {
            TimelineEvent::PublishEnded { message, outcome, refusal: None }
        }
        SessionEvent::Started { shown, queue, .. } => TimelineEvent::Started { consumer: shown, queue },
        SessionEvent::Delivered { shown, queue, message, redelivered, content, .. } => {
            let content = without_large_body(content);
            TimelineEvent::Delivered { consumer: shown, queue, name: message, redelivered, message: content }
        }
        SessionEvent::Settled { shown, message, settlement, .. } => {
            TimelineEvent::Settled { consumer: shown, message, settlement }
        }
        SessionEvent::Gone { shown, how, .. } => TimelineEvent::Gone { consumer: shown, how },
        SessionEvent::TransactionsEnded { .. } => return None,
    })
}

/// Leaves the body out where many of them would fill the memory: entries outlive their messages, and tell of headers alone.
fn without_large_body(content: Arc<Message>) -> Arc<Message> {
    match content.body.len() {
        0..=BODY_BYTES_MAX => content,
        _ => Arc::new(Message { properties: content.properties.clone(), body: Arc::from([]) }),
    }
}

/// Returns the step that a method would be; `None` for one that has none.
fn act_of(method: &Method) -> Option<Act> {
    let vhost = Name::default;
    Some(match method.clone() {
        Method::DeclareExchange(exchange) => Act::DeclareExchange(exchange),
        Method::DeclareQueue(queue) => Act::DeclareQueue(queue),
        Method::DeleteExchange { exchange: name, if_unused } => {
            Act::Delete { object: Object::Exchange { vhost: vhost(), name }, if_unused, if_empty: false }
        }
        Method::DeleteQueue { queue: name, if_unused, if_empty } => {
            Act::Delete { object: Object::Queue { vhost: vhost(), name }, if_unused, if_empty }
        }
        Method::Bind(binding) => Act::Bind(binding),
        Method::Unbind(binding) => Act::Unbind(binding),
        Method::Purge { queue: name } => Act::Purge(crate::model::QueueName { vhost: vhost(), name }),
        Method::TxSelect => Act::Transaction(TransactionAct::Select),
        Method::TxCommit => Act::Transaction(TransactionAct::Commit),
        Method::TxRollback => Act::Transaction(TransactionAct::Rollback),
        _ => return None,
    })
}
