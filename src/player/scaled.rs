//! A client whose time runs at another pace than its broker's: every duration that goes out is multiplied, every moment
//! and duration that comes in is what it would be at the scenario's own pace. The client inside knows nothing of it.

use crate::broker::{Client, Command, Delivery, Event, Got, Management, Method, Refusal, Reply};
use crate::model::{Message, Millis, Moment, Name, Scale, Table, Value};
use crate::rules::{ValueKind, queue_argument, quoted_durations};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many different durations are remembered that the broker was told.
const TOLD_MAX: usize = 10_000;

/// Wraps a client.
pub struct Scaled<'c> {
    client: &'c mut dyn Client,
    scale: Scale,
    /// What the broker was told, and what it was: rounding must not show in what comes back.
    told: BTreeMap<u64, u64>,
}

impl<'c> Scaled<'c> {
    /// Lets `client` play at a scale.
    pub fn new(client: &'c mut dyn Client, scale: Scale) -> Self {
        Self { client, scale, told: BTreeMap::new() }
    }

    fn out(&mut self, own: u64) -> u64 {
        let real = self.scale.real(Millis(own)).0;
        if self.told.len() < TOLD_MAX {
            self.told.insert(real, own);
        }
        real
    }

    fn back(&self, real: u64) -> u64 {
        self.told.get(&real).copied().unwrap_or_else(|| self.scale.own(Millis(real)).0)
    }

    fn outgoing(&mut self, command: Command) -> Command {
        match command {
            Command::Publish { channel, publish, exchange, routing_key, mandatory, message } => {
                let message = match expiration_of(&message) {
                    Some(own) => with_expiration(&message, self.out(own)),
                    None => message,
                };
                Command::Publish { channel, publish, exchange, routing_key, mandatory, message }
            }
            Command::Connect { request, connection, user, vhost, heartbeat } => {
                // AMQP counts it in whole seconds; `fitness` sees to it that these are.
                let heartbeat = heartbeat.map(|own| Millis(self.scale.real(own).0.div_ceil(1_000).max(1) * 1_000));
                Command::Connect { request, connection, user, vhost, heartbeat }
            }
            Command::Call { request, channel, mut method } => {
                match &mut method {
                    Method::DeclareQueue(queue) => self.scale_arguments(&mut queue.arguments),
                    Method::Consume { arguments, .. } => self.scale_arguments(arguments),
                    _ => {}
                }
                Command::Call { request, channel, method }
            }
            Command::Manage { request, mut act } => {
                match &mut act {
                    Management::PutPolicy { policy, .. } => {
                        for (key, value) in policy.definition.iter_mut().filter(|(key, _)| is_duration(key)) {
                            if let Some(own) = value.as_u64().filter(|_| !key.starts_with("x-")) {
                                *value = self.out(own).into();
                            }
                        }
                    }
                    Management::Restart { down_for } => *down_for = self.scale.real(*down_for),
                    _ => {}
                }
                Command::Manage { request, act }
            }
            other => other,
        }
    }

    /// Multiplies the arguments that are times; a value that is none stays for the broker to judge.
    fn scale_arguments(&mut self, arguments: &mut Table) {
        let times = arguments.iter().filter(|(name, _)| name.starts_with("x-") && is_duration(name));
        let times: Vec<(Name, u64)> =
            times.filter_map(|(name, value)| Some((name.clone(), u64::try_from(value.as_integer()?).ok()?))).collect();
        for (name, own) in times {
            arguments.insert(name, Value::I64(i64::try_from(self.out(own)).unwrap_or(i64::MAX)));
        }
    }

    fn incoming(&self, event: Event) -> Event {
        match event {
            Event::Delivered { channel, consumer, delivery } => {
                Event::Delivered { channel, consumer, delivery: self.delivery(delivery) }
            }
            Event::Reply { request, reply: Ok(Reply::Got(Some(got))) } => {
                let Got { delivery, remaining } = *got;
                let got = Got { delivery: self.delivery(delivery), remaining };
                Event::Reply { request, reply: Ok(Reply::Got(Some(Box::new(got)))) }
            }
            Event::Reply { request, reply: Err(refusal) } => {
                Event::Reply { request, reply: Err(self.refusal(refusal)) }
            }
            Event::ChannelClosed { channel, cause } => Event::ChannelClosed { channel, cause: self.refusal(cause) },
            other => other,
        }
    }

    fn delivery(&self, mut delivery: Delivery) -> Delivery {
        if let Some(real) = expiration_of(&delivery.message) {
            delivery.message = with_expiration(&delivery.message, self.back(real)).into();
        }
        if delivery.message.header("x-death").is_some() {
            let mut message = Message::clone(&delivery.message);
            let deaths = message.properties.headers.as_mut().and_then(|headers| headers.get_mut("x-death"));
            if let Some(Value::Array(deaths)) = deaths {
                deaths.iter_mut().for_each(|death| self.restore_death(death));
            }
            delivery.message = Arc::new(message).into();
        }
        delivery
    }

    fn restore_death(&self, death: &mut Value) {
        let Value::Table(death) = death else { return };
        if let Some(Value::Text(text)) = death.get_mut("original-expiration")
            && let Ok(real) = text.parse::<u64>()
        {
            *text = self.back(real).to_string().into();
        }
    }

    /// Puts durations back that a refusal quotes: `received '250' but current is '500'`.
    fn refusal(&self, refusal: Refusal) -> Refusal {
        let mut text = refusal.text.clone();
        for place in quoted_durations(&refusal.text).into_iter().rev() {
            if let Ok(real) = refusal.text[place.clone()].parse() {
                text.replace_range(place, &self.back(real).to_string());
            }
        }
        Refusal { text, ..refusal }
    }
}

impl Client for Scaled<'_> {
    fn poll_command(&mut self, now: Moment) -> Option<Command> {
        let command = self.client.poll_command(self.scale.own_moment(now))?;
        Some(self.outgoing(command))
    }

    fn handle_event(&mut self, now: Moment, event: Event) {
        let event = self.incoming(event);
        self.client.handle_event(self.scale.own_moment(now), event);
    }

    fn wake_at(&self) -> Option<Moment> {
        self.client.wake_at().map(|moment| self.scale.real_moment(moment))
    }

    fn is_leaving(&self) -> bool {
        self.client.is_leaving()
    }

    fn is_done(&self) -> bool {
        self.client.is_done()
    }
}

/// Returns whether an argument or a policy's key holds milliseconds.
pub(crate) fn is_duration(name: &str) -> bool {
    queue_argument(name).is_some_and(|argument| argument.kind == ValueKind::Duration)
}

/// Returns a message's expiration, when it is one (TTL-1).
fn expiration_of(message: &Message) -> Option<u64> {
    message.properties.expiration.as_ref()?.parse().ok()
}

fn with_expiration(message: &Arc<Message>, ms: u64) -> Arc<Message> {
    let mut message = Message::clone(message);
    message.properties.expiration = Some(Name::from(ms.to_string()));
    Arc::new(message)
}
