//! Reads the part of YAML that most files keep to, at a fraction of the work of the whole language: blocks of maps and lists, flow
//! collections on one line, plain and quoted scalars of ASCII on one line, comments on lines of their own.
//! Takes a text; gives the builder with its tree, the same that the events of `parse` make, or nothing where there is anything else.

use crate::language::syntax::tree::Style;
use crate::language::syntax::tree_builder::TreeBuilder;
use crate::source::{FileId, Span};

/// How deep flow collections may nest here.
const DEPTH_MAX: usize = 20;

/// A list or a map of lines that goes on.
#[derive(Clone, Copy)]
struct OpenBlock {
    /// The column of its dashes or keys.
    column: usize,
    is_list: bool,
}

struct QuickParser<'t> {
    file: FileId,
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    line_start: usize,
    blocks: Vec<OpenBlock>,
    /// A key stands alone on its line: its value is the next block.
    awaits_block: bool,
    builder: TreeBuilder<'t>,
}

/// Builds the tree of a text; `None` where only the whole language can tell what it says.
pub fn build(file: FileId, text: &str) -> Option<TreeBuilder<'_>> {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n');
    if !text.as_bytes().iter().all(is_plain) {
        return None;
    }
    let mut parser = QuickParser {
        file,
        text,
        bytes: text.as_bytes(),
        at: 0,
        line_start: 0,
        blocks: Vec::new(),
        awaits_block: false,
        builder: TreeBuilder::new(file, text),
    };
    while parser.at < text.len() {
        parser.line_start = parser.at;
        parser.line()?;
        parser.at += 1;
    }
    if parser.awaits_block || parser.blocks.is_empty() {
        return None;
    }
    while !parser.blocks.is_empty() {
        parser.close_block();
    }
    Some(parser.builder)
}

impl<'t> QuickParser<'t> {
    /// Reads a line up to its end.
    fn line(&mut self) -> Option<()> {
        self.skip_spaces();
        match self.here() {
            None => return Some(()),
            Some(b'#') => {
                self.at = self.bytes[self.at..]
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .map_or(self.text.len(), |n| self.at + n);
                return Some(());
            }
            Some(_) => {}
        }
        let is_dash = self.is_dash();
        self.enter(is_dash)?;
        if is_dash {
            self.at += 1;
            self.skip_spaces();
            if self.is_dash() {
                return None;
            }
            match self.key_length() {
                Some(_) => self.open_block(false),
                None => return self.value_of_line(),
            }
        }
        self.key()?;
        self.skip_spaces();
        match self.here() {
            None => self.awaits_block = true,
            Some(_) => self.value_of_line()?,
        }
        Some(())
    }

    /// Returns the byte here, in this line.
    fn here(&self) -> Option<u8> {
        self.bytes.get(self.at).copied().filter(|byte| *byte != b'\n')
    }

    fn skip_spaces(&mut self) {
        while self.bytes.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
    }

    fn is_dash(&self) -> bool {
        self.here() == Some(b'-') && self.bytes.get(self.at + 1) == Some(&b' ')
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    /// Opens or closes blocks, so that the innermost one is that of a line.
    fn enter(&mut self, is_dash: bool) -> Option<()> {
        let column = self.at - self.line_start;
        let begins = match self.blocks.last() {
            None => true,
            Some(top) if self.awaits_block => {
                if column <= top.column {
                    return None;
                }
                true
            }
            Some(_) => false,
        };
        if begins {
            // One document has one root.
            if self.builder.root.is_some() {
                return None;
            }
            self.awaits_block = false;
            self.open_block(is_dash);
            return Some(());
        }
        while self.blocks.last().is_some_and(|top| top.column > column) {
            self.close_block();
        }
        let top = self.blocks.last()?;
        (top.column == column && top.is_list == is_dash).then_some(())
    }

    fn open_block(&mut self, is_list: bool) {
        self.blocks.push(OpenBlock { column: self.at - self.line_start, is_list });
        self.builder.open(self.span(self.at, self.at + 1), is_list, false);
    }

    fn close_block(&mut self) {
        self.blocks.pop();
        self.builder.close(self.span(self.at, self.at));
    }

    /// Returns how long the key is that stands here, if one does: what follows its colon is a space, or the end of the line.
    fn key_length(&self) -> Option<usize> {
        let rest = &self.bytes[self.at..];
        let is_first = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
        rest.first().filter(|byte| is_first(byte))?;
        let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let length = rest.iter().position(|byte| !is_inner(byte))?;
        let is_key = rest[length] == b':' && matches!(rest.get(length + 1), None | Some(b' ' | b'\n'));
        is_key.then_some(length)
    }

    /// Reads a key and its colon.
    fn key(&mut self) -> Option<()> {
        let length = self.key_length()?;
        let span = self.span(self.at, self.at + length);
        self.builder.key(&self.text[self.at..self.at + length], span);
        self.at += length + 1;
        Some(())
    }

    /// Reads the value that ends a line.
    fn value_of_line(&mut self) -> Option<()> {
        match self.here()? {
            b'{' | b'[' => self.flow(0)?,
            quote @ (b'"' | b'\'') => self.quoted(quote)?,
            _ => self.plain_to_end()?,
        }
        self.skip_spaces();
        self.here().is_none().then_some(())
    }

    /// Reads a plain scalar up to the end of its line.
    fn plain_to_end(&mut self) -> Option<()> {
        let rest = &self.bytes[self.at..];
        let line = &rest[..rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())];
        let is_indicator = |(at, byte): (usize, &u8)| match byte {
            b':' => matches!(line.get(at + 1), None | Some(b' ')),
            b'#' => at == 0 || line[at - 1] == b' ',
            _ => false,
        };
        if !begins_plain(line) || line.iter().enumerate().any(is_indicator) {
            return None;
        }
        self.scalar(line.trim_ascii_end().len());
        self.at += line.len();
        Some(())
    }

    /// Adds the plain scalar of this length that stands here.
    fn scalar(&mut self, length: usize) {
        let span = self.span(self.at, self.at + length);
        self.builder.value(&self.text[self.at..self.at + length], Style::Plain, span);
    }

    /// Reads a quoted scalar without an escape.
    fn quoted(&mut self, quote: u8) -> Option<()> {
        let start = self.at + 1;
        let length = self.bytes[start..].iter().position(|byte| matches!(byte, b'\n' | b'\\') || *byte == quote)?;
        let end = start + length;
        // Two quotes stand for one.
        if self.bytes[end] != quote || self.bytes.get(end + 1) == Some(&quote) {
            return None;
        }
        self.at = end + 1;
        self.builder.value(&self.text[start..end], Style::Quoted, self.span(start - 1, self.at));
        Some(())
    }

    /// Reads a flow collection.
    fn flow(&mut self, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        let is_list = self.bytes[self.at] == b'[';
        let end = if is_list { b']' } else { b'}' };
        self.builder.open(self.span(self.at, self.at + 1), is_list, true);
        self.at += 1;
        self.skip_spaces();
        let mut is_first = true;
        while !is_first || self.here()? != end {
            is_first = false;
            if !is_list {
                self.key()?;
                self.skip_spaces();
            }
            match self.here()? {
                b'{' | b'[' => self.flow(depth + 1)?,
                quote @ (b'"' | b'\'') => self.quoted(quote)?,
                _ => self.plain_in_flow()?,
            }
            self.skip_spaces();
            match self.here()? {
                b',' => self.at += 1,
                byte if byte == end => break,
                _ => return None,
            }
            self.skip_spaces();
        }
        self.at += 1;
        self.builder.close(self.span(self.at - 1, self.at));
        Some(())
    }

    /// Reads a plain scalar of a flow collection.
    fn plain_in_flow(&mut self) -> Option<()> {
        let rest = &self.bytes[self.at..];
        let is_inner = |byte: u8| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b' ' | b'_' | b'-' | b'.' | b'/' | b'+' | b'$' | b'(' | b')' | b'*' | b'=' | b'%')
        };
        let length = rest.iter().position(|byte| !is_inner(*byte))?;
        if !begins_plain(rest) || !matches!(rest[length], b',' | b']' | b'}') {
            return None;
        }
        let length = rest[..length].trim_ascii_end().len();
        self.scalar(length);
        self.at += length;
        Some(())
    }
}

/// Returns whether a text begins with what can only be a plain scalar.
fn begins_plain(rest: &[u8]) -> bool {
    match rest {
        [b'-', next, ..] => next.is_ascii_alphanumeric(),
        [first, ..] => first.is_ascii_alphanumeric() || matches!(first, b'_' | b'.' | b'/' | b'+' | b'$' | b'('),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::syntax::parse::parse_whole;
    use crate::source::Sources;

    /// Reads a text both ways; returns whether it was of the plain part.
    fn is_read_alike(text: &str) -> bool {
        let mut sources = Sources::default();
        let file = sources.add("a.yaml", text);
        let Some(quick) = build(file, text) else { return false };
        let whole = parse_whole(&sources, file);
        assert!(whole.whole, "no YAML: {text}");
        assert_eq!(format!("{:?}", quick.root), format!("{:?}", whole.root), "{text}");
        let mut problems = quick.problems;
        problems.sort_by_key(crate::source::Problem::span);
        assert_eq!(problems, whole.problems, "{text}");
        true
    }

    /// Files as people write them.
    const TEXTS: [&str; 4] = [
        "scenario: an order is taken\ntopology:\n  exchanges: [{name: orders, type: topic}]\n  queues: [{name: work, bindings: \
         [{source: orders, routing_key: \"order.#\"}]}]\nconsumers:\n  worker: {queue: work, prefetch: 1, on_message: [{do: \
         ack}]}\nsteps:\n  - publish: {exchange: orders, routing_key: order.created, body: 'order 1'}\n  - expect: {queue: work, \
         total: 0}\nsnapshot: off\n",
        "# An offer expires.\nscenario: an offer expires and dies\ntags: [offers, ttl]\ntopology:\n  exchanges:\n    - name: dlx\n      \
         type: fanout\n      durable: true\n  queues:\n    - {name: offers, message_ttl: 5s, dead_letter: {exchange: dlx}}\n    - \
         name: dead\n      bindings: [{source: dlx}]\n\nsteps:\n  - publish: {exchange: \"\", routing_key: offers, count: 10}\n\n  # \
         Later.\n  - expect: {queue: dead, ready: 10, within: 10s}\n",
        "queues:\n  - name: jobs\n    type: quorum\n    arguments:\n      x-delivery-limit: -1\n      x-max-length: 0x10\n      x-rate: \
         1.5\n  - name: \"the rest\"\n    durable: false\npolicies:\n  - name: p\n    pattern: \"^jobs$\"\n",
        "topology: ../shop.yaml\nscenario: one of many\nsteps:\n- wait: 1s\n",
    ];

    #[test]
    fn what_is_read_quickly_is_read_alike() {
        assert_eq!(TEXTS.map(is_read_alike), [true, true, true, false]);
        for (text, is_quick) in [
            ("a: 1\nb: [x, {c: -2}, \"d e\", 'f']\n", true),
            ("# words\na:\n  b: x # y\n", false),
            ("a:\n  - b: 1\n    c: null\n\n  # words\n  - d\ne: a:b#c", true),
            ("- a\n-   b:  c \n    d: {}\n- []\n", true),
            ("a: 1\na: 2\nb: {c: 1, c: 2}\n", true),
            ("a:\n- b\n", false),
            ("a: b\n c\n", false),
            ("a: {b: 1,c: 2}\nb: {c: 1, }\n", false),
            ("a: {b: 1,c: 2}\nb: true", true),
            ("a: {{ b }}\n", false),
            ("a: {b: c: d}\n", false),
            ("a: [b: c]\n", false),
            ("a: {b: }\n", false),
            ("a:\nb: 1\n", false),
            ("a: &b 1\nc: *b\n", false),
            ("a: \"b\\n\"\n", false),
            ("a: 'b''c'\n", false),
            ("a: \"b\" c\n", false),
            ("---\na: 1\n", false),
            ("a: 1\n---\nb: 1\n", false),
            ("a: \u{e9}\n", false),
            ("  a: 1\n  b: 1\n", true),
            ("  a: 1\nb: 1\n", false),
            ("a: |\n  b\n", false),
            ("", false),
            ("a:   ", false),
        ] {
            assert_eq!(is_read_alike(text), is_quick, "{text}");
        }
    }

    #[test]
    fn broken_and_odd_texts_are_read_alike_or_not_quickly() {
        const PIECES: [&str; 28] = [
            " ", "  ", "\n", "\n  ", ":", ": ", ",", ", ", "#", " #", "-", "- ", "{", "}", "[", "]", "\"", "'", "&",
            "*", "!", "|", "?", "a", "0", "<<", "\\", "~",
        ];
        // A sequence without a pattern that is the same each time.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 16) as usize % below
        };
        let (mut quick, rounds) = (0, 20_000);
        for _ in 0..rounds {
            let mut text = TEXTS[random(TEXTS.len())].to_owned();
            for _ in 0..1 + random(3) {
                let at = random(text.len() + 1);
                let until = (at + random(4)).min(text.len());
                let piece = if random(4) == 0 { "" } else { PIECES[random(PIECES.len())] };
                text.replace_range(at..until, piece);
            }
            quick += usize::from(is_read_alike(&text));
        }
        assert!(quick * 20 > rounds, "only {quick} of {rounds} were read quickly");
    }
}
