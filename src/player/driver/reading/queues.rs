//! Takes contents for an expectation, and of every queue for the outcome; then closes everything.

use crate::broker::Command;
use crate::model::{Expectation, Profile, Queue, QueueKind, QueueName, Scenario, Value};
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::context::Context;
use crate::player::context::command_sequence::Ask;
use crate::player::context::queue_kind::{kind_of, kind_of_name};
use crate::player::driver::reading::contents::{
    QueueToRead, ReadQueue, Reading, ReadingMethod, reading_method, record,
};
use crate::player::driver::reading::following::STREAM_READ_MAX;
use crate::player::driver::reading::streams::queue_to_read;
use crate::player::driver::state::{Continuation, Driver, DriverState, RunStage};
use crate::player::record::ledger::Ledger;
use crate::player::record::outcome::Outcome;
use crate::rules::{EffectivePolicies, differences};

impl Driver {
    /// Reads the queue that an expectation compares, then judges. One that is not there is not read.
    pub fn read_for(&mut self, expectation: &Expectation, context: &Context, scenario: &Scenario) {
        let version = context.broker.version;
        let Some(queue) = queue_to_read(expectation, version, scenario) else { return };
        let is_there = context.ledger.queues.get(&queue).is_some_and(|tally| tally.counts.is_some());
        let ready = ready_on_broker(&context.ledger, &queue);
        let method = match kind_of_name(&queue, version, scenario) {
            QueueKind::Stream => ReadingMethod::Consume,
            QueueKind::Classic | QueueKind::Quorum => ReadingMethod::Get,
        };
        let is_read = is_there || method == ReadingMethod::Get;
        self.doing = DriverState::Reading(Reading::new(is_read.then_some(QueueToRead { queue, ready, method })));
    }

    /// Reads every queue that the scenario declares, the one with the nearest timer first.
    pub fn read_everything(&mut self, context: &mut Context, scenario: &Scenario) {
        self.frozen = true;
        let profile = Profile::nearest(context.broker.version);
        let mut queues: Vec<(u64, &Queue)> = (scenario.declared_queues().into_iter())
            .map(|queue| (nearest_timer(queue, profile, scenario), queue))
            .collect();
        queues.sort_by_key(|(timer, _)| *timer);
        let mut to_read = Vec::new();
        for (_, queue) in queues {
            let id = queue.id();
            context.outbox.send(Command::Unwatch { queue: id.clone() });
            let there = context.ledger.queues.get(&id).is_some_and(|tally| tally.counts.is_some());
            match reading_method(queue, kind_of(queue, context.broker.version, scenario)) {
                _ if !there => {}
                Some(method) => {
                    let ready = ready_on_broker(&context.ledger, &id);
                    to_read.push(QueueToRead { queue: id, ready, method });
                }
                None => self.contents.keep(id, None),
            }
        }
        self.doing = DriverState::Reading(Reading::new(to_read));
    }

    pub fn go_on_reading(
        &mut self,
        mut reading: Reading,
        context: &mut Context,
        scenario: &Scenario,
        consumers: &ConsumerInstances,
    ) -> bool {
        if let Some(read) = reading.finished() {
            self.took_contents(read, context);
            self.doing = DriverState::Reading(reading);
            return true;
        }
        if reading.at.is_some() {
            let asker = context.asker();
            let asked = reading.sequence.ask_next(context, asker);
            self.doing = DriverState::Reading(reading);
            return asked;
        }
        let Some(next) = reading.next_queue() else {
            self.reading_done(context, scenario, consumers);
            return true;
        };
        let runner = (None, next.queue.vhost.clone());
        let Some(known) = self.connections.get(&runner).copied() else {
            // A restart, or whoever closed it, took the runner's connection.
            let (asks, _) = self.connect(runner, context);
            reading.put_back(next);
            self.ask(asks, Continuation::Read(Box::new(reading)));
            return true;
        };
        let channel = context.ids.channel();
        context.channels.open(channel, known.connection, context.owner());
        reading.begin(next, channel, known.connection);
        self.doing = DriverState::Reading(reading);
        true
    }

    /// Keeps what was taken of a queue; the runner holds it, it counts as still there. A stream still has it.
    fn took_contents(&mut self, read: ReadQueue, context: &mut Context) {
        let ReadQueue { queue, method, taken, count } = read;
        let Some(taken) = taken else { return self.contents.keep(queue, None) };
        let records: Vec<_> = taken.iter().map(|one| record(context.names.of_delivery(&queue, one).0, one)).collect();
        let tally = context.ledger.queues.entry(queue.clone()).or_default();
        if method == ReadingMethod::Consume {
            if let Some(counts) = &mut tally.counts {
                counts.ready = if count < STREAM_READ_MAX { count } else { counts.ready.max(count) };
            }
            return self.contents.keep(queue, Some(records));
        }
        // Until the broker's next count, what was taken is no longer ready there.
        if let Some(counts) = &mut tally.counts {
            counts.ready = counts.ready.saturating_sub(records.len() as u64);
        }
        tally.held.extend(records);
        let all = tally.held.clone();
        self.contents.keep(queue, Some(all));
    }

    fn reading_done(&mut self, context: &mut Context, scenario: &Scenario, consumers: &ConsumerInstances) {
        self.doing = DriverState::Nothing;
        match (self.stage, self.current_expectation(scenario)) {
            (RunStage::Outcome, _) => self.enter(RunStage::AtEnd(0)),
            (_, Some(expectation)) => self.judge_reading(expectation, context, scenario, consumers),
            _ => {}
        }
    }

    /// Puts the outcome together once `at_end` is judged.
    pub fn keep_outcome(&mut self, context: &mut Context, scenario: &Scenario) {
        note_idle_rules(context, scenario);
        let contents = std::mem::take(&mut self.contents);
        let ledger = &context.ledger;
        let counts =
            |queue: &QueueName| ledger.queues.get(queue).map_or((0, 0), |tally| (tally.ready(), tally.unacked));
        self.outcome = Some(Outcome { queues: contents.into_queues(counts), ..ledger.outcome() });
    }

    /// Closes all connections, the consumers' first.
    pub fn close_up(&mut self, context: &mut Context, consumers: &ConsumerInstances) {
        let own = self.connections.values().map(|known| known.connection);
        let asks: Vec<Ask> = consumers.all_connections().chain(own).map(Ask::Disconnect).collect();
        self.connections.clear();
        context.channels.clear();
        self.enter(RunStage::Closing);
        self.ask(asks, Continuation::Closed);
    }
}

fn ready_on_broker(ledger: &Ledger, queue: &QueueName) -> u64 {
    let tally = ledger.queues.get(queue);
    tally.and_then(|tally| tally.counts).map_or(0, |counts| counts.ready)
}

/// Returns the shortest message TTL that the topology puts on a queue; `u64::MAX` without one.
fn nearest_timer(queue: &Queue, profile: Profile, scenario: &Scenario) -> u64 {
    let own = queue.arguments.get("x-message-ttl").and_then(Value::as_integer);
    let topology = &scenario.topology;
    let policies = EffectivePolicies::new(differences(profile), &topology.policies, &topology.operator_policies);
    let in_force = policies.on_queue(&queue.vhost, &queue.name, queue.kind()).definition();
    let by_policy = in_force.get("message-ttl").and_then(serde_json::Value::as_i64);
    by_policy.into_iter().chain(own).min().map_or(u64::MAX, |ttl| ttl.max(0) as u64)
}

/// Notes consumers that got messages and never had a rule for one: that is seldom meant.
fn note_idle_rules(context: &mut Context, scenario: &Scenario) {
    for (consumer, memory) in scenario.consumers.iter().zip(&context.memories) {
        if !consumer.rules.is_empty() && memory.matched == 0 && memory.unmatched > 0 {
            let words = "no rule of this consumer matched any message: it held them all";
            context.notes.push((consumer.span, words.to_owned()));
        }
    }
}
