//! Takes contents for an expectation, and of every queue for the outcome; then closes everything.

use crate::broker::Command;
use crate::model::{Act, Expectation, Profile, Queue, QueueKind, QueueName, Value};
use crate::player::asker::Role;
use crate::player::context::Player;
use crate::player::driver::command_sequence::{Ask, CommandSequence};
use crate::player::driver::contents::{Contents, Reading, can_be_read, record};
use crate::player::driver::state::{Continuation, DriverState, RunStage};
use crate::player::driver::waiting::contents_of;
use crate::player::record::outcome::Outcome;
use crate::rules::{EffectivePolicies, differences};

impl Player {
    /// Reads the queue that an expectation compares, then judges.
    pub(crate) fn read_for(&mut self, expectation: &Expectation) {
        let Some(queue) = contents_of(expectation).cloned() else { return };
        let on_broker = self.ready_on_broker(&queue);
        self.driver.doing = DriverState::Reading(Reading::new([(queue, on_broker)]));
    }

    fn ready_on_broker(&self, queue: &QueueName) -> u64 {
        let tally = self.ledger.queues.get(queue);
        tally.and_then(|tally| tally.counts).map_or(0, |counts| counts.ready)
    }

    /// Reads every queue that the scenario declares, the one with the nearest timer first.
    pub(crate) fn read_everything(&mut self) {
        self.driver.frozen = true;
        let scenario = self.scenario.clone();
        let mut queues: Vec<(u64, Queue)> =
            scenario.declared_queues().into_iter().map(|queue| (self.nearest_timer(queue), queue.clone())).collect();
        queues.sort_by_key(|(timer, _)| *timer);
        let mut to_read = Vec::new();
        for (_, queue) in queues {
            let id = queue.id();
            self.outbox.push_back(Command::Unwatch { queue: id.clone() });
            let there = self.ledger.queues.get(&id).is_some_and(|tally| tally.counts.is_some());
            if there && can_be_read(&queue) {
                to_read.push((id.clone(), self.ready_on_broker(&id)));
            } else if there {
                self.contents.keep(id, None);
            }
        }
        self.driver.doing = DriverState::Reading(Reading::new(to_read));
    }

    /// Returns the shortest message TTL that the topology puts on a queue; `u64::MAX` without one.
    fn nearest_timer(&self, queue: &Queue) -> u64 {
        let own = queue.arguments.get("x-message-ttl").and_then(Value::as_integer);
        let topology = &self.scenario.topology;
        let rules = differences(Profile::nearest(self.ground.version));
        let policies = EffectivePolicies::new(rules, &topology.policies, &topology.operator_policies);
        let in_force = policies.on_queue(&queue.vhost, &queue.name, queue.kind()).definition();
        let by_policy = in_force.get("message-ttl").and_then(serde_json::Value::as_i64);
        by_policy.into_iter().chain(own).min().map_or(u64::MAX, |ttl| ttl.max(0) as u64)
    }

    pub(crate) fn go_on_reading(&mut self, mut reading: Reading) -> bool {
        if let Some((queue, taken)) = reading.finished() {
            self.took_contents(queue, taken);
            self.driver.doing = DriverState::Reading(reading);
            return true;
        }
        if reading.at.is_some() {
            let next = reading.program.next();
            let asked = next.is_some();
            if let Some(ask) = next {
                let request = self.ask(crate::player::asker::Asker::Driver, |request| ask.command(request));
                reading.program.waiting = Some(request);
            }
            self.driver.doing = DriverState::Reading(reading);
            return asked;
        }
        let Some((queue, ready)) = reading.next_queue() else {
            self.reading_done();
            return true;
        };
        let Some(link) = self.driver.links.get(&(None, queue.vhost.clone())).copied() else {
            // A restart, or whoever closed it, took the runner's connection.
            let program = CommandSequence::new(self.link_asks(&(None, queue.vhost.clone())));
            reading.put_back(queue, ready);
            self.driver.doing = DriverState::CommandSequence(program, Continuation::Read(Box::new(reading)));
            return true;
        };
        let channel = self.ids.channel();
        self.channels.insert(channel, (link.connection, Role::Driver));
        reading.take(queue, ready, channel, link.connection);
        self.driver.doing = DriverState::Reading(reading);
        true
    }

    /// Has a queue counted from now on; where a passive declare would disturb it, without one. It begins the time of a
    /// queue that expires anew, and an exclusive queue refuses it (EXP-2, CO-21).
    pub(crate) fn watch(&mut self, queue: QueueName) {
        let scenario = self.scenario.clone();
        let declared = scenario.declared_queues().into_iter().find(|declared| declared.id() == queue);
        let set = scenario.all_steps().filter_map(|step| match &step.act {
            Act::SetPolicy(policy) => Some(&**policy),
            _ => None,
        });
        let policies = scenario.topology.policies.iter().chain(&scenario.topology.operator_policies).chain(set);
        let policies = EffectivePolicies::new(differences(Profile::nearest(self.ground.version)), policies, []);
        let own = declared.is_some_and(|queue| queue.exclusive || queue.arguments.contains_key("x-expires"));
        let kind = declared.map_or(QueueKind::Classic, Queue::kind);
        let mut matching = policies.matching(&queue.vhost, &queue.name, kind);
        let undisturbed = own || matching.any(|policy| policy.definition.contains_key("expires"));
        drop(matching);
        if let Some(tally) = self.ledger.queues.get_mut(&queue) {
            tally.moved = false;
        }
        self.outbox.push_back(Command::Watch { queue, undisturbed });
    }

    /// Keeps what was taken of a queue; the runner holds it, it counts as still there.
    fn took_contents(&mut self, queue: QueueName, taken: Option<Vec<crate::broker::Delivery>>) {
        let Some(taken) = taken else { return self.contents.keep(queue, None) };
        let records: Vec<_> = taken.iter().map(|one| record(self.name_of(&queue, one), one)).collect();
        let tally = self.ledger.queues.entry(queue.clone()).or_default();
        // Until the broker's next count, what was taken is no longer ready there.
        if let Some(counts) = &mut tally.counts {
            counts.ready = counts.ready.saturating_sub(records.len() as u64);
        }
        tally.held.extend(records);
        let all = tally.held.clone();
        self.contents.keep(queue, Some(all));
    }

    fn reading_done(&mut self) {
        self.driver.doing = DriverState::Nothing;
        match (self.driver.stage, self.current_expectation()) {
            (RunStage::Outcome, _) => self.enter(RunStage::AtEnd(0)),
            (_, Some(expectation)) => self.judge_once(&expectation),
            _ => {}
        }
    }

    /// Puts the outcome together once `at_end` is judged.
    pub(crate) fn keep_outcome(&mut self) {
        self.note_idle_rules();
        let contents: Contents = std::mem::take(&mut self.contents);
        let ledger = &self.ledger;
        let counts =
            |queue: &QueueName| ledger.queues.get(queue).map_or((0, 0), |tally| (tally.ready(), tally.unacked));
        let outcome = Outcome { queues: contents.into_queues(counts), ..ledger.outcome() };
        self.outcome = Some(outcome);
    }

    /// Closes all connections, the consumers' first.
    pub(crate) fn close_up(&mut self) {
        let actors = self.actors.iter_mut().filter_map(|actor| actor.connection.take());
        let links = self.driver.links.values().map(|link| link.connection);
        let asks: Vec<Ask> = actors.chain(links).map(Ask::Disconnect).collect();
        self.driver.links.clear();
        self.channels.clear();
        self.enter(RunStage::Closing);
        self.driver.doing = DriverState::CommandSequence(CommandSequence::new(asks), Continuation::Closed);
    }
}
