//! Reads the keys of a map: each known key once, what is left over is a problem with the nearest right spelling.
//! Takes a node and what it is called; problems go to the [`Diagnostics`], so that one pass finds them all.

use crate::language::decode::judged_for::{JudgedFor, RefusedBy};
use crate::language::decode::read;
use crate::language::decode::read::{DecodeError, ExpectedScalar, Read};
use crate::language::decode::suggestions;
use crate::language::syntax::tree::{Entry, Node, NodeKind, Style};
use crate::language::words::examples::{self, Shape};
use crate::language::words::{WordGroup, hints};
use crate::model::Allowance;
use crate::source::is_secret;
use crate::source::{Code, Help, Level, Problem, Span};
use std::collections::BTreeSet;

/// How many problems of a file are kept.
pub const PROBLEMS_MAX: usize = 200;

/// Collects problems while a tree is decoded.
#[derive(Debug, Default)]
pub struct Diagnostics {
    pub problems: Vec<Problem>,
    /// A broker wrote the file: unknown keys are notes, refusals of its own objects too.
    pub export: bool,
    /// What the file says is meant to be so.
    pub allowed: Vec<Allowance>,
    /// What is read must be refused by the broker: whatever can be carried to it is its to judge.
    pub refused: bool,
    /// The versions whose refusals count.
    pub judged_for: JudgedFor,
    /// What an export's unknown keys are in, and their names: each is told once.
    unknown_keys: BTreeSet<(&'static str, String)>,
}

impl Diagnostics {
    /// Takes a problem.
    pub fn add(&mut self, problem: Problem) {
        let same_level = self.problems.iter().filter(|known| known.level == problem.level).count();
        if same_level < PROBLEMS_MAX {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        } else if same_level == PROBLEMS_MAX {
            // Notes never crowd out a problem, and a problem is never lost to a note.
            let message = format!("there are more than {PROBLEMS_MAX} of these; the rest is not listed");
            self.problems.push(Problem { level: problem.level, ..Problem::new(Code::FileTooMany, message) });
        }
    }

    /// Leaves out what is meant to be so; what stops the work stays.
    pub fn silence(&mut self) {
        let allowed = &mut self.allowed;
        let mut is_meant = |problem: &Problem| {
            let covering = allowed.iter_mut().filter(|one| one.covers(problem.code, problem.span()));
            covering.map(|one| one.used = true).count() > 0
        };
        self.problems.retain(|problem| problem.level == Level::Problem || !is_meant(problem));
    }

    /// Takes a problem unless another of the same code stands at its place.
    pub fn add_unless_told(&mut self, problem: Problem) {
        let is_told = |known: &Problem| known.code == problem.code && known.span() == problem.span();
        if !self.problems.iter().any(is_told) {
            self.add(problem);
        }
    }

    /// Returns whether no further problem is kept, so that none need be worked out.
    pub fn is_full(&self) -> bool {
        let level = if self.export { Level::Note } else { Level::Problem };
        self.problems.iter().filter(|known| known.level == level).count() > PROBLEMS_MAX
    }

    /// Takes what the broker would refuse: only worth a note in an export, and nothing where a refusal is expected.
    pub fn judge(&mut self, problem: Problem) {
        if !self.refused {
            self.add_unless_exported(problem);
        }
    }

    /// Takes a problem that is only worth a note in an export.
    fn add_unless_exported(&mut self, mut problem: Problem) {
        if self.export {
            problem.level = Level::Note;
        }
        self.add(problem);
    }

    /// Decodes what a step or an action says, which the broker must refuse or not.
    pub fn must_be_refused<T>(&mut self, refused: bool, decode: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.refused, refused);
        let decoded = decode(self);
        self.refused = outer;
        decoded
    }

    /// Takes what some versions refuse: a problem where none takes it, else a note. In an export it is a problem where the
    /// versions were asked for: else the broker that wrote it took it.
    pub fn judge_for<T>(&mut self, refused: &RefusedBy<T>, mut problem: Problem) {
        if self.refused {
            return;
        }
        match refused.is_by_all() {
            true if self.judged_for.is_asked => return self.add(problem),
            true => {}
            false => problem.level = Level::Note,
        }
        self.judge(problem);
    }

    /// Reads a value that stands at no key of its own.
    pub fn read<T>(&mut self, what: &str, node: &Node, reader: impl Fn(&Node) -> Read<T>) -> Option<T> {
        match reader(node) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.wrong(what, node, wrong);
                None
            }
        }
    }

    /// Reads the value of a key.
    pub fn read_key<T>(&mut self, key: &str, node: &Node, reader: impl Fn(&Node) -> Read<T>) -> Option<T> {
        match reader(node) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.wrong(&format!("`{key}`"), node, wrong);
                None
            }
        }
    }

    /// Reports what is wrong with a value.
    pub fn wrong(&mut self, what: &str, node: &Node, wrong: DecodeError) {
        let problem = match wrong {
            DecodeError::Known => return,
            DecodeError::Kind(expected) => not_of_kind(what, node, expected),
            DecodeError::Scalar(expected) => {
                let problem = not_of_kind(what, node, expected.words());
                let help = problem.help.clone().or_else(|| help_for_scalar(expected, node));
                Problem { help, ..problem }
            }
            DecodeError::Value { message, help } => {
                let problem = Problem::new(Code::ValueBad, format!("{what} {message}")).at(node.span, "here");
                Problem { help, ..problem }
            }
            DecodeError::Sentence { message, help } => {
                Problem { help, ..Problem::new(Code::ValueBad, message).at(node.span, "here") }
            }
        };
        self.add(problem);
    }

    /// Notes once what an export says by null: RabbitMQ's own import takes that for some keys, and refuses it for others.
    fn note_null(&mut self, what: &str, node: &Node) {
        if self.unknown_keys.insert(("null", what.to_owned())) {
            let note = Problem::note(Code::ValueKind, format!("{what} is null, and is read as if it were not there"));
            self.add(note.at(node.span, "null"));
        }
    }

    /// Reports that a key is of the language but not built.
    pub fn not_yet(&mut self, key: &str, span: Span, help: &str) {
        let message = format!("`{key}` is not available yet");
        self.add(Problem::new(Code::ScenarioNotYet, message).at(span, "not available yet").help(help));
    }
}

fn not_of_kind(what: &str, node: &Node, expected: &str) -> Problem {
    let message = format!("{what} takes {expected}, found {}", node.describe());
    let problem = Problem::new(Code::ValueKind, message).at(node.span, format!("expected {expected}"));
    match &node.kind {
        NodeKind::Null if node.style == Style::Block => {
            problem.help("a `#` after a space begins a comment: quote the value")
        }
        NodeKind::Late(_) => problem.help("this must be known when the file is read"),
        _ => problem,
    }
}

/// Returns what to do about a scalar that looks like another.
fn help_for_scalar(expected: ExpectedScalar, node: &Node) -> Option<Help> {
    match (expected, &node.kind) {
        (ExpectedScalar::Text, NodeKind::Integer(n)) => Some(format!("quote it: \"{n}\"").into()),
        (ExpectedScalar::Text, NodeKind::Bool(_) | NodeKind::Float(_)) => Some("quote it".into()),
        (ExpectedScalar::WholeNumber, NodeKind::Text(text)) if text.parse::<i64>().is_ok() => {
            Some("leave the quotes out".into())
        }
        (ExpectedScalar::Switch, NodeKind::Text(text)) if matches!(&**text, "yes" | "no" | "on" | "off") => {
            Some("YAML 1.2 knows only `true` and `false`".into())
        }
        _ => None,
    }
}

/// Reads the keys of one map.
#[derive(Debug)]
pub struct MapDecoder<'n> {
    group: &'static WordGroup,
    what: &'static str,
    node: &'n Node,
    entries: &'n [Entry],
    taken: Vec<bool>,
    known: Vec<&'static str>,
}

impl<'n> MapDecoder<'n> {
    /// Opens a map whose keys are those of a group of the table, or says that it is none.
    pub fn of(group: &str, what: &'static str, node: &'n Node, desk: &mut Diagnostics) -> Option<Self> {
        let group = WordGroup::named(group)?;
        match &node.kind {
            NodeKind::Map(entries) => {
                let mut fields =
                    Self { group, what, node, entries, taken: vec![false; entries.len()], known: Vec::new() };
                fields.allowances(desk);
                Some(fields)
            }
            NodeKind::Faulty => None,
            _ => {
                let message = format!("{what} is a map, found {}", node.describe());
                desk.add(Problem::new(Code::ValueKind, message).at(node.span, "expected a map of keys and values"));
                None
            }
        }
    }

    /// Reads which findings are meant to be so within this map.
    fn allowances(&mut self, desk: &mut Diagnostics) {
        if !self.group.has("allow") || !self.has("allow") {
            return;
        }
        if let Some(list) = self.node("allow") {
            let within = self.node.span;
            let read = each("`allow`", list, desk, |node, desk| allowance(node, within, desk));
            desk.allowed.extend(read);
        }
    }

    /// Takes a key of the table with its place.
    pub fn entry(&mut self, key: &'static str) -> Option<&'n Entry> {
        debug_assert!(self.group.has(key), "the table has no key `{key}` in the group `{}`", self.group.name);
        self.known.push(key);
        self.take(key)
    }

    /// Takes a key that is none of the language, to say what to write instead.
    pub fn take(&mut self, key: &str) -> Option<&'n Entry> {
        let at = self.entries.iter().position(|entry| entry.key == key)?;
        self.taken[at] = true;
        Some(&self.entries[at])
    }

    /// Takes the value of a key.
    pub fn node(&mut self, key: &'static str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Returns whether a key is there, without taking it.
    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// Returns the place of the first key, or of an empty map.
    pub fn span(&self) -> Span {
        self.entries.first().map_or(self.node.span, |entry| entry.key_span)
    }

    /// Returns whether the table has a key for maps of this kind.
    pub fn may_have(&self, key: &str) -> bool {
        self.group.has(key)
    }

    /// Reads a key that may be absent.
    pub fn opt<T>(
        &mut self,
        key: &'static str,
        desk: &mut Diagnostics,
        reader: impl Fn(&Node) -> Read<T>,
    ) -> Option<T> {
        let node = self.node(key)?;
        if desk.export && matches!(node.kind, NodeKind::Null) {
            desk.note_null(&format!("`{key}`"), node);
            return None;
        }
        desk.read_key(key, node, reader)
    }

    /// Reads a key that must be there.
    pub fn need<T>(
        &mut self,
        key: &'static str,
        desk: &mut Diagnostics,
        reader: impl Fn(&Node) -> Read<T>,
    ) -> Option<T> {
        let is_null = |entry: &Entry| entry.key == key && matches!(entry.value.kind, NodeKind::Null);
        if !self.has(key) || (desk.export && self.entries.iter().any(is_null)) {
            self.entry(key);
            self.missing(key, desk);
            return None;
        }
        self.opt(key, desk, reader)
    }

    /// Returns whether a key that nobody took is near to one that is not there: it will be told as unknown, and what the absence
    /// brings about only follows from it.
    pub fn is_misspelt(&self, key: &str) -> bool {
        let mut left = self.entries.iter().zip(&self.taken).filter(|(_, taken)| !**taken);
        !self.has(key) && left.any(|(entry, _)| suggestions::nearest(&entry.key, [key]).is_some())
    }

    /// Reports that a key is missing, unless a key that is near to it is there.
    pub fn missing(&self, key: &str, desk: &mut Diagnostics) {
        if !self.is_misspelt(key) {
            let span = self.span();
            let message = format!("{} needs `{key}`", self.what);
            let problem = Problem::new(Code::ValueMissing, message).at(span, format!("no `{key}` in this one"));
            let line = examples::of_key(self.group, key, Shape::Scalar);
            desk.add(Problem { help: line.map(|line| format!("like this: `{line}`").into()), ..problem });
        }
    }

    /// Takes keys that the language has but that are not built, and says so.
    pub fn not_yet(&mut self, desk: &mut Diagnostics, keys: &[(&str, &str)]) {
        for (key, help) in keys {
            if let Some(entry) = self.take(key) {
                desk.not_yet(key, entry.key_span, help);
            }
        }
    }

    /// Takes keys without a look.
    pub fn ignore(&mut self, keys: &[&str]) {
        for key in keys {
            self.take(key);
        }
    }

    /// Reports which keys are unknown.
    pub fn finish(mut self, desk: &mut Diagnostics) {
        if self.taken.iter().all(|taken| *taken) || desk.is_full() {
            return;
        }
        let mut asked = BTreeSet::new();
        self.known.retain(|key| asked.insert(*key));
        for (at, entry) in self.entries.iter().enumerate().filter(|(at, _)| !self.taken[*at]) {
            // `{password: one,two}` makes a key of the second half.
            let half_a_secret =
                at > 0 && is_secret(&self.entries[at - 1].key) && matches!(entry.value.kind, NodeKind::Null);
            let key = if half_a_secret { "…" } else { &entry.key };
            let message = format!("unknown key `{key}` in {}", self.what);
            // A newer broker writes its new key into every object: one note says it all.
            if desk.export && !desk.unknown_keys.insert((self.what, key.to_owned())) {
                continue;
            }
            let near = suggestions::nearest(&entry.key, self.known.iter().copied()).map(Help::did_you_mean);
            let help = hints::written(self.group, &entry.key)
                .or(near)
                .or_else(|| hints::place(self.group, &entry.key))
                .unwrap_or_else(|| format!("it knows: {}", suggestions::listed(&self.known)).into());
            let problem = Problem::new(Code::YamlUnknownKey, message).at(entry.key_span, "unknown key");
            desk.add_unless_exported(problem.help(help));
        }
    }
}

/// Reads an entry of `allow`: a code that stops nothing, and the reason.
fn allowance(node: &Node, within: Span, desk: &mut Diagnostics) -> Option<Allowance> {
    let mut fields = MapDecoder::of("allowance", "an entry of `allow`", node, desk)?;
    let code = fields.need("code", desk, read::text);
    let reason = fields.need("reason", desk, read::text);
    let place = fields.node("code").map_or(node.span, |code| code.span);
    let place_of_reason = fields.node("reason").map_or(node.span, |reason| reason.span);
    fields.finish(desk);
    let (code, reason) = (code?, reason?);
    if reason.trim().is_empty() {
        let problem = Problem::new(Code::ValueBad, format!("no reason why `{code}` is allowed"));
        let problem = problem.at(place_of_reason, "empty");
        desk.add(problem.help("say why it is meant to be so: `reason: a price is worthless after a minute`"));
        return None;
    }
    let Some(known) = Code::ALL.iter().copied().find(|known| known.text() == code) else {
        let names = Code::ALL.iter().map(|code| code.text());
        let problem = Problem::new(Code::ValueBad, format!("no code `{code}`")).at(place, "not a code of `check`");
        desk.add(problem.help(match suggestions::nearest(&code, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`rmqplay explain` lists them".to_owned(),
        }));
        return None;
    };
    Some(Allowance { code: known, reason, span: place, within, used: false })
}

/// Decodes each entry of a list; a value that is no list is a problem.
pub fn each<'n, T>(
    what: &str,
    node: &'n Node,
    desk: &mut Diagnostics,
    mut decode: impl FnMut(&'n Node, &mut Diagnostics) -> Option<T>,
) -> Vec<T> {
    match &node.kind {
        NodeKind::List(entries) => entries.iter().filter_map(|entry| decode(entry, desk)).collect(),
        NodeKind::Faulty => Vec::new(),
        NodeKind::Null if desk.export => {
            desk.note_null(what, node);
            Vec::new()
        }
        _ => {
            desk.wrong(what, node, DecodeError::Kind("a list"));
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    #[test]
    #[should_panic(expected = "the table has no key `nonsense` in the group `peak`")]
    fn a_decoder_reads_no_key_that_the_table_lacks() {
        let node = Node::new(Span::new(FileId::default(), 0, 0), NodeKind::Map(Vec::new()));
        let mut fields = MapDecoder::of("peak", "`peak`", &node, &mut Diagnostics::default()).expect("a map");
        assert!(fields.entry("ready").is_none());
        fields.entry("nonsense");
    }
}
