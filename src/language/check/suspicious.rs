//! What can be read and played but cannot be meant: expectations of nothing, messages to nowhere, times that never fit.
//! Takes a decoded scenario and its tree, for places; gives problems, and notes where somebody might mean it after all.

use crate::language::check::legal::exclusive_place;
use crate::language::check::topology_references::Declared;
use crate::language::decode::map_decoder::Diagnostics;
use crate::language::syntax::tree::find;
use crate::language::syntax::tree::{Node, NodeKind};
use crate::model::{
    Act, Action, Batches, ConnectionExpectation, Count, Expectation, MetricExpectation, Millis, Name, Publish,
    PublishExpectation, Queue, Received, Scenario, Step, Subject, TallyGroups, Template, Text, name_in_series,
};
use crate::rules::SHORT_STRING_BYTES_MAX;
use crate::rules::parse_expiration;
use crate::source::{Code, Problem, Span};
use std::collections::BTreeSet;

/// Checks a whole scenario; `declared` knows the queues that steps and consumers declare too.
pub fn check(scenario: &Scenario, declared: &Declared, tree: &Node, desk: &mut Diagnostics) {
    let check = SuspicionChecker { scenario, declared, tree };
    for step in scenario.all_steps().filter(|step| step.refused.is_none()) {
        match &step.act {
            Act::Publish(publish) => check.publish(publish, &step.vhost, step.span, desk),
            Act::Call(call) => check.publish(&call.publish, &step.vhost, step.span, desk),
            Act::Expect(expectation) => of_nothing(expectation, desk),
            _ => {}
        }
    }
    for consumer in &scenario.consumers {
        for rule in &consumer.rules {
            rule.done.not_refused().for_each(|action| check.action(action, &consumer.queue.vhost, rule.span, desk));
        }
        if let Some(timeout) = &consumer.timeout {
            timeout
                .done
                .not_refused()
                .for_each(|action| check.action(action, &consumer.queue.vhost, timeout.span, desk));
        }
    }
    gone_queues(scenario, desk);
    // Steps that could not be read are told of where they stand.
    let written = tree.get("steps").is_some_and(|steps| match &steps.kind {
        NodeKind::List(items) => !items.is_empty(),
        kind => *kind != NodeKind::Null,
    });
    if scenario.steps.is_empty() && !written {
        let note =
            Problem::note(Code::ScenarioNoSteps, "this scenario has no steps: it is over as soon as it has begun");
        let help = "add `steps:` with a list of what to do: `- publish: {…}`, `- expect: {…}`";
        desk.add(note.at(place_of(tree, "scenario"), "no `steps`").help(help));
    }
}

/// Notes exclusive queues of the topology: the connection that sets it up ends before the first step, and they with it.
fn gone_queues(scenario: &Scenario, desk: &mut Diagnostics) {
    let declares = |step: &Step, queue: &Queue| matches!(&step.act, Act::DeclareQueue(it) if it.id() == queue.id());
    for queue in &scenario.topology.queues {
        let Some(span) = exclusive_place(queue, &scenario.origins) else { continue };
        if scenario.steps.iter().any(|step| declares(step, queue)) {
            continue;
        }
        let message = format!("the exclusive queue '{}' is gone before the first step", queue.name);
        let note = Problem::note(Code::TopologyExclusive, message).at(span, "goes with the connection that sets up");
        let help = "declare it in a consumer, `queue: NAME, declare: {exclusive: true}`, or by a step `declare`";
        desk.add(note.help(help));
    }
}

/// Checks that a timeout that somebody wrote leaves the time that the steps take at least.
pub fn check_timeout(scenario: &Scenario, timeout: Option<(Millis, Span)>, desk: &mut Diagnostics) {
    let Some((timeout, span)) = timeout else { return };
    let least = scenario.least_length();
    if least > timeout {
        let message = format!("the steps take at least {least}, and the timeout is {timeout}");
        let problem = Problem::new(Code::ScenarioTimeout, message).at(span, "too short");
        desk.add(problem.help("raise it, or leave it out: a scenario has ten minutes and what its steps wait for"));
    }
}

/// Notes axes that no template uses.
pub fn check_axes(matrix: Option<&Node>, used: &BTreeSet<String>, desk: &mut Diagnostics) {
    let Some(NodeKind::Map(axes)) = matrix.map(|node| &node.kind) else { return };
    for axis in axes.iter().filter(|axis| !used.contains(axis.key.as_str())) {
        let message = format!("the axis `{}` is used nowhere: its cells are all alike", axis.key);
        let help = format!("use it as a variable: \"{{{{ {} }}}}\"", axis.key);
        desk.add(Problem::note(Code::ScenarioUnusedAxis, message).at(axis.key_span, "not used").help(help));
    }
}

/// Adds the names that the templates of a tree use.
pub fn names_used(node: &Node, names: &mut BTreeSet<String>) {
    match &node.kind {
        NodeKind::Text(text) if Template::looks_like_one(text) => {
            let template = Template::compile(text, node.span);
            names.extend(template.iter().flat_map(Template::names));
        }
        NodeKind::List(entries) => entries.iter().for_each(|entry| names_used(entry, names)),
        NodeKind::Map(entries) => entries.iter().for_each(|entry| names_used(&entry.value, names)),
        _ => {}
    }
}

fn place_of(tree: &Node, key: &str) -> Span {
    tree.entries().iter().find(|entry| entry.key == key).map_or(tree.span, |entry| entry.key_span)
}

struct SuspicionChecker<'a> {
    scenario: &'a Scenario,
    declared: &'a Declared,
    tree: &'a Node,
}

impl SuspicionChecker<'_> {
    fn action(&self, action: &Action, vhost: &Name, within: Span, desk: &mut Diagnostics) {
        match action {
            Action::Publish(publish) => self.publish(publish, vhost, within, desk),
            Action::Forward(forward) => {
                self.expiration(forward.expiration.as_ref(), within, desk);
                let key = forward.routing_key.as_ref();
                self.default_exchange(&forward.exchange, key, vhost, within, desk);
            }
            Action::Reply(reply) => self.expiration(reply.expiration.as_ref(), within, desk),
            _ => {}
        }
    }

    fn publish(&self, publish: &Publish, vhost: &Name, within: Span, desk: &mut Diagnostics) {
        self.last_of_series(publish, within, desk);
        self.expiration(publish.expiration.as_ref(), within, desk);
        if !publish.mandatory {
            self.default_exchange(&publish.exchange, Some(&publish.routing_key), vhost, within, desk);
        }
    }

    /// The default exchange leads to the queue that the key names (RT-3); where there is none the message is gone.
    fn default_exchange(
        &self,
        exchange: &Text,
        key: Option<&Text>,
        vhost: &Name,
        within: Span,
        desk: &mut Diagnostics,
    ) {
        let default = exchange.fixed().is_some_and(|name| name.is_empty());
        let Some(key) = key.and_then(Text::fixed).filter(|_| default && !self.scenario.counts_unroutable()) else {
            return;
        };
        if self.declared.has_queue(vhost, key) || key.starts_with("amq.") {
            return;
        }
        let message = match key.is_empty() {
            true => "without a routing key the default exchange leads to no queue: the message is dropped".to_owned(),
            false => format!("the default exchange leads to the queue '{key}', which no topology declares"),
        };
        let note = Problem::note(Code::ScenarioToNowhere, message);
        let span = find(self.tree, within, key).filter(|_| !key.is_empty()).unwrap_or(within);
        let help = match key.is_empty() {
            true => "write `exchange: NAME`, or `routing_key: QUEUE`".into(),
            false => self.declared.queue_help(vhost, key),
        };
        desk.add(note.at(span, "the message goes nowhere").help(help));
    }

    /// The ids of a series are longer than the one that the file writes.
    fn last_of_series(&self, publish: &Publish, within: Span, desk: &mut Diagnostics) {
        let Some(id) = publish.id.as_ref().and_then(Text::fixed).filter(|_| publish.count > 1) else { return };
        let length = name_in_series(id, publish.count).len();
        if length > SHORT_STRING_BYTES_MAX {
            let message = format!(
                "the last id of this series is {length} bytes long, and AMQP carries at most {SHORT_STRING_BYTES_MAX}"
            );
            let span = find(self.tree, within, id).unwrap_or(within);
            desk.add(Problem::new(Code::ValueBad, message).at(span, "with its number").help("shorten it"));
        }
    }

    /// RabbitMQ refuses what is no number of milliseconds (TTL-1).
    fn expiration(&self, expiration: Option<&Text>, within: Span, desk: &mut Diagnostics) {
        let Some(text) = expiration.and_then(Text::fixed) else { return };
        let Err(complaint) = parse_expiration(text) else { return };
        let problem = Problem::new(Code::ScenarioExpiration, "an expiration is a duration, or milliseconds");
        let span = find(self.tree, within, text).unwrap_or(within);
        let help = format!(
            "write 5s or 250ms; RabbitMQ would say: 406 PRECONDITION_FAILED - {complaint} (a step that means it says \
             `refused: {{code: 406}}`)"
        );
        desk.add(problem.at(span, "neither").help(help));
    }
}

/// Finds expectations that hold whatever happens.
fn of_nothing(expectation: &Expectation, desk: &mut Diagnostics) {
    if says_something(&expectation.subject) {
        return;
    }
    let how_many = "say how many: 3, \">=1\", or 0 for none";
    let (what, help) = match &expectation.subject {
        Subject::Queue(queue) => {
            let message = format!("this expects only that queue {} is there", queue.queue.name);
            let note = Problem::note(Code::ScenarioExpectsNothing, message).at(expectation.span, "nothing more");
            return desk.add(note.help("say what it must hold: `ready: 2`, `messages: [a, b]`"));
        }
        Subject::Consumer(it) => {
            (format!("consumer {}", it.consumer), "say what it did: `received: [a, b]`, `acked: 2`")
        }
        Subject::Message(it) => {
            let id = it.id.fixed().map_or(String::new(), |id| format!(" {id}"));
            (format!("message{id}"), "say what became of it: `attempts: 3`, `gaps: [5s]`, `routed_to: [work]`")
        }
        Subject::Connections(_) => ("connections".to_owned(), how_many),
        Subject::Metric(_) => ("a metric".to_owned(), "say what it must be: \"<=5\", \">=1\", or 0"),
        Subject::Publishes(_) | Subject::Unroutable(_) | Subject::Dropped(_) | Subject::Tally(_) => {
            ("messages".to_owned(), how_many)
        }
    };
    let problem = Problem::new(Code::ScenarioExpectsNothing, format!("this expects nothing of {what}"));
    desk.add(problem.at(expectation.span, "would always hold").help(help));
}

/// Returns whether anything can be otherwise than expected; a count that every number fits says nothing.
fn says_something(subject: &Subject) -> bool {
    let counts = |count: Option<Count>| count.is_some_and(|count| !count.is_any());
    let lists = |received: &Option<Received>| match received {
        Some(Received::Count(count)) => counts(Some(*count)),
        Some(Received::Messages(_)) => true,
        None => false,
    };
    match subject {
        Subject::Queue(it) => {
            let peak = it.peak.unwrap_or_default();
            let peaks = [peak.ready, peak.unacked, peak.total];
            let now = [it.ready, it.unacked, it.total, it.consumers, it.dead_lettering];
            let mut all = now.into_iter().chain(peaks);
            it.messages.is_some() || it.kind.is_some() || all.any(counts)
        }
        Subject::Consumer(it) => {
            let batches = match it.batches {
                Some(Batches::Count(count)) => counts(Some(count)),
                Some(Batches::Sizes(_)) => true,
                None => false,
            };
            let is_shared = it.shares.iter().any(|(_, count, _)| counts(Some(*count)));
            let received = [&it.received, &it.acked, &it.nacked, &it.rejected];
            counts(it.unacked) || batches || is_shared || received.into_iter().any(lists)
        }
        Subject::Message(it) => counts(it.attempts) || it.gaps.is_some() || it.routed_to.is_some(),
        Subject::Publishes(PublishExpectation { count, .. })
        | Subject::Connections(ConnectionExpectation { count, .. })
        | Subject::Unroutable(count)
        | Subject::Dropped(count)
        | Subject::Metric(MetricExpectation { is: count, .. }) => counts(Some(*count)),
        Subject::Tally(it) => match it.groups {
            TallyGroups::Total(count) => counts(Some(count)),
            TallyGroups::Each { .. } => true,
        },
    }
}
