//! Decodes what a scenario says of the brokers that it is for: `needs`, `brokers`, `live`.
//! Takes the fields of a scenario; whether a broker fits is decided where it is known.

use super::fields::{Desk, Fields};
use super::near;
use super::read::{self, Read, Wrong};
use super::stage_names::find;
use super::tree::{Kind, Node};
use crate::model::{LiveSettings, Needs, Profile, Scale};
use crate::source::Problem;

/// Reads `needs: {plugins: […], restart: true}`.
pub fn needs(fields: &mut Fields<'_>, desk: &mut Desk) -> Needs {
    let Some(mut inner) = fields.node("needs").and_then(|node| Fields::of("`needs`", node, desk)) else {
        return Needs::default();
    };
    let plugins = inner.opt("plugins", desk, read::texts).unwrap_or_default();
    let restart = inner.opt("restart", desk, read::boolean).unwrap_or(false);
    inner.finish(desk);
    Needs { plugins, restart }
}

/// Reads `brokers: [sim, live, staging]`; which names there are is not known here, what can be no name is.
pub fn brokers(fields: &mut Fields<'_>, desk: &mut Desk) -> Vec<String> {
    let Some(entry) = fields.entry("brokers") else { return Vec::new() };
    let node = &entry.value;
    let Some(brokers) = desk.read("`brokers`", node, read::texts) else { return Vec::new() };
    if brokers.is_empty() {
        let problem = Problem::new("value::bad", "`brokers` names no broker: the scenario would never be played");
        desk.add(problem.at(node.span, "an empty list").help("leave `brokers` out to play on every broker"));
    }
    for broker in &brokers {
        let place = find(node, node.span, broker).unwrap_or(node.span);
        if broker.contains("://") {
            let problem = Problem::new("value::bad", "`brokers` takes names, not URLs");
            let help = "name the broker in `rmqplay.yaml`: `brokers: {staging: {url: amqp://…}}`";
            desk.add(problem.at(place, "a URL").help(help));
        } else if let Some(profile) = broker.strip_prefix("sim:").filter(|profile| profile.parse::<Profile>().is_err())
        {
            let known: Vec<String> = Profile::ALL.iter().map(|profile| format!("sim:{profile}")).collect();
            let problem = Problem::new("value::bad", format!("the simulated broker has no profile `{profile}`"));
            desk.add(problem.at(place, "no such profile").help(near::suggest(broker, known.iter(), "there are")));
        }
    }
    brokers
}

/// Reads `live: {time_scale: 0.1}`.
pub fn live(fields: &mut Fields<'_>, desk: &mut Desk) -> LiveSettings {
    let Some(mut inner) = fields.node("live").and_then(|node| Fields::of("`live`", node, desk)) else {
        return LiveSettings::default();
    };
    let time_scale = inner.opt("time_scale", desk, scale);
    inner.finish(desk);
    LiveSettings { time_scale }
}

fn scale(node: &Node) -> Read<Scale> {
    let text = match &node.kind {
        Kind::Integer(n) => n.to_string(),
        Kind::Float(n) => n.to_string(),
        Kind::Faulty => return Err(Wrong::Known),
        _ => return Err(Wrong::Kind("a number like 0.1")),
    };
    text.parse().map_err(|_| Wrong::Value {
        message: "takes a number above 0, up to 1000, with at most six digits behind the point".into(),
        help: Some("0.1 lets time run ten times as fast on a live broker, 1 leaves it as it is".into()),
    })
}
