//! A YAML text in the layout of this project's own files: two blanks of indentation, 120 columns, comments kept.
//! Takes a text, gives a text that means the same, or says why it cannot.

use crate::language::plain_value;
use pretty_yaml::config::{FormatOptions, LanguageOptions, LayoutOptions, LineBreak, Quotes};

/// The widest line that is not folded, as in the files that are shipped.
const WIDTH: usize = 120;

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
        prefer_single_line: true,
        ..LanguageOptions::default()
    };
    let options = FormatOptions { layout, language };
    let once = pretty_yaml::format_text(text, &options).map_err(|error| format!("no YAML: {error}"))?;
    let formatted = pretty_yaml::format_text(&once, &options).map_err(|error| format!("no YAML: {error}"))?;
    let meaning = plain_value(text);
    if meaning.is_none() || plain_value(&formatted) != meaning || comments(text) != comments(&formatted) {
        return Err(
            "left as it is: it would not mean the same when formatted (`rmqplay check` may know why)".to_owned()
        );
    }
    Ok(formatted)
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
            "# head\nqueues: # all of them\n  - {name: a, arguments: {x: 1}} # the first\n\n  - name: \"b\" # \"quoted\"\n"
        );
        assert_eq!(format_yaml(&formatted).as_deref(), Ok(&*formatted), "twice is as good as once");
        assert!(format_yaml("a: [1, 2\nb: }").is_err());
    }
}
