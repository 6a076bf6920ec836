//! Renders the templates of a tree and writes out its `for_each`: a tree with templates in, one without out.
//! What names a message or a counter stays a template and is rendered when it plays, where that is allowed.

use crate::language::decode::map_decoder::Diagnostics;
use crate::language::expand::expressions::{self, KnownNames};
use crate::language::expand::late::Late;
use crate::language::expand::scope::VariableScope;
use crate::language::syntax::tree::{Entry, Node, NodeKind, Style};
use crate::model::{Scope as Names, Template};
use crate::source::is_secret;
use crate::source::{Code, Problem, Sources, Span};
use serde_json::Value as Json;

/// The most entries that one `for_each` may make.
const ITEMS_MAX: usize = 10_000;

/// Keys whose value is data: a `for_each` inside is a key like any other.
const DATA_KEYS: [&str; 7] = ["json", "headers", "header", "arguments", "definition", "value", "body"];

/// Renders a value that holds data: how scopes evaluate their vars.
pub fn data(scope: &VariableScope<'_>, node: &Node, desk: &mut Diagnostics) -> Node {
    Renderer::new(scope).data(node, desk)
}

/// Renders trees over one scope.
pub struct Renderer<'s, 'a> {
    scope: &'s VariableScope<'a>,
    sources: Option<&'s Sources>,
    /// Passwords are left out unread: a run never needs them.
    without_credentials: bool,
    /// Secrets of the environment may be unset.
    without_secrets: bool,
}

impl<'s, 'a> Renderer<'s, 'a> {
    /// Makes one.
    pub fn new(scope: &'s VariableScope<'a>) -> Self {
        Self { scope, sources: None, without_credentials: false, without_secrets: false }
    }

    /// Lets it point into the middle of a scalar.
    pub fn with_sources(self, sources: &'s Sources) -> Self {
        Self { sources: Some(sources), ..self }
    }

    /// Leaves passwords and their hashes out, if so told.
    pub fn without_credentials(self, without_credentials: bool) -> Self {
        Self { without_credentials, ..self }
    }

    /// Passes over secrets of the environment that are not set, with a note, if so told.
    pub fn without_secrets(self, without_secrets: bool) -> Self {
        Self { without_secrets, ..self }
    }

    /// Renders a value in which no `for_each` has a meaning.
    pub fn data(&self, node: &Node, desk: &mut Diagnostics) -> Node {
        self.node(node.clone(), Late::Nothing, true, desk)
    }

    /// Renders a whole file; what stands in `publish`, `match` and `do` may wait until it plays.
    pub fn tree(&self, mut node: Node, desk: &mut Diagnostics) -> Node {
        if let NodeKind::Map(entries) = &mut node.kind {
            for entry in entries.iter_mut().filter(|entry| *entry.key == *"consumers") {
                self.name_consumers(&mut entry.value, desk);
            }
        }
        self.node(node, Late::Nothing, false, desk)
    }

    /// Renders the names of consumers: the only keys that are somebody's choice, and no words of the language.
    fn name_consumers(&self, consumers: &mut Node, desk: &mut Diagnostics) {
        let NodeKind::Map(entries) = &mut consumers.kind else { return };
        for at in 0..entries.len() {
            let (key, span) = (entries[at].key.clone(), entries[at].key_span);
            if !Template::looks_like_one(&key) {
                continue;
            }
            let node = Node { span, kind: NodeKind::Text(key.clone()), style: Style::Plain };
            let named = self.scalar(&node, &key, Late::Nothing, desk).to_json();
            let name = match named {
                Json::String(name) if !name.contains("{{") => name,
                Json::Number(number) => number.to_string(),
                // What cannot be rendered is a problem already.
                _ => continue,
            };
            if entries.iter().any(|other| *other.key == *name) {
                let problem = Problem::new(Code::YamlDuplicateKey, format!("two consumers are named `{name}`"));
                desk.add(problem.at(span, "this one, once it is filled in").help("give one of them another name"));
            }
            entries[at].key = name.into();
        }
    }

    fn node(&self, node: Node, late: Late, data: bool, desk: &mut Diagnostics) -> Node {
        match node.kind {
            NodeKind::Text(ref text) if Template::looks_like_one(text) => match self.unset_secret(&node, None) {
                Some(name) if self.without_secrets => {
                    note_unset(&name, node.span, desk);
                    node
                }
                _ => self.scalar(&node, text, late, desk),
            },
            NodeKind::List(entries) => {
                let mut out = Vec::with_capacity(entries.len());
                for entry in entries {
                    match entry.get("for_each") {
                        Some(items) if !data => self.each(&entry, items, late, &mut out, desk),
                        _ => out.push(self.node(entry, late, data, desk)),
                    }
                }
                Node { kind: NodeKind::List(out), ..node }
            }
            NodeKind::Map(entries) => {
                let entries = entries.into_iter().filter_map(|entry| self.entry(entry, late, data, desk)).collect();
                Node { kind: NodeKind::Map(entries), ..node }
            }
            _ => node,
        }
    }

    fn entry(&self, entry: Entry, late: Late, data: bool, desk: &mut Diagnostics) -> Option<Entry> {
        if self.without_credentials && matches!(&*entry.key, "password" | "password_hash") {
            return None;
        }
        if entry.key.contains("{{") {
            let problem = Problem::new(
                Code::TemplateKey,
                "templates are rendered in values and in names of consumers, not in other keys",
            );
            desk.add(problem.at(entry.key_span, "this key stays as it is").help("write the key out"));
        }
        if self.without_secrets
            && let Some(name) = self.unset_secret(&entry.value, Some(&entry.key))
        {
            note_unset(&name, entry.value.span, desk);
            return (!is_secret(&entry.key)).then_some(entry);
        }
        let late = match &*entry.key {
            "match" | "do" => Late::Consumer,
            "publish" if late == Late::Nothing => Late::Publish,
            _ => late,
        };
        let data = data || DATA_KEYS.contains(&entry.key.as_str());
        let value = self.node(entry.value, late, data, desk);
        Some(Entry { value, ..entry })
    }

    /// Finds a variable of the environment that holds a secret, by its own name or by the key of its value, and is not set.
    fn unset_secret(&self, value: &Node, key: Option<&str>) -> Option<String> {
        let is_of_secret = key.is_some_and(is_secret);
        let text = value.as_text().filter(|text| Template::looks_like_one(text))?;
        let paths = Template::compile(text, value.span).ok()?.paths();
        let names = paths.iter().filter_map(|path| path.strip_prefix("env."));
        let is_unset = |name: &&str| (is_of_secret || is_secret(name)) && self.scope.world.variable(name).is_none();
        names.filter(|_| !text.contains('|')).find(is_unset).map(str::to_owned)
    }

    /// Writes a list entry out once for each item.
    fn each(&self, entry: &Node, items: &Node, late: Late, out: &mut Vec<Node>, desk: &mut Diagnostics) {
        let items = self.data(items, desk);
        let list = match &items.kind {
            NodeKind::List(list) => list,
            NodeKind::Faulty => return,
            _ => {
                let message = format!("`for_each` takes a list, found {}", items.describe());
                return desk.add(Problem::new(Code::ValueKind, message).at(items.span, "expected a list"));
            }
        };
        if list.len() > ITEMS_MAX {
            let message = format!("`for_each` has {} items, at most {ITEMS_MAX} are written out", list.len());
            return desk.add(Problem::new(Code::TemplateTooMany, message).at(items.span, "too many"));
        }
        let body = NodeKind::Map(entry.entries().iter().filter(|entry| entry.key != "for_each").cloned().collect());
        let body = Node { kind: body, ..*entry };
        for item in list.iter().filter(|item| !item.is_faulty()) {
            out.push(self.scope.with_item(item.to_json(), || self.node(body.clone(), late, false, desk)));
        }
    }

    fn scalar(&self, node: &Node, text: &str, late: Late, desk: &mut Diagnostics) -> Node {
        let place = ScalarPlace { span: node.span, inside: self.inside(node, text) };
        let mut template = match Template::compile(text, node.span) {
            Ok(template) => template,
            Err(error) => {
                let message = format!("this template cannot be read: {}", error.message);
                let problem = Problem::new(Code::TemplateSyntax, message).at(place.at(error.range), "here");
                desk.add(problem.help("a template is `{{ name }}` or `{{ name | filter }}`"));
                return Node::faulty(node.span);
            }
        };
        if let Some(problem) = expressions::unknown_word(text, |range| place.at(Some(range))) {
            desk.add(problem);
            return Node::faulty(node.span);
        }
        let names = template.names();
        let is_late = names.iter().any(|name| !self.scope.has(name) && late.names().contains(&name.as_str()));
        for name in &names {
            if name == "env" && !self.scope.has(name) {
                self.bind_environment(&mut template, desk);
            } else if let Some(value) = self.scope.value(name, desk) {
                template.bind(name.clone(), value);
            } else if self.scope.has(name) {
                return Node::faulty(node.span);
            }
        }
        let open: Vec<&String> = names.iter().filter(|name| *name != "env" && !self.scope.has(name)).collect();
        if is_late {
            return self.late(node, template, &open, late, &place, desk);
        }
        match template.value(&Names::new()) {
            Ok(value) => Node::from_json(&value, node.span),
            Err(error) => {
                let problem =
                    self.undefined(&template, &open, late, |word| place.find(text, word)).unwrap_or_else(|| {
                        let message = format!("this template cannot be rendered: {}", error.message);
                        Problem::new(Code::TemplateRender, message).at(place.at(error.range), "here")
                    });
                desk.add(problem);
                Node::faulty(node.span)
            }
        }
    }

    /// Keeps a template for later, after a look at its names.
    fn late(
        &self,
        node: &Node,
        template: Template,
        open: &[&String],
        late: Late,
        place: &ScalarPlace,
        desk: &mut Diagnostics,
    ) -> Node {
        let text = template.source().to_owned();
        let forgiving = text.contains("default") || text.contains("defined") || text.contains("|d(");
        let unknown: Vec<&String> =
            open.iter().copied().filter(|name| !late.names().contains(&name.as_str())).collect();
        let problem = if unknown.is_empty() || forgiving {
            expressions::unknown_attribute(&template, |word| place.find(&text, word))
        } else {
            self.undefined(&template, &unknown, late, |word| place.find(&text, word))
        };
        match problem {
            Some(problem) => {
                desk.add(problem);
                Node::faulty(node.span)
            }
            None => Node { span: node.span, kind: NodeKind::Late(Box::new(template)), style: Style::Rendered },
        }
    }

    /// Returns which name of a template is undefined; `None` when it is something else.
    fn undefined(
        &self,
        template: &Template,
        open: &[&String],
        late: Late,
        find: impl Fn(&str) -> Span,
    ) -> Option<Problem> {
        let is_in_environment = |name: &str| self.scope.world.variable(name).is_some();
        let known = KnownNames { vars: self.scope.names(), is_in_environment: &is_in_environment };
        expressions::undefined(&known, template, open, late, find)
    }

    fn bind_environment(&self, template: &mut Template, desk: &mut Diagnostics) {
        let mut found = serde_json::Map::new();
        for path in template.paths() {
            let mut parts = path.split('.');
            match (parts.next(), parts.next()) {
                (Some("env"), Some(name)) => {
                    if let Some(value) = self.scope.world.variable(name) {
                        found.insert(name.to_owned(), Json::String(value));
                    }
                }
                (Some("env"), None) => {
                    let problem = Problem::new(Code::TemplateEnvironment, "`env` needs the name of a variable");
                    desk.add(problem.at(template.span, "here").help("write `{{ env.NAME }}`"));
                }
                _ => {}
            }
        }
        template.bind("env", Json::Object(found));
    }

    /// Returns where the scalar's text begins in the file, when it stands there letter by letter.
    fn inside(&self, node: &Node, text: &str) -> Option<u32> {
        let source = &self.sources?.get(node.span.file).text;
        let written = source.get(node.span.start as usize..node.span.end as usize)?;
        if written == text {
            return Some(node.span.start);
        }
        let quoted = written.get(1..written.len().checked_sub(1)?)?;
        (quoted == text).then_some(node.span.start + 1)
    }
}

/// Notes a secret of the environment that is not set.
fn note_unset(name: &str, span: Span, desk: &mut Diagnostics) {
    let note = Problem::note(Code::TemplateUndefined, format!("{name} is not set, and holds a secret"));
    desk.add(note.at(span, "not judged").help("`apply` needs it in the environment"));
}

/// Finds places inside a scalar.
struct ScalarPlace {
    span: Span,
    inside: Option<u32>,
}

impl ScalarPlace {
    fn at(&self, range: Option<std::ops::Range<usize>>) -> Span {
        match (self.inside, range) {
            (Some(start), Some(range)) if range.end > range.start => {
                let start = start as usize;
                Span::new(self.span.file, start + range.start, start + range.end)
            }
            _ => self.span,
        }
    }

    /// Finds a word of the template, not as a part of another.
    fn find(&self, text: &str, word: &str) -> Span {
        let wordy = |c: char| c.is_alphanumeric() || c == '_';
        let found = text.match_indices(word).find(|(at, _)| {
            let before = text[..*at].chars().next_back();
            let after = text[at + word.len()..].chars().next();
            !before.is_some_and(|c| wordy(c) || c == '.') && !after.is_some_and(wordy)
        });
        self.at(found.map(|(at, _)| at..at + word.len()))
    }
}
