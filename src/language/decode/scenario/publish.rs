//! Decodes `publish` and `forward`.
//! Takes a rendered node; gives what is sent, with templates that wait until it plays.

use crate::language::decode::map_decoder::{Diagnostics, MapDecoder};
use crate::language::decode::read;
use crate::language::decode::read::{DecodeError, Read};
use crate::language::syntax::tree::{Node, NodeKind};
use crate::language::world::{World, beside, unread_help};
use crate::model::{Forward, LateValue, Millis, Payload, Publish, Text, Value};
use crate::source::{Code, Problem};

/// What a publish needs to read a body from a file.
pub struct Folder<'w> {
    pub world: &'w dyn World,
    /// The scenario's file: paths are beside it.
    pub file: &'w str,
}

/// Decodes one publish.
pub fn publish(node: &Node, folder: &Folder<'_>, desk: &mut Diagnostics) -> Option<Publish> {
    let mut fields = MapDecoder::of("publish", "a publish", node, desk)?;
    let publish = publish_fields(&mut fields, folder, desk);
    fields.finish(desk);
    Some(publish)
}

/// Reads what every publish has, whoever sends it.
pub fn publish_fields(fields: &mut MapDecoder<'_>, folder: &Folder<'_>, desk: &mut Diagnostics) -> Publish {
    let exchange = fields.opt("exchange", desk, read::late_name).unwrap_or_else(|| "".into());
    let routing_key = fields.opt("routing_key", desk, read::late_name).unwrap_or_else(|| "".into());
    let mandatory = fields.opt("mandatory", desk, read::boolean).unwrap_or(false);
    let (count, every) = match fields.may_have("count") {
        true => (fields.opt("count", desk, read::between(1u32, 10_000_000)), fields.opt("every", desk, read::duration)),
        false => (None, None),
    };
    let (count, every) = (count.unwrap_or(1), every.unwrap_or(Millis(0)));
    let id = fields.opt("id", desk, read::late_name);
    let payload = payload(fields, folder, desk);
    let headers = fields.opt("headers", desk, read::headers).unwrap_or_default();
    let content_type = fields.opt("content_type", desk, read::late_name);
    let content_encoding = fields.opt("content_encoding", desk, read::late_name);
    // An octet: 3.x refuses others than 1 and 2 (ER-7).
    let modes = if desk.refused { (0u8, u8::MAX) } else { (1, 2) };
    let delivery_mode = fields.opt("delivery_mode", desk, read::between(modes.0, modes.1)).unwrap_or(2);
    let priority = fields.opt("priority", desk, |node| late_number(node, 0, 255));
    let correlation_id = fields.opt("correlation_id", desk, read::late_name);
    let reply_to = fields.may_have("reply_to").then(|| fields.opt("reply_to", desk, read::late_name)).flatten();
    let expiration = fields.opt("expiration", desk, expiration);
    let timestamp = fields.opt("timestamp", desk, |node| late_number(node, 0, i64::MAX));
    let kind = fields.opt("type", desk, read::late_name);
    let user_id = fields.opt("user_id", desk, read::late_name);
    let app_id = fields.opt("app_id", desk, read::late_name);
    let channel = fields.may_have("channel").then(|| fields.opt("channel", desk, read::name)).flatten();
    Publish {
        exchange,
        routing_key,
        mandatory,
        count,
        every,
        id,
        payload,
        headers,
        content_type,
        content_encoding,
        delivery_mode,
        priority,
        correlation_id,
        reply_to,
        expiration,
        timestamp,
        kind,
        user_id,
        app_id,
        channel,
    }
}

fn payload(fields: &mut MapDecoder<'_>, folder: &Folder<'_>, desk: &mut Diagnostics) -> Payload {
    let given: Vec<_> = ["body", "json", "file"].into_iter().filter(|key| fields.has(key)).collect();
    if let [first, second, ..] = given[..] {
        let spans = (fields.entry(first), fields.entry(second));
        if let (Some(first), Some(second)) = spans {
            let problem = Problem::new(Code::ScenarioTwoBodies, "a message has one body: `body`, `json` or `file`");
            desk.add(problem.at(second.key_span, "a second one").at(first.key_span, "the first"));
        }
    }
    let body = fields.opt("body", desk, read::late_text).map(Payload::Text);
    let json = fields.opt("json", desk, late_json).map(Payload::Json);
    let file = fields.node("file").and_then(|node| {
        let path = desk.read("`file`", node, read::text)?;
        match folder.world.read(&beside(folder.file, &path)) {
            Ok(bytes) => Some(Payload::Bytes(bytes.into())),
            Err(reason) => {
                let problem = Problem::new(Code::FileMissing, format!("{path} cannot be read: {reason}"));
                let help = "paths are taken from the folder of this scenario";
                let help = unread_help(folder.world, &reason, folder.file, &path, help);
                desk.add(problem.at(node.span, "named here").help(help));
                None
            }
        }
    });
    body.or(json).or(file).unwrap_or(Payload::Text("".into()))
}

/// Reads JSON whose leaves may wait; `$` keys are keys like any other.
fn late_json(node: &Node) -> Read<LateValue> {
    match &node.kind {
        NodeKind::Late(template) => Ok(LateValue::Template((**template).clone())),
        NodeKind::List(entries) => entries.iter().map(late_json).collect::<Read<_>>().map(fixed_array),
        NodeKind::Map(entries) => entries
            .iter()
            .map(|entry| Ok((entry.key.to_string(), late_json(&entry.value)?)))
            .collect::<Read<_>>()
            .map(fixed_table),
        NodeKind::Faulty => Err(DecodeError::Known),
        _ => Ok(LateValue::Fixed(Value::from_json(&node.to_json()))),
    }
}

fn fixed_array(entries: Vec<LateValue>) -> LateValue {
    let fixed: Option<Vec<Value>> = entries.iter().map(fixed).collect();
    fixed.map_or(LateValue::Array(entries), |values| LateValue::Fixed(Value::Array(values)))
}

fn fixed_table(entries: Vec<(String, LateValue)>) -> LateValue {
    let fixed = entries.iter().map(|(key, value)| Some((key.clone(), fixed(value)?))).collect();
    match fixed {
        Some(table) => LateValue::Fixed(Value::Table(table)),
        None => LateValue::Table(entries),
    }
}

fn fixed(value: &LateValue) -> Option<Value> {
    match value {
        LateValue::Fixed(value) => Some(value.clone()),
        _ => None,
    }
}

/// Reads a number that may wait until it plays.
fn late_number(node: &Node, low: i64, high: i64) -> Read<LateValue> {
    match &node.kind {
        NodeKind::Late(template) => Ok(LateValue::Template((**template).clone())),
        _ => read::between(low, high)(node).map(|n| LateValue::Fixed(Value::I64(n))),
    }
}

/// Reads an expiration: a duration, a number of milliseconds, or any text for the broker to judge (TTL-1).
pub fn expiration(node: &Node) -> Read<Text> {
    match &node.kind {
        NodeKind::Integer(ms) => Ok(Text::Fixed(ms.to_string().into())),
        NodeKind::Text(text) => match text.parse::<Millis>() {
            Ok(length) => Ok(Text::Fixed(length.0.to_string().into())),
            Err(_) => read::late_name(node),
        },
        _ => read::late_name(node),
    }
}

/// Decodes one forward; what it leaves out is as in a publish, or the message's own.
pub fn forward(node: &Node, desk: &mut Diagnostics) -> Option<Forward> {
    let mut fields = MapDecoder::of("forward", "a forward", node, desk)?;
    let exchange = fields.opt("exchange", desk, read::late_name).unwrap_or_else(|| "".into());
    let mandatory = fields.opt("mandatory", desk, read::boolean).unwrap_or(false);
    let routing_key = fields.opt("routing_key", desk, read::late_name);
    let headers = fields.opt("headers", desk, read::headers).unwrap_or_default();
    let drop_headers = fields.opt("drop_headers", desk, read::texts).unwrap_or_default();
    let id = fields.opt("id", desk, read::late_name);
    let expiration = fields.opt("expiration", desk, expiration);
    fields.finish(desk);
    Some(Forward { exchange, mandatory, routing_key, headers, drop_headers, id, expiration })
}
