//! A message as templates see it: `message.id`, `message.json.order`, `message.headers.tenant`.
//! Works each field out when a template asks for it; most ask for one, and bodies may be long.

use crate::broker::Delivery;
use crate::model::{MESSAGE_FIELDS, Message, Name, Value};
use minijinja::value::{Enumerator, Object, ObjectRepr, Serde};
use std::sync::Arc;

/// One delivered message.
#[derive(Debug)]
struct View {
    name: Name,
    exchange: Name,
    routing_key: Name,
    redelivered: bool,
    message: Arc<Message>,
}

/// Shows a delivery under the name that the run gave the message.
pub(crate) fn view_of(delivery: &Delivery, name: &Name) -> minijinja::Value {
    minijinja::Value::from_object(View {
        name: name.clone(),
        exchange: delivery.exchange.clone(),
        routing_key: delivery.routing_key.clone(),
        redelivered: delivery.redelivered,
        message: Arc::clone(&delivery.message),
    })
}

impl Object for View {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        let properties = &self.message.properties;
        let text = |text: &Option<Name>| minijinja::Value::from(text.as_deref());
        Some(match key.as_str()? {
            "id" => (&*self.name).into(),
            "body" => String::from_utf8_lossy(&self.message.body).into_owned().into(),
            "json" => {
                let json = serde_json::from_slice::<serde_json::Value>(&self.message.body).unwrap_or_default();
                Serde(&json).into()
            }
            "headers" => Serde(&Value::Table(properties.headers.clone().unwrap_or_default()).to_json()).into(),
            "exchange" => (&*self.exchange).into(),
            "routing_key" => (&*self.routing_key).into(),
            "redelivered" => self.redelivered.into(),
            "priority" => properties.priority.into(),
            "reply_to" => text(&properties.reply_to),
            "correlation_id" => text(&properties.correlation_id),
            "expiration" => text(&properties.expiration),
            _ => return None,
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&MESSAGE_FIELDS)
    }
}
