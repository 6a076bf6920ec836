//! What a template's names and filters must be, and what to say when they are not.
//! Takes a compiled template; gives problems with the nearest right spelling.

use crate::language::decode::suggestions;
use crate::language::expand::late::{LATE_NAMES, Late};
use crate::model::{MESSAGE_FIELDS, Template};
use crate::source::{Code, Help, Problem, Span, is_secret};
use std::ops::Range;

/// The filters that templates may use.
const FILTERS: [&str; 48] = [
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "zip",
];

/// The tests that may stand behind `is`.
const TESTS: [&str; 31] = [
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "safe",
    "sameas",
    "sequence",
    "string",
    "true",
];

/// Tests that stand apart only to keep the list above sorted in rows.
const MORE_TESTS: [&str; 3] = ["startingwith", "undefined", "upper"];

/// Finds a filter or a test that does not exist: minijinja would say so only when it renders.
pub fn unknown_word(text: &str, at: impl Fn(Range<usize>) -> Span) -> Option<Problem> {
    let words = words(text);
    for pair in words.windows(2) {
        let (before, word) = (&pair[0], &pair[1]);
        let wordy = word.text.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
        let behind_is = before.text == "is" || (before.text == "not" && before.after_is);
        let (kind, known): (_, Vec<&str>) = match before.text {
            "|" if wordy => ("filter", FILTERS.to_vec()),
            _ if behind_is && wordy && word.text != "not" => ("test", TESTS.into_iter().chain(MORE_TESTS).collect()),
            _ => continue,
        };
        if !known.contains(&word.text) {
            let place = at(word.start..word.start + word.text.len());
            let problem = Problem::new(Code::TemplateUnknownFilter, format!("there is no {kind} `{}`", word.text));
            return Some(problem.at(place, format!("unknown {kind}")).help(suggestions::suggest(
                word.text,
                known,
                "there are",
            )));
        }
    }
    None
}

struct TemplateToken<'t> {
    text: &'t str,
    start: usize,
    after_is: bool,
}

/// Lists the words and bars of all `{{ … }}` and `{% … %}`, without what stands in quotes.
fn words(text: &str) -> Vec<TemplateToken<'_>> {
    let mut words: Vec<TemplateToken<'_>> = Vec::new();
    let (mut at, mut inside, mut quote) = (0, false, None);
    while let Some(c) = text[at..].chars().next() {
        let start = at;
        at += c.len_utf8();
        match (inside, quote) {
            (false, _) => inside = c == '{' && text[at..].starts_with(['{', '%']),
            (true, Some(open)) => quote = (c != open).then_some(open),
            (true, None) if c == '"' || c == '\'' => quote = Some(c),
            (true, None) if (c == '}' || c == '%') && text[at..].starts_with('}') => inside = false,
            (true, None) if c.is_alphanumeric() || c == '_' => {
                let length = text[start..].find(|c: char| !c.is_alphanumeric() && c != '_');
                at = length.map_or(text.len(), |length| start + length);
                let after_is = words.last().is_some_and(|word| word.text == "is");
                words.push(TemplateToken { text: &text[start..at], start, after_is });
            }
            (true, None) if !c.is_whitespace() => {
                words.push(TemplateToken { text: &text[start..at], start, after_is: false })
            }
            _ => {}
        }
    }
    words
}

/// What a template may name at some place of a file.
pub struct KnownNames<'k> {
    pub vars: Vec<&'k str>,
    pub is_in_environment: &'k dyn Fn(&str) -> bool,
}

/// Returns which name is undefined; `None` when it is something else.
pub fn undefined(
    known: &KnownNames<'_>,
    template: &Template,
    open: &[&String],
    late: Late,
    find: impl Fn(&str) -> Span,
) -> Option<Problem> {
    const CODE: Code = Code::TemplateUndefined;
    let builtin = ["range", "dict", "debug", "namespace", "loop"];
    if let Some(name) = open.iter().find(|name| !builtin.contains(&name.as_str())) {
        let span = find(name);
        if LATE_NAMES.contains(&name.as_str()) {
            let problem = Problem::new(Code::TemplateTooEarly, format!("`{name}` is not known here"));
            let help = match name.as_str() {
                "n" => "`n` counts the messages of a publish: use it in a `publish`",
                _ => "it is known in `match` and `do` of a consumer, when a message is at hand",
            };
            return Some(problem.at(span, "known only when it plays").help(help));
        }
        if *name == "item" {
            let problem = Problem::new(CODE, "`item` is known only beside a `for_each`").at(span, "no `for_each` here");
            return Some(problem.help("add `for_each: [a, b]` to this entry of the list"));
        }
        let vars = known.vars.iter().copied();
        let names: Vec<&str> = vars.chain(["env"]).chain(late.names().iter().copied()).collect();
        let help = match suggestions::nearest(name, names.iter().copied()) {
            Some(near) => Help::did_you_mean(near),
            None if (known.is_in_environment)(name) => {
                format!("write `env.{name}` for the environment variable").into()
            }
            None => format!("add it to `vars:`, or give it by `--var {name}=…`").into(),
        };
        return Some(Problem::new(CODE, format!("no var `{name}`")).at(span, "undefined").help(help));
    }
    let path = template.paths().into_iter().find(|path| {
        let name = path.strip_prefix("env.").map(|rest| rest.split('.').next().unwrap_or(rest));
        name.is_some_and(|name| !(known.is_in_environment)(name))
    })?;
    let name = path.trim_start_matches("env.");
    let problem = Problem::new(CODE, format!("the environment variable {name} is not set"));
    // A default of a secret would stand in the file.
    let help = match is_secret(name) {
        true => format!("set it: `export {name}=…`, or `{name}=… rmqplay …` for one command"),
        false => format!("set it, or give a default: {{{{ env.{name} | default('…') }}}}"),
    };
    Some(problem.at(find(&path), "not set").help(help))
}

/// Finds a field that no message has.
pub fn unknown_attribute(template: &Template, find: impl Fn(&str) -> Span) -> Option<Problem> {
    let paths = template.paths();
    let (path, field) = paths.iter().find_map(|path| {
        let field = path.strip_prefix("message.")?.split('.').next()?;
        (!MESSAGE_FIELDS.contains(&field)).then_some((path, field))
    })?;
    let problem = Problem::new(Code::TemplateUndefined, format!("a message has no `{field}`"));
    Some(problem.at(find(path), "unknown").help(suggestions::suggest(field, MESSAGE_FIELDS, "it has")))
}
