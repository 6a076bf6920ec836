//! Checks a scenario against its topology: queues, exchanges, consumers and users that it names must be declared.
//! Takes a decoded scenario and its tree, for places; gives problems with the nearest declared name.

use crate::language::check::contents;
use crate::language::check::dead_letter_targets;
use crate::language::check::held_messages;
use crate::language::check::live_races;
use crate::language::check::message_references;
use crate::language::check::stream_consumers;
use crate::language::check::stream_steps;
use crate::language::check::suspicious;
use crate::language::check::topology_references::Declared;
use crate::language::check::transactions;
use crate::language::decode::map_decoder::Diagnostics;
use crate::language::decode::suggestions;
use crate::language::syntax::tree::{Node, find};
use crate::model::{
    Act, Action, ActionList, Consumer, DIRECT_REPLY_TO, LimitedParty, Metric, Name, Object, Publish, Queue, QueueName,
    Scenario, Step, Subject, TallySource, Text,
};
use crate::source::{Code, Help, Problem, Span};

/// Checks everything that a scenario names.
///
/// Steps that name no vhost act in `vhost`.
pub fn check(scenario: &Scenario, vhost: &Name, tree: &Node, desk: &mut Diagnostics) {
    let mut declared = Declared::of(&scenario.topology);
    let all_steps = || [&scenario.steps, &scenario.at_end, &scenario.finally].into_iter().flatten();
    for step in all_steps().filter(|step| step.refused.is_none()) {
        match &step.act {
            Act::DeclareQueue(queue) => drop(declared.queues.insert((queue.vhost.clone(), queue.name.clone()))),
            Act::DeclareExchange(it) => drop(declared.exchanges.insert((it.vhost.clone(), it.name.clone()))),
            _ => {}
        }
    }
    let own = scenario.consumers.iter().filter_map(|consumer| consumer.own_queue.as_ref());
    for own in own.filter(|own| !own.queue.name.is_empty()) {
        declared.queues.insert((own.queue.vhost.clone(), own.queue.name.clone()));
    }
    let mut vhosts = scenario.topology.vhost_names();
    if !vhosts.contains(vhost) {
        vhosts.push(vhost.clone());
    }
    let check = ReferenceChecker { scenario, declared: &declared, vhosts, tree };
    for (at, consumer) in scenario.consumers.iter().enumerate() {
        check.consumer(consumer, desk);
        check.own_name(consumer, desk);
        check.channel(consumer, &scenario.consumers[..at], desk);
        check.global_prefetch(consumer, &scenario.consumers[..at], desk);
    }
    for step in all_steps() {
        check.step(step, desk);
    }
    dead_letter_targets::check(&scenario.topology, &scenario.origins, &declared, desk);
    for (queue, place) in declared_while_playing(scenario) {
        dead_letter_targets::of_queue(queue, &scenario.topology, &scenario.origins, &declared, Some(place), desk);
    }
    contents::check(scenario, tree, desk);
    held_messages::check(scenario, tree, desk);
    transactions::check(scenario, desk);
    stream_consumers::check(scenario, tree, desk);
    stream_steps::check(scenario, desk);
    message_references::check(scenario, tree, desk);
    suspicious::check(scenario, &declared, tree, desk);
    live_races::check(scenario, desk);
}

/// Lists the queues that steps and consumers declare, with the place of each.
fn declared_while_playing(scenario: &Scenario) -> impl Iterator<Item = (&Queue, Span)> {
    let by_steps = scenario.all_steps().filter(|step| step.refused.is_none()).filter_map(|step| match &step.act {
        Act::DeclareQueue(queue) => Some((&**queue, step.span)),
        _ => None,
    });
    let own = scenario.consumers.iter().filter_map(|one| Some((&one.own_queue.as_ref()?.queue, one.span)));
    by_steps.chain(own)
}

struct ReferenceChecker<'a> {
    scenario: &'a Scenario,
    declared: &'a Declared,
    vhosts: Vec<Name>,
    tree: &'a Node,
}

impl ReferenceChecker<'_> {
    /// Finds the place of a text below the place of a step or a consumer.
    fn at(&self, within: Span, text: &str) -> Span {
        find(self.tree, within, text).unwrap_or(within)
    }

    fn consumer(&self, consumer: &Consumer, desk: &mut Diagnostics) {
        let within =
            self.tree.get("consumers").and_then(|node| node.get(&consumer.name)).map_or(consumer.span, |it| it.span);
        let what = format!("consumer `{}` serves", consumer.name);
        let vhost = &consumer.queue.vhost;
        if !self.vhosts.contains(vhost) {
            return self.unknown_vhost(vhost, within, desk);
        }
        match &consumer.own_queue {
            _ if self.never_starts(consumer) => {}
            None if consumer.queue.is_direct_reply_to() => self.replies(consumer, within, desk),
            None => self.queue(&consumer.queue, within, &what, desk),
            Some(own) => {
                for binding in &own.bindings {
                    self.exchange(&Text::Fixed(binding.source.clone()), &binding.vhost, within, desk);
                }
            }
        }
        self.user(consumer.actor.as_ref(), within, desk);
        for rule in &consumer.rules {
            if let Some(death) = &rule.matcher.x_death
                && let Some(name) = death.queue.as_ref().and_then(Text::fixed)
            {
                let queue = QueueName { vhost: consumer.queue.vhost.clone(), name: name.clone() };
                self.queue(&queue, rule.span, "`x_death` names", desk);
            }
            self.actions(&rule.done, &consumer.queue.vhost, rule.span, desk);
        }
        if let Some(timeout) = &consumer.timeout {
            self.actions(&timeout.done, &consumer.queue.vhost, timeout.span, desk);
        }
    }

    fn actions(&self, list: &ActionList, vhost: &Name, within: Span, desk: &mut Diagnostics) {
        for (action, line) in list.actions.iter().zip(&list.lines) {
            if let Some(returned) = &line.on_return {
                self.actions(returned, vhost, within, desk);
            }
            // What must be refused may name what is not there.
            if line.refused.is_some() {
                continue;
            }
            match action {
                Action::Publish(publish) => self.publish(publish, vhost, within, desk),
                Action::Forward(forward) => self.exchange(&forward.exchange, vhost, within, desk),
                _ => {}
            }
        }
    }

    /// Returns whether each step that starts a consumer must be refused: what it serves need not be there.
    fn never_starts(&self, consumer: &Consumer) -> bool {
        let is_named = |name: &Name| *name == consumer.name || consumer.instance_names().any(|own| own == *name);
        let mut starts =
            self.scenario.all_steps().filter(|step| matches!(&step.act, Act::Start(name) if is_named(name))).peekable();
        consumer.start_manually && starts.peek().is_some() && starts.all(|step| step.refused.is_some())
    }

    /// Checks a consumer of direct replies (RT-22): it acks nothing, and its requests go over its own channel.
    fn replies(&self, consumer: &Consumer, within: Span, desk: &mut Diagnostics) {
        let place = self.at(within, DIRECT_REPLY_TO);
        if !consumer.auto_ack {
            let message = format!("consumer `{}` of direct replies cannot ack", consumer.name);
            let problem = Problem::new(Code::ScenarioReplyTo, message).at(place, "RabbitMQ's direct reply-to");
            let help = "write `auto_ack: true`; RabbitMQ would say: 406 PRECONDITION_FAILED - reply consumer cannot acknowledge";
            return desk.add(problem.help(help));
        }
        let asks =
            |publish: &Publish| publish.reply_to.as_ref().and_then(Text::fixed).is_none_or(|to| *to == DIRECT_REPLY_TO);
        let by_steps = self.scenario.all_steps().any(|step| match &step.act {
            Act::Publish(publish) => publish.channel.is_some() && publish.channel == consumer.channel && asks(publish),
            _ => false,
        });
        let by_itself = consumer.actions().any(|action| matches!(action, Action::Publish(publish) if asks(publish)));
        if !by_steps && !by_itself {
            let message = format!("no reply comes to `{}`: nobody asks over its channel", consumer.name);
            let note =
                Problem::note(Code::ScenarioReplyTo, message).at(place, "gets replies to its own channel's requests");
            let help = "let it and a step share one: `channel: rpc` in the consumer, `publish: {channel: rpc, reply_to: \
                        amq.rabbitmq.reply-to, …}` in the step";
            desk.add(note.help(help));
        }
    }

    /// Checks the channel that a step publishes over, and that a request for direct replies has one.
    fn over_channel(&self, publish: &Publish, step: &Step, desk: &mut Diagnostics) {
        let Some(name) = &publish.channel else {
            if publish.reply_to.as_ref().and_then(Text::fixed).is_some_and(|to| *to == DIRECT_REPLY_TO) {
                let message = "nobody consumes direct replies on the channel of this step";
                let place = self.at(step.span, DIRECT_REPLY_TO);
                let problem = Problem::new(Code::ScenarioReplyTo, message).at(place, "RabbitMQ's direct reply-to");
                let help = "name the channel of a consumer of replies, `channel: rpc`; or let `call` publish and await the reply. \
                            RabbitMQ would say: 406 PRECONDITION_FAILED - fast reply consumer does not exist";
                desk.add(problem.help(help));
            }
            return;
        };
        let sharing = self.scenario.consumers.iter().find(|consumer| consumer.channel.as_ref() == Some(name));
        let Some(consumer) = sharing else {
            let known: Vec<&str> = self.scenario.consumers.iter().filter_map(|one| one.channel.as_deref()).collect();
            let help = match known.is_empty() {
                true => "give a consumer the channel: `channel: NAME`".into(),
                false => suggestions::suggest_name(name, known, "there are"),
            };
            let problem = Problem::new(Code::ScenarioChannel, format!("no consumer has the channel '{name}'"));
            return desk.add(problem.at(self.at(step.span, name), "not there").help(help));
        };
        if step.actor.is_some() && step.actor != consumer.actor || step.vhost != consumer.queue.vhost {
            let message = format!("channel '{name}' is that of `{}`: user and vhost are its own", consumer.name);
            let problem =
                Problem::new(Code::ScenarioChannel, message).at(self.at(step.span, name), "another connection");
            desk.add(problem.at(consumer.span, "shares it").help("leave `as` and `vhost` out of the step"));
        }
    }

    /// A name means one consumer, one of its instances, or the driver.
    fn own_name(&self, consumer: &Consumer, desk: &mut Diagnostics) {
        let others = self.scenario.consumers.iter().filter(|other| other.name != consumer.name && other.instances > 1);
        let taken = match others.flat_map(|other| other.instance_names()).any(|name| name == consumer.name) {
            true => "an instance of another consumer is called that",
            false if &*consumer.name == "driver" => "the runner itself is called that",
            false => return,
        };
        let message = format!("no consumer can be named `{}`: {taken}", consumer.name);
        let problem = Problem::new(Code::ScenarioConsumerName, message).at(consumer.span, "taken");
        desk.add(problem.help("give it another name"));
    }

    /// Those that share a channel share its connection: user and vhost are one.
    fn channel(&self, consumer: &Consumer, before: &[Consumer], desk: &mut Diagnostics) {
        let Some(channel) = &consumer.channel else { return };
        let Some(other) = before.iter().find(|other| other.channel.as_ref() == Some(channel)) else { return };
        let what = match (other.actor == consumer.actor, other.queue.vhost == consumer.queue.vhost) {
            (true, true) if other.heartbeat != consumer.heartbeat => "heartbeat",
            (true, true) => return,
            (false, _) => "user",
            (true, false) => "vhost",
        };
        let message = format!("`{}` and `{}` share channel '{channel}', but not the {what}", other.name, consumer.name);
        let problem = Problem::new(Code::ScenarioChannel, message).at(consumer.span, format!("another {what}"));
        let help = "a channel belongs to one connection, and that to one user in one vhost: name another channel";
        desk.add(problem.at(other.span, "shares it").help(help));
    }

    /// The last consumer that sets a limit of the whole channel sets it for all.
    fn global_prefetch(&self, consumer: &Consumer, before: &[Consumer], desk: &mut Diagnostics) {
        let sets = |one: &Consumer| one.global_prefetch > 0 && one.channel == consumer.channel;
        let Some(other) = before.iter().rev().find(|other| sets(other)).filter(|_| consumer.channel.is_some()) else {
            return;
        };
        let (limit, earlier) = (consumer.global_prefetch, other.global_prefetch);
        if limit > 0 && limit != earlier {
            let message = format!("a channel has one `global_prefetch`, and here are two: {earlier} and {limit}");
            let problem = Problem::new(Code::ScenarioChannel, message).at(consumer.span, format!("sets {limit}"));
            let help = "the later one would hold for both: write it once, or name another channel";
            desk.add(problem.at(other.span, format!("sets {earlier}")).help(help));
        }
    }

    /// An instance's share is named by the instance.
    fn shares(&self, wanted: &crate::model::ConsumerExpectation, desk: &mut Diagnostics) {
        let Some(consumer) = self.scenario.consumers.iter().find(|one| one.name == wanted.consumer) else { return };
        let instances: Vec<Name> = consumer.instance_names().collect();
        for (name, _, span) in wanted.shares.iter().filter(|(name, ..)| !instances.contains(name)) {
            let message = format!("consumer `{}` has no instance `{name}`", consumer.name);
            let problem = Problem::new(Code::ScenarioUnknownConsumer, message).at(*span, "no such instance");
            desk.add(problem.help(suggestions::suggest_name(name, instances.iter().map(|name| &**name), "there are")));
        }
    }

    fn step(&self, step: &Step, desk: &mut Diagnostics) {
        self.user(step.actor.as_ref(), step.span, desk);
        if let Act::Start(name) = &step.act {
            return self.known_consumer(name, step.span, true, desk);
        }
        if step.refused.is_some() {
            return;
        }
        if !self.vhosts.contains(&step.vhost) {
            return self.unknown_vhost(&step.vhost, step.span, desk);
        }
        match &step.act {
            Act::Publish(publish) => {
                self.publish(publish, &step.vhost, step.span, desk);
                self.over_channel(publish, step, desk);
            }
            Act::Call(call) => self.publish(&call.publish, &step.vhost, step.span, desk),
            Act::CloseConnection { of, .. } => self.party(of, step.span, true, desk),
            Act::RestartBroker if !self.scenario.needs.restart => {
                let problem = Problem::new(Code::ScenarioRestart, "a scenario that restarts the broker must say so");
                let help = "write `needs: {restart: true}` at the top: on a live broker it then plays alone, and only \
                            where a restart is allowed";
                desk.add(problem.at(step.span, "restarts the broker").help(help));
            }
            Act::StopNode { .. } | Act::StartNodes if self.scenario.needs.nodes.is_none() => {
                let problem = Problem::new(Code::ScenarioNodes, "a scenario that stops nodes must say of how many");
                let help = "write `needs: {nodes: 3}` at the top: it then plays alone, on live clusters of so many nodes, \
                            where nodes may be stopped";
                desk.add(problem.at(step.span, "a node of which cluster?").help(help));
            }
            Act::StopNode { leader_of } => self.queue(leader_of, step.span, "this stops the leader of", desk),
            Act::Expect(expectation) => match &expectation.subject {
                Subject::Queue(it) => self.queue(&it.queue, expectation.span, "this expects of", desk),
                Subject::Consumer(it) => {
                    self.known_consumer(&it.consumer, expectation.span, true, desk);
                    self.shares(it, desk);
                }
                Subject::Message(it) => {
                    for name in it.routed_to.iter().flat_map(|list| &list.entries) {
                        let queue = QueueName { vhost: step.vhost.clone(), name: name.clone() };
                        self.queue(&queue, expectation.span, "this expects the message in", desk);
                    }
                }
                Subject::Tally(it) => match &it.source {
                    TallySource::Consumer(name) => self.known_consumer(name, expectation.span, true, desk),
                    TallySource::Queue(queue) => self.queue(queue, expectation.span, "this tallies", desk),
                    TallySource::Published => {}
                },
                Subject::Metric(it) => {
                    if let Metric::Published { exchange: Some(name) } = &it.metric
                        && !name.is_empty()
                    {
                        self.exchange(&Text::Fixed(name.clone()), &step.vhost, expectation.span, desk);
                    }
                    it.metric
                        .queue()
                        .iter()
                        .for_each(|queue| self.queue(queue, expectation.span, "this counts of", desk));
                }
                Subject::Connections(it) => {
                    it.of.iter().for_each(|of| self.party(of, expectation.span, false, desk));
                }
                _ => {}
            },
            Act::Stop(name) | Act::Crash(name) => self.known_consumer(name, step.span, true, desk),
            Act::Recover { of, .. } => self.party(of, step.span, true, desk),
            Act::Qos { of, .. } => self.known_consumer(of, step.span, true, desk),
            Act::Consume { queue, .. } if *queue.name == *DIRECT_REPLY_TO => {}
            Act::Get { queue, .. } | Act::Consume { queue, .. } | Act::Purge(queue) => {
                self.queue(queue, step.span, "this step needs", desk);
            }
            Act::Bind(binding) => {
                self.exchange(&Text::Fixed(binding.source.clone()), &binding.vhost, step.span, desk);
                let queue = QueueName { vhost: binding.vhost.clone(), name: binding.destination.clone() };
                match binding.destination_kind {
                    crate::model::DestinationKind::Queue => self.queue(&queue, step.span, "this binds", desk),
                    crate::model::DestinationKind::Exchange => {
                        self.exchange(&Text::Fixed(queue.name), &queue.vhost, step.span, desk);
                    }
                }
            }
            act => self.managed(act, step, desk),
        }
    }

    fn unknown_vhost(&self, vhost: &Name, within: Span, desk: &mut Diagnostics) {
        let problem = Problem::new(Code::ScenarioUnknownVhost, format!("no topology declares the vhost '{vhost}'"));
        let help = suggestions::suggest_name(vhost, self.vhosts.iter().map(|name| &**name), "there are");
        desk.add(problem.at(self.at(within, vhost), "not declared").help(help));
    }

    fn queue(&self, queue: &QueueName, within: Span, what: &str, desk: &mut Diagnostics) {
        if *queue.name == *DIRECT_REPLY_TO {
            let problem = Problem::new(Code::ScenarioReplyTo, format!("{what} '{DIRECT_REPLY_TO}', which is no queue"));
            let help = "`call` publishes and awaits the reply to it; a consumer gets replies by `queue: amq.rabbitmq.reply-to` with \
                        `auto_ack: true`; the step `consume: amq.rabbitmq.reply-to` shows whether somebody may";
            let place = self.at(within, &queue.name);
            return desk.add(problem.at(place, "RabbitMQ's direct reply-to").help(help));
        }
        if queue.name.is_empty() || self.declared.has_queue(&queue.vhost, &queue.name) {
            return;
        }
        let message = format!("{what} queue '{}', which no topology declares", queue.name);
        let problem =
            Problem::new(Code::ScenarioUnknownQueue, message).at(self.at(within, &queue.name), "not declared");
        desk.add(problem.help(self.declared.queue_help(&queue.vhost, &queue.name)));
    }

    /// What the management side does, and what is asked by name alone.
    fn managed(&self, act: &Act, step: &Step, desk: &mut Diagnostics) {
        match act {
            Act::DeclarePassive(Object::Queue { vhost, name }) => {
                let queue = QueueName { vhost: vhost.clone(), name: name.clone() };
                self.queue(&queue, step.span, "this step asks for", desk);
            }
            Act::DeclarePassive(Object::Exchange { vhost, name }) => {
                self.exchange(&Text::Fixed(name.clone()), vhost, step.span, desk);
            }
            Act::ClearPolicy { vhost, name, operator } => self.policy(vhost, name, *operator, step, desk),
            Act::SetPermission(permission) => self.user(Some(&permission.user), step.span, desk),
            Act::ClearPermission { user, .. } => self.user(Some(user), step.span, desk),
            Act::SetTopicPermission(it) => self.topic_permission(&it.user, &it.vhost, &it.exchange, step, desk),
            Act::ClearTopicPermission { user, vhost, exchange } => {
                self.topic_permission(user, vhost, exchange, step, desk);
            }
            Act::SetLimits { of, .. } | Act::ClearLimits { of, .. } => match of {
                LimitedParty::User(user) => self.user(Some(user), step.span, desk),
                LimitedParty::Vhost(vhost) if !self.vhosts.contains(vhost) => {
                    self.unknown_vhost(vhost, step.span, desk)
                }
                LimitedParty::Vhost(_) => {}
            },
            _ => {}
        }
    }

    /// A policy that is cleared is declared, or set by a step.
    fn policy(&self, vhost: &Name, name: &Name, of_operator: bool, step: &Step, desk: &mut Diagnostics) {
        let topology = &self.scenario.topology;
        let declared = |operator| if operator { &topology.operator_policies } else { &topology.policies };
        let known = |wanted: bool| {
            let set = self.scenario.all_steps().filter_map(move |step| match &step.act {
                Act::SetPolicy { policy, operator } if *operator == wanted => Some(&**policy),
                _ => None,
            });
            declared(wanted).iter().chain(set).filter(move |policy| policy.vhost == *vhost).map(|policy| &*policy.name)
        };
        if known(of_operator).any(|policy| *policy == **name) {
            return;
        }
        let kind = if of_operator { "operator policy" } else { "policy" };
        let help: Help = match (known(!of_operator).any(|policy| *policy == **name), of_operator) {
            (true, true) => "it is a policy of users: `clear_policy`".into(),
            (true, false) => "it is an operator policy: `clear_operator_policy`".into(),
            _ => suggestions::suggest_name(name, Vec::from_iter(known(of_operator)), "there are"),
        };
        let problem = Problem::new(Code::ScenarioUnknownPolicy, format!("no {kind} is named '{name}'"));
        desk.add(problem.at(self.at(step.span, name), "neither declared nor set").help(help));
    }

    fn topic_permission(&self, user: &Name, vhost: &Name, exchange: &Name, step: &Step, desk: &mut Diagnostics) {
        self.user(Some(user), step.span, desk);
        self.exchange(&Text::Fixed(exchange.clone()), vhost, step.span, desk);
    }

    fn exchange(&self, exchange: &Text, vhost: &Name, within: Span, desk: &mut Diagnostics) {
        let Some(name) = exchange.fixed().filter(|name| !self.declared.has_exchange(vhost, name)) else { return };
        let message = format!("no topology declares the exchange '{name}'");
        let problem = Problem::new(Code::ScenarioUnknownExchange, message).at(self.at(within, name), "not declared");
        desk.add(problem.help(self.declared.exchange_help(vhost, name)));
    }

    fn publish(&self, publish: &Publish, vhost: &Name, within: Span, desk: &mut Diagnostics) {
        self.exchange(&publish.exchange, vhost, within, desk);
    }

    /// A consumer is named by its name, or by one of its instances.
    fn known_consumer(&self, name: &Name, within: Span, instances: bool, desk: &mut Diagnostics) {
        let all = &self.scenario.consumers;
        let known = |consumer: &Consumer| {
            let instance = name.strip_prefix(&*consumer.name).and_then(|rest| rest.strip_prefix('.'));
            let number = instance.and_then(|number| number.parse::<u16>().ok());
            consumer.name == *name || instances && number.is_some_and(|n| n >= 1 && n <= consumer.instances)
        };
        if all.iter().any(known) {
            return;
        }
        let names: Vec<&str> = all.iter().map(|consumer| &*consumer.name).collect();
        let help = match names.is_empty() {
            true => "add it under `consumers:`".into(),
            false => suggestions::suggest_name(name, names, "there are"),
        };
        let problem = Problem::new(Code::ScenarioUnknownConsumer, format!("no consumer is named `{name}`"));
        desk.add(problem.at(self.at(within, name), "not declared").help(help));
    }

    /// Whoever has connections: a consumer, an instance of one, a user; the runner's own are named `driver`.
    fn party(&self, name: &Name, within: Span, driver: bool, desk: &mut Diagnostics) {
        let consumers = self.scenario.consumers.iter().flat_map(|one| one.instance_names().chain([one.name.clone()]));
        let mut known: Vec<Name> = consumers.chain(self.declared.users.iter().cloned()).collect();
        known.extend(driver.then(|| "driver".into()));
        if known.contains(name) {
            return;
        }
        let message = format!("neither a consumer nor a user is named `{name}`");
        let problem = Problem::new(Code::ScenarioUnknownParty, message).at(self.at(within, name), "not declared");
        desk.add(problem.help(suggestions::suggest_name(name, known.iter().map(|name| &**name), "there are")));
    }

    fn user(&self, user: Option<&Name>, within: Span, desk: &mut Diagnostics) {
        let Some(user) = user.filter(|user| !self.declared.users.contains(*user)) else { return };
        let names: Vec<&str> = self.declared.users.iter().map(|name| &**name).collect();
        let help = match names.is_empty() {
            true => "add it under `users:` of the topology; without `as` the runner acts, with all rights".into(),
            false => suggestions::suggest_name(user, names, "there are"),
        };
        let problem = Problem::new(Code::ScenarioUnknownUser, format!("no user is named '{user}'"));
        desk.add(problem.at(self.at(within, user), "not declared").help(help));
    }
}
