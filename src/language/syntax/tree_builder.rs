//! Grows a tree from parser events: keys, anchors, aliases, merges, tags and unquoted templates.
//! Takes events in order; gives the tree and problems at their places. An alias bomb stops at the alias.

use crate::language::decode::map_decoder::PROBLEMS_MAX;
use crate::language::syntax::scalar;
use crate::language::syntax::tree::{DEPTH_MAX, Entry, Node, NodeKind, Style};
use crate::model::Name;
use crate::source::is_secret;
use crate::source::{Code, FileId, Problem, Span};
use granit_parser::{Event, ScalarStyle, StructureStyle, Tag};
use std::collections::{BTreeMap, BTreeSet};

/// How many nodes all aliases of a file may add together.
const ALIASED_NODES_MAX: usize = 100_000;

/// Grows the tree of one document.
pub struct TreeBuilder<'t> {
    file: FileId,
    text: &'t str,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Anchored>,
    aliased_nodes: usize,
    documents: usize,
    pub root: Option<Node>,
    pub problems: Vec<Problem>,
}

struct Anchored {
    node: Node,
    size: usize,
    depth: usize,
}

/// A list or a map that is not closed yet.
struct Open {
    start: Span,
    flow: bool,
    anchor: usize,
    depth: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(OpenMap),
}

/// From how many keys on a map has a set that tells which they are.
const SET_FROM_KEYS: usize = 16;

#[derive(Default)]
struct OpenMap {
    entries: Vec<Entry>,
    /// The keys of a map that has many.
    seen: BTreeSet<Name>,
    key: Option<OpenKey>,
    merges: Vec<Node>,
    /// Began with `{{`: somebody forgot the quotes.
    template: bool,
}

struct OpenKey {
    text: Name,
    span: Span,
    merge: bool,
    faulty: bool,
}

impl OpenMap {
    /// Adds an entry unless its key is there.
    fn add(&mut self, entry: Entry) -> Result<(), Entry> {
        if self.entries.len() < SET_FROM_KEYS {
            if self.entries.iter().any(|known| known.key == entry.key) {
                return Err(entry);
            }
        } else {
            if self.seen.is_empty() {
                self.seen.extend(self.entries.iter().map(|known| known.key.clone()));
            }
            if !self.seen.insert(entry.key.clone()) {
                return Err(entry);
            }
        }
        self.entries.push(entry);
        Ok(())
    }
}

impl<'t> TreeBuilder<'t> {
    /// Makes an empty one for the text of `file`.
    pub fn new(file: FileId, text: &'t str) -> Self {
        let (open, anchors, problems) = (Vec::new(), BTreeMap::new(), Vec::new());
        Self { file, text, open, anchors, aliased_nodes: 0, documents: 0, root: None, problems }
    }

    /// Takes the next event; false means: read no further.
    pub fn take(&mut self, event: Event<'_>, span: granit_parser::Span) -> bool {
        let at = self.span(span);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let problem = Problem::new(Code::YamlSeveralDocuments, "one file holds one document");
                    let help = "move what follows `---` to a file of its own";
                    self.problems.push(problem.at(at, "a second one begins here").help(help));
                    return false;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let node = self.scalar(&text, style, at, tag.as_deref());
                let is_key = self.awaits_key();
                let key = is_key.then(|| (style == ScalarStyle::Plain && text == "<<", Name::from(&*text)));
                self.complete(node, anchor, key, 1);
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", at);
                self.begin(at, style, anchor, Content::List(Vec::new()));
            }
            Event::MappingStart(style, anchor, tag) => {
                self.check_tag(tag.as_deref(), "map", at);
                self.begin(at, style, anchor, Content::Map(OpenMap::default()));
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(at),
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::UnresolvedAlias(name) => self.unknown_alias(&name, at),
            _ => {}
        }
        true
    }

    /// Returns our span of a parser's, without trailing white space.
    fn span(&self, span: granit_parser::Span) -> Span {
        let start = span.start.byte_offset().unwrap_or(0).min(self.text.len());
        let end = span.end.byte_offset().unwrap_or(start).clamp(start, self.text.len());
        let shown = self.text.get(start..end).map_or(end - start, |slice| slice.trim_end().len());
        Span::new(self.file, start, start + shown)
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, span: Span, tag: Option<&Tag>) -> Node {
        let plain = style == ScalarStyle::Plain;
        let core = tag.and_then(|tag| tag.core_suffix().map(|suffix| suffix.to_string()));
        let kind = match core.as_deref() {
            Some("str") => NodeKind::Text(text.into()),
            Some("int" | "float" | "bool" | "null") => match (core.as_deref(), scalar::resolve(text)) {
                (Some("float"), NodeKind::Integer(n)) => NodeKind::Float(n as f64),
                (_, kind) => kind,
            },
            _ => {
                self.check_tag(tag, "str", span);
                if plain { scalar::resolve(text) } else { NodeKind::Text(text.into()) }
            }
        };
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            _ => Style::Block,
        };
        Node { span, kind, style }
    }

    fn check_tag(&mut self, tag: Option<&Tag>, natural: &str, span: Span) {
        let Some(tag) = tag else { return };
        if tag.is_yaml_core_schema_tag(natural) {
            return;
        }
        let written = if self.in_secret() { "!…".to_owned() } else { tag.original() };
        let message = format!("the tag `{written}` is not known here");
        let help =
            "leave it out; a header or argument of a certain type is written {$timestamp: …}, {$int8: …}, {$bytes: …}";
        self.problems.push(Problem::new(Code::YamlTag, message).at(span, "on this value").help(help));
    }

    /// Returns whether the value at hand belongs to a key that holds a secret.
    fn in_secret(&self) -> bool {
        let key = self.open.last().and_then(|open| match &open.content {
            Content::Map(map) => map.key.as_ref(),
            Content::List(_) => None,
        });
        key.is_some_and(|key| is_secret(&key.text))
    }

    fn begin(&mut self, start: Span, style: StructureStyle, anchor: usize, content: Content) {
        self.open.push(Open { start, flow: style == StructureStyle::Flow, anchor, depth: 1, content });
    }

    fn end(&mut self, at: Span) {
        let Some(open) = self.open.pop() else { return };
        let last = match &open.content {
            Content::List(entries) => entries.last().map(|node| node.span),
            Content::Map(map) => map.entries.last().map(|entry| entry.key_span.to(entry.value.span)),
        };
        let end = if open.flow { at } else { last.filter(|last| last.file == self.file).unwrap_or(open.start) };
        let span = open.start.to(end);
        let kind = match open.content {
            Content::List(mut entries) => {
                entries.shrink_to_fit();
                NodeKind::List(entries)
            }
            Content::Map(map) if map.template => self.unquoted(span),
            Content::Map(map) => {
                let mut entries = self.merged(map);
                entries.shrink_to_fit();
                NodeKind::Map(entries)
            }
        };
        self.complete(Node::new(span, kind), open.anchor, None, open.depth);
    }

    /// Returns whether the next node is the key of a map.
    fn awaits_key(&self) -> bool {
        self.open.last().is_some_and(|open| matches!(&open.content, Content::Map(map) if map.key.is_none()))
    }

    /// Hangs a finished node where it belongs; `key` is what it says as a key, and whether that is a merge.
    fn complete(&mut self, node: Node, anchor: usize, key: Option<(bool, Name)>, depth: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored { size: node.size(), node: node.clone(), depth });
        }
        let (file, text) = (self.file, self.text);
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        open.depth = open.depth.max(depth + 1);
        let map = match &mut open.content {
            Content::List(entries) => return entries.push(node),
            Content::Map(map) => map,
        };
        match map.key.take() {
            Some(key) => insert(map, key, node, text, &mut self.problems),
            None => {
                let merge = key.as_ref().is_some_and(|(merge, _)| *merge);
                let faulty = key.is_none();
                let start = open.start.start as usize;
                let doubled = open.flow && text.get(start..start + 2) == Some("{{");
                map.template |= faulty && doubled;
                if faulty && !doubled && !matches!(node.kind, NodeKind::Faulty) {
                    let problem = Problem::new(Code::YamlKey, format!("a key is a text, found {}", node.describe()));
                    self.problems.push(problem.at(node.span, "as a key"));
                }
                let name = key.map_or_else(Name::default, |(_, name)| name);
                debug_assert!(node.span.file == file);
                map.key = Some(OpenKey { text: name, span: node.span, merge, faulty });
            }
        }
    }

    fn unquoted(&mut self, span: Span) -> NodeKind {
        let written = self.text.get(span.start as usize..span.end as usize).unwrap_or("{{ … }}");
        let problem =
            Problem::new(Code::YamlUnquotedTemplate, "a template needs quotes: YAML reads `{` as the start of a map");
        let help =
            if written.contains('"') { format!("quote it: '{written}'") } else { format!("quote it: \"{written}\"") };
        self.problems.push(problem.at(span, "a template without quotes").help(help));
        NodeKind::Faulty
    }

    /// Joins the entries of a map with those of its `<<`; the map's own win.
    fn merged(&mut self, mut map: OpenMap) -> Vec<Entry> {
        for merge in std::mem::take(&mut map.merges) {
            let sources = match merge.kind {
                NodeKind::List(nodes) => nodes,
                _ => vec![merge],
            };
            for source in sources {
                match source.kind {
                    // The map's own win.
                    NodeKind::Map(entries) => entries.into_iter().for_each(|entry| drop(map.add(entry))),
                    NodeKind::Faulty => {}
                    _ => {
                        let message = format!("`<<` takes a map or a list of maps, found {}", source.describe());
                        self.problems.push(Problem::new(Code::YamlMerge, message).at(source.span, "not a map"));
                    }
                }
            }
        }
        map.entries
    }

    fn alias(&mut self, anchor: usize, at: Span) {
        let Some(anchored) = self.anchors.get(&anchor) else {
            let problem = Problem::new(Code::YamlAlias, "an alias cannot stand inside what it repeats");
            self.problems.push(problem.at(at, "this repeats itself without end"));
            return self.complete(Node::faulty(at), 0, None, 1);
        };
        let depth = anchored.depth;
        let before = self.aliased_nodes;
        self.aliased_nodes += anchored.size;
        if self.aliased_nodes > ALIASED_NODES_MAX || depth + self.open.len() > DEPTH_MAX {
            if before <= ALIASED_NODES_MAX {
                let message = format!(
                    "aliases make this file too large: more than {ALIASED_NODES_MAX} values, or {DEPTH_MAX} levels"
                );
                let problem = Problem::new(Code::YamlAliasBomb, message).at(at, "this alias is one too many");
                self.problems.push(problem.help("write the values out, or use `for_each`"));
            }
            return self.complete(Node::faulty(at), 0, None, 1);
        }
        let node = anchored.node.clone();
        let key = match &node.kind {
            NodeKind::Text(text) => Some((false, text.clone())),
            _ => None,
        };
        self.complete(node, 0, key, depth);
    }

    /// `routing_key: *.created` looks like an alias to YAML.
    fn unknown_alias(&mut self, name: &str, at: Span) {
        let name = if self.in_secret() { "…" } else { name };
        let message = format!("no anchor `&{name}` stands above this alias");
        let help = format!("an alias begins with `*`; a text that begins with `*` needs quotes: \"*{name}\"");
        self.problems.push(Problem::new(Code::YamlAlias, message).at(at, "YAML reads this as an alias").help(help));
        self.complete(Node::faulty(at), 0, Some((false, format!("*{name}").into())), 1);
    }
}

/// Adds an entry, or says that the key is there already.
fn insert(map: &mut OpenMap, key: OpenKey, mut value: Node, text: &str, problems: &mut Vec<Problem>) {
    if key.merge {
        return map.merges.push(value);
    }
    if key.faulty {
        return;
    }
    if matches!(value.kind, NodeKind::Null) && value.span.start == value.span.end {
        value.span = key.span;
        // Readers say then that a `#` after a space begins a comment.
        let rest = text.get(key.span.end as usize..).and_then(|rest| rest.lines().next()).unwrap_or("");
        if rest.trim_start_matches([':', ' ', '"', '\'']).starts_with('#') {
            value.style = Style::Block;
        }
    }
    let Err(again) = map.add(Entry { key: key.text, key_span: key.span, value }) else { return };
    if problems.len() > PROBLEMS_MAX {
        return;
    }
    let first = map.entries.iter().find(|entry| entry.key == again.key);
    let mut problem = Problem::new(Code::YamlDuplicateKey, format!("the key `{}` stands here twice", again.key))
        .at(again.key_span, "again here");
    if let Some(first) = first {
        problem = problem.at(first.key_span, "first here");
    }
    problems.push(problem.help("keep one of them"));
}
