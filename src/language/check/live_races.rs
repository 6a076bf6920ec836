//! What a live broker decides by chance, or counts otherwise than its users expect: series into full quorum queues, many
//! returns at once, dead letters that wait. Takes a decoded scenario; returns notes, since the simulated broker decides.

use crate::language::check::in_effect::InEffect;
use crate::language::decode::map_decoder::Diagnostics;
use crate::model::{
    Act, Action, Consumer, DestinationKind, Expectation, Millis, Name, Publish, Queue, QueueKind, Scenario, Step,
    Subject,
};
use crate::rules::{Differences, Overflow, topic_matches};
use crate::source::{Code, Problem, Span};

/// Checks a whole scenario.
pub fn check(scenario: &Scenario, desk: &mut Diagnostics) {
    for step in scenario.all_steps() {
        match &step.act {
            Act::Publish(publish) => full_quorum(scenario, publish, &step.vhost, step.span, desk),
            Act::Expect(expectation) => waiting_dead_letters(scenario, expectation, desk),
            _ => {}
        }
    }
    for consumer in &scenario.consumers {
        for rule in &consumer.rules {
            for action in rule.done.all() {
                if let Action::Publish(publish) = action {
                    full_quorum(scenario, publish, &consumer.queue.vhost, rule.span, desk);
                }
            }
        }
        returns_in_no_order(scenario, consumer, desk);
    }
}

/// Lists the queues that a scenario declares, in its topology or on its way.
fn queues(scenario: &Scenario) -> impl Iterator<Item = &Queue> {
    let declared = scenario.all_steps().filter_map(|step| match &step.act {
        Act::DeclareQueue(queue) => Some(&**queue),
        _ => None,
    });
    let own = scenario.consumers.iter().filter_map(|consumer| Some(&consumer.own_queue.as_ref()?.queue));
    scenario.topology.queues.iter().chain(declared).chain(own)
}

fn in_effect<'s>(scenario: &'s Scenario, queue: &'s Queue, version: &Differences, desk: &Diagnostics) -> InEffect<'s> {
    InEffect::of(&scenario.topology, queue, desk.judged_for.default_type(&queue.vhost), version)
}

/// A quorum queue tells publishers that it is full, and what they send without waiting overtakes the signal (LEN-9).
fn full_quorum(scenario: &Scenario, publish: &Publish, vhost: &Name, within: Span, desk: &mut Diagnostics) {
    if publish.count < 2 || publish.every > Millis(0) {
        return;
    }
    let is_filled = |queue: &&Queue| {
        let settings = in_effect(scenario, queue, desk.judged_for.newest(), desk);
        let over_length = settings.settings.max_length.is_some_and(|max| u64::from(publish.count) > max);
        let has_limit = over_length || settings.settings.max_length_bytes.is_some();
        let refuses = settings.settings.overflow == Overflow::RejectPublish;
        settings.kind == QueueKind::Quorum && refuses && has_limit && leads_to(scenario, publish, vhost, queue)
    };
    let Some(queue) = queues(scenario).find(is_filled) else { return };
    let message = format!(
        "how many of a series are nacked is not certain on a live broker: quorum queue '{}' may be full",
        queue.name
    );
    let note = Problem::note(Code::ScenarioRace, message).at(within, "sent without waiting for each confirm");
    let help = "a quorum queue says that it is full when some have been taken already (LEN-9), and the simulated broker \
                says it at once; publish them one by one: `for_each`, or `every: 50ms` in the `publish`";
    desk.add(note.help(help));
}

/// Returns whether a publish leads to a queue, as far as its key is known when the file is read.
fn leads_to(scenario: &Scenario, publish: &Publish, vhost: &Name, queue: &Queue) -> bool {
    let (Some(exchange), key) = (publish.exchange.fixed(), publish.routing_key.fixed()) else { return false };
    if queue.vhost != *vhost {
        return false;
    }
    if exchange.is_empty() {
        return key == Some(&queue.name);
    }
    let declared = scenario.topology.exchanges.iter().find(|it| it.vhost == *vhost && it.name == *exchange);
    let kind = declared.map_or_else(|| exchange.trim_start_matches("amq."), |it| &*it.kind);
    scenario.topology.bindings.iter().any(|binding| {
        let is_its = binding.vhost == *vhost && binding.source == *exchange && binding.destination == queue.name;
        let fits = |key: &Name| match kind {
            "direct" => binding.routing_key == *key,
            "topic" => topic_matches(&binding.routing_key, key),
            _ => true,
        };
        is_its && binding.destination_kind == DestinationKind::Queue && key.is_none_or(fits)
    })
}

/// Old quorum queues with a delivery limit keep no order among many messages that return at once (CO-10).
fn returns_in_no_order(scenario: &Scenario, consumer: &Consumer, desk: &mut Diagnostics) {
    let returns =
        |action: &&Action| matches!(action, Action::Nack { requeue: true, .. } | Action::Reject { requeue: true });
    let is_recovered = |step: &Step| match &step.act {
        Act::Recover { of, .. } => *of == consumer.name || consumer.instance_names().any(|name| name == *of),
        _ => false,
    };
    let any_returns = consumer.actions().any(|action| returns(&action)) || scenario.all_steps().any(is_recovered);
    if consumer.auto_ack || !any_returns {
        return;
    }
    let Some(queue) = queues(scenario).find(|queue| queue.id() == consumer.queue) else { return };
    let published: u64 = scenario
        .all_steps()
        .filter_map(|step| match &step.act {
            Act::Publish(publish) => Some(u64::from(publish.count)),
            _ => None,
        })
        .sum();
    let refused = desk.judged_for.refused_by(|version| {
        let most = version.returns_in_order_max?;
        let settings = in_effect(scenario, queue, version, desk);
        let in_hand = if consumer.prefetch == 0 { u64::MAX } else { u64::from(consumer.prefetch) };
        let many = published.min(in_hand) > most as u64;
        (many && settings.settings.delivery_limit.is_some()).then_some(most)
    });
    let Some(refused) = refused else { return };
    let message = format!(
        "more than {} messages that return to quorum queue '{}' at once come back in no order on {}",
        refused.reason,
        queue.name,
        refused.who("", "").trim_end()
    );
    let note = Problem::note(Code::ScenarioRace, message).at(consumer.span, "may return that many");
    let help = format!(
        "with a delivery limit the order of more than {} is chance there, and the simulated broker keeps it; \
         `prefetch: {}` keeps them fewer, `order: any` leaves the order open",
        refused.reason, refused.reason
    );
    desk.add(note.by("CO-10").help(help));
}

/// `total` is what is ready and what is unacked; dead letters that wait for a queue are counted by RabbitMQ alone.
fn waiting_dead_letters(scenario: &Scenario, expectation: &Expectation, desk: &mut Diagnostics) {
    let Subject::Queue(wanted) = &expectation.subject else { return };
    if wanted.total.is_none() && wanted.peak.is_none_or(|peak| peak.total.is_none()) {
        return;
    }
    let Some(queue) = queues(scenario).find(|queue| queue.id() == wanted.queue) else { return };
    if !in_effect(scenario, queue, desk.judged_for.newest(), desk).settings.at_least_once {
        return;
    }
    let message =
        format!("`total` leaves out dead letters of '{}' that wait to be delivered at least once", queue.name);
    let note = Problem::note(Code::ScenarioTotal, message).at(expectation.span, "ready and unacked");
    let help = "RabbitMQ's `messages` of such a queue counts them too (`messages_dlx`, DL-30); expect them by `dead_lettering`, or the queue that \
                they go to";
    desk.add(note.help(help));
}
