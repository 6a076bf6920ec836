//! Says in plain words why a text is no YAML.
//! Takes the parser's kind of error and its place; gives one problem with a help. Looks at the line, as a person would.

use crate::language::syntax::top_level::top_level_keys;
use crate::language::syntax::unclosed::{Unclosed, scan};
use crate::source::is_secret;
use crate::source::{Code, FileId, Problem, Span};
use granit_parser::ErrorKind;

/// Explains one broken place.
pub fn explain(text: &str, file: FileId, kind: &ErrorKind, at: usize) -> Problem {
    let at = at.min(text.len());
    let line = line_around(text, at);
    let words = unquoted_template(text, line)
        .or_else(|| tab(text, line, kind))
        .or_else(|| colon_in_value(text, line, kind))
        .or_else(|| never_closed(text, kind, at))
        .unwrap_or_else(|| plain_words(text, kind, at));
    let span = clamp(text, file, words.start, words.end);
    Problem::new(words.code, words.message).at(span, words.label).help(words.help)
}

struct Words {
    code: Code,
    message: String,
    label: String,
    help: String,
    start: usize,
    end: usize,
}

/// Returns start and end of the line that a byte stands on; a byte on an empty line means the last line with text.
fn line_around(text: &str, at: usize) -> (usize, usize) {
    let bytes = text.as_bytes();
    let mut at = at;
    loop {
        let start = bytes[..at].iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        let end = bytes[start..].iter().position(|b| *b == b'\n').map_or(text.len(), |i| start + i);
        if start == 0 || !bytes[start..end].iter().all(u8::is_ascii_whitespace) {
            return (start, end);
        }
        at = start - 1;
    }
}

/// Looks for the bracket or the quote that opened and was never closed, from the top-level key on.
fn never_closed(text: &str, kind: &ErrorKind, at: usize) -> Option<Words> {
    use ErrorKind as E;
    let of_brackets = matches!(
        kind,
        E::UnexpectedEofFlowSequence
            | E::UnexpectedEofFlowMapping
            | E::UnexpectedEofImplicitFlowMapping
            | E::BlockEntryInFlowCollection
            | E::ExpectedFlowMappingSeparator
            | E::ExpectedFlowSequenceSeparator
            | E::InvalidFlowScalarIndent
            | E::UnexpectedEof
    );
    let of_quotes = matches!(
        kind,
        E::UnclosedQuotedScalar
            | E::InvalidQuotedScalarIndent
            | E::DocumentIndicatorInQuotedScalar
            | E::InvalidTrailingDoubleQuotedScalar
            | E::InvalidTrailingSingleQuotedScalar
            | E::TabInIndentation
    );
    if matches!(kind, E::UnclosedFlowCollection { .. }) {
        let hidden = scan(text, at, text.len()).hiding_comment;
        return Some(hidden.map_or_else(|| words(at, BRACKET), |comment| words(comment, HIDING)));
    }
    let starts: Vec<usize> = top_level_keys(text).take_while(|start| *start <= at).collect();
    let starts = starts.iter().rev().take(8).copied().chain(starts.is_empty().then_some(0));
    let (_, line_end) = line_around(text, at);
    for start in starts {
        let open = scan(text, start, if of_quotes { at } else { line_end.min(at + 1) });
        match open {
            Unclosed { hiding_comment: Some(comment), .. } if of_brackets => return Some(words(comment, HIDING)),
            Unclosed { quote: Some(quote), .. } if of_quotes || of_brackets => return Some(words(quote, QUOTE)),
            Unclosed { bracket: Some(bracket), .. } if of_brackets && ends_line_open(text, bracket, at) => {
                return Some(words(bracket, BRACKET));
            }
            _ => {}
        }
    }
    None
}

fn words(place: usize, (message, label, help): (&str, &str, &str)) -> Words {
    let (message, label, help) = (message.into(), label.into(), help.into());
    Words { code: Code::YamlBroken, message, label, help, start: place, end: place + 1 }
}

/// Returns whether a bracket was still open when its line ended: else a missing comma is the likelier fault.
fn ends_line_open(text: &str, bracket: usize, at: usize) -> bool {
    text.get(bracket..at).is_none_or(|between| between.contains('\n')) || at >= text.trim_end().len()
}

const HIDING: (&str, &str, &str) = (
    "a comment hides the end of this line",
    "from here on YAML reads a comment",
    "a `#` after a space begins a comment: quote a routing key like \"#\"",
);
const QUOTE: (&str, &str, &str) = ("a quote is never closed", "it opens here", "close it, or leave the quotes out");
const BRACKET: (&str, &str, &str) =
    ("a bracket is never closed", "it opens here", "close it with `]` or `}` before the next entry begins");

fn clamp(text: &str, file: FileId, start: usize, end: usize) -> Span {
    let mut start = start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    Span::new(file, start, end)
}

/// `name: {{ x }}.q` breaks because YAML reads `{` as a map.
fn unquoted_template(text: &str, (start, end): (usize, usize)) -> Option<Words> {
    let line = text.get(start..end)?;
    let open = line.find("{{")?;
    let before = &line[..open];
    if before.matches('"').count() % 2 == 1 || before.matches('\'').count() % 2 == 1 {
        return None;
    }
    let value = before.rfind(": ").map_or(open, |colon| colon + 2);
    let value = value + line[value..].len() - line[value..].trim_start().len();
    let written = line[value..].trim_end();
    let shown = if is_secret(line) { "{{ … }}" } else { written };
    Some(Words {
        code: Code::YamlUnquotedTemplate,
        message: "a template needs quotes: YAML reads `{` as the start of a map".into(),
        label: "a template without quotes".into(),
        help: if shown.contains('"') { format!("quote it: '{shown}'") } else { format!("quote it: \"{shown}\"") },
        start: start + value,
        end: start + value + written.len(),
    })
}

fn tab(text: &str, (start, end): (usize, usize), kind: &ErrorKind) -> Option<Words> {
    let line = text.get(start..end)?;
    let indent = line.len() - line.trim_start().len();
    let in_indent = line[..indent].find('\t');
    let named = matches!(
        kind,
        ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabAtBlockScalarStart
            | ErrorKind::TabInPlainScalar
    );
    let tab = in_indent.or_else(|| text[start..].find('\t').filter(|_| named))?;
    Some(Words {
        code: Code::YamlTab,
        message: "YAML does not allow a tab here".into(),
        label: "this is a tab".into(),
        help: "indent with spaces".into(),
        start: start + tab,
        end: start + tab + 1,
    })
}

/// `text: a: b` and `- name: x y: z`.
fn colon_in_value(text: &str, (start, end): (usize, usize), kind: &ErrorKind) -> Option<Words> {
    if !matches!(kind, ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement) {
        return None;
    }
    let line = text.get(start..end)?;
    let first = line.find(": ")?;
    let second = first + 2 + line[first + 2..].find(':')?;
    Some(Words {
        code: Code::YamlBroken,
        message: "a second `: ` on this line".into(),
        label: "YAML takes what stands before this colon for another key".into(),
        help: "put the value in quotes, or the second key on a line of its own".into(),
        start: start + second,
        end: start + second + 1,
    })
}

fn plain_words(text: &str, kind: &ErrorKind, at: usize) -> Words {
    let (message, label, help) = sentence(kind);
    let (start, end) = match kind {
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::MismatchedFlowCollectionEnd { .. } => (at, at + 1),
        _ => {
            let (start, end) = line_around(text, at);
            let first = start + text[start..end].len() - text[start..end].trim_start().len();
            (if at > first && at < end { at } else { first }, start + text[start..end].trim_end().len())
        }
    };
    Words { code: Code::YamlBroken, message: message.into(), label: label.into(), help: help.into(), start, end }
}

/// Returns message, label and help for a kind of error.
fn sentence(kind: &ErrorKind) -> (&'static str, &'static str, &'static str) {
    use ErrorKind as E;
    match kind {
        E::UnclosedQuotedScalar => ("a quote is never closed", "it opens here", "close it, or leave the quotes out"),
        E::UnclosedFlowCollection { .. }
        | E::UnexpectedEofFlowSequence
        | E::UnexpectedEofFlowMapping
        | E::UnexpectedEofImplicitFlowMapping => (
            "a bracket is never closed",
            "it opens here",
            "close it with `]` or `}`; a `#` after a space begins a comment, so quote a routing key like \"#\"",
        ),
        E::MismatchedFlowCollectionEnd { .. } | E::MisplacedFlowCollectionEnd => {
            ("a closing bracket has no opening one", "this one", "count `[`, `{`, `]` and `}`")
        }
        E::ExpectedFlowMappingSeparator | E::ExpectedFlowSequenceSeparator => (
            "a comma or a closing bracket is missing",
            "before this",
            "entries between brackets are parted by commas; quote texts that hold `,`, `[`, `]`, `{` or `}`",
        ),
        E::ExpectedBlockMappingKey
        | E::InvalidIndentation
        | E::ExpectedBlockSequenceEntry
        | E::MappingValueNotAllowed
        | E::MappingKeyNotAllowed
        | E::BlockSequenceEntryNotAllowed
        | E::ExpectedDocumentStart => (
            "this line does not line up with those above",
            "indented otherwise than its neighbours",
            "keys of one map begin in the same column, and so do the dashes of one list",
        ),
        E::SimpleKeyExpected | E::InvalidSimpleKey => (
            "a key without a colon",
            "`: ` is missing, or an indentation above is wrong",
            "write `key: value`, with a space after the colon",
        ),
        E::InvalidTrailingDoubleQuotedScalar | E::InvalidTrailingSingleQuotedScalar => (
            "text after the closing quote",
            "this is outside of the quotes",
            "put all of it in quotes; inside double quotes write \\\" for a quote, inside single quotes ''",
        ),
        E::UnknownQuotedScalarEscape => (
            "an unknown escape in double quotes",
            "in this text",
            "write \\\\ for a backslash, or use single quotes: '^cmd\\.alice$'",
        ),
        E::InvalidBlockScalarHeader | E::ZeroBlockScalarIndent => {
            ("`>` and `|` begin a text of several lines in YAML", "here", "put a comparison in quotes: \">=3\"")
        }
        E::UnexpectedCharacter { .. } => {
            ("a value cannot begin with this character", "here", "put the value in quotes")
        }
        E::RecursionLimitExceeded => ("lists and maps nest too deep", "from here on", "at most 100 levels are read"),
        E::MissingAnchorOrAliasName => {
            ("`*` and `&` have a meaning in YAML", "here", "put the value in quotes: \"*\" or \"*.created\"")
        }
        E::ExpectedNodeContent => ("a value is missing", "before this", "write a value, or leave the key out"),
        E::CommentNotSeparated => ("a comment needs a space before its `#`", "here", "add a space, or quote the value"),
        E::UndeclaredTagHandle | E::MissingTagUri | E::InvalidTagTerminator | E::ExpectedTagBang => {
            ("`!` begins a tag in YAML", "here", "put the value in quotes")
        }
        _ => (
            "this is no YAML",
            "YAML cannot be read on from here",
            "compare the line with its neighbours: quotes, colons, indentation",
        ),
    }
}
