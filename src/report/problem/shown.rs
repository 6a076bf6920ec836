//! A source as miette reads it: masked once, its lines found by search, so that a large file costs no more than a small one.

use super::mask;
use crate::source::{FileId, Sources};
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Holds the masked texts of one drawing.
#[derive(Debug, Default)]
pub struct Shelf {
    files: BTreeMap<FileId, Shown>,
}

/// Is one masked text with the places where its lines begin.
#[derive(Debug, Clone)]
pub struct Shown {
    name: Arc<str>,
    text: Arc<str>,
    lines: Arc<[usize]>,
}

impl Shelf {
    /// Gives the masked text of a file.
    pub fn take(&mut self, sources: &Sources, file: FileId) -> Shown {
        let make = || {
            let source = sources.get(file);
            let text: Arc<str> = mask(&source.text).into();
            let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
            Shown { name: source.name.as_str().into(), text, lines }
        };
        self.files.entry(file).or_insert_with(make).clone()
    }
}

impl SourceCode for Shown {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let line_of = |at: usize| self.lines.partition_point(|start| *start <= at).saturating_sub(1);
        let (start, end) = (span.offset(), span.offset() + span.len());
        if end > self.text.len() {
            return Err(MietteError::OutOfBounds);
        }
        let first = line_of(start).saturating_sub(lines_before);
        let last = line_of(end.saturating_sub(1).max(start)) + lines_after;
        // Asked for no context, miette wants the span itself and its column; else whole lines.
        let line = self.lines[first];
        let from = if lines_before == 0 { start } else { line };
        let column = self.text.get(line..from).map_or(0, |before| before.chars().count());
        let to = self.lines.get(last + 1).copied().unwrap_or(self.text.len());
        let data = self.text.as_bytes().get(from..to).unwrap_or_default();
        let count = self.lines.len().min(last + 1) - first;
        let name = self.name.to_string();
        let contents = MietteSpanContents::new_named(name, data, (from, to - from).into(), first, column, count);
        Ok(Box::new(contents))
    }
}
