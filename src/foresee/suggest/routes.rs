//! Drafts for the bindings of an exchange: which message comes to which queue, by its key or its headers.

use crate::foresee::coverage::Coverable;
use crate::foresee::suggest::drafts::{Draft, DraftTitle, Workshop};
use crate::foresee::suggest::publishing::PublishPlace;
use crate::foresee::suggest::suggestion::WhyNoSuggestion;
use crate::foresee::suggest::yaml::{scalar, stem};
use crate::model::{Binding, DestinationKind, Name, Table, Value};
use std::collections::BTreeSet;

/// So many messages are read in one scenario.
const MESSAGES_MAX: usize = 12;

/// The drafts of an exchange, and the bindings that no message was found for.
#[derive(Debug, Default)]
pub(crate) struct RouteDrafts {
    pub drafts: Vec<Draft>,
    pub without: Vec<(Coverable, WhyNoSuggestion)>,
}

/// A message, and the bindings that it is for.
struct RoutedMessage {
    place: PublishPlace,
    covers: Vec<Coverable>,
}

impl Workshop<'_> {
    /// Writes a message for each of some bindings of an exchange; those of one key or the same headers share it.
    pub(crate) fn routed(&self, vhost: &Name, exchange: &Name, bindings: &[&Binding]) -> RouteDrafts {
        let kind = self.view.exchange_kind(vhost, exchange).unwrap_or("direct");
        let mut made = RouteDrafts::default();
        let mut messages: Vec<RoutedMessage> = Vec::new();
        for binding in bindings {
            let item = Coverable::Binding(binding.object());
            let place = PublishPlace::of_binding(binding, kind);
            if place.fields().is_none_or(|fields| fields.contains("{{")) {
                made.without.push((item, WhyNoSuggestion::NotReadable));
                continue;
            }
            // The key that a pattern is written out as need not fit it.
            let is_queue = binding.destination_kind == DestinationKind::Queue;
            if is_queue && !place.reaches(self.view).contains(&binding.destination) {
                made.without.push((item, WhyNoSuggestion::NotInForce));
                continue;
            }
            match messages.iter_mut().find(|message| message.place == place) {
                Some(message) => message.covers.push(item),
                None => messages.push(RoutedMessage { place, covers: vec![item] }),
            }
        }
        let parts = messages.len().div_ceil(MESSAGES_MAX);
        made.drafts.extend(messages.chunks(MESSAGES_MAX).enumerate().map(|(at, messages)| {
            let part = if parts > 1 { format!(", part {} of {parts}", at + 1) } else { String::new() };
            self.route_draft(exchange, kind, messages, &part)
        }));
        made
    }

    fn route_draft(&self, exchange: &Name, kind: &str, messages: &[RoutedMessage], part: &str) -> Draft {
        let by = match kind {
            "fanout" => "all its queues",
            "headers" => "the queues that its headers name",
            _ => "the queues that its key names",
        };
        let mut named = BTreeSet::new();
        let (mut steps, mut published) = (Vec::new(), Vec::new());
        for RoutedMessage { place, .. } in messages {
            let plain = message_name(place);
            let mut name = plain.clone();
            let mut n = 1;
            while !named.insert(name.clone()) {
                n += 1;
                name = format!("{plain}-{n}");
            }
            let fields = place.fields().unwrap_or_default();
            steps.push(self.step(&place.vhost, &format!("publish: {{{fields}, id: {}, body: x}}", scalar(&name))));
            published.push(name);
        }
        Draft {
            name: stem(&[exchange.as_str(), "routing"]),
            why: format!("What is published to {exchange} must come to the queues that wait for it, and to no others."),
            title: DraftTitle::Known(format!("what is published to {exchange} comes to {by}{part}")),
            consumers: Vec::new(),
            steps,
            of: None,
            published,
            at_end: Vec::new(),
            covers: messages.iter().flat_map(|message| message.covers.iter().cloned()).collect(),
        }
    }
}

/// Names a message by its key, or by what its headers say.
fn message_name(place: &PublishPlace) -> String {
    let headers = place.headers.iter().flat_map(Table::iter).map(|(key, value)| match value {
        Value::Text(text) => stem(&[text]),
        _ => stem(&[key]),
    });
    let headers: Vec<String> = headers.filter(|word| !word.is_empty()).collect();
    let name = if headers.is_empty() { stem(&[&place.key]) } else { headers.join("-") };
    if name.is_empty() { "any".to_owned() } else { name.chars().take(60).collect() }
}
