//! Permission patterns: whether a new one surely allows all that the old one allowed.
//! Careful, not clever: what it cannot prove it calls narrower.

/// Returns whether everything that `old` allows, `new` allows too.
pub(crate) fn surely_covers(new: &str, old: &str) -> bool {
    if new == old || matches!(new, ".*" | "^.*" | "^.*$" | ".*$") {
        return true;
    }
    // An empty pattern means nothing (PE-1).
    if matches!(old, "" | "^$") {
        return true;
    }
    let (old, new) = (alternatives(old), alternatives(new));
    old.iter().all(|one| new.contains(one))
}

/// Splits `a|b` and `^(a|b)$` into whole patterns, each with its anchors.
fn alternatives(pattern: &str) -> Vec<String> {
    let parts = split(pattern);
    if parts.len() > 1 {
        return parts.into_iter().flat_map(alternatives).collect();
    }
    let (start, rest) = pattern.strip_prefix('^').map_or(("", pattern), |rest| ("^", rest));
    let (end, rest) = rest.strip_suffix('$').map_or(("", rest), |rest| ("$", rest));
    let inside = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let Some(inside) = inside.map(|inside| inside.strip_prefix("?:").unwrap_or(inside)) else {
        return vec![pattern.to_owned()];
    };
    if inside.starts_with('?') || !is_balanced(inside) {
        return vec![pattern.to_owned()];
    }
    split(inside).into_iter().map(|part| format!("{start}{part}{end}")).collect()
}

/// Splits at `|` outside of groups, classes and escapes.
fn split(pattern: &str) -> Vec<&str> {
    let (mut depth, mut in_class, mut escaped, mut from) = (0_usize, false, false, 0);
    let mut parts = Vec::new();
    for (at, letter) in pattern.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match letter {
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            _ if in_class => {}
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => {
                parts.push(&pattern[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&pattern[from..]);
    parts
}

/// Returns whether no group of the text closes before it opened: `a)(b` is not one inside.
fn is_balanced(text: &str) -> bool {
    let mut depth = 0_i32;
    for (before, letter) in std::iter::once(' ').chain(text.chars()).zip(text.chars()) {
        match letter {
            '(' if before != '\\' => depth += 1,
            ')' if before != '\\' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

#[cfg(test)]
mod tests {
    use crate::plan::diff::patterns::surely_covers;

    #[test]
    fn only_what_is_proven_is_wider() {
        for (new, old) in [
            (".*", "^a$"),
            ("^a$|^b$", "^a$"),
            ("^(a|b)$", "^a$"),
            ("^(a|b|c)$", "^(c|a)$"),
            ("^a$", ""),
            ("^a$", "^$"),
            ("a|b", "a"),
        ] {
            assert!(surely_covers(new, old), "{new} covers {old}");
        }
        for (new, old) in
            [("^a$", ".*"), ("^a$", "^a"), ("^(a|b)$", "^c$"), ("", "^a$"), ("[a|b]", "[a"), ("^ab$", "^a")]
        {
            assert!(!surely_covers(new, old), "{new} is not known to cover {old}");
        }
    }
}
