//! What a file says of findings that are meant to be so: which code, where, and why.
//! Plain data. Never decides what is found.

use crate::source::{Code, Span};

/// An entry of `allow`: findings of a code within a part of a file are not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// Which note.
    pub code: Code,
    /// Why it may be: as the file says it.
    pub reason: String,
    /// Where the entry stands.
    pub span: Span,
    /// What it covers: the file, or the object that it stands in.
    pub within: Span,
    /// It silenced something where the file was read.
    pub used: bool,
}

impl Allowance {
    /// Returns whether a finding of that code at that place is covered.
    pub fn covers(&self, code: Code, place: Option<Span>) -> bool {
        let is_within = |span: Span| {
            span.file == self.within.file && self.within.start <= span.start && span.end <= self.within.end
        };
        self.code == code && place.is_some_and(is_within)
    }
}
