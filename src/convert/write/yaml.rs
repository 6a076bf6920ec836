//! YAML as values, and their text in the layout of this project's own files.
//! Takes lists, maps and scalars; gives lines: what fits stands on one line, the rest in blocks. Quotes what needs it.

use crate::language::format_yaml;
use crate::model::Template;

/// The widest line on which a list or a map is written whole.
const WIDTH: usize = 110;

/// A value to be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Yaml {
    /// A scalar as it is written, quoted where that is needed.
    Scalar(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

/// Words that YAML, or older readers of it, take for something else than a text.
const NOT_TEXTS: [&str; 12] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"];

impl Yaml {
    /// Writes a text; what looks like a template is written so that it stays a text.
    pub fn text(text: &str) -> Yaml {
        if !Template::looks_like_one(text) {
            return Yaml::Scalar(scalar(text));
        }
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let end = at
                + if rest[at..].starts_with("{{") || rest[at..].starts_with("{%") || rest[at..].starts_with("{#") {
                    2
                } else {
                    1
                };
            literal.push_str(&rest[..at]);
            match &rest[at..end] {
                "{" => literal.push('{'),
                opening => literal.push_str(&format!("{{{{ '{opening}' }}}}")),
            }
            rest = &rest[end..];
        }
        literal.push_str(rest);
        Yaml::Scalar(quoted(&literal))
    }

    /// Writes a text that holds a template.
    pub fn template(text: &str) -> Yaml {
        Yaml::Scalar(quoted(text))
    }

    /// Writes a number with its unit, which needs no quotes.
    pub fn with_unit(text: &str) -> Yaml {
        Yaml::Scalar(text.to_owned())
    }

    pub fn bool(yes: bool) -> Yaml {
        Yaml::Scalar(yes.to_string())
    }

    pub fn integer(n: i64) -> Yaml {
        Yaml::Scalar(n.to_string())
    }

    pub fn texts<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Yaml {
        Yaml::List(texts.into_iter().map(|text| Yaml::text(text.as_ref())).collect())
    }

    /// Returns whether it is an empty list or map.
    pub fn is_empty(&self) -> bool {
        match self {
            Yaml::Scalar(_) => false,
            Yaml::List(entries) => entries.is_empty(),
            Yaml::Map(entries) => entries.is_empty(),
        }
    }

    /// Writes it on one line.
    fn flow(&self) -> String {
        match self {
            Yaml::Scalar(text) => text.clone(),
            Yaml::List(entries) => format!("[{}]", entries.iter().map(Yaml::flow).collect::<Vec<_>>().join(", ")),
            Yaml::Map(entries) => {
                let entry = |(key, value): &(String, Yaml)| format!("{}: {}", scalar(key), value.flow());
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// Returns the line, when it is short and simple enough for one.
    fn line(&self, column: usize) -> Option<String> {
        let is_simple = match self {
            Yaml::List(entries) => {
                let maps = entries.iter().filter(|entry| matches!(entry, Yaml::Map(_))).count();
                maps < 2 && entries.iter().all(|entry| !entry.holds_several_maps())
            }
            _ => !self.holds_several_maps(),
        };
        let line = Some(self.flow()).filter(|_| is_simple || matches!(self, Yaml::Scalar(_)))?;
        let fits = column + line.chars().count() <= WIDTH;
        (fits || matches!(self, Yaml::Scalar(_)) || self.is_empty()).then_some(line)
    }

    /// Returns whether a list of more than one map is in it: each then stands on a line of its own.
    fn holds_several_maps(&self) -> bool {
        match self {
            Yaml::Scalar(_) => false,
            Yaml::List(entries) => {
                entries.iter().filter(|entry| matches!(entry, Yaml::Map(_))).count() > 1
                    || entries.iter().any(Yaml::holds_several_maps)
            }
            Yaml::Map(entries) => entries.iter().any(|(_, value)| value.holds_several_maps()),
        }
    }

    fn block(&self, indent: usize, out: &mut String) {
        match self {
            Yaml::Scalar(text) => out.push_str(text),
            Yaml::List(entries) => {
                for entry in entries {
                    out.push_str(&format!("{:indent$}- ", ""));
                    entry.item(indent + 2, out);
                }
            }
            Yaml::Map(entries) => {
                for (at, (key, value)) in entries.iter().enumerate() {
                    if at > 0 {
                        out.push_str(&format!("{:indent$}", ""));
                    }
                    entry_of(key, value, indent, out);
                }
            }
        }
    }

    /// Writes an entry of a list, behind its dash.
    fn item(&self, indent: usize, out: &mut String) {
        match self.line(indent) {
            Some(line) => {
                out.push_str(&line);
                out.push('\n');
            }
            None => match self {
                // A list in a list that does not fit is rare: one line, however long.
                Yaml::List(_) => {
                    out.push_str(&self.flow());
                    out.push('\n');
                }
                _ => self.block(indent, out),
            },
        }
    }
}

/// Writes a key with its value, and the line's end.
fn entry_of(key: &str, value: &Yaml, indent: usize, out: &mut String) {
    let key = scalar(key);
    match value.line(indent + key.chars().count() + 2) {
        Some(line) => out.push_str(&format!("{key}: {line}\n")),
        None => {
            out.push_str(&format!("{key}:\n"));
            if matches!(value, Yaml::Map(_)) {
                out.push_str(&format!("{:1$}", "", indent + 2));
            }
            value.block(indent + 2, out);
        }
    }
}

/// Writes the sections of a file, with an empty line between those that take several lines.
pub fn document(head: &[String], sections: &[(&str, Yaml)]) -> String {
    let mut text = String::new();
    for line in head {
        text.push_str(&if line.is_empty() { "#\n".to_owned() } else { format!("# {line}\n") });
    }
    let mut is_block_before = false;
    for (key, value) in sections {
        let mut section = String::new();
        // The lists of a file are written one object a line.
        match value {
            Yaml::List(entries) if entries.iter().any(|entry| matches!(entry, Yaml::Map(_))) => {
                section.push_str(&format!("{key}:\n"));
                value.block(2, &mut section);
            }
            _ => entry_of(key, value, 0, &mut section),
        }
        let is_block = section.lines().count() > 1;
        if !text.is_empty() && (is_block || is_block_before) && !text.ends_with("\n\n") {
            text.push('\n');
        }
        text.push_str(&section);
        is_block_before = is_block;
    }
    format_yaml(&text).unwrap_or(text)
}

/// Writes a text as a scalar, in quotes where it would be read as something else.
fn scalar(text: &str) -> String {
    let first = text.chars().next().unwrap_or(' ');
    let is_plain = (first.is_ascii_alphabetic() || matches!(first, '_' | '/'))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-' | '*'))
        && !NOT_TEXTS.contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // What YAML does not print, and what it takes for the end of a line or of the file's head.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::plain_value;

    #[test]
    fn scalars_are_read_as_the_texts_they_are() {
        let texts = [
            "",
            "a",
            "true",
            "No",
            "1",
            "1.5",
            "~",
            "a: b",
            "#x",
            "x #y",
            "- a",
            "é",
            "\u{7f}\n\t",
            "a'b\"c\\",
            "*a",
            "^a$",
            "/",
        ];
        for text in texts {
            let Yaml::Scalar(written) = Yaml::text(text) else { panic!("a scalar") };
            let read = plain_value(&format!("[{written}]")).expect("YAML");
            assert_eq!(read, serde_json::json!([text]), "{written}");
        }
    }

    #[test]
    fn what_fits_stands_on_one_line() {
        let map = |key: &str, value: Yaml| Yaml::Map(vec![(key.to_owned(), value)]);
        let long = Yaml::texts((0..30).map(|n| format!("entry{n}")));
        let text = document(
            &[],
            &[("vhost", Yaml::text("/")), ("queues", Yaml::List(vec![map("name", Yaml::text("q")), map("all", long)]))],
        );
        assert!(text.starts_with("vhost: /\n\nqueues:\n  - {name: q}\n  - all:\n      - entry0\n"), "{text}");
    }
}
