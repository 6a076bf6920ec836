//! A source as miette reads it: masked once, its lines found by search, so that a large file costs no more than a small one.

use crate::report::problem::mask;
use crate::source::{FileId, Sources};
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Holds the masked texts of one drawing.
#[derive(Debug, Default)]
pub struct Shelf {
    files: BTreeMap<FileId, Shown>,
}

/// One masked text with the places where its lines begin.
#[derive(Debug, Clone)]
pub struct Shown {
    name: Arc<str>,
    text: Arc<str>,
    lines: Arc<[usize]>,
    /// Where the text begins in the file: bytes, lines, and characters of its line. All 0 for a whole file.
    cut: Cut,
}

/// The place in a file where an excerpt begins.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cut {
    pub byte: usize,
    line: usize,
    column: usize,
}

/// The longest line that is shown whole, in bytes: exports often stand on one line of megabytes.
const LINE_BYTES_MAX: usize = 1_000;

/// How much of a longer line is shown on each side of a place, in bytes.
const AROUND_BYTES: usize = 60;

/// How much of a marked place is shown in a longer line.
const MARKED_BYTES_MAX: usize = 120;

impl Shelf {
    /// Returns the masked text of a file.
    pub fn take(&mut self, sources: &Sources, file: FileId) -> Shown {
        let make = || {
            let source = sources.get(file);
            let text: Arc<str> = mask(&source.text).into();
            let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
            Shown { name: source.name.as_str().into(), text, lines, cut: Cut::default() }
        };
        self.files.entry(file).or_insert_with(make).clone()
    }
}

impl Shown {
    fn line_of(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at).saturating_sub(1)
    }

    fn end_of_line(&self, line: usize) -> usize {
        self.lines.get(line + 1).map_or(self.text.len(), |next| next - 1)
    }

    /// Returns the file, or only what stands around a place when a line there is too long.
    pub fn around(self, start: usize, end: usize) -> Shown {
        let line = self.line_of(start);
        let last = (self.line_of(end) + 1).min(self.lines.len() - 1);
        let long = |line: usize| self.end_of_line(line) - self.lines[line] > LINE_BYTES_MAX;
        if !(line.saturating_sub(1)..=last).any(long) {
            return self;
        }
        let boundary = |mut at: usize| {
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let from = boundary(start.saturating_sub(AROUND_BYTES).max(self.lines[line]));
        let to = end.min(start + MARKED_BYTES_MAX) + AROUND_BYTES;
        let to = boundary(to.min(self.end_of_line(line)).max(from));
        let column = self.text[self.lines[line]..from].chars().count();
        let text = self.text[from..to].into();
        Shown { name: self.name, text, lines: [0].into(), cut: Cut { byte: from, line, column } }
    }

    /// Returns which part of the file is at hand.
    pub fn cut(&self) -> Cut {
        self.cut
    }

    /// Returns how many bytes are at hand.
    pub fn len(&self) -> usize {
        self.text.len()
    }
}

impl SourceCode for Shown {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (start, end) = (span.offset(), span.offset() + span.len());
        if end > self.text.len() {
            return Err(MietteError::OutOfBounds);
        }
        let first = self.line_of(start).saturating_sub(lines_before);
        let last = self.line_of(end.saturating_sub(1).max(start)) + lines_after;
        // Asked for no context, miette wants the span itself and its column; else whole lines.
        let line = self.lines[first];
        let from = if lines_before == 0 { start } else { line };
        let column = self.text.get(line..from).map_or(0, |before| before.chars().count());
        let to = self.lines.get(last + 1).copied().unwrap_or(self.text.len());
        let data = self.text.as_bytes().get(from..to).unwrap_or_default();
        let count = self.lines.len().min(last + 1) - first;
        let name = self.name.to_string();
        let (first, column) = match first {
            0 => (self.cut.line, column + self.cut.column),
            _ => (self.cut.line + first, column),
        };
        let contents = MietteSpanContents::new_named(name, data, (from, to - from).into(), first, column, count);
        Ok(Box::new(contents))
    }
}
