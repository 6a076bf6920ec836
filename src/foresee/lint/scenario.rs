//! What a scenario's consumers and steps do that its author would regret on some version.
//! Takes a scenario with the versions that it is judged for; gives findings. What is wrong on every version, and with
//! every topology, is told by `language`.

use crate::foresee::lint::dead_letter_ways::DeadLetterWays;
use crate::foresee::lint::findings::LintFindings;
use crate::foresee::lint::lint_topology;
use crate::foresee::lint::streams;
use crate::foresee::topology_view::{QueueView, TopologyView, default_type, versions};
use crate::model::{
    Act, Action, Consumer, Forward, Matcher, Millis, Name, Profile, Queue, QueueKind, Rule, Scenario, Text, Topology,
    TransactionAct,
};
use crate::rules::{ClientXDeath, Differences, Overflow, Pattern, check_exchange_equivalence, check_queue_equivalence};
use crate::source::{Code, Level, Problem, Span};

/// How long a consumer may hold a message where nothing else is configured.
const CONSUMER_TIMEOUT: Millis = Millis(1_800_000);

/// What is found in a scenario.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScenarioFindings {
    /// In the order of the file; what its topology does comes last.
    pub told: Vec<Problem>,
    /// Notes about the topology that a scenario declares itself: too small for such a one, but they can be allowed.
    pub untold: Vec<Problem>,
}

/// Lists what a scenario does that somebody would regret. Of its topology what it declares itself is looked at; `own` says
/// whether a place is in the scenario's file.
pub fn lint_scenario(scenario: &Scenario, profiles: &[Profile], own: impl Fn(Span) -> bool) -> ScenarioFindings {
    let whole = with_steps(scenario);
    let compiled = versions(&whole, profiles);
    let Some(view) = TopologyView::new(&whole, &scenario.origins, &compiled) else {
        return ScenarioFindings::default();
    };
    let ways = DeadLetterWays::of(&view);
    let mut found = LintFindings::default();
    for consumer in &scenario.consumers {
        for rule in &consumer.rules {
            timeout(consumer, rule, &view, &mut found);
            if let Some(queue) = view.queue(&consumer.queue.vhost, &consumer.queue.name) {
                forwarded_deaths(consumer, rule, queue, &view, &ways, &mut found);
                nack_loop(consumer, rule, queue, &view, &mut found);
            }
        }
        if let Some(queue) = view.queue(&consumer.queue.vhost, &consumer.queue.name) {
            streams::of_consumer(consumer, queue, &view, &mut found);
        }
        crashes(consumer, scenario, &view, &mut found);
        global_prefetch(consumer, &view, &mut found);
        climbing(consumer, scenario, &mut found);
    }
    conflicts(scenario, &view, &mut found);
    silent_commits(scenario, &view, &mut found);
    let mut told = found.sorted();
    let needed: Vec<&str> = scenario.needs.plugins.iter().map(String::as_str).collect();
    let of_topology = lint_topology(&whole, &scenario.origins, profiles, &needed).into_iter();
    let of_topology = of_topology.filter(|it| it.span().is_some_and(&own));
    let (warnings, untold): (Vec<Problem>, Vec<Problem>) = of_topology.partition(|it| it.level > Level::Note);
    told.extend(warnings);
    ScenarioFindings { told, untold }
}

/// Tells of consumers that may not publish to the ladder that they climb (PE-3).
fn climbing(consumer: &Consumer, scenario: &Scenario, found: &mut LintFindings) {
    let climbs = consumer.actions().any(|action| matches!(action, Action::Retry));
    let (Some(ladder), Some(actor)) = (consumer.ladder.as_ref().filter(|_| climbs), &consumer.actor) else { return };
    let mut rights = scenario.topology.permissions.iter();
    let right = rights.find(|it| it.user == *actor && it.vhost == consumer.queue.vhost);
    // A step may give it later.
    let later = scenario.steps.iter().any(|step| matches!(&step.act, Act::SetPermission(it) if it.user == *actor));
    let may = right.is_some_and(|right| {
        Pattern::permission(&right.write, false).is_ok_and(|pattern| pattern.matches(&ladder.exchange))
    });
    if may || later {
        return;
    }
    let message = format!(
        "consumer `{}` retries as '{actor}', who may not write to the ladder's exchange '{}'",
        consumer.name, ladder.exchange
    );
    let warning = Problem::warning(Code::LintRetryRight, message).by("PE-3");
    let help = format!("give '{actor}' the right to write to `^{}$`", ladder.exchange.replace('.', "\\."));
    found.add(warning.help(help), Some(consumer.span), "cannot send a message to the next delay");
}

/// Returns the topology with what steps and consumers declare and bind.
fn with_steps(scenario: &Scenario) -> Topology {
    let mut whole = scenario.topology.clone();
    for queue in scenario.declared_queues() {
        if whole.queue(&queue.vhost, &queue.name).is_none() {
            whole.queues.push(queue.clone());
        }
    }
    for step in &scenario.steps {
        match &step.act {
            Act::DeclareExchange(exchange) if !whole.exchanges.iter().any(|it| it.object() == exchange.object()) => {
                whole.exchanges.push((**exchange).clone());
            }
            Act::Bind(binding) => whole.bindings.push((**binding).clone()),
            _ => {}
        }
    }
    let own = scenario.consumers.iter().filter_map(|consumer| consumer.own_queue.as_ref());
    whole.bindings.extend(own.flat_map(|own| own.bindings.iter().cloned()));
    whole
}

/// Tells of work that takes longer than RabbitMQ waits for its end (CO-19, CO-25).
fn timeout(consumer: &Consumer, rule: &Rule, view: &TopologyView<'_>, found: &mut LintFindings) {
    // A consumer that gives up by itself is not timed out.
    if consumer.auto_ack || consumer.timeout.is_some() {
        return;
    }
    let is_end = |action: &&Action| matches!(action, Action::Ack { .. } | Action::Nack { .. } | Action::Reject { .. });
    let held = rule.done.actions.iter().take_while(|action| !is_end(action));
    let delays = held.map(|action| if let Action::Delay(length) = action { length.0 } else { 0 });
    let work = Millis(delays.fold(0, u64::saturating_add));
    let queue = view.queue(&consumer.queue.vhost, &consumer.queue.name);
    let limit = queue.and_then(|queue| queue.settings.consumer_timeout_ms).map_or(CONSUMER_TIMEOUT, Millis);
    if work > limit && limit.0 > 0 {
        let message = format!("consumer `{}` works {work} on a message, and RabbitMQ waits {limit}", consumer.name);
        let warning = Problem::warning(Code::LintConsumerTimeout, message).by("CO-19");
        let help = "RabbitMQ takes the message back then and gives it to a consumer again; settle it before the work, or raise \
                    the consumer timeout";
        found.add(warning.help(help), Some(rule.span), "longer than the consumer timeout");
    }
}

/// Tells of consumers that count deaths in a header that they send themselves: 4.x starts it anew (DL-22).
fn forwarded_deaths(
    consumer: &Consumer,
    rule: &Rule,
    queue: &QueueView<'_>,
    view: &TopologyView<'_>,
    ways: &DeadLetterWays,
    found: &mut LintFindings,
) {
    let counts = consumer.rules.iter().any(|rule| rule.matcher.x_death.as_ref().is_some_and(|it| it.count.is_some()));
    let forgets = |rules: &Differences| rules.client_x_death == ClientXDeath::Replaced;
    let forgetting = view.versions.iter().find(|version| forgets(version.rules));
    let Some(version) = forgetting.filter(|_| counts) else { return };
    let comes_back = rule.done.all().any(|action| match action {
        Action::Forward(forward) => comes_back(forward, queue, view, ways),
        _ => false,
    });
    if comes_back {
        let message = format!(
            "consumer `{}` sends its messages round itself and counts them by x-death: RabbitMQ {} starts that header anew",
            consumer.name, version.profile
        );
        let warning = Problem::warning(Code::LintForwardedDeaths, message).by("DL-22");
        let help = "reject the message and let the broker dead-letter it, or count by a header of your own";
        found.add(warning.help(help), Some(rule.span), "x-death is not carried on");
    }
}

fn comes_back(forward: &Forward, queue: &QueueView<'_>, view: &TopologyView<'_>, ways: &DeadLetterWays) -> bool {
    let (Some(exchange), Some(key)) = (forward.exchange.fixed(), forward.routing_key.as_ref().and_then(Text::fixed))
    else {
        return false;
    };
    let reached = view.broker.queues_reached(&queue.queue.vhost, exchange, key, None);
    let leads_back =
        |name: &str| ways.to(&queue.queue.vhost, queue.name()).any(|way| view.queues[way.from].name() == name);
    reached.iter().any(|name| **name == *queue.name() || leads_back(name))
}

/// Tells of messages that go round for ever on 4.3, which does not count a nack to the limit (CO-13).
fn nack_loop(
    consumer: &Consumer,
    rule: &Rule,
    queue: &QueueView<'_>,
    view: &TopologyView<'_>,
    found: &mut LintFindings,
) {
    let nacks = rule.done.all().any(|action| matches!(action, Action::Nack { requeue: true, .. }));
    let Some(version) = view.versions.iter().find(|version| version.rules.only_failures_count) else { return };
    let unchanging = Matcher {
        id: None,
        routing_key: None,
        exchange: None,
        headers: Vec::new(),
        json: Vec::new(),
        ..rule.matcher.clone()
    };
    if !nacks
        || unchanging != Matcher::default()
        || queue.kind != QueueKind::Quorum
        || queue.settings.delayed_retry.is_some()
    {
        return;
    }
    let message = format!(
        "consumer `{}` requeues this each time: RabbitMQ {} does not count a nack to the delivery limit, so no limit ends it",
        consumer.name, version.profile
    );
    let note = Problem::note(Code::LintNackLoop, message).by("CO-13");
    let help = "`reject: {requeue: true}` counts; or end it by `attempt`, or by a delayed retry";
    found.add(note.help(help), Some(rule.span), "again and again");
}

/// Tells of consumers whose end counts against messages that they never looked at (CO-13, CO-14).
fn crashes(consumer: &Consumer, scenario: &Scenario, view: &TopologyView<'_>, found: &mut LintFindings) {
    let by_step = |name: &str| consumer.instance_names().any(|own| &*own == name) || consumer.name == *name;
    let crashes = consumer.actions().any(|action| matches!(action, Action::Crash))
        || scenario.steps.iter().any(|step| matches!(&step.act, Act::Crash(name) if by_step(name)));
    let queue = view.queue(&consumer.queue.vhost, &consumer.queue.name);
    let limit = queue.filter(|it| it.kind == QueueKind::Quorum).and_then(|it| it.settings.delivery_limit);
    let Some(limit) = limit.filter(|_| crashes && consumer.prefetch != 1 && !consumer.auto_ack) else { return };
    let message = format!(
        "when consumer `{}` crashes, each message that it holds comes nearer to the delivery limit of {limit}, looked at or not",
        consumer.name
    );
    let note = Problem::note(Code::LintPrefetchAndLimit, message).by("CO-14");
    let help = "with `prefetch: 1` only the message at hand is counted";
    found.add(note.help(help), Some(consumer.span), "holds several messages");
}

/// Tells where a limit of a whole channel is refused, or silently one of each consumer (CO-4).
fn global_prefetch(consumer: &Consumer, view: &TopologyView<'_>, found: &mut LintFindings) {
    if consumer.global_prefetch == 0 {
        return;
    }
    let queue = view.queue(&consumer.queue.vhost, &consumer.queue.name);
    let is_quorum = queue.is_some_and(|queue| queue.kind == QueueKind::Quorum);
    let keeping = view.versions.iter().rev().find(|version| !version.rules.global_qos_ignored);
    if let Some(version) = keeping.filter(|_| is_quorum) {
        let message = format!(
            "RabbitMQ {} refuses consumer `{}`: a quorum queue bears no `global_prefetch`",
            version.profile, consumer.name
        );
        let warning = Problem::warning(Code::LintGlobalPrefetch, message).by("CO-4");
        let help = "it would say: 540 does not support global qos; `prefetch` limits each consumer on every version";
        found.add(warning.help(help), Some(consumer.span), "the connection is closed");
    }
    if let Some(version) = view.versions.iter().find(|version| version.rules.global_qos_ignored) {
        let message = format!(
            "RabbitMQ {} takes the `global_prefetch` of consumer `{}` for one of each consumer",
            version.profile, consumer.name
        );
        let note = Problem::note(Code::LintGlobalPrefetch, message).by("CO-4");
        let help = "with two consumers on the channel twice as many messages are in hand there: divide the limit, and \
                    write it as `prefetch`";
        found.add(note.help(help), Some(consumer.span), "not shared there");
    }
}

/// Tells of transactions whose commit succeeds although a full quorum queue drops what they publish (TX-6).
fn silent_commits(scenario: &Scenario, view: &TopologyView<'_>, found: &mut LintFindings) {
    let mut selected: Vec<(Option<&Name>, &Name)> = Vec::new();
    for step in &scenario.steps {
        let user = (step.actor.as_ref(), &step.vhost);
        match &step.act {
            Act::Transaction(TransactionAct::Select) => selected.push(user),
            Act::Publish(publish) if publish.channel.is_none() && selected.contains(&user) => {
                let (Some(exchange), Some(key)) = (publish.exchange.fixed(), publish.routing_key.fixed()) else {
                    continue;
                };
                let reached = view.broker.queues_reached(&step.vhost, exchange, key, None);
                let is_silent = |queue: &&QueueView<'_>| {
                    let settings = &queue.settings;
                    let is_limited = settings.max_length.is_some() || settings.max_length_bytes.is_some();
                    queue.kind == QueueKind::Quorum && settings.overflow == Overflow::RejectPublish && is_limited
                };
                let mut queues = reached.iter().filter_map(|name| view.queue(&step.vhost, name));
                if let Some(queue) = queues.find(is_silent) {
                    let message = format!(
                        "when quorum queue `{}` is full, it drops this and the commit succeeds all the same",
                        queue.name()
                    );
                    let warning = Problem::warning(Code::LintTransactionDrops, message).by("TX-6");
                    let help = "publish outside of the transaction, where a nack tells of it";
                    found.add(warning.help(help), Some(step.span), "held by a transaction");
                }
            }
            _ => {}
        }
    }
}

/// Tells of declarations by steps and consumers that the topology's own object refuses (ER-2 to ER-4).
fn conflicts(scenario: &Scenario, view: &TopologyView<'_>, found: &mut LintFindings) {
    let by_steps = scenario.steps.iter().filter(|step| step.refused.is_none());
    let queues = by_steps.clone().filter_map(|step| match &step.act {
        Act::DeclareQueue(queue) => Some((&**queue, step.span)),
        _ => None,
    });
    let by_consumers = scenario.consumers.iter().filter_map(|it| Some((&it.own_queue.as_ref()?.queue, it.span)));
    let deletes = |queue: &Queue| {
        scenario.steps.iter().any(|step| matches!(&step.act, Act::Delete { object, .. } if *object == queue.object()))
    };
    for (asked, place) in queues.chain(by_consumers).filter(|(queue, _)| !queue.name.is_empty() && !deletes(queue)) {
        let Some(current) = scenario.topology.queue(&asked.vhost, &asked.name) else { continue };
        let default = default_type(&scenario.topology, &asked.vhost);
        let refusing = view.versions.iter().rev().find_map(|version| {
            let mut current = current.clone();
            if version.rules.stores_queue_type {
                let kind = version.queue(&current, default).kind;
                current.arguments.insert("x-queue-type".into(), kind.as_str().into());
            }
            Some((version.profile, check_queue_equivalence(&current, asked, version.rules).err()?))
        });
        conflict(refusing, place, found);
    }
    for step in by_steps {
        let Act::DeclareExchange(asked) = &step.act else { continue };
        let current = scenario.topology.exchanges.iter().find(|it| it.object() == asked.object());
        let refused = current.and_then(|current| check_exchange_equivalence(current, asked).err());
        conflict(refused.map(|why| (view.newest().profile, why)), step.span, found);
    }
}

fn conflict(refusing: Option<(Profile, String)>, place: Span, found: &mut LintFindings) {
    let Some((profile, why)) = refusing else { return };
    let message = format!("RabbitMQ {profile} refuses this declaration: the topology declares it otherwise");
    let warning = Problem::warning(Code::LintDeclarationConflict, message).by("ER-2");
    found.add(warning.help(format!("it would say: 406 {why}")), Some(place), "refused");
}
