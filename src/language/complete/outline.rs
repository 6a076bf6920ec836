//! A YAML text that is being written, read as far as it goes: which keys and scalars stand where, and where it ends.
//! Takes any text and never fails. Whether it is right is `syntax`'s business.

/// A step from a map or a list to what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PathStep {
    /// The value of a key.
    Key(String),
    /// An element of a list, by the byte at which it begins.
    Item(usize),
}

/// A key, or a scalar, with the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutlineEntry {
    /// Ends with the key, or with what the scalar is the value of.
    pub path: Vec<PathStep>,
    /// The scalar without its quotes; `None`: a key.
    pub scalar: Option<String>,
}

/// Where something can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WritingPlace {
    /// The way to the map or list that it stands in, or to the key that it is the value of.
    pub path: Vec<PathStep>,
    /// The byte at which the word begins that is being written.
    pub from: usize,
    /// Whether it can only be a scalar.
    pub is_value: bool,
}

/// What stands in a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Outline {
    /// In the order of the text.
    pub written: Vec<OutlineEntry>,
    /// Where its end is; `None` in comments and long texts.
    pub end: Option<WritingPlace>,
}

/// Reads a text.
pub(crate) fn outline(text: &str) -> Outline {
    let mut reader =
        OutlineReader { text, at: 0, line: 0, block: Vec::new(), flow: Vec::new(), outline: Outline::default() };
    while reader.at < text.len() {
        reader.line();
    }
    if text.is_empty() || text.ends_with('\n') && reader.flow.is_empty() {
        reader.blank(0);
    }
    reader.outline
}

/// An open `{` or `[`.
enum Flow {
    Map(Option<String>),
    List(usize),
}

struct OutlineReader<'t> {
    text: &'t str,
    at: usize,
    /// Where the line begins.
    line: usize,
    /// What is open, by its column.
    block: Vec<(usize, PathStep)>,
    flow: Vec<Flow>,
    outline: Outline,
}

impl<'t> OutlineReader<'t> {
    fn rest(&self) -> &'t str {
        let rest = &self.text[self.at..];
        &rest[..rest.find('\n').unwrap_or(rest.len())]
    }

    fn skip_spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn path(&self) -> Vec<PathStep> {
        let flow = self.flow.iter().filter_map(|flow| match flow {
            Flow::Map(key) => key.clone().map(PathStep::Key),
            Flow::List(item) => Some(PathStep::Item(*item)),
        });
        self.block.iter().map(|(_, step)| step.clone()).chain(flow).collect()
    }

    fn ends(&mut self, from: usize, is_value: bool) {
        self.outline.end = Some(WritingPlace { path: self.path(), from, is_value });
    }

    fn write(&mut self, scalar: Option<String>) {
        let path = self.path();
        self.outline.written.push(OutlineEntry { path, scalar });
    }

    /// Closes what a line at a column is not part of.
    fn close(&mut self, column: usize, is_item: bool) {
        let holds = |(at, step): &(usize, PathStep)| {
            *at < column || *at == column && is_item && matches!(step, PathStep::Key(_))
        };
        while self.block.last().is_some_and(|open| !holds(open)) {
            self.block.pop();
        }
    }

    /// Ends on a line on which nothing stands yet.
    fn blank(&mut self, column: usize) {
        self.close(column, false);
        self.ends(self.text.len(), false);
    }

    fn line(&mut self) {
        self.line = self.at;
        self.skip_spaces();
        let (column, rest) = (self.at - self.line, self.rest());
        if rest.is_empty() && self.at == self.text.len() {
            self.blank(column);
        } else if rest.starts_with('#') || rest.starts_with("---") {
            self.outline.end = None;
            self.at += self.rest().len();
        } else if !rest.is_empty() {
            self.entry();
        }
        self.skip_line_end();
    }

    fn skip_line_end(&mut self) {
        self.at = (self.at + self.rest().len() + 1).min(self.text.len());
    }

    /// Reads what stands at the beginning of a line, or behind the dash of an item.
    fn entry(&mut self) {
        loop {
            let column = self.at - self.line;
            if self.rest() != "-" && !self.rest().starts_with("- ") {
                self.close(column, false);
                break;
            }
            self.close(column, true);
            self.block.push((column, PathStep::Item(self.at)));
            self.at += 1;
            self.skip_spaces();
            self.ends(self.at, false);
        }
        let column = self.at - self.line;
        match key_of(self.rest()) {
            Some((key, length)) => {
                self.block.push((column, PathStep::Key(key)));
                self.write(None);
                self.at += length;
                self.skip_spaces();
                self.value(column, true);
            }
            None if !self.rest().is_empty() => self.value(column, false),
            None => {}
        }
    }

    /// Reads a value up to its end, which is at the latest that of the line, unless it is in brackets or a long text.
    fn value(&mut self, column: usize, of_key: bool) {
        match self.rest().chars().next() {
            Some('{' | '[') => self.brackets(),
            Some('|' | '>') => self.long_text(column),
            Some('#') => self.outline.end = None,
            _ => {
                let from = self.at;
                let (scalar, begins, length) = scalar_of(self.rest(), false);
                self.ends(from + begins, of_key);
                self.at += length;
                if !scalar.is_empty() {
                    self.write(Some(scalar));
                }
                if !self.rest().trim_end().is_empty() {
                    self.outline.end = None;
                }
            }
        }
    }

    /// Passes over a text of several lines.
    fn long_text(&mut self, column: usize) {
        self.outline.end = None;
        loop {
            self.skip_line_end();
            let rest = self.rest();
            let indent = rest.len() - rest.trim_start().len();
            if self.at >= self.text.len() || !rest.trim().is_empty() && indent <= column {
                // The line itself is read by who called.
                self.at = self.at.saturating_sub(usize::from(self.at < self.text.len()));
                return;
            }
        }
    }

    /// Reads what stands in brackets, over lines; what is never closed ends where a line stands too far left.
    fn brackets(&mut self) {
        while self.at < self.text.len() {
            self.skip_spaces();
            let rest = self.rest();
            match rest.chars().next() {
                None if self.goes_on_below() => {
                    self.skip_line_end();
                    self.skip_spaces();
                    self.move_end();
                }
                None => {
                    self.flow.clear();
                    return;
                }
                Some('#') => {
                    self.outline.end = None;
                    self.at += rest.len();
                }
                Some(sign) if "{}[],".contains(sign) => {
                    self.sign(sign);
                    if self.flow.is_empty() {
                        self.outline.end = None;
                        return;
                    }
                }
                Some(_) => self.word(),
            }
        }
    }

    /// A word that has not begun begins at the latest place.
    fn move_end(&mut self) {
        let (text, at) = (self.text, self.at);
        if let Some(end) = self.outline.end.as_mut().filter(|end| text[end.from..at].trim().is_empty()) {
            end.from = at;
        }
    }

    fn sign(&mut self, sign: char) {
        match (sign, self.flow.last_mut()) {
            ('{', _) => self.flow.push(Flow::Map(None)),
            ('[', _) => self.flow.push(Flow::List(self.at)),
            (',', Some(Flow::Map(key))) => *key = None,
            (',', Some(Flow::List(item))) => *item = self.at,
            _ => {
                self.flow.pop();
            }
        }
        self.at += 1;
        let at = self.at + self.rest().len() - self.rest().trim_start().len();
        self.ends(at, matches!(self.flow.last(), Some(Flow::List(_))));
    }

    /// Reads a key or a scalar in brackets.
    fn word(&mut self) {
        let from = self.at;
        let (word, begins, length) = scalar_of(self.rest(), true);
        let behind = self.rest()[length..].trim_start();
        let is_key = behind.starts_with(':') && !word.is_empty();
        if let (true, Some(Flow::Map(key @ None))) = (is_key, self.flow.last_mut()) {
            *key = Some(word);
            self.write(None);
            self.at = from + self.rest().len() - behind.len() + 1;
            let at = self.at + self.rest().len() - self.rest().trim_start().len();
            self.ends(at, true);
            return;
        }
        self.ends(from + begins, !matches!(self.flow.last(), Some(Flow::Map(None))));
        if !word.is_empty() && !matches!(self.flow.last(), Some(Flow::Map(None))) {
            self.write(Some(word));
        }
        self.at = from + length.max(1);
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
    }

    /// Returns whether the next line that holds something belongs to what is in brackets here.
    fn goes_on_below(&self) -> bool {
        let least = self.block.last().map_or(0, |(column, _)| *column);
        let next = self.text[self.at..].lines().skip(1).find(|line| !line.trim().is_empty());
        next.is_none_or(|line| {
            let content = line.trim_start();
            line.len() - content.len() > least || content.starts_with(['}', ']'])
        })
    }
}

/// Returns the key at the beginning of a line, and its length with the colon.
fn key_of(line: &str) -> Option<(String, usize)> {
    let (key, length) = match line.chars().next()? {
        quote @ ('"' | '\'') => {
            let inner = line[1..].find(quote)?;
            (&line[1..=inner], inner + 2)
        }
        '{' | '[' | '#' | '|' | '>' => return None,
        _ => {
            let length = line.match_indices(':').map(|(at, _)| at).find(|at| ends_key(&line[at + 1..]))?;
            (line[..length].trim_end(), length)
        }
    };
    let rest = &line[length..];
    let colon = rest.len() - rest.trim_start().len();
    let is_key = rest[colon..].strip_prefix(':').is_some_and(ends_key);
    (is_key && !key.contains(" #")).then(|| (key.to_owned(), length + colon + 1))
}

fn ends_key(behind: &str) -> bool {
    behind.is_empty() || behind.starts_with([' ', '\t', '\r'])
}

/// Returns the scalar at the beginning of a line, where its text begins, and how long it is with its quotes.
fn scalar_of(line: &str, in_brackets: bool) -> (String, usize, usize) {
    if let Some(quote @ ('"' | '\'')) = line.chars().next() {
        let end = line[1..].find(quote).map(|at| at + 1);
        let inner = end.unwrap_or(line.len());
        return (line[1..inner].to_owned(), 1, end.map_or(inner, |end| end + 1));
    }
    let is_end = |(at, sign): &(usize, char)| match sign {
        '#' => *at == 0 || line[..*at].ends_with([' ', '\t']),
        ',' | '{' | '}' | '[' | ']' => in_brackets,
        ':' => in_brackets && ends_key(&line[at + 1..]),
        _ => false,
    };
    let length = line.char_indices().find(is_end).map_or(line.len(), |(at, _)| at);
    (line[..length].trim_end().to_owned(), 0, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a way with dots, an element as `-`.
    fn shown(path: &[PathStep]) -> String {
        let steps = path.iter().map(|step| match step {
            PathStep::Key(key) => key.as_str(),
            PathStep::Item(_) => "-",
        });
        steps.collect::<Vec<_>>().join(".")
    }

    #[track_caller]
    fn ends(text: &str, path: &str, word: &str, is_value: bool) {
        let end = outline(text).end.unwrap_or_else(|| panic!("no place in {text:?}"));
        assert_eq!((shown(&end.path).as_str(), &text[end.from..], end.is_value), (path, word, is_value), "{text:?}");
    }

    #[test]
    fn the_end_of_a_text_has_its_place() {
        ends("", "", "", false);
        ends("que", "", "que", false);
        ends("queues:\n", "", "", false);
        ends("queues:\n  - na", "queues.-", "na", false);
        ends("queues:\n- name: work\n  ty", "queues.-", "ty", false);
        ends("queues:\n- name: work\n  type: ", "queues.-.type", "", true);
        ends("queues:\n- name: work\nex", "", "ex", false);
        ends("consumers:\n  worker:\n    queue: w", "consumers.worker.queue", "w", true);
        ends("consumers:\n  worker:\n    ", "consumers.worker", "", false);
        ends("consumers:\n  worker:\n    queue: work\n  ", "consumers", "", false);
        ends("steps:\n  - publish: {exchange: orders, ro", "steps.-.publish", "ro", false);
        ends("steps:\n  - publish: {exchange: \"or", "steps.-.publish.exchange", "or", true);
        ends("steps:\n  - publish: {exchange: ", "steps.-.publish.exchange", "", true);
        ends("steps:\n  - publish: {exchange: orders,\n      ", "steps.-.publish", "", false);
        ends("on_message: [{match: {id: a}, do: [ack, ", "on_message.-.do.-", "", true);
        ends("queues:\n  - {name: a}\n  - {na", "queues.-", "na", false);
        ends("a: |\n  text: x\nb: c", "b", "c", true);
        ends("a: {b: c\nd: e", "d", "e", true);
    }

    #[test]
    fn comments_and_long_texts_have_no_place() {
        for text in ["# que", "a: b # c", "a: |\n  text", "a: {b: c} "] {
            assert_eq!(outline(text).end, None, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_found_with_its_way() {
        let text = "queues:\n  - name: work # the first\n    bindings: [{source: orders}]\n  - {name: 'dead', durable: true}\nvhosts: [a, \"b\"]\n";
        let scalars = outline(text).written.into_iter().filter_map(|one| Some((shown(&one.path), one.scalar?)));
        let scalars: Vec<String> = scalars.map(|(path, scalar)| format!("{path}={scalar}")).collect();
        assert_eq!(
            scalars,
            [
                "queues.-.name=work",
                "queues.-.bindings.-.source=orders",
                "queues.-.name=dead",
                "queues.-.durable=true",
                "vhosts.-=a",
                "vhosts.-=b"
            ]
        );
    }

    #[test]
    fn any_text_is_read_to_its_end() {
        let letters: Vec<char> = include_str!("../reference.md").chars().collect();
        for part in letters.chunks(397) {
            let (forth, back): (String, String) = (part.iter().collect(), part.iter().rev().collect());
            outline(&back);
            outline(&format!("a: {{{forth}"));
            (0..back.len()).filter(|at| back.is_char_boundary(*at)).step_by(41).for_each(|at| {
                outline(&back[..at]);
            });
        }
    }
}
