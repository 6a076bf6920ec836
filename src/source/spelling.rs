//! The nearest of some names, by its letters.
//! Takes a name and what it might have meant; gives one of them, or none when nothing is near. Knows no meanings.

/// How many candidates are measured: a broker's export may declare very many.
const CANDIDATES_MAX: usize = 2_000;

/// A shorter beginning of a word says too little to tell what it begins.
const BEGINNING_MIN: usize = 3;

/// How near a candidate is, nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    /// The same but for upper case and what parts words: `CO13`, `routingKey`.
    Same,
    /// One of it and many of it: `policy`, `policies`.
    Number,
    /// So many letters apart.
    Letters(usize),
    /// One begins with the other, and has so many letters more: `desc`, `prefetch_limit`.
    Beginning(usize),
}

/// Finds the name that a name was most likely meant to be, by its letters alone.
pub fn nearest_name<'c, S: AsRef<str> + ?Sized + 'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c S>,
) -> Option<&'c str> {
    let wanted = plain_spelling(name);
    let mut best: Option<(Nearness, &str)> = None;
    for candidate in candidates.into_iter().map(AsRef::as_ref).take(CANDIDATES_MAX) {
        if let Some(nearness) = nearness(&wanted, &plain_spelling(candidate))
            && best.is_none_or(|(least, _)| nearness < least)
        {
            best = Some((nearness, candidate));
        }
    }
    best.map(|(_, name)| name)
}

/// Returns a name without upper case, and with one sign for all that parts words.
pub fn plain_spelling(text: &str) -> String {
    text.to_lowercase().replace(['-', '.', ' '], "_")
}

/// Returns a plain spelling without what parts words.
pub fn squeezed_spelling(plain: &str) -> String {
    plain.replace('_', "")
}

fn singular(plain: &str) -> String {
    match plain.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => plain.strip_suffix('s').unwrap_or(plain).to_owned(),
    }
}

fn nearness(wanted: &str, candidate: &str) -> Option<Nearness> {
    let (length, other) = (wanted.chars().count(), candidate.chars().count());
    if length == 0 || other == 0 {
        return None;
    }
    if squeezed_spelling(wanted) == squeezed_spelling(candidate) {
        return Some(Nearness::Same);
    }
    if length > 2 && singular(wanted) == singular(candidate) {
        return Some(Nearness::Number);
    }
    let most = letters_apart_max(length);
    if length.abs_diff(other) <= most {
        let apart = strsim::damerau_levenshtein(wanted, candidate);
        // Of two letters, one that is wrong is half of the word.
        let is_near = length > 2 || wanted.chars().next() == candidate.chars().next();
        if apart <= most && is_near {
            return Some(Nearness::Letters(apart));
        }
    }
    let begins = candidate.starts_with(wanted) && length >= BEGINNING_MIN;
    let goes_on = wanted.strip_prefix(candidate).is_some_and(|rest| rest.starts_with('_')) && other >= BEGINNING_MIN;
    (begins || goes_on).then(|| Nearness::Beginning(length.abs_diff(other)))
}

fn letters_apart_max(length: usize) -> usize {
    if length < 2 { 0 } else { (length / 3).max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_not_taken_for_words() {
        assert_eq!(nearest_name("dlq", ["dead_letter", "dlx"]), Some("dlx"));
        assert_eq!(nearest_name("data", ["json"]), None);
        assert_eq!(nearest_name("order", ["orders", "ordre"]), Some("orders"));
    }
}
