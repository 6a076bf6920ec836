//! Decodes `call`: a publish whose reply is awaited, and what the reply must be.
//! Takes a rendered node; gives the question, with templates that wait until it plays.

use crate::language::decode::map_decoder::{Diagnostics, MapDecoder};
use crate::language::decode::read;
use crate::language::decode::scenario::expectations::pattern;
use crate::language::decode::scenario::publish::{Folder, publish_fields};
use crate::language::syntax::tree::Node;
use crate::model::{Call, Millis};
use crate::source::{Code, Problem};

/// How long a call waits for its reply unless it says otherwise.
const REPLY_WITHIN: Millis = Millis(5_000);

/// Decodes one call: a publish whose reply is awaited.
pub fn call(node: &Node, folder: &Folder<'_>, desk: &mut Diagnostics) -> Option<Call> {
    let mut fields = MapDecoder::of("call", "a call", node, desk)?;
    let within = fields.opt("within", desk, read::duration).unwrap_or(REPLY_WITHIN);
    let reply = fields.node("reply").and_then(|node| pattern(node, desk));
    let not_here = [
        ("count", "a call asks one question: repeat the step by `for_each`"),
        ("every", "write it beside `call`, with `for_each`"),
        ("reply_to", "leave it out: a call has a reply address of its own"),
    ];
    for (key, help) in not_here {
        if let Some(entry) = fields.take(key) {
            let problem = Problem::new(Code::YamlUnknownKey, format!("unknown key `{key}` in a call"));
            desk.add(problem.at(entry.key_span, "unknown key").help(help));
        }
    }
    let publish = publish_fields(&mut fields, folder, desk);
    fields.finish(desk);
    Some(Call { publish, within, reply })
}
