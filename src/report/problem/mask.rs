//! Masks secrets in a text that is about to be shown: values of secret keys, passwords in URLs.
//! Takes any text, YAML, JSON or broken; gives one of the same byte length, so that spans hold.

use crate::source::{is_secret, passwords_in_urls};

/// Replaces every byte of a secret by `*`.
///
/// ```
/// use rmqplay::report::mask;
/// assert_eq!(mask("{name: al, password: hunter2}"), "{name: al, password: *******}");
/// assert_eq!(mask("uri: amqp://al:pw@host"), "uri: amqp://al:**@host");
/// assert_eq!(mask("[\"amqp://al:p'w/,@h\"]"), "[\"amqp://al:*****@h\"]");
/// assert_eq!(mask("- {password: >-\n   hunter2}\nname: al"), "- {password: **\n   ********\nname: al");
/// // A variable that is somebody's password is a secret where it is given.
/// assert_eq!(mask("vars: {al: hunter2}\npassword: '{{ al }}'"), "vars: {al: *******}\npassword: '{{ al }}'");
/// ```
pub fn mask(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let variables = secret_variables(text);
    let secrets = Secrets { variables };
    let mut at = 0;
    let mut below: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let blank = line.trim().is_empty();
        match below {
            Some(column) if blank || indent > column || line[indent..].starts_with(": ") => {
                hide(&mut bytes, at + indent, at + line.trim_end().len())
            }
            _ => {
                below = None;
                if !blank {
                    below = secrets.mask_line(line, at, &mut bytes);
                }
            }
        }
        at += line.len();
    }
    for secret in passwords_in_urls(text) {
        hide(&mut bytes, secret.start, secret.end);
    }
    String::from_utf8(bytes).unwrap_or_default()
}

fn hide(bytes: &mut [u8], start: usize, end: usize) {
    if let Some(secret) = bytes.get_mut(start..end) {
        secret.fill(b'*');
    }
}

/// Lists the variables that the templates of secret keys name; what comes from the environment is in no file.
fn secret_variables(text: &str) -> Vec<&str> {
    let keys_only = Secrets { variables: Vec::new() };
    let mut found = Vec::new();
    for line in text.lines() {
        let mut from = 0;
        while let Some((key, value)) = keys_only.next(line, from) {
            let end = value_end(line, key, value);
            let templates = line[value..end].split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
            let words =
                templates.flat_map(|template| template.split(|c: char| !c.is_alphanumeric() && !"_.".contains(c)));
            found.extend(words.filter(|word| !word.is_empty() && !word.contains('.')));
            from = end.max(value);
        }
    }
    found
}

/// Knows which keys of a text are secret.
struct Secrets<'t> {
    variables: Vec<&'t str>,
}

impl Secrets<'_> {
    /// Masks the values of secret keys on a line; gives the key's column when the value may go on below.
    fn mask_line(&self, line: &str, offset: usize, bytes: &mut [u8]) -> Option<usize> {
        let mut from = 0;
        let mut below = None;
        while let Some((key, value)) = self.next(line, from) {
            let end = value_end(line, key, value);
            let written = &line[value..end];
            match written.contains("{{") {
                true => mask_quoted_in_template(written, offset + value, bytes),
                false => hide(bytes, offset + value, offset + end),
            }
            let first = line[..key].trim_start_matches([' ', '-', '?', '"', '\'', '#']).is_empty();
            let template = written.contains("{{");
            // A block that stands in a flow map is no YAML, and is shown as what is wrong all the same.
            let block = written.starts_with(['|', '>']);
            let column = if first { key } else { line.len() - line.trim_start_matches(' ').len() };
            below = ((first || block) && !template && goes_below(&line[key..value], written)).then_some(column);
            from = end.max(value);
        }
        below
    }

    /// Finds the next secret key from a byte on; gives where the key begins and where its value does.
    fn next(&self, line: &str, from: usize) -> Option<(usize, usize)> {
        let wordy = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$');
        let mut at = from;
        while at < line.len() {
            let start = at + line[at..].find(wordy)?;
            let end = line[start..].find(|c: char| !wordy(c)).map_or(line.len(), |length| start + length);
            let word = &line[start..end];
            let rest = line[end..].trim_start_matches(['"', '\'']).trim_start_matches(' ');
            let value = rest.strip_prefix([':', '=']).map(|value| value.trim_start_matches(' '));
            // `? password` has its value on a line of its own.
            let goes_below = || rest.trim().is_empty() && line[..start].trim() == "?";
            // Most words are no keys at all, which is seen sooner.
            if (value.is_some() || goes_below()) && (is_secret(word) || self.variables.contains(&word)) {
                return Some((start, value.map_or(line.len(), |value| line.len() - value.len())));
            }
            at = end;
        }
        None
    }
}

/// A map below a key is shown, unless the key says that all of it is secret.
fn goes_below(key: &str, written: &str) -> bool {
    let word = key.trim_end_matches([':', '=', ' ', '"', '\'']).to_ascii_lowercase();
    let ends = ["password", "passwords", "secret", "secrets", "token", "tokens", "hash", "passwd"];
    !written.trim().is_empty() || ends.iter().any(|end| word.ends_with(end))
}

/// Finds where a value ends on its line: at its closing quote, at the next key of a flow map, or with the line.
fn value_end(line: &str, key: usize, value: usize) -> usize {
    let rest = &line[value..];
    let whole = rest.trim_end().len();
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let mut escaped = false;
        for (at, c) in rest.char_indices().skip(1) {
            if c == quote && !escaped {
                return value + at + 1;
            }
            escaped = c == '\\' && !escaped && quote == '"';
        }
        return value + whole;
    }
    let in_flow = line[..key].contains(['{', '[', '&']);
    if !in_flow || rest.starts_with("{{") {
        return value + rest.find("}}").filter(|_| rest.starts_with("{{")).map_or(whole, |at| at + 2);
    }
    let next_key = |at: usize| {
        let after = rest[at + 1..].trim_start();
        let word = after.find(|c: char| !c.is_alphanumeric() && !"_-\"'".contains(c)).unwrap_or(after.len());
        after.is_empty() || word > 0 && after[word..].starts_with(':')
    };
    let end = rest.char_indices().find(|(at, c)| match c {
        '}' | ']' => true,
        ',' => next_key(*at),
        _ => false,
    });
    value + end.map_or(whole, |(at, _)| at)
}

/// Shows a template, but not the texts in it.
fn mask_quoted_in_template(written: &str, offset: usize, bytes: &mut [u8]) {
    let inside = written.trim_start_matches(['"', '\'']);
    let skipped = written.len() - inside.len();
    let outer = if skipped > 0 { written.chars().next() } else { None };
    let mut open: Option<(char, usize)> = None;
    for (at, c) in inside.char_indices().filter(|(_, c)| matches!(c, '"' | '\'') && Some(*c) != outer) {
        match open {
            Some((quote, start)) if quote == c => {
                hide(bytes, offset + skipped + start, offset + skipped + at);
                open = None;
            }
            None => open = Some((c, at + 1)),
            _ => {}
        }
    }
    let plain_before = inside.find("{{").unwrap_or(0);
    hide(bytes, offset + skipped, offset + skipped + plain_before);
    if let Some(end) = inside.rfind("}}") {
        let tail = inside[end + 2..].trim_end_matches(['"', '\'', ' ']).len();
        hide(bytes, offset + skipped + end + 2, offset + skipped + end + 2 + tail);
    }
}
