//! The whole names that a permission's pattern spells out, and which of them is nearly another one.
//! Takes the text of a pattern; gives names. What it cannot take apart it leaves alone.

/// A name that a pattern spells out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternWord {
    pub text: String,
    /// Whether the pattern finds this name alone, and not others that it is a part of.
    pub is_whole: bool,
}

/// Lists the names that a pattern spells out: `^(orders|audit)$` two of them, `^orders\.` none that is whole.
pub fn pattern_words(pattern: &str) -> Vec<PatternWord> {
    let mut words = Vec::new();
    for branch in choices(pattern) {
        let (from_start, rest) = branch.strip_prefix('^').map_or((false, branch), |rest| (true, rest));
        let end = rest.strip_suffix('$').filter(|rest| !rest.ends_with('\\'));
        let is_whole = from_start && end.is_some();
        let rest = end.unwrap_or(rest);
        let (before, inside, after) = match rest.split_once('(') {
            Some((before, rest)) => match rest.rsplit_once(')') {
                Some((inside, after)) => (before, inside, after),
                None => continue,
            },
            None => (rest, "", ""),
        };
        let inside = inside.strip_prefix("?:").unwrap_or(inside);
        let texts = choices(inside).into_iter().filter_map(|choice| spelt(&[before, choice, after].concat()));
        words.extend(texts.filter(|text| !text.is_empty()).map(|text| PatternWord { text, is_whole }));
    }
    words
}

/// Returns whether a slip of the hand makes one name of the other: a sign more, less, other or two of them changed round; or
/// case, or what parts words. A number is no slip.
pub fn is_slip(one: &str, other: &str) -> bool {
    let plain =
        |name: &str| -> String { name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect() };
    let numbers = |name: &str| -> String { name.chars().filter(char::is_ascii_digit).collect() };
    let is_long = one.chars().count() >= LETTERS_MIN && other.chars().count() >= LETTERS_MIN;
    one != other
        && numbers(one) == numbers(other)
        && (plain(one) == plain(other) || is_long && strsim::damerau_levenshtein(one, other) == 1)
}

/// In shorter names one sign is too much of the whole.
const LETTERS_MIN: usize = 5;

/// Parts a pattern at the `|` that stand in no bracket.
fn choices(pattern: &str) -> Vec<&str> {
    let (mut choices, mut begin, mut depth, mut is_escaped) = (Vec::new(), 0, 0_usize, false);
    for (at, sign) in pattern.char_indices() {
        match sign {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => {
                choices.push(&pattern[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    choices.push(&pattern[begin..]);
    choices
}

/// Reads a text in which nothing is special but a point, which people write for itself.
fn spelt(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => plain.push(signs.next().filter(char::is_ascii_punctuation)?),
            '_' | '-' | '/' | ':' | '@' | ' ' | '.' => plain.push(sign),
            _ if sign.is_alphanumeric() => plain.push(sign),
            _ => return None,
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_taken_apart_into_the_names_that_it_spells_out() {
        let words = |pattern: &str| -> Vec<String> {
            let found = pattern_words(pattern).into_iter();
            found.map(|word| if word.is_whole { word.text } else { format!("…{}…", word.text) }).collect()
        };
        assert_eq!(words("^(orders|audit)$"), ["orders", "audit"]);
        assert_eq!(words("^orders$|^au\\.dit$"), ["orders", "au.dit"]);
        assert_eq!(words("^shop\\.(?:orders|audit)\\.in$"), ["shop.orders.in", "shop.audit.in"]);
        assert_eq!(words("^orders\\."), ["…orders.…"]);
        assert_eq!(words("orders|^a.*$|^[ab]$|(x|(y|z))"), ["…orders…", "…x…"]);
        assert!(words(".*").is_empty() && words("").is_empty() && words("^(a").is_empty());
    }

    #[test]
    fn a_slip_is_one_sign_and_no_number() {
        for (one, other) in
            [("orders", "ordres"), ("audit", "audits"), ("Audit", "audit"), ("a-b", "a.b"), ("parcels", "parcls")]
        {
            assert!(is_slip(one, other) && is_slip(other, one), "{one} {other}");
        }
        for (one, other) in [("work1", "work2"), ("orders", "orders"), ("mail", "mails"), ("orders", "borders2")] {
            assert!(!is_slip(one, other) && !is_slip(other, one), "{one} {other}");
        }
    }
}
