//! Decodes `match`: the conditions of a consumer's rule.
//! Takes a rendered node; gives a matcher whose texts may wait until it plays.

use crate::language::decode::map_decoder::{Diagnostics, MapDecoder};
use crate::language::decode::read;
use crate::language::decode::read::{DecodeError, Read};
use crate::language::decode::suggestions;
use crate::language::syntax::tree::{Node, NodeKind};
use crate::model::{DeathMatcher, Key, Matcher, Seen, Template};
use crate::source::Help;

/// The reasons for which a message dies (DL-1).
pub const DEATH_REASONS: [&str; 4] = ["rejected", "expired", "maxlen", "delivery_limit"];

/// What a message may be told from others by.
const KEYS: [&str; 6] = ["message_id", "correlation_id", "routing_key", "body", "json.PATH", "headers.NAME"];

/// Decodes `match`.
pub fn matcher(node: &Node, desk: &mut Diagnostics) -> Option<Matcher> {
    let mut fields = MapDecoder::of("match", "`match`", node, desk)?;
    let header = if fields.has("headers") { "headers" } else { "header" };
    let matcher = Matcher {
        id: fields.opt("id", desk, read::late_name),
        routing_key: fields.opt("routing_key", desk, read::late_name),
        exchange: fields.opt("exchange", desk, read::late_name),
        headers: fields.opt(header, desk, read::headers).unwrap_or_default(),
        json: fields.opt("json", desk, read::late_table).unwrap_or_default(),
        redelivered: fields.opt("redelivered", desk, read::boolean),
        x_death: fields.node("x_death").and_then(|node| death(node, desk)),
        attempt: fields.opt("attempt", desk, read::count),
        chance: fields.opt("chance", desk, chance),
        seen: fields.node("seen").and_then(|node| seen(node, desk)),
        when: fields.opt("when", desk, when),
    };
    fields.finish(desk);
    Some(matcher)
}

fn when(node: &Node) -> Read<Template> {
    match &node.kind {
        NodeKind::Late(template) => Ok((**template).clone()),
        NodeKind::Bool(yes) => {
            Template::compile(&format!("{{{{ {yes} }}}}"), node.span).map_err(|_| DecodeError::Known)
        }
        NodeKind::Faulty => Err(DecodeError::Known),
        _ => Err(DecodeError::Kind("a template like \"{{ message.json.n > 3 }}\"")),
    }
}

fn death(node: &Node, desk: &mut Diagnostics) -> Option<DeathMatcher> {
    let mut fields = MapDecoder::of("death_matcher", "`x_death`", node, desk)?;
    let matcher = DeathMatcher {
        queue: fields.opt("queue", desk, read::late_name),
        reason: fields.opt("reason", desk, read::word(&DEATH_REASONS)).map(str::to_owned),
        exchange: fields.opt("exchange", desk, read::late_name),
        count: fields.opt("count", desk, read::count),
    };
    fields.finish(desk);
    Some(matcher)
}

/// Reads `20%` as parts of a million.
fn chance(node: &Node) -> Read<u32> {
    let bad = |message: &str| {
        Err(DecodeError::Value { message: message.into(), help: Some("write 20%, 0.5% or 100%".into()) })
    };
    match &node.kind {
        NodeKind::Faulty => Err(DecodeError::Known),
        NodeKind::Integer(_) | NodeKind::Float(_) => bad("needs a percent sign"),
        NodeKind::Text(text) => {
            let Some(percent) = text.trim().strip_suffix('%') else { return bad("takes a percentage") };
            match percent.trim().parse::<f64>() {
                Ok(percent) if (0.0..=100.0).contains(&percent) => Ok((percent * 10_000.0).round() as u32),
                _ => bad("takes a percentage from 0% to 100%"),
            }
        }
        _ => Err(DecodeError::Kind("a percentage like 20%")),
    }
}

fn seen(node: &Node, desk: &mut Diagnostics) -> Option<Seen> {
    let mut fields = MapDecoder::of("seen", "`seen`", node, desk)?;
    let by = match fields.has("by") {
        true => fields.opt("by", desk, key),
        false => {
            fields.node("by");
            Some(Key::MessageId)
        }
    };
    let lasting = fields.opt("lasting", desk, read::duration);
    fields.finish(desk);
    Some(Seen { by: by?, lasting })
}

/// Reads what tells messages apart: a property, `json.player`, `headers.key`.
pub fn key(node: &Node) -> Read<Key> {
    let text = read::text(node)?;
    let path = |word: &str| text.strip_prefix(word).filter(|path| !path.is_empty()).map(str::to_owned);
    let key = match text.as_str() {
        "message_id" => Some(Key::MessageId),
        "correlation_id" => Some(Key::CorrelationId),
        "routing_key" => Some(Key::RoutingKey),
        "body" => Some(Key::Body),
        _ => path("json.").map(Key::Json).or_else(|| path("headers.").or(path("header.")).map(Key::Header)),
    };
    key.ok_or_else(|| DecodeError::Value {
        message: format!("knows no `{text}`"),
        help: Some(match &*text {
            "id" => Help::did_you_mean("message_id"),
            _ => suggestions::suggest(&text, KEYS, "there are"),
        }),
    })
}
