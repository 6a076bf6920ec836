//! Named texts and byte spans in them.
//! Takes texts as they were read; gives ids, spans and human positions. Never touches the file system.

use std::sync::Arc;

/// Names one text of a [`Sources`]: which part of it holds the text, and the place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileId {
    part: u16,
    place: u32,
}

impl FileId {
    /// Names no text of any [`Sources`].
    const NONE: Self = Self { part: u16::MAX, place: u32::MAX };
}

/// A range of bytes in one file, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The text that it points into.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// The byte behind the last one.
    pub end: u32,
}

impl Span {
    /// Makes the span `start..end` (bytes) of `file`.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Self { file, start: start as u32, end: end.max(start) as u32 }
    }

    /// Makes the place of something that stands in no file: a number that tells it from others.
    pub fn in_no_file(number: usize) -> Self {
        Self::new(FileId::NONE, number, number)
    }

    /// Returns whether nothing can be shown there: no text holds it.
    pub fn is_in_no_file(self) -> bool {
        self.file == FileId::NONE
    }

    /// Reaches from the start of `self` to the end of `other`.
    pub fn to(self, other: Span) -> Self {
        Self { file: self.file, start: self.start, end: other.end.max(self.end) }
    }
}

/// A place as people count it: line and column from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Counts from 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

/// Holds one text under the name that the user gave.
#[derive(Debug, Clone)]
pub struct Source {
    /// As the user named it.
    pub name: String,
    /// The whole of it.
    pub text: Arc<str>,
}

/// Holds all texts of a run; ids are handed out in the order of arrival. Texts can be added side by side: each thread
/// to a part of its own, which are joined afterwards.
///
/// ```
/// use rmqplay::source::{Sources, Span};
/// let mut sources = Sources::default();
/// let file = sources.add("orders.yaml", "queues:\n  - name: work\n");
/// let place = sources.position(Span::new(file, 12, 16));
/// assert_eq!((place.line, place.column), (2, 5));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Which part this is; the whole is part 0.
    part: u16,
    files: Vec<Source>,
    joined: Vec<Vec<Source>>,
}

impl Sources {
    /// Keeps `text` under `name` and gives its id.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> FileId {
        self.files.push(Source { name: name.into(), text: text.into() });
        FileId { part: self.part, place: self.files.len() as u32 - 1 }
    }

    /// Returns which part this is: parts are joined in this order.
    pub fn part(&self) -> u16 {
        self.part
    }

    /// Returns how many texts this part holds.
    pub fn held(&self) -> usize {
        self.files.len()
    }

    /// Forgets what was added to this part since it held so many texts: nothing points there any more.
    pub fn forget_since(&mut self, held: usize) {
        self.files.truncate(held);
    }

    /// Makes so many empty parts, to be joined again in this order.
    pub fn split(&self, parts: u16) -> Vec<Sources> {
        let first = self.joined.len() as u16 + 1;
        (first..first + parts).map(|part| Sources { part, ..Sources::default() }).collect()
    }

    /// Takes the texts of a part that [`Sources::split`] made; what is named by them is found here from now on.
    ///
    /// # Panics
    /// When parts are joined in another order, or to another whole.
    pub fn join(&mut self, part: Sources) {
        assert_eq!(usize::from(part.part), self.joined.len() + 1, "the next part");
        self.joined.push(part.files);
    }

    /// Returns the file of that id.
    ///
    /// # Panics
    /// When the id comes from another `Sources`.
    pub fn get(&self, file: FileId) -> &Source {
        let files = if file.part == self.part { &self.files } else { &self.joined[usize::from(file.part) - 1] };
        &files[file.place as usize]
    }

    /// Lists the ids of all texts.
    pub fn ids(&self) -> impl Iterator<Item = FileId> {
        let parts = std::iter::once((self.part, &self.files)).chain((1..).zip(&self.joined));
        parts.flat_map(|(part, files)| (0..files.len() as u32).map(move |place| FileId { part, place }))
    }

    /// Returns line and column of a span's start; past the end of the text it is the last place.
    pub fn position(&self, span: Span) -> Position {
        let text = &self.get(span.file).text;
        let mut at = (span.start as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &text[..at];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        Position { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}
