//! The objects of a sequence in random shapes: exchanges, queues with arguments, bindings, policies, consumers.
//! Words of the conformance files; legal ones mostly, refused ones now and then.

use super::generator::Generator;
use rmqplay::model::Profile;

/// A queue that was thought of.
#[derive(Debug, Clone)]
pub struct QueueMade {
    pub name: String,
    /// The whole step that declared it.
    pub text: String,
}

/// TTLs far enough from each other, also in sums.
pub const TTLS: [&str; 4] = ["1400", "2600", "4100", "5900"];
pub const KEYS: [&str; 6] = ["a", "b", "a.b", "a.b.c", "q1", "\"\""];
const PATTERNS: [&str; 8] = ["a", "b", "#", "*", "a.*", "a.#", "#.b", "\"\""];

impl Generator {
    /// Names an exchange, one that is there mostly.
    pub fn some_exchange(&mut self) -> String {
        if self.chance.percent(6) {
            return self.chance.pick(&["nowhere", "amq.fanout", "amq.direct", "amq.topic"]).to_owned();
        }
        if self.chance.percent(25) {
            return "\"\"".to_owned();
        }
        self.chance.one(&self.exchanges).map_or("\"\"".to_owned(), |(name, _)| name.clone())
    }

    /// Names a declared exchange.
    pub fn own_exchange(&mut self) -> String {
        self.chance.one(&self.exchanges).map_or("amq.fanout".to_owned(), |(name, _)| name.clone())
    }

    /// Names a queue.
    pub fn some_queue(&mut self) -> String {
        if self.chance.percent(2) {
            return "missing".to_owned();
        }
        self.chance.one(&self.queues).map_or("q1".to_owned(), |queue| queue.name.clone())
    }

    /// Returns a routing key that suits an exchange.
    pub fn key_for(&mut self, exchange: &str) -> String {
        if exchange == "\"\"" { self.some_queue() } else { self.chance.pick(&KEYS).to_owned() }
    }

    pub fn new_exchange(&mut self, n: usize) -> String {
        let name = format!("e{n}");
        let kind = self.chance.pick(&["direct", "topic", "fanout", "headers", "fanout"]).to_owned();
        let mut kind = kind;
        let mut hashed = "";
        if self.hashes && (n == 1 || self.chance.percent(60)) {
            kind = if n == 1 || self.chance.percent(60) { "x-consistent-hash" } else { "x-modulus-hash" }.to_owned();
            let inputs = ["", "", " arg.hash-header=k", " arg.hash-property=message_id"];
            hashed = if kind == "x-consistent-hash" { self.chance.pick(&inputs) } else { "" };
        }
        let mut text = format!("declare exchange {name} {kind}{hashed}");
        if self.chance.percent(20) {
            let other = if self.chance.percent(50) { "amq.fanout".to_owned() } else { format!("e{}", n + 1) };
            text.push_str(&format!(" alternate-exchange={other}"));
        }
        for (flag, often) in [("internal", 6), ("auto-delete", 6), ("transient", 5)] {
            if self.chance.percent(often) {
                text.push_str(&format!(" {flag}"));
            }
        }
        self.exchanges.push((name, kind));
        self.exchange_texts.push(text.clone());
        text
    }

    pub fn new_queue(&mut self, n: usize) -> String {
        if self.streams && self.chance.percent(45) {
            return self.new_stream(n);
        }
        let name = format!("q{n}");
        let quorum = self.chance.percent(50);
        let mut text = format!("declare queue {name}");
        if quorum {
            text.push_str(" x-queue-type=quorum");
        } else if self.chance.percent(10) {
            text.push_str(" x-queue-type=classic");
        }
        for argument in self.queue_arguments(quorum) {
            text.push_str(&format!(" {argument}"));
        }
        if self.chance.percent(4) {
            text.push_str(" auto-delete");
        }
        let transient = !quorum && self.chance.percent(5);
        let exclusive = self.chance.percent(if quorum { 1 } else { 8 });
        // ER-12: 4.3 closes the connection for one that is not exclusive, which is tried now and then.
        if transient && (exclusive || self.profile != Profile::V4_3 || self.chance.percent(20)) {
            text.push_str(" transient");
        }
        if exclusive {
            text.push_str(" exclusive");
        }
        self.queues.push(QueueMade { name, text: text.clone() });
        text
    }

    fn queue_arguments(&mut self, quorum: bool) -> Vec<String> {
        let mut arguments = Vec::new();
        if let Some(key) = self.ring_key() {
            arguments.push(format!("x-dead-letter-routing-key={key}"));
            arguments.push("x-dead-letter-exchange=\"\"".to_owned());
        } else if !self.single_chunks && self.chance.percent(65) {
            let exchange = self.some_exchange();
            if exchange == "\"\"" {
                let target = 1 + self.chance.below(4);
                arguments.push(format!("x-dead-letter-routing-key=q{target}"));
            } else if self.chance.percent(40) {
                arguments.push(format!("x-dead-letter-routing-key={}", self.chance.pick(&KEYS)));
            }
            arguments.push(format!("x-dead-letter-exchange={exchange}"));
        }
        if self.timed && self.chance.percent(40) {
            arguments.push(format!("x-message-ttl={}", self.chance.pick(&TTLS)));
        } else if self.chance.percent(3) {
            arguments.push("x-message-ttl=0".to_owned());
        }
        if self.chance.percent(30) {
            arguments.push(format!("x-max-length={}", self.chance.below(4)));
        }
        if self.chance.percent(8) {
            arguments.push(format!("x-max-length-bytes={}", 20 + self.chance.below(60)));
        }
        if self.chance.percent(25) {
            let overflow = self.chance.pick(&["drop-head", "reject-publish", "reject-publish-dlx"]);
            arguments.push(format!("x-overflow={overflow}"));
        }
        if !quorum && self.chance.percent(22) || self.chance.percent(2) {
            arguments.push(format!("x-max-priority={}", 1 + self.chance.below(9)));
        }
        if quorum && self.chance.percent(35) || self.chance.percent(2) {
            arguments.push(format!("x-delivery-limit={}", self.chance.below(4) as i64 - 1));
        }
        if self.chance.percent(10) {
            arguments.push("x-single-active-consumer=true".to_owned());
        }
        if quorum && self.chance.percent(15) || self.chance.percent(1) {
            arguments.push("x-dead-letter-strategy=at-least-once".to_owned());
            arguments.retain(|argument| !argument.starts_with("x-overflow="));
            arguments
                .push(format!("x-overflow={}", self.chance.pick(&["reject-publish", "reject-publish", "drop-head"])));
        }
        if self.timed && self.chance.percent(15) && !(quorum && self.without_quorum_leases) {
            arguments.push(format!("x-expires={}", self.chance.pick(&["1800", "3400"])));
        } else if self.chance.percent(4) {
            arguments.push("x-expires=90000".to_owned());
        }
        if quorum && self.timed && self.profile == Profile::V4_3 && self.chance.percent(10) {
            let kind = self.chance.pick(&["all", "failed", "returned"]);
            arguments.push(format!("x-delayed-retry-type={kind} x-delayed-retry-min=1700"));
        }
        arguments
    }

    pub fn new_binding(&mut self) -> String {
        let source = if self.chance.percent(4) { self.some_exchange() } else { self.own_exchange() };
        let kind = self.exchanges.iter().find(|(name, _)| *name == source).map_or("", |(_, kind)| kind).to_owned();
        let key = match kind.as_str() {
            "topic" => match self.further_pattern() {
                Some(pattern) => pattern,
                None => self.chance.pick(&PATTERNS),
            },
            "x-consistent-hash" => self.chance.pick(&["1", "1", "2", "3", "7", "0", "heavy"]),
            _ => self.chance.pick(&KEYS),
        };
        let destination = if self.chance.percent(15) {
            format!("exchange {}", self.own_exchange())
        } else {
            format!("queue {}", self.some_queue())
        };
        let mut binding = format!("{destination} {source} {key}");
        if kind == "headers" || self.chance.percent(3) {
            let further = self.further_header();
            let argument = self.chance.pick(&["arg.k=1", "arg.k=v", "arg.k=void", "arg.k=1 arg.j=2", ""]);
            let how = self.chance.pick(&["", " arg.x-match=any", " arg.x-match=all", " arg.x-match=any-with-x"]);
            binding.push_str(&format!(" {}{how}", further.unwrap_or(argument)));
        }
        self.bindings.push(binding.clone());
        format!("bind {}", binding.trim())
    }

    pub fn new_policy(&mut self) -> String {
        self.named += 1;
        let name = format!("p{}", self.named);
        let pattern = self.chance.pick(&["^q1$", "^q2$", "^q[12]$", "^q", "^q3$", "^e1$"]).to_owned();
        let mut keys = Vec::new();
        for _ in 0..1 + self.chance.below(2) {
            keys.push(self.policy_key(&pattern));
        }
        if self.single_chunks {
            keys.retain(|key| !key.starts_with("dead-letter"));
            keys.push("max-length=3".to_owned());
        }
        keys.sort();
        keys.dedup_by_key(|key| key.split('=').next().map(str::to_owned));
        // No two policies have one priority: ties are not specified (PO-1).
        let mut text = format!("policy {name} {pattern} {} priority:{}", keys.join(" "), self.named);
        if self.chance.percent(20) {
            text.push_str(if pattern.starts_with("^q") { " apply-to:queues" } else { " apply-to:exchanges" });
        }
        self.policies.push(name);
        text
    }

    pub fn policy_key(&mut self, pattern: &str) -> String {
        if !pattern.starts_with("^q") {
            return format!("alternate-exchange={}", self.chance.pick(&["amq.fanout", "e2", "e3"]));
        }
        let exchange = self.own_exchange();
        match self.chance.below(if self.timed { 8 } else { 7 }) {
            0 => format!("max-length={}", self.chance.below(4)),
            1 => format!("dead-letter-exchange={exchange}"),
            2 => format!("dead-letter-routing-key={}", self.chance.pick(&["a", "b", "q2"])),
            3 => format!("overflow={}", self.chance.pick(&["drop-head", "reject-publish", "reject-publish-dlx"])),
            4 => format!("delivery-limit={}", self.chance.below(3)),
            5 => format!("max-length-bytes={}", 20 + self.chance.below(60)),
            6 => "dead-letter-exchange=\"\"".to_owned(),
            _ => format!("message-ttl={}", self.chance.pick(&TTLS)),
        }
    }

    fn may_be_quorum(&self, queue: &str) -> bool {
        let typed = |made: &QueueMade| made.text.contains("x-queue-type=");
        let is_quorum = |made: &QueueMade| made.text.contains("=quorum") || self.default_type_changed && !typed(made);
        self.queues.iter().any(|made| made.name == queue && is_quorum(made))
    }

    /// Returns the steps that begin a consumer: perhaps a connection, perhaps a prefetch, then consume.
    pub fn new_consumer(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        self.named += 1;
        let channel = format!("k{}", self.named);
        if self.chance.percent(25) && !self.has_other {
            self.has_other = true;
            texts.push("connect other".to_owned());
            texts.push(format!("channel {channel} on=other"));
        }
        let prefetch = self.chance.below(4);
        if prefetch > 0 {
            let global = if self.chance.percent(4) { " global" } else { "" };
            texts.push(format!("{channel}: qos {prefetch}{global}"));
        }
        let queue = self.some_queue();
        // Two on one channel serve the same queue: their order on the channel is then certain.
        for n in 0..1 + usize::from(self.chance.percent(15)) {
            let quorum = self.may_be_quorum(&queue);
            let certain = !(quorum && prefetch > 0 && self.without_free_prefetch);
            let free = if self.chance.percent(12) && certain { "-free" } else { "" };
            let consumer = format!("{}{}{free}", ["c", "b"][n], self.named);
            let mut text = format!("{channel}: consume {queue} {consumer}");
            if !free.is_empty() {
                text.push_str(" no-ack");
            }
            if self.chance.percent(20) {
                text.push_str(&format!(" x-priority={}", self.chance.below(4) as i64 - 1));
            }
            if self.chance.percent(6) {
                text.push_str(" exclusive");
            }
            let habit = self.chance.below(6);
            self.consumers.push((channel.clone(), consumer, habit));
            texts.push(text);
        }
        texts
    }
}
