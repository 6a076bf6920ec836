//! Shows how it is written right, beside a value of the wrong shape.
//! Takes problems without a help, the tree that they point into, and the table of words; gives each an example of its place.
//! Quotes what the file says only where it is a plain name.

use crate::language::syntax::tree::{Entry, Node, NodeKind, Style};
use crate::language::words::WordGroup;
use crate::language::words::examples::{self, Shape};
use crate::source::{Code, Problem, Span, is_secret};

/// What a name alone was most likely meant to be; `…` stands for it.
const OF_A_NAME: &[(&str, &str)] = &[
    ("queue", "{name: …}"),
    ("exchange", "{name: …}"),
    ("vhost", "{name: …}"),
    ("user", "{name: …}"),
    ("policy", "{name: …, pattern: \"^work\", definition: {message-ttl: 60000}}"),
    ("permission", "{user: …, configure: \".*\", write: \".*\", read: \".*\"}"),
    ("topic_permission", "{user: …, exchange: orders, write: \".*\", read: \".*\"}"),
    ("dead_letter", "{exchange: …}"),
    ("consumer", "{queue: …, on_message: {do: ack}}"),
    ("rule", "{do: …}"),
    ("reconnect", "{after: …}"),
    ("tally", "{queue: …}"),
    ("declare", "{queue: …}"),
    ("delete", "{queue: …}"),
    ("bind", "{source: orders, queue: …}"),
];

/// The place of a value in the table of words.
struct ValuePlace<'n> {
    group: &'static WordGroup,
    key: &'n str,
    /// What stands at the key; the problem may point at a part of it.
    value: &'n Node,
    /// What the problem points at.
    wrong: &'n Node,
}

/// Adds a right example to each problem of shape that has no help.
pub fn show(problems: &mut [Problem], root: &Node, group: &str) {
    let Some(group) = WordGroup::named(group) else { return };
    let is_of_shape =
        |problem: &&mut Problem| problem.help.is_none() && matches!(problem.code, Code::ValueKind | Code::ValueBad);
    for problem in problems.iter_mut().filter(is_of_shape) {
        let Some(span) = problem.span().filter(|span| span.file == root.span.file) else { continue };
        if span == root.span && !matches!(root.kind, NodeKind::Map(_)) {
            let of_topology = "a topology begins with `queues:` or `exchanges:`";
            problem.help = Some(format!("{of_topology}, a scenario with `scenario:` and what it shows").into());
            continue;
        }
        problem.help = place(root, group, span).and_then(|place| place.help()).map(Into::into);
    }
}

impl ValuePlace<'_> {
    fn help(&self) -> Option<String> {
        let kind = examples::kind_of_key(self.group, self.key)?;
        let (inner, is_list) = inner_group(&kind);
        if let Some(line) = inner.and_then(|inner| self.by_its_own_name(inner, is_list)) {
            return Some(line);
        }
        let line = examples::of_key(self.group, self.key, shape(self.value))?;
        let key = self.key;
        Some(match (is_alone(&kind, self.value), self.value.kind.clone()) {
            (true, _) => format!("write `{key}` alone, or `{line}`"),
            (_, NodeKind::Map(_)) if key == "body" => "a map is JSON: write `json: {player: alice}`".to_owned(),
            (_, NodeKind::Map(_)) if is_list && std::ptr::eq(self.value, self.wrong) => {
                format!("write a list, with a dash before each: `{line}`")
            }
            _ => format!("write `{line}`"),
        })
    }

    /// Writes the example with the name that the file gives.
    fn by_its_own_name(&self, inner: &WordGroup, is_list: bool) -> Option<String> {
        let (_, written) = OF_A_NAME.iter().find(|(name, _)| *name == inner.name)?;
        let key = self.key;
        let whole =
            |example: String| if is_list { format!("`{key}: [{example}]`") } else { format!("`{key}: {example}`") };
        match &self.wrong.kind {
            NodeKind::Text(text) if self.wrong.style == Style::Plain && is_plain(text) => {
                if inner.name == "rule" && !WordGroup::named("action")?.has(text) {
                    return None;
                }
                let example = written.replace('…', text);
                Some(match (self.key, std::ptr::eq(self.value, self.wrong)) {
                    ("consumers", false) => format!("write `{example}`"),
                    _ => format!("write {}", whole(example)),
                })
            }
            NodeKind::Map(entries) if is_list && std::ptr::eq(self.value, self.wrong) => {
                let first = entries.first().filter(|first| !inner.has(&first.key) && is_plain(&first.key))?;
                Some(format!("write a list, each with its name: {}", whole(written.replace('…', &first.key))))
            }
            _ => None,
        }
    }
}

/// Returns whether a key may stand without a value, and has one that says no more.
fn is_alone(kind: &str, value: &Node) -> bool {
    examples::alternatives(kind).contains(&"null") && matches!(value.kind, NodeKind::Bool(_))
}

/// Returns the group that a kind is about, and whether it stands in a list.
fn inner_group(kind: &str) -> (Option<&'static WordGroup>, bool) {
    let options = examples::alternatives(kind);
    let Some(option) = options.iter().find(|option| option.contains('@')) else { return (None, false) };
    let is_list = option.starts_with('[');
    let name = option.split('@').nth(1).unwrap_or("").trim_end_matches([']', '}']);
    (WordGroup::named(name), is_list)
}

/// Returns whether a text is a name that may be quoted, and needs no quotes.
fn is_plain(text: &str) -> bool {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    (1..=40).contains(&text.len()) && text.chars().all(is_of_name) && !is_secret(text)
}

fn shape(node: &Node) -> Shape {
    match node.kind {
        NodeKind::Map(_) => Shape::Map,
        NodeKind::List(_) => Shape::List,
        _ => Shape::Scalar,
    }
}

fn is_inside(span: Span, outer: Span) -> bool {
    span.file == outer.file && span.start >= outer.start && span.end <= outer.end
}

/// Finds the key of the table at which a place stands: the innermost.
fn place<'n>(node: &'n Node, group: &'static WordGroup, span: Span) -> Option<ValuePlace<'n>> {
    let entry = node.entries().iter().find(|entry| is_inside(span, whole(entry)))?;
    let kind = examples::kind_of_key(group, &entry.key)?;
    let further = examples::alternatives(&kind).into_iter().find_map(|option| below(&entry.value, option, span));
    let wrong = || at(&entry.value, span).unwrap_or(&entry.value);
    further.or_else(|| Some(ValuePlace { group, key: &entry.key, value: &entry.value, wrong: wrong() }))
}

fn whole(entry: &Entry) -> Span {
    entry.key_span.to(entry.value.span)
}

/// Looks for a place below a value of a kind.
fn below<'n>(value: &'n Node, kind: &str, span: Span) -> Option<ValuePlace<'n>> {
    if value.span == span {
        return None;
    }
    if let Some(name) = kind.strip_prefix('@') {
        return place(value, WordGroup::named(name)?, span);
    }
    let within = |node: &'n Node, inner: &str| {
        is_inside(span, node.span)
            .then(|| examples::alternatives(inner).into_iter().find_map(|one| below(node, one, span)))
    };
    if let Some(inner) = kind.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let NodeKind::List(entries) = &value.kind else { return None };
        return entries.iter().find_map(|entry| within(entry, inner)).flatten();
    }
    let inner = kind.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))?;
    value.entries().iter().find_map(|entry| within(&entry.value, inner)).flatten()
}

/// Finds the value that stands at a place.
fn at(node: &Node, span: Span) -> Option<&Node> {
    if node.span == span {
        return Some(node);
    }
    match &node.kind {
        NodeKind::List(entries) => entries.iter().find_map(|entry| at(entry, span)),
        NodeKind::Map(entries) => entries.iter().find_map(|entry| at(&entry.value, span)),
        _ => None,
    }
}
