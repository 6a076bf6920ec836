//! A name that a pattern of permissions fits, and one that it does not; a routing key that a binding takes.

use crate::rules::Pattern;

/// Finds a text that a permission's pattern fits, by reading the pattern; `None` where that is too hard.
pub(crate) fn fitting(pattern: &str) -> Option<String> {
    let compiled = Pattern::permission(pattern, false).ok()?;
    let first = first_branch(pattern.trim_start_matches('^'));
    let mut candidates = vec![written_out(&first)];
    candidates.extend(["any", "a.b", "a"].map(str::to_owned));
    candidates.into_iter().find(|text| !text.is_empty() && compiled.matches(text))
}

/// Finds a text of some that a permission's pattern does not fit.
pub(crate) fn unfitting<'t>(pattern: &str, texts: impl IntoIterator<Item = &'t str>) -> Option<String> {
    let compiled = Pattern::permission(pattern, false).ok()?;
    texts.into_iter().find(|text| !compiled.matches(text)).map(str::to_owned)
}

/// Takes the first of the alternatives at the outermost level.
fn first_branch(pattern: &str) -> String {
    let mut depth = 0;
    let mut out = String::new();
    let mut escaped = false;
    for c in pattern.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '|' if depth == 0 => break,
            _ => {}
        }
        out.push(c);
    }
    out
}

/// Writes a pattern out as a text that it should fit: classes by their first letter, repeats once, first alternatives.
fn written_out(pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        let piece = match c {
            '^' | '$' => continue,
            '\\' => match rest.next() {
                Some('d') => "1".to_owned(),
                Some('w') => "a".to_owned(),
                Some(other) => other.to_string(),
                None => String::new(),
            },
            '.' => "x".to_owned(),
            '[' => {
                let inside: String = rest.by_ref().take_while(|c| *c != ']').collect();
                match inside.strip_prefix('^') {
                    Some(_) => "x".to_owned(),
                    None => inside.chars().next().map(String::from).unwrap_or_default(),
                }
            }
            '(' => {
                let mut depth = 1;
                let mut inside = String::new();
                for c in rest.by_ref() {
                    depth += match c {
                        '(' => 1,
                        ')' => -1,
                        _ => 0,
                    };
                    if depth == 0 {
                        break;
                    }
                    inside.push(c);
                }
                written_out(&first_branch(inside.trim_start_matches("?:")))
            }
            other => other.to_string(),
        };
        match rest.peek() {
            Some('*' | '+' | '?') => {
                rest.next();
            }
            Some('{') => rest.by_ref().take_while(|c| *c != '}').for_each(drop),
            _ => {}
        }
        out.push_str(&piece);
    }
    out
}

/// Makes a routing key that a topic binding takes.
pub(crate) fn topic_key(binding: &str) -> String {
    let words: Vec<&str> = binding
        .split('.')
        .filter_map(|word| match word {
            "*" => Some("any"),
            "#" if binding == "#" => Some("any"),
            "#" => None,
            word => Some(word),
        })
        .collect();
    words.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_written_out_as_a_name_that_it_fits() {
        let found = |pattern| fitting(pattern).unwrap_or_default();
        assert_eq!(found("^cmd\\.alice$"), "cmd.alice");
        assert_eq!(found("^(game|audit)\\..+$"), "game.x");
        assert_eq!(found("^[a-z]+-[0-9]{2,3}$|^zz$"), "");
        assert_eq!(found("^orders$|^audit$"), "orders");
        assert_eq!(found(".*"), "x");
        assert_eq!(found("^$"), "");
        assert_eq!(found("^(helixagent\\..+|amq\\.default)$"), "helixagent.x");
    }

    #[test]
    fn a_topic_binding_takes_its_key() {
        assert_eq!(topic_key("order.*.#"), "order.any");
        assert_eq!(topic_key("#"), "any");
        assert_eq!(topic_key("#.paid"), "paid");
    }
}
