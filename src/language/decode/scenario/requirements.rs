//! Decodes what a scenario says of the brokers that it is for: `needs`, `brokers`, `live`.
//! Takes the fields of a scenario; whether a broker fits is decided where it is known.

use crate::language::decode::map_decoder::{Diagnostics, MapDecoder};
use crate::language::decode::read;
use crate::language::decode::read::{DecodeError, Read};
use crate::language::syntax::tree::find;
use crate::language::syntax::tree::{Node, NodeKind};
use crate::model::{LiveSettings, Needs, Profile, Scale};
use crate::source::{Code, Problem};

/// Reads `needs: {plugins: […], restart: true, nodes: 3}`.
pub fn needs(fields: &mut MapDecoder<'_>, desk: &mut Diagnostics) -> Needs {
    let Some(mut inner) = fields.node("needs").and_then(|node| MapDecoder::of("needs", "`needs`", node, desk)) else {
        return Needs::default();
    };
    let plugins = inner.opt("plugins", desk, read::texts).unwrap_or_default();
    let restart = inner.opt("restart", desk, read::boolean).unwrap_or(false);
    let nodes = inner.opt("nodes", desk, read::between(1_u16, 999));
    inner.finish(desk);
    Needs { plugins, restart, nodes }
}

/// Reads `brokers: [sim, live, staging]`; which names there are is not known here, what can be no name is.
pub fn brokers(fields: &mut MapDecoder<'_>, desk: &mut Diagnostics) -> Vec<String> {
    let Some(entry) = fields.entry("brokers") else { return Vec::new() };
    let node = &entry.value;
    let Some(brokers) = desk.read("`brokers`", node, read::texts) else { return Vec::new() };
    if brokers.is_empty() {
        let problem = Problem::new(Code::ValueBad, "`brokers` names no broker: the scenario would never be played");
        desk.add(problem.at(node.span, "an empty list").help("leave `brokers` out to play on every broker"));
    }
    for broker in &brokers {
        let place = find(node, node.span, broker).unwrap_or(node.span);
        if broker.contains("://") {
            let problem = Problem::new(Code::ValueBad, "`brokers` takes names, not URLs");
            let help = "name the broker in `rmqplay.yaml`: `brokers: {staging: {url: amqp://…}}`";
            desk.add(problem.at(place, "a URL").help(help));
        } else if let Some(profile) = broker.strip_prefix("sim:").filter(|profile| profile.parse::<Profile>().is_err())
        {
            let problem = Problem::new(Code::ValueBad, format!("the simulator knows no RabbitMQ `{profile}`"));
            desk.add(problem.at(place, "no such version").help(Profile::advice(profile)));
        }
    }
    brokers
}

/// Reads `live: {time_scale: 0.1}`.
pub fn live(fields: &mut MapDecoder<'_>, desk: &mut Diagnostics) -> LiveSettings {
    let Some(mut inner) = fields.node("live").and_then(|node| MapDecoder::of("live", "`live`", node, desk)) else {
        return LiveSettings::default();
    };
    let time_scale = inner.opt("time_scale", desk, scale);
    inner.finish(desk);
    LiveSettings { time_scale }
}

fn scale(node: &Node) -> Read<Scale> {
    let text = match &node.kind {
        NodeKind::Integer(n) => n.to_string(),
        NodeKind::Float(n) => n.to_string(),
        NodeKind::Faulty => return Err(DecodeError::Known),
        _ => return Err(DecodeError::Kind("a number like 0.1")),
    };
    text.parse().map_err(|_| DecodeError::Value {
        message: "takes a number above 0, up to 1000, with at most six digits behind the point".into(),
        help: Some("0.1 lets time run ten times as fast on a live broker, 1 leaves it as it is".into()),
    })
}
