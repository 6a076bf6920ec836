//! What sequences do besides, in seeds above the first ones: passive declares, forwards, direct reply-to, operator policies,
//! limits, rights that change, odd arguments, properties and policies, the default queue type. Words of the conformance files.

use super::generator::Generator;
use super::held::Unsettled;
use super::words::TTLS;
use rmqplay::model::Message;
use std::sync::Arc;

/// Where a client's reply consumer listens (RT-22).
const REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// Arguments that some type or version refuses, or takes without a word.
const ODD_ARGUMENTS: [&str; 14] = [
    "x-queue-mode=lazy",
    "x-queue-mode=odd",
    "x-queue-version=1",
    "x-queue-leader-locator=client-local",
    "x-queue-master-locator=min-masters",
    "x-max-in-memory-length=3",
    "x-max-priority=0",
    "x-quorum-initial-group-size=1",
    "x-consumer-timeout=90000000",
    "x-max-length=-1",
    "x-overflow=odd",
    "x-message-ttl=-1",
    "x-expires=0",
    "x-queue-type=odd",
];

/// Keys of policies that a type passes over, that a version does not know, or that are wrong.
const FURTHER_KEYS: [&str; 14] = [
    "max-length=2 max-in-memory-length=5",
    "max-length=2 queue-leader-locator=balanced",
    "max-length=2 target-group-size=3",
    "max-length=2 delivery-limit=2",
    "max-length=1 dead-letter-strategy=at-least-once overflow=reject-publish",
    "max-length=2 consumer-timeout=90000000",
    "max-length=2 stream-filter-size-bytes=64",
    "max-length=1 queue-master-locator=min-masters",
    "delivery-limit=-1",
    "foo=1",
    "max-length=-1",
    "max-length=\"5\"",
    "overflow=x",
    "dead-letter-exchange=5",
];

/// What a publish may carry besides; x-death as a table of its own kind is history to some versions (DL-22).
const FURTHER_PROPERTIES: [&str; 12] = [
    "mode=2",
    "mode=7",
    "type=text",
    "user_id=guest",
    "user_id=alice",
    "ttl=-1",
    "reply_to=somewhere",
    "h.x-delivery-count=5",
    "h.BCC=[q1, q2, q1]",
    "h.CC=[q1, q2] h.BCC=[q3, a]",
    "h.x-death=[{count: 3l, reason: expired, queue: q1, exchange: e1, time: t5, routing-keys: [a]}]",
    "h.x-death=[{count: 2l, reason: rejected, queue: q2, exchange: \"\", time: t5, routing-keys: [q2]}] h.x-first-death-queue=q9",
];

impl Generator {
    /// Returns an operation of these; some need steps before them.
    pub fn further_operation(&mut self) -> Vec<String> {
        let one = |text: String| vec![text];
        match self.chance.below(100) {
            0..=8 => one(self.look()),
            9..=21 => one(self.forward()),
            22..=31 => self.ask_or_answer(),
            32..=40 => one(self.operator_policy()),
            41..=52 => one(self.further_policy()),
            53..=56 => one(self.limit()),
            57..=65 => self.alice_again(),
            66..=71 => one(self.conditional_delete()),
            72..=78 => one(self.odd_queue()),
            79..=83 => self.shared_limit(),
            84..=88 => one(self.exchange_again()),
            89..=91 => one(self.default_type()),
            92..=95 => one(format!("{} {}", self.publish(), self.chance.pick(&FURTHER_PROPERTIES))),
            _ => (0..2 + self.chance.below(2)).map(|_| format!("get {}", self.some_queue())).collect(),
        }
    }

    /// A passive declare.
    fn look(&mut self) -> String {
        let channel = self.chance.pick(&["", "p1: ", "k1: "]);
        match self.chance.percent(70) {
            true => format!("{channel}check queue {}", self.some_queue()),
            false => format!("{channel}check exchange {}", self.own_exchange()),
        }
    }

    /// Publishes what a channel holds, as it was delivered.
    fn forward(&mut self) -> String {
        let held = &self.rehearsal.player.held.unsettled;
        let each = |(channel, all): (&String, &Vec<Unsettled>)| -> Vec<(String, String)> {
            all.iter().map(|delivery| (channel.clone(), delivery.id.clone())).collect()
        };
        let there: Vec<(String, String)> = held.iter().flat_map(each).collect();
        let Some((channel, id)) = self.chance.one(&there).cloned() else { return self.publish() };
        let exchange = self.some_exchange();
        let key = self.key_for(&exchange);
        let mandatory = if self.chance.percent(40) { " mandatory" } else { "" };
        format!("{channel}: forward {id} {exchange} {key}{mandatory}")
    }

    /// Asks by direct reply-to, or answers who asked.
    fn ask_or_answer(&mut self) -> Vec<String> {
        let asked = |(id, message): (&String, &Arc<Message>)| {
            let reply_to = message.properties.reply_to.as_deref()?;
            reply_to.starts_with("amq.rabbitmq.reply-to.").then(|| id.clone())
        };
        let asked: Vec<String> = self.rehearsal.player.messages.iter().filter_map(asked).collect();
        self.published += 1;
        if self.chance.percent(60)
            && let Some(id) = self.chance.one(&asked).cloned()
        {
            let mandatory = if self.chance.percent(50) { " mandatory" } else { "" };
            return vec![match self.chance.percent(15) {
                true => format!("p2: check queue reply-to-of:{id}"),
                false => format!("p2: publish \"\" reply-to-of:{id} id=m{}{mandatory}", self.published),
            }];
        }
        let mut texts = Vec::new();
        if !self.rehearsal.player.held.consumers.values().any(|queue| queue == REPLY_TO) && !self.chance.percent(5) {
            let no_ack = if self.chance.percent(95) { " no-ack" } else { "" };
            texts.push(format!("r1: consume {REPLY_TO} r1-free{no_ack}"));
        }
        let queue = self.some_queue();
        texts.push(format!("r1: publish \"\" {queue} id=m{} reply_to={REPLY_TO}", self.published));
        texts
    }

    fn operator_policy(&mut self) -> String {
        if self.chance.percent(30)
            && let Some(name) = self.chance.one(&self.operators).cloned()
        {
            return format!("clear policy {name} operator");
        }
        self.named += 1;
        let (name, pattern) = (format!("o{}", self.named), self.chance.pick(&["^q1$", "^q[12]$", "^q"]).to_owned());
        let key = match self.chance.below(if self.timed { 8 } else { 6 }) {
            0 => format!("max-length={}", self.chance.below(4)),
            1 => format!("delivery-limit={}", self.chance.below(4)),
            2 => format!("max-length-bytes={}", 20 + self.chance.below(60)),
            3 => format!("overflow={}", self.chance.pick(&["drop-head", "reject-publish"])),
            4 => "target-group-size=3".to_owned(),
            5 => self.chance.pick(&["dead-letter-exchange=x", "max-length=-1", "queue-version=2"]).to_owned(),
            6 if !self.without_quorum_leases => "expires=1800".to_owned(),
            _ => format!("message-ttl={}", self.chance.pick(&TTLS)),
        };
        self.operators.push(name.clone());
        format!("policy {name} {pattern} {key} priority:{} operator", self.named)
    }

    fn further_policy(&mut self) -> String {
        self.named += 1;
        let name = format!("p{}", self.named);
        let pattern = match self.chance.percent(6) {
            true => "(a".to_owned(),
            false => self.chance.pick(&["^q1$", "^q2$", "^q[12]$", "^q"]).to_owned(),
        };
        let keys = match self.chance.below(10) {
            0..=5 => self.chance.pick(&FURTHER_KEYS).to_owned(),
            6 if self.timed && !self.without_quorum_leases => "expires=1800".to_owned(),
            _ => self.policy_key(&pattern),
        };
        let priority = if self.without_ties || self.chance.percent(60) { self.named } else { 5 };
        let kinds = ["", "", "", " apply-to:classic_queues", " apply-to:quorum_queues", " apply-to:queues"];
        self.policies.push(name.clone());
        format!("policy {name} {pattern} {keys} priority:{priority}{}", self.chance.pick(&kinds))
    }

    /// Limits how many queues there may be.
    fn limit(&mut self) -> String {
        let most = self.chance.pick(&["-1", "0", "2", "3", "4"]);
        format!("limit vhost / max-queues {most}")
    }

    /// Changes what alice may do. She goes on in a channel that does not remember what she might do before (PE-6).
    fn alice_again(&mut self) -> Vec<String> {
        if !self.has_alice {
            return self.alice();
        }
        let mut texts = vec![format!("close a{}", self.alices)];
        self.alices += 1;
        let exchange = self.own_exchange();
        texts.push(match self.chance.below(8) {
            0..=2 => {
                let rights = self.chance.pick(&["^a ^a", "^a$ .*", ".* ^$", "^(q|b) ^b", "^$ ^$"]);
                format!("topic-permission alice {exchange} {rights}")
            }
            3 => format!("clear topic-permission alice {exchange}"),
            4 | 5 => {
                let rights = self.chance.pick(&["^$ ^$ ^q", "^q ^$ ^$", ".* .* .*", "^q[12]$ ^(e|amq) ^q"]);
                format!("permission alice {rights}")
            }
            6 if !self.without_channel_limits => {
                format!("limit user alice max-channels {}", self.chance.pick(&["1", "2", "-1"]))
            }
            _ => format!("limit user alice max-connections {}", self.chance.pick(&["0", "1", "-1"])),
        });
        texts.push(format!("channel a{} on=alice", self.alices));
        texts.push(self.act_of_alice());
        if self.chance.percent(30) {
            texts.push(format!("connect alice{} as=alice", self.alices));
        }
        texts
    }

    fn conditional_delete(&mut self) -> String {
        let how = self.chance.pick(&["if-empty", "if-unused", "if-unused if-empty"]);
        match self.chance.percent(75) {
            true => format!("delete queue {} {how}", self.some_queue()),
            false => format!("delete exchange {} if-unused", self.own_exchange()),
        }
    }

    fn odd_queue(&mut self) -> String {
        // A type that is stored shows when the queue is declared with another (ER-4).
        if self.chance.percent(35)
            && let Some(queue) = self.chance.one(&self.queues).cloned()
        {
            let text = queue.text.replace(" x-queue-type=quorum", "").replace(" x-queue-type=classic", "");
            return format!("{text} x-queue-type={}", self.chance.pick(&["classic", "quorum"]));
        }
        let text = self.new_queue(self.queues.len() + 1);
        let text = format!("{text} {}", self.chance.pick(&ODD_ARGUMENTS));
        if let Some(made) = self.queues.last_mut() {
            made.text.clone_from(&text);
        }
        text
    }

    /// Limits what a channel holds over all its consumers (CO-4).
    fn shared_limit(&mut self) -> Vec<String> {
        let channels: Vec<String> = self.consumers.iter().map(|(channel, ..)| channel.clone()).collect();
        let Some(channel) = self.chance.one(&channels).cloned() else { return self.new_consumer() };
        let global = if self.chance.percent(80) { " global" } else { "" };
        let mut texts = vec![format!("{channel}: qos {}{global}", self.chance.below(4))];
        if self.chance.percent(50) {
            self.named += 1;
            texts.push(format!("{channel}: consume {} d{}", self.some_queue(), self.named));
        }
        texts
    }

    fn exchange_again(&mut self) -> String {
        if self.chance.percent(15) {
            let kind = self.chance.pick(&["x-local-random", "x-modulus-hash", "direct", "nonsense"]);
            let kind = if self.without_further_types && kind.starts_with("x-") { "nope" } else { kind };
            return format!("declare exchange e9 {kind}");
        }
        self.chance.one(&self.exchange_texts).cloned().unwrap_or_else(|| "check exchange e1".into())
    }

    /// Changes the type that queues without one get; those are looked at as if they were quorum queues from then on.
    fn default_type(&mut self) -> String {
        if self.timed && self.without_quorum_leases {
            return self.look();
        }
        self.default_type_changed = true;
        let odd = if self.without_bad_default_types { "quorum" } else { "odd" };
        let kind = self.chance.pick(&["quorum", "quorum", "classic", "", odd]);
        if kind.is_empty() { "replace vhost /".into() } else { format!("vhost / default-queue-type={kind}") }
    }

    /// Returns the key by which dead letters of the next declared queue go on to the one after it, in a ring.
    pub fn ring_key(&self) -> Option<String> {
        let queues = self.ring?;
        Some(format!("q{}", (self.queues.len() + 1) % queues + 1))
    }

    /// Returns a pattern of a binding besides: `#` more than twice, which 4.3 refuses (RT-20).
    pub fn further_pattern(&mut self) -> Option<&'static str> {
        (self.wide && self.chance.percent(8)).then_some("#.a.#.b.#")
    }

    /// Returns an argument of a headers binding besides, of types that strict versions tell apart (RT-7).
    pub fn further_header(&mut self) -> Option<&'static str> {
        let is_one = self.wide && self.chance.percent(25);
        is_one.then(|| self.chance.pick(&["arg.k=1l", "arg.k=1.0", "arg.k=t1", "arg.k=true"]))
    }
}
