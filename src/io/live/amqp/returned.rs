//! Finds the publish that a returned message belongs to: by content, the oldest unsettled mandatory one.
//! (lapin hands a return out with whichever confirm comes next.)

use crate::broker::{Confirmation, Event, PublishId, code};
use crate::io::live::amqp::channel::{LiveChannel, Mandatory};
use crate::io::live::amqp::translate::from_message;
use crate::io::live::vhosts::names::NameMapping;
use crate::model::Message;
use lapin::message::BasicReturnMessage;
use std::collections::BTreeMap;

/// Matches the returns of one channel, takes its settled publishes off the list, and gives the events in order:
/// returns, then confirms, each by publish.
pub(crate) fn settle(
    line: &mut LiveChannel,
    returns: Vec<BasicReturnMessage>,
    mut confirmed: Vec<(PublishId, Confirmation)>,
    names: &NameMapping,
) -> Vec<Event> {
    let mut found = BTreeMap::new();
    for returned in returns {
        let (text, reply_code) = (returned.reply_text.as_str().to_owned(), returned.reply_code);
        let text = if text.is_empty() { code::name(reply_code).to_owned() } else { names.text(&text) };
        if let Some(publish) = match_one(line, returned, &found) {
            found.insert(publish, (reply_code, text));
        }
    }
    confirmed.sort_by_key(|(publish, _)| *publish);
    let mut events = Vec::with_capacity(found.len() + confirmed.len());
    for (publish, (code, text)) in found {
        // It cannot be returned twice; its confirm may come in a later batch.
        if let Some(mandatory) = line.unsettled.get_mut(&publish) {
            *mandatory = None;
        }
        events.push(Event::Returned { publish, code, text });
    }
    for (publish, confirmation) in confirmed {
        line.unsettled.remove(&publish);
        events.push(Event::Confirmed { publish, confirmation });
    }
    events
}

fn match_one(
    line: &LiveChannel,
    mut returned: BasicReturnMessage,
    found: &BTreeMap<PublishId, (u16, String)>,
) -> Option<PublishId> {
    let body = std::mem::take(&mut returned.delivery.data);
    let message = from_message(&returned.delivery.properties, body);
    let (exchange, key) = (returned.delivery.exchange.as_str(), returned.delivery.routing_key.as_str());
    let open = || {
        line.unsettled
            .iter()
            .filter_map(|(publish, mandatory)| mandatory.as_deref().map(|mandatory| (*publish, mandatory)))
            .filter(|(publish, mandatory)| {
                !found.contains_key(publish) && &*mandatory.exchange == exchange && &*mandatory.routing_key == key
            })
    };
    let same = |(_, mandatory): &(PublishId, &Mandatory)| equal(&mandatory.message, &message);
    // A broker that touched the properties on the way still returns the body; failing that, the oldest it is.
    let same_body = |(_, mandatory): &(PublishId, &Mandatory)| mandatory.message.body == message.body;
    open().find(same).or_else(|| open().find(same_body)).or_else(|| open().next()).map(|(publish, _)| publish)
}

fn equal(sent: &Message, returned: &Message) -> bool {
    sent.properties.message_id == returned.properties.message_id
        && sent.body == returned.body
        && sent.properties == returned.properties
}
