//! Whether a scenario fits a broker, and at which pace it can be played there.
//! Takes what is known of the broker; gives the reason for a skip in words. Never asks the broker.

use crate::model::{
    Act, Action, Millis, Policy, Profile, Queue, QueueKind, Scale, Scenario, Side, Table, Text, Version,
};
use crate::player::scaled::is_duration;
use crate::rules::{EffectivePolicies, Plugin, differences};

/// The shortest duration that a live broker is given when time is scaled: below it, its own pace would show.
const TOLD_MIN: Millis = Millis(200);

/// The plugin without which nothing is played on a live broker; the sim plays what it offers.
const MANAGEMENT: &str = "rabbitmq_management";

/// What is known of a broker before anything is played on it.
#[derive(Debug, Clone)]
pub struct Host<'h> {
    /// The broker's.
    pub version: Version,
    /// `None`: a live broker.
    pub sim: Option<Profile>,
    /// Its name in `rmqplay.yaml`, if it has one.
    pub name: Option<&'h str>,
    /// The enabled ones of a live broker; the simulated one has those that a scenario needs.
    pub plugins: &'h [String],
    /// The user allows restarts of the broker.
    pub may_restart: bool,
    /// How many nodes of it run; 0 where no scenario needs several.
    pub nodes: usize,
    /// The user allows that nodes are stopped and started.
    pub may_stop_nodes: bool,
}

/// Returns why a scenario is not played on a broker; `None`: it is.
pub fn why_not(scenario: &Scenario, host: &Host<'_>) -> Option<String> {
    for_others(scenario, host)
        .or_else(|| wrong_version(scenario, host.version))
        .or_else(|| missing_plugin(scenario, host))
        .or_else(|| no_restart(scenario, host))
        .or_else(|| no_cluster(scenario, host))
}

/// Returns why a scenario is not played on the simulated broker; `None`: it is.
pub fn why_not_on_sim(scenario: &Scenario, profile: Profile) -> Option<String> {
    let host = Host {
        version: profile.version(),
        sim: Some(profile),
        name: None,
        plugins: &[],
        may_restart: true,
        nodes: 1,
        may_stop_nodes: false,
    };
    why_not(scenario, &host)
}

/// Lists the versions with a profile that a scenario can be played on, on the sim or on a live broker.
pub fn versions_of(scenario: &Scenario) -> Vec<Version> {
    let only_on = |profile: Profile| format!("sim:{profile}");
    let is_meant = |profile: &Profile| {
        let brokers = &scenario.brokers;
        brokers.is_empty() || brokers.iter().any(|word| !word.starts_with("sim:") || *word == only_on(*profile))
    };
    let meant = Profile::ALL.into_iter().filter(is_meant).map(Profile::version);
    meant.filter(|version| wrong_version(scenario, *version).is_none()).collect()
}

fn for_others(scenario: &Scenario, host: &Host<'_>) -> Option<String> {
    let is_meant = |word: &String| match (host.sim, word.as_str()) {
        (Some(_), "sim") | (None, "live") => true,
        (Some(profile), word) => word.strip_prefix("sim:") == Some(&*profile.to_string()),
        (None, word) => host.name == Some(word),
    };
    let brokers = &scenario.brokers;
    (!brokers.is_empty() && !brokers.iter().any(is_meant)).then(|| format!("is for {} only", brokers.join(" and ")))
}

fn wrong_version(scenario: &Scenario, version: Version) -> Option<String> {
    let unmet = scenario.requires.iter().find(|bound| !bound.admits(version))?;
    let bounds = [unmet.at_least.map(|least| format!(">={least}")), unmet.below.map(|below| format!("<{below}"))];
    let bounds: Vec<String> = bounds.into_iter().flatten().collect();
    Some(format!("requires RabbitMQ {}, this is {version}", bounds.join(" ")))
}

fn missing_plugin(scenario: &Scenario, host: &Host<'_>) -> Option<String> {
    let is_simulated = |plugin: &String| host.sim.is_some() && plugin.parse::<Plugin>().is_ok();
    let there = |plugin: &&String| *plugin == MANAGEMENT || host.plugins.contains(*plugin) || is_simulated(plugin);
    let missing = scenario.needs.plugins.iter().find(|plugin| !there(plugin))?;
    Some(match host.sim {
        Some(_) => format!("needs the plugin {missing}, which the simulated broker does not play"),
        None => format!("needs the plugin {missing}, which is not enabled there"),
    })
}

fn no_restart(scenario: &Scenario, host: &Host<'_>) -> Option<String> {
    let refused = scenario.needs.restart && host.sim.is_none() && !host.may_restart;
    refused
        .then(|| "restarts the broker, and nobody said how: set RMQPLAY_RESTART, or `restart:` in rmqplay.yaml".into())
}

fn no_cluster(scenario: &Scenario, host: &Host<'_>) -> Option<String> {
    let needed = scenario.needs.nodes?;
    let of = |n: usize| format!("{n} node{}", if n == 1 { "" } else { "s" });
    if host.sim.is_some() {
        return Some("stops nodes of a cluster, and a cluster is not simulated".into());
    }
    if host.nodes < usize::from(needed) {
        return Some(format!("needs {}, and {} run there", of(needed.into()), of(host.nodes)));
    }
    let why = "stops nodes, and nobody said how: set RMQPLAY_NODE, or `node:` in rmqplay.yaml";
    (!host.may_stop_nodes).then(|| why.into())
}

/// The wish for a pace: a scale, or the largest one that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeScale {
    /// The same for all cells.
    Given(Scale),
    /// The largest that keeps within `--max-wait`.
    Fit,
}

impl TimeScale {
    /// Leaves time as it is.
    pub const UNCHANGED: TimeScale = TimeScale::Given(Scale::ONE);
}

impl std::fmt::Display for TimeScale {
    /// Writes it as the command line takes it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TimeScale::Given(scale) => scale.fmt(f),
            TimeScale::Fit => f.write_str("fit"),
        }
    }
}

impl std::str::FromStr for TimeScale {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "fit" { Ok(TimeScale::Fit) } else { text.parse().map(TimeScale::Given) }
    }
}

/// Chooses the scale of a cell on a live broker, or says why it is not played: `length` is what the cell takes of its own
/// time. What the scenario pins wins over the wish.
pub fn choose_scale(
    scenario: &Scenario,
    version: Version,
    length: Millis,
    wish: TimeScale,
    max_wait: Millis,
) -> Result<Scale, String> {
    let scale = match (scenario.live.time_scale, wish) {
        (Some(pinned), _) => pinned,
        (None, TimeScale::Given(scale)) => scale,
        (None, TimeScale::Fit) => Scale::fitting(length, max_wait),
    };
    let real = scale.real(length);
    if real > max_wait && wish != TimeScale::Fit {
        let advice = if scenario.live.time_scale.is_some() { "--max-wait" } else { "--time-scale fit, or --max-wait" };
        return Err(format!("takes {real}, longer than {max_wait}: {advice}"));
    }
    if scale < Scale::ONE {
        if let Some(reason) = tick(scenario, version) {
            return Err(format!("cannot be scaled: {reason}"));
        }
        if let Some((what, own)) = too_short(scenario, scale) {
            let real = scale.real(own);
            return Err(format!("cannot be scaled by {scale}: {what} of {own} would be {real}, under {TOLD_MIN}"));
        }
    }
    Ok(scale)
}

/// Finds a duration that the broker keeps and that the scale would make too short; one that is short already stays so.
fn too_short(scenario: &Scenario, scale: Scale) -> Option<(String, Millis)> {
    let kept = kept_by_broker(scenario);
    kept.into_iter().find(|(_, own)| *own >= TOLD_MIN && scale.real(*own) < TOLD_MIN)
}

/// Lists the durations that the broker itself keeps.
fn kept_by_broker(scenario: &Scenario) -> Vec<(String, Millis)> {
    let mut kept = Vec::new();
    for queue in queues(scenario) {
        from_table(&queue.arguments, &format!("of queue {}", queue.name), &mut kept);
    }
    for policy in policies(scenario) {
        for (key, value) in policy.definition.iter().filter(|(key, _)| is_duration(key)) {
            let length = value.as_u64().map(Millis);
            kept.extend(length.map(|length| (format!("{key} of policy {}", policy.name), length)));
        }
    }
    for consumer in &scenario.consumers {
        from_table(&consumer.arguments, &format!("of consumer {}", consumer.name), &mut kept);
    }
    for expiration in expirations(scenario) {
        let length = expiration.fixed().and_then(|text| text.parse().ok()).map(Millis);
        kept.extend(length.map(|length| ("an expiration".to_owned(), length)));
    }
    kept
}

fn from_table(table: &Table, whose: &str, kept: &mut Vec<(String, Millis)>) {
    for (name, value) in table.iter().filter(|(name, _)| is_duration(name)) {
        let length = value.as_integer().and_then(|n| u64::try_from(n).ok()).map(Millis);
        kept.extend(length.map(|length| (format!("{name} {whose}"), length)));
    }
}

fn queues(scenario: &Scenario) -> impl Iterator<Item = &Queue> {
    let declared = scenario.all_steps().filter_map(|step| match &step.act {
        Act::DeclareQueue(queue) => Some(&**queue),
        _ => None,
    });
    let own = scenario.consumers.iter().filter_map(|consumer| consumer.own_queue.as_ref()).map(|own| &own.queue);
    scenario.topology.queues.iter().chain(declared).chain(own)
}

fn policies(scenario: &Scenario) -> impl Iterator<Item = &Policy> {
    let set = scenario.all_steps().filter_map(|step| step.act.policy_set());
    scenario.topology.policies.iter().chain(&scenario.topology.operator_policies).chain(set)
}

fn expirations(scenario: &Scenario) -> impl Iterator<Item = &Text> {
    let steps = scenario.all_steps().filter_map(|step| match &step.act {
        Act::Publish(publish) => publish.expiration.as_ref(),
        Act::Call(call) => call.publish.expiration.as_ref(),
        _ => None,
    });
    let actions = scenario.consumers.iter().flat_map(|consumer| consumer.actions()).filter_map(|action| match action {
        Action::Publish(publish) | Action::Reply(publish) => publish.expiration.as_ref(),
        Action::Forward(forward) => forward.expiration.as_ref(),
        _ => None,
    });
    steps.chain(actions)
}

/// Returns which tick of the broker a scenario leans on: those do not scale (EXP-3, CO-19).
fn tick(scenario: &Scenario, version: Version) -> Option<String> {
    let all = EffectivePolicies::new(differences(Profile::nearest(version)), policies(scenario), []);
    // Each that matches may be in force at some time: steps set and clear them.
    let caught = |queue: &Queue, key: &str| {
        all.matching(&queue.vhost, &queue.name, queue.kind()).any(|policy| policy.definition.contains_key(key))
    };
    for queue in queues(scenario).filter(|queue| queue.kind() == QueueKind::Quorum) {
        if queue.arguments.contains_key("x-expires") || caught(queue, "expires") {
            return Some(format!("the broker looks every 5s whether the quorum queue {} expires", queue.name));
        }
        let timed = queue.arguments.contains_key("x-consumer-timeout") || caught(queue, "consumer-timeout");
        if timed && version < Profile::V4_3.version() {
            return Some(format!("the broker looks every minute for consumers of {} that time out", queue.name));
        }
    }
    let loses = |act: &Act| matches!(act, Act::CloseConnection { by: Side::Network, .. });
    if scenario.all_steps().any(|step| loses(&step.act)) {
        return Some("a lost connection ends by heartbeats, which are whole seconds".to_owned());
    }
    None
}
