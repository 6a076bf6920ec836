//! What happens in a sequence: publishes, gets, settlements by each consumer's habit, changes and refusals.
//! Words of the conformance files.

use super::generator::Generator;
use super::words::{KEYS, TTLS};

impl Generator {
    /// Returns the next operation; some need a step before them.
    pub fn next_operation(&mut self) -> Vec<String> {
        if self.transacts && self.chance.percent(45) {
            return self.transaction();
        }
        if self.streams && self.chance.percent(45) {
            return self.stream_operation();
        }
        if self.wide && self.chance.percent(35) {
            return self.further_operation();
        }
        if self.chance.percent(45)
            && let Some(text) = self.settlement()
        {
            return vec![text];
        }
        let one = |text: String| vec![text];
        match self.chance.below(100) {
            0..=39 => one(self.publish()),
            40..=52 => one(self.get()),
            53..=61 => self.new_consumer(),
            62..=66 => one(self.new_policy()),
            67..=69 => one(self
                .chance
                .one(&self.policies)
                .map_or_else(|| "check exchange e1".into(), |name| format!("clear policy {name}"))),
            70..=73 => one(self.new_binding()),
            74..=76 => one(self.unbind()),
            77..=79 => one(self.cancel()),
            80..=82 => one(self.purge_or_delete()),
            83..=85 => one(self.declare_again()),
            86..=87 => one(self.on_a_consumers_channel("recover")),
            88 => one(self.on_a_consumers_channel("qos 2")),
            89..=90 => one(self.close()),
            91 => self.exclusive(),
            92..=93 => one(self.cut()),
            94..=97 => self.alice(),
            _ => one(self.odd()),
        }
    }

    pub fn publish(&mut self) -> String {
        let exchange = self.some_exchange();
        let key = self.key_for(&exchange);
        self.published += 1;
        let mut text = format!("{}publish {exchange} {key} id=m{}", self.publisher(), self.published);
        if self.timed && self.chance.percent(25) {
            text.push_str(&format!(" ttl={}", self.chance.pick(&TTLS)));
        } else if self.chance.percent(3) {
            text.push_str(&format!(" ttl={}", self.chance.pick(&["0", "abc"])));
        }
        if self.chance.percent(30) {
            text.push_str(&format!(" priority={}", self.chance.pick(&["0", "1", "4", "5", "9", "200"])));
        }
        if self.chance.percent(12) {
            text.push_str(" mandatory");
        }
        if self.chance.percent(40) {
            text.push_str(&format!(" size={}", self.chance.pick(&["1", "10", "30", "70"])));
        }
        if self.chance.percent(25) {
            let header = self.chance.pick(&["h.k=1", "h.k=v", "h.k=1 h.j=2", "h.z=1 h.k=true h.a=x", "h.k=void"]);
            text.push_str(&format!(" {header}"));
        }
        if self.chance.percent(12) {
            let more = self.chance.pick(&["h.CC", "h.BCC", "h.CC", "h.CC=[a] h.BCC"]);
            let (one, other) = (self.chance.pick(&KEYS).to_owned(), self.some_queue());
            text.push_str(&format!(" {more}=[{one}, {other}]"));
        }
        if self.chance.percent(2) {
            let odd = self.chance.pick(&["h.CC=a", "user_id=nobody", "h.BCC=a", "mode=1", "h.x-death=a"]);
            text.push_str(&format!(" {odd}"));
        }
        text
    }

    /// Publishes share a channel mostly; a refused one costs only it.
    fn publisher(&mut self) -> &'static str {
        if self.chance.percent(80) { "p1: " } else { "p2: " }
    }

    fn get(&mut self) -> String {
        let queue = if self.streams { self.some_queue_to_take() } else { self.some_queue() };
        let flag = if self.chance.percent(15) { " no-ack" } else { "" };
        format!("get {queue}{flag}")
    }

    /// Settles something that is held, by the habit of who holds it.
    fn settlement(&mut self) -> Option<String> {
        let held = &self.rehearsal.player.held;
        let busy: Vec<String> =
            held.unsettled.iter().filter(|(_, all)| !all.is_empty()).map(|(channel, _)| channel.clone()).collect();
        let channel = self.chance.one(&busy)?.clone();
        let all = self.rehearsal.player.held.unsettled.get(&channel)?.clone();
        let delivery = self.chance.one(&all)?.clone();
        let habit = (self.consumers.iter()).find(|(on, ..)| *on == channel).map_or(5, |(.., habit)| *habit);
        let words = match habit {
            0 => "ack",
            1 if !delivery.redelivered => "nack requeue",
            2 if !delivery.redelivered => "reject requeue",
            1 | 2 => self.chance.pick(&["ack", "nack", "reject"]),
            3 => "reject",
            4 => "nack",
            _ => self.chance.pick(&["ack", "nack", "reject", "nack requeue", "reject requeue", "ack"]),
        };
        let (verb, requeue) = words.split_once(' ').unwrap_or((words, ""));
        let requeue = if requeue.is_empty() { "" } else { " requeue" };
        if verb != "reject" && self.chance.percent(20) {
            let what = if self.chance.percent(50) { "all".to_owned() } else { format!("{} multiple", delivery.id) };
            return Some(format!("{channel}: {verb} {what}{requeue}"));
        }
        if self.chance.percent(1) {
            return Some(format!("{channel}: ack #77"));
        }
        // Several at once, in an order of their own.
        if self.chance.percent(15) {
            let mut ids: Vec<String> = all.iter().map(|delivery| delivery.id.clone()).collect();
            ids.dedup();
            let from = self.chance.below(ids.len());
            ids.rotate_left(from);
            return Some(format!("{channel}: {verb} {}{requeue}", ids.join(" ")));
        }
        Some(format!("{channel}: {verb} {}{requeue}", delivery.id))
    }

    fn unbind(&mut self) -> String {
        let binding = self.chance.one(&self.bindings).cloned();
        binding.map_or_else(|| "unbind queue q1 amq.fanout a".into(), |binding| format!("unbind {}", binding.trim()))
    }

    fn cancel(&mut self) -> String {
        let held = &self.rehearsal.player.held;
        let there: Vec<(String, String)> = held.consumers.keys().cloned().collect();
        let found = self.chance.one(&there);
        found.map_or_else(|| "k1: cancel nobody".into(), |(channel, consumer)| format!("{channel}: cancel {consumer}"))
    }

    fn on_a_consumers_channel(&mut self, what: &str) -> String {
        let held = &self.rehearsal.player.held;
        let there: Vec<String> = held.unsettled.keys().cloned().collect();
        let channel = self.chance.one(&there).cloned().unwrap_or_else(|| "ch1".into());
        format!("{channel}: {what}")
    }

    fn purge_or_delete(&mut self) -> String {
        let queue = if self.streams { self.some_queue_to_take() } else { self.some_queue() };
        match self.chance.below(6) {
            0..=2 => format!("purge {queue}"),
            3 => format!("delete exchange {}", self.own_exchange()),
            4 => format!("delete queue {queue}"),
            _ => format!("delete queue {queue} {}", self.chance.pick(&["if-unused", "if-empty"])),
        }
    }

    /// Declares a queue again: the same, or another.
    fn declare_again(&mut self) -> String {
        let Some(queue) = self.chance.one(&self.queues).cloned() else { return "check exchange e1".into() };
        let mut text = queue.text;
        match self.chance.below(7) {
            0 => text.push_str(" x-max-length=7"),
            6 => text.push_str(" exclusive"),
            1 => text.push_str(" transient"),
            2 => text.push_str(" x-unknown=5"),
            3 => text.push_str(" x-message-ttl=7000"),
            4 => text = text.rsplit_once(" x-").map(|(front, _)| front.to_owned()).unwrap_or(text),
            _ => {}
        }
        text
    }

    /// Lets a second connection declare a queue of its own.
    fn exclusive(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        if !self.has_other {
            self.has_other = true;
            texts.push("connect other".to_owned());
        }
        self.named += 1;
        let channel = format!("x{}", self.named);
        texts.push(format!("channel {channel} on=other"));
        let mut text = self.new_queue(self.queues.len() + 1);
        if !text.contains(" exclusive") {
            text.push_str(" exclusive");
        }
        texts.push(format!("{channel}: {text}"));
        texts
    }

    fn close(&mut self) -> String {
        let channels: Vec<String> = self.rehearsal.player.held.channels.keys().cloned().collect();
        let channels: Vec<String> = channels.into_iter().filter(|channel| channel != "probe").collect();
        format!("close {}", self.chance.one(&channels).cloned().unwrap_or_else(|| "ch1".into()))
    }

    fn cut(&mut self) -> String {
        let how = self.chance.pick(&["cut", "cut", "disconnect", "kick"]);
        let which = if self.has_other && self.chance.percent(70) { "other" } else { "main" };
        if which == "other" {
            self.has_other = false;
        }
        format!("{how} {which}")
    }

    /// Lets a second user with few rights try something.
    pub fn alice(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        if !self.has_alice {
            self.has_alice = true;
            texts.push("user alice".to_owned());
            let rights = self.chance.pick(&[
                "^q1$ ^(q1|e1|amq\\.default)$ ^q",
                "^$ ^e ^(q2|e1)$",
                ".* ^amq\\.default$ ^q3$",
                "^q ^q ^q",
            ]);
            texts.push(format!("permission alice {rights}"));
            // Before any channel of hers: what one was allowed it remembers for a while (PE-6).
            if self.chance.percent(60) {
                let exchange = self.some_exchange();
                let rights = self.chance.pick(&["^a ^a", "^a$ .*", ".* ^$", "^(q|b) ^b"]);
                texts.push(format!("topic-permission alice {exchange} {rights}"));
            }
            texts.push("connect alice as=alice".to_owned());
            texts.push(format!("channel a{} on=alice", self.alices));
        }
        texts.push(self.act_of_alice());
        texts
    }

    pub fn act_of_alice(&mut self) -> String {
        let channel = format!("a{}", self.alices);
        let (queue, exchange) = (self.some_queue(), self.some_exchange());
        self.published += 1;
        match self.chance.below(7) {
            0 => format!("{channel}: get {queue}"),
            1 => format!("{channel}: purge {queue}"),
            2 => format!("{channel}: check queue {queue}"),
            3 => self
                .chance
                .one(&self.queues)
                .map_or_else(|| format!("{channel}: check queue q1"), |queue| format!("{channel}: {}", queue.text)),
            4 => format!("{channel}: bind queue {queue} {} {}", self.own_exchange(), self.chance.pick(&KEYS)),
            5 => {
                let (key, also) = (self.chance.pick(&KEYS).to_owned(), self.chance.pick(&KEYS));
                let copies = self.chance.pick(&["", " h.CC", " h.BCC"]);
                let copies = if copies.is_empty() { String::new() } else { format!("{copies}=[{also}]") };
                format!("{channel}: publish {exchange} {key} id=m{}{copies}", self.published)
            }
            _ => format!("{channel}: publish {exchange} {queue} id=m{}", self.published),
        }
    }

    /// Does something that is refused mostly, or has no effect.
    fn odd(&mut self) -> String {
        match self.chance.below(8) {
            0 => "check queue missing".to_owned(),
            1 => "declare exchange e1 topic".to_owned(),
            2 => "declare queue amq.mine".to_owned(),
            3 => "bind queue q1 \"\" a".to_owned(),
            4 => "k1: recover no-requeue".to_owned(),
            5 => "delete exchange amq.direct".to_owned(),
            6 => "declare exchange e9 nonsense".to_owned(),
            _ => format!("delete exchange {} if-unused", self.own_exchange()),
        }
    }
}
