//! What each operation asks of the broker: the words of a step as commands. Opens what it needs on the way.

use super::player::{Asked, Player};
use crate::commands::{management, message_of, method};
use crate::script::Step;
use rmqplay::broker::{ChannelId, Command, DeliveryTag, Management, Method, RequestId, Settlement};
use rmqplay::model::Name;

impl Player {
    pub(super) fn act(&mut self) {
        let Some(step) = self.step.clone() else { return };
        match step.word(0).as_str() {
            "connect" => {
                let user = step.named("as").map(str::to_owned);
                self.held.logins.insert(step.word(1), user);
                self.connect(&step.word(1));
            }
            "channel" => {
                let owner = step.named("on").unwrap_or("main").to_owned();
                if !self.held.channels.contains_key(&step.word(1)) {
                    self.open(&step.word(1), &owner);
                }
            }
            "close" => {
                if let Some(channel) = self.held.channels.get(&step.word(1)).copied() {
                    self.held.forget_channel(channel);
                    let request = self.request(Asked::Setup);
                    self.outbox.push_back(Command::CloseChannel { request, channel });
                }
            }
            "cut" | "disconnect" | "kick" => self.disconnect(&step.word(0), &step.word(1)),
            "publish" => self.publish(&step),
            "forward" => self.forward(&step),
            "ack" | "nack" | "reject" => self.settle(&step),
            "drain" => self.drain(&step.word(1)),
            _ => match management(&step) {
                Some(act) => {
                    let request = self.request(Asked::Step(Box::new(step.clone()), String::new()));
                    self.outbox.push_back(Command::Manage { request, act });
                }
                None => {
                    let channel = self.channel(&step.channel);
                    if step.word(0) == "recover" {
                        // Before the answer: what comes back may come before it.
                        self.held.settle(&step.channel, DeliveryTag(0), true);
                    }
                    if step.word(0) == "qos" && step.has("global") {
                        self.held.limits.insert(channel, step.word(1).parse().unwrap_or(0));
                    }
                    let request = self.request(Asked::Step(Box::new(step.clone()), step.channel.clone()));
                    let words = step.words.iter().map(|word| self.addressed(word)).collect();
                    let method = method(&Step { words, ..step }, "/".into());
                    self.outbox.push_back(Command::Call { request, channel, method });
                }
            },
        }
    }

    pub(super) fn request(&mut self, asked: Asked) -> RequestId {
        let request = self.ids.request();
        self.requests.insert(request, asked);
        request
    }

    fn connect(&mut self, name: &str) {
        if self.held.connections.contains_key(name) {
            return;
        }
        let connection = self.ids.connection();
        self.held.connections.insert(name.to_owned(), connection);
        let user = self.held.logins.get(name).cloned().flatten().map(Name::from);
        let request = self.request(Asked::Connect(name.to_owned()));
        self.outbox.push_back(Command::Connect { request, connection, user, vhost: "/".into(), heartbeat: None });
    }

    fn disconnect(&mut self, how: &str, name: &str) {
        let Some(connection) = self.held.connections.get(name).copied() else { return };
        let request = self.request(Asked::Setup);
        self.outbox.push_back(match how {
            "cut" => Command::Cut { request, connection },
            "kick" => Command::Manage { request, act: Management::CloseConnection { connection } },
            _ => Command::Disconnect { request, connection },
        });
        if how != "kick" {
            self.held.forget_connection(name);
        }
    }

    fn open(&mut self, name: &str, owner: &str) -> ChannelId {
        self.connect(owner);
        let channel = self.ids.channel();
        let request = self.request(Asked::Setup);
        let connection = self.held.connections[owner];
        // Channels of these names are for transactions.
        let confirms = !name.starts_with('t');
        self.outbox.push_back(Command::OpenChannel { request, channel, connection, confirms });
        self.held.open(name, channel, owner);
        channel
    }

    pub(super) fn channel(&mut self, name: &str) -> ChannelId {
        match self.held.channels.get(name) {
            Some(id) => *id,
            None => {
                let owner = self.held.owners.get(name).cloned().unwrap_or_else(|| "main".into());
                self.open(name, &owner)
            }
        }
    }

    fn publish(&mut self, step: &Step) {
        let channel = self.channel(&step.channel);
        let publish = self.ids.publish();
        let message = message_of(step).into();
        self.publishes.insert(publish, (channel, step.named("id").unwrap_or("?").to_owned()));
        let (exchange, routing_key): (Name, Name) = (step.word(1).into(), self.addressed(&step.word(2)).into());
        let mandatory = step.has("mandatory");
        self.outbox.push_back(Command::Publish { channel, publish, exchange, routing_key, mandatory, message });
    }

    /// Returns the reply_to of a message in place of `reply-to-of:ID`.
    fn addressed(&self, word: &str) -> String {
        let asked = word.strip_prefix("reply-to-of:").and_then(|id| self.messages.get(id));
        let key = asked.and_then(|message| message.properties.reply_to.as_deref());
        key.unwrap_or(word).to_owned()
    }

    /// Publishes a message as a channel holds it.
    fn forward(&mut self, step: &Step) {
        let id = step.word(1);
        // A shorter sequence may not deliver it at all.
        let Some(message) = self.held.message(&step.channel, &id) else { return };
        let channel = self.channel(&step.channel);
        let publish = self.ids.publish();
        self.publishes.insert(publish, (channel, id));
        let (exchange, routing_key): (Name, Name) = (step.word(2).into(), step.word(3).into());
        let mandatory = step.has("mandatory");
        self.outbox.push_back(Command::Publish { channel, publish, exchange, routing_key, mandatory, message });
    }

    fn settle(&mut self, step: &Step) {
        let Some(channel) = self.held.channels.get(&step.channel).copied() else { return };
        let requeue = step.has("requeue");
        let settlement = match step.word(0).as_str() {
            "ack" => Settlement::Ack,
            "nack" => Settlement::Nack { requeue },
            _ => Settlement::Reject { requeue },
        };
        for word in step.words[1..].iter().filter(|word| !matches!(word.as_str(), "requeue" | "multiple")) {
            let tag = match (word.as_str(), word.strip_prefix('#')) {
                ("all", _) => Some(DeliveryTag(0)),
                (_, Some(tag)) => tag.parse().ok().map(DeliveryTag),
                (id, None) => self.held.tag(&step.channel, id),
            };
            // A shorter sequence may not deliver it at all.
            let Some(tag) = tag else { continue };
            let multiple = word == "all" || step.has("multiple");
            self.held.settle(&step.channel, tag, multiple);
            self.outbox.push_back(Command::Settle { channel, tag, multiple, settlement });
        }
    }

    pub(super) fn drain(&mut self, queue: &str) {
        if self.held.queues.contains(queue) {
            let channel = self.channel("probe");
            let request = self.request(Asked::Drain(queue.to_owned()));
            let method = Method::Get { queue: queue.into(), no_ack: true };
            self.outbox.push_back(Command::Call { request, channel, method });
        }
    }

    pub(super) fn count(&mut self, queue: String) {
        let channel = self.channel("probe");
        let request = self.request(Asked::Count(queue.clone()));
        let method = Method::CheckQueue { queue: queue.as_str().into() };
        self.outbox.push_back(Command::Call { request, channel, method });
    }
}
