//! Decodes `refused`: that the broker must refuse a step or an action, by which code and with which text.
//! Takes a rendered node; gives what the refusal is compared with.

use crate::language::decode::map_decoder::{Diagnostics, MapDecoder};
use crate::language::decode::read;
use crate::language::syntax::tree::{Node, NodeKind};
use crate::model::Refused;

/// Decodes `true` for any refusal, a code, or a map of code and text.
pub fn refused(node: &Node, desk: &mut Diagnostics) -> Option<Refused> {
    if let NodeKind::Bool(true) = node.kind {
        return Some(Refused { span: node.span, code: None, text: None });
    }
    if let NodeKind::Integer(_) = node.kind {
        let code = desk.read("`refused`", node, read::between(100u16, 599));
        return Some(Refused { span: node.span, code, text: None });
    }
    let mut fields = MapDecoder::of("refused", "`refused`", node, desk)?;
    let code = fields.opt("code", desk, read::between(100u16, 599));
    let text = fields.opt("text", desk, read::text);
    fields.finish(desk);
    Some(Refused { span: node.span, code, text })
}
