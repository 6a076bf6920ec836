//! Contents as they arrive on a channel: a method that has one, then its header, then its body frame by frame.
//! Keeps no more than came: an announced size is only counted down, and what is over the limit is counted and thrown away.

use crate::broker::code;
use crate::model::{Message, Properties};
use crate::serve::hard_error::HardError;
use crate::wire::{AmqpMethod, ContentHeader, FrameKind, WireFrame, decode_method, decode_properties};
use std::sync::Arc;

/// The class of all contents.
const BASIC: u16 = 60;

/// RabbitMQ's own bound of a body, in bytes.
const BODY_BYTES_MAX: u64 = 536_870_912;

/// Where a channel is in what its client sends.
#[derive(Debug, Clone, Default)]
pub(crate) enum Assembler {
    /// A method comes next.
    #[default]
    Method,
    /// The header of this method's content comes next.
    Header(Box<AmqpMethod>),
    /// A part of the body comes next.
    Body(Box<PartialContent>),
}

/// A content of which the body is not whole.
#[derive(Debug, Clone)]
pub(crate) struct PartialContent {
    method: AmqpMethod,
    properties: Properties,
    body: Vec<u8>,
    missing: u64,
    size: u64,
}

/// A whole method, with its content if it has one.
#[derive(Debug, Clone)]
pub(crate) enum ReceivedMethod {
    Method(AmqpMethod),
    Content(AmqpMethod, Arc<Message>),
    /// A content larger than is taken, in bytes.
    TooLarge(AmqpMethod, u64),
}

impl Assembler {
    /// Takes a frame; `None` while something is still to come. A body over `body_bytes_max` is not kept.
    pub(crate) fn take(
        &mut self,
        frame: &WireFrame<'_>,
        body_bytes_max: usize,
    ) -> Result<Option<ReceivedMethod>, HardError> {
        let kind = frame.kind().map_err(HardError::of_wire)?;
        match (std::mem::take(self), kind) {
            (_, FrameKind::Heartbeat) => Err(HardError::unexpected_frame(frame)),
            (Assembler::Method, FrameKind::Method) => {
                let method =
                    decode_method(frame.payload).map_err(|fault| HardError::of_method_frame(fault, frame.payload))?;
                if has_content(&method) {
                    *self = Assembler::Header(Box::new(method));
                    return Ok(None);
                }
                Ok(Some(ReceivedMethod::Method(method)))
            }
            (Assembler::Method, _) => {
                Err(HardError::plain(code::UNEXPECTED_FRAME, "expected method frame, got non method frame instead"))
            }
            (Assembler::Header(method), FrameKind::Header) => self.header(*method, frame.payload, body_bytes_max),
            (Assembler::Header(method), _) => Err(HardError::plain(
                code::UNEXPECTED_FRAME,
                format!("expected content header for class {BASIC}, got non content header frame instead"),
            )
            .by(&method)),
            (Assembler::Body(content), FrameKind::Body) => self.body(*content, frame.payload),
            (Assembler::Body(content), _) => Err(HardError::plain(
                code::UNEXPECTED_FRAME,
                "expected content body, got non content body frame instead",
            )
            .by(&content.method)),
        }
    }

    fn header(
        &mut self,
        method: AmqpMethod,
        payload: &[u8],
        body_bytes_max: usize,
    ) -> Result<Option<ReceivedMethod>, HardError> {
        let header = ContentHeader::read(payload).filter(|header| header.weight == 0);
        let Some(header) = header else {
            let text = format!("expected content header for class {BASIC}, got non content header frame instead");
            return Err(HardError::plain(code::UNEXPECTED_FRAME, text).by(&method));
        };
        if header.class != BASIC {
            let found = header.class;
            let text = format!("expected content header for class {BASIC}, got one for class {found} instead");
            return Err(HardError::plain(code::UNEXPECTED_FRAME, text).by(&method));
        }
        let size = header.body_size;
        if size > BODY_BYTES_MAX {
            let text = format!("content body size {size} exceeds maximum allowed size {BODY_BYTES_MAX}");
            return Err(HardError::plain(code::FRAME_ERROR, text).by(&method));
        }
        let properties = decode_properties(header.properties).map_err(|fault| HardError::of_wire(fault).by(&method))?;
        if size == 0 {
            return Ok(Some(ReceivedMethod::Content(method, Arc::new(Message { properties, body: Arc::from([]) }))));
        }
        let is_kept = size <= body_bytes_max as u64;
        let missing = size;
        let size = if is_kept { 0 } else { size };
        *self = Assembler::Body(Box::new(PartialContent { method, properties, body: Vec::new(), missing, size }));
        Ok(None)
    }

    fn body(&mut self, mut content: PartialContent, part: &[u8]) -> Result<Option<ReceivedMethod>, HardError> {
        let Some(missing) = content.missing.checked_sub(part.len() as u64) else {
            let text = "content body frame exceeds remaining content size";
            return Err(HardError::plain(code::FRAME_ERROR, text).by(&content.method));
        };
        content.missing = missing;
        if content.size > 0 {
            if missing == 0 {
                return Ok(Some(ReceivedMethod::TooLarge(content.method, content.size)));
            }
        } else if missing == 0 {
            let body: Arc<[u8]> = match content.body.is_empty() {
                true => Arc::from(part),
                false => {
                    content.body.extend_from_slice(part);
                    Arc::from(content.body)
                }
            };
            let message = Message { properties: content.properties, body };
            return Ok(Some(ReceivedMethod::Content(content.method, Arc::new(message))));
        } else {
            content.body.extend_from_slice(part);
        }
        *self = Assembler::Body(Box::new(content));
        Ok(None)
    }

    /// Returns whether a content is not whole.
    pub(crate) fn is_amid_content(&self) -> bool {
        !matches!(self, Assembler::Method)
    }
}

/// Returns whether a content follows the method.
fn has_content(method: &AmqpMethod) -> bool {
    matches!(
        method,
        AmqpMethod::BasicPublish { .. }
            | AmqpMethod::BasicReturn { .. }
            | AmqpMethod::BasicDeliver { .. }
            | AmqpMethod::BasicGetOk { .. }
    )
}
