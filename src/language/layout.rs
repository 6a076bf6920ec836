//! A YAML text in the layout of this project's own files: two blanks of indentation, lines as somebody broke them up to
//! 150 columns, comments kept and where they stand behind a line also their column.
//! Takes a text, gives a text that means the same, or says why it cannot.

use crate::language::syntax::parse::plain_value;
use pretty_yaml::config::{FormatOptions, LanguageOptions, LayoutOptions, LineBreak, Quotes};

/// The widest line that is not folded, as in the files that are shipped.
const WIDTH: usize = 150;

/// Lays a text out anew.
///
/// # Errors
/// It is no YAML, or its meaning would not be the same.
pub fn format_yaml(text: &str) -> Result<String, String> {
    let text = text.replace("\r\n", "\n");
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let layout = LayoutOptions { print_width: WIDTH, indent_width: 2, line_break: LineBreak::Lf };
    let language = LanguageOptions {
        quotes: Quotes::PreferDouble,
        trailing_comma: false,
        brace_spacing: false,
        bracket_spacing: false,
        prefer_single_line: false,
        ..LanguageOptions::default()
    };
    let options = FormatOptions { layout, language };
    let once = pretty_yaml::format_text(text, &options).map_err(|error| format!("no YAML: {error}"))?;
    let formatted = pretty_yaml::format_text(&once, &options).map_err(|error| format!("no YAML: {error}"))?;
    let meaning = plain_value(text);
    let is_the_same =
        |other: &str| meaning.is_some() && plain_value(other) == meaning && comments(text) == comments(other);
    let aligned = with_columns_of(text, &formatted).filter(|aligned| is_the_same(aligned));
    aligned.or_else(|| Some(formatted).filter(|formatted| is_the_same(formatted))).ok_or_else(|| {
        "left as it is: it would not mean the same when formatted (`rmqplay check` may know why)".to_owned()
    })
}

/// Puts comments behind lines into the columns that they had: somebody aligned them. `None` when they are not the same.
fn with_columns_of(text: &str, formatted: &str) -> Option<String> {
    let columns = |text: &str| {
        let behind = text.lines().filter_map(behind);
        behind.map(|(code, comment)| (code.chars().count(), comment.to_owned())).collect::<Vec<_>>()
    };
    let (before, after) = (columns(text), columns(formatted));
    if before.len() != after.len() || before.iter().zip(&after).any(|(one, other)| one.1.trim_end() != other.1) {
        return None;
    }
    let mut before = before.into_iter();
    let lines = formatted.lines().map(|line| match behind(line) {
        None => line.to_owned(),
        Some((code, comment)) => {
            let column = before.next().map_or(0, |(column, _)| column);
            let code = code.trim_end();
            let column = column.max(code.chars().count() + 1);
            format!("{code:column$}{comment}")
        }
    });
    Some(lines.map(|line| line + "\n").collect())
}

/// Takes the comment off a line that also says something: all before it, blanks included, and the comment.
fn behind(line: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    let mut before = ' ';
    for (at, sign) in line.char_indices() {
        match (quote, sign) {
            (None, '#') if before.is_whitespace() => {
                let (code, comment) = line.split_at(at);
                return (!code.trim().is_empty()).then_some((code, comment));
            }
            // A quote inside a word is none.
            (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(sign),
            (Some('"'), _) if before == '\\' => {
                before = ' ';
                continue;
            }
            (Some(open), _) if open == sign => quote = None,
            _ => {}
        }
        before = sign;
    }
    None
}

/// Counts the signs that begin comments, and all those that do not: none may get lost.
fn comments(text: &str) -> usize {
    text.matches('#').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_meaning_stay() {
        let text = "# head\nqueues:   # all of them\n- { name:  a, arguments: {x: 1} }   # the first\n\n\n\n- name: 'b' # \"quoted\"\n";
        let formatted = format_yaml(text).expect("YAML");
        assert_eq!(
            formatted,
            "# head\nqueues:   # all of them\n  - {name: a, arguments: {x: 1}}    # the first\n\n  - name: \"b\" # \"quoted\"\n"
        );
        assert_eq!(format_yaml(&formatted).as_deref(), Ok(&*formatted), "twice is as good as once");
        assert!(format_yaml("a: [1, 2\nb: }").is_err());
        let scalar = "a: |\n  x:   # no comment\nb: 'it''s'    # one\nc: \"\\\" # none\"   # two\n";
        let formatted = format_yaml(scalar).expect("YAML");
        assert!(formatted.contains("  x:   # no comment\n") && formatted.contains("# none\"   # two"), "{formatted}");
    }
}
