//! The refusal that somebody expects of a broker.
//! Plain data; `player` compares.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::source::Span;

/// That a step or an action must be refused, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub span: Span,
    pub code: Option<u16>,
    /// Contained in the reply text.
    pub text: Option<String>,
}
