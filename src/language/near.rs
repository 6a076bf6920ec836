//! The nearest right spelling.
//! Takes a word and what it might have meant; gives one candidate, or none when nothing is near.

/// How many candidates are measured: a broker's export may declare very many.
const CANDIDATES_MAX: usize = 2_000;

/// Finds the candidate that a word was most likely meant to be.
pub fn nearest<'c, S: AsRef<str> + ?Sized + 'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c S>,
) -> Option<&'c str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '.', ' '], "_");
    let wanted = plain(word);
    let most = (wanted.chars().count() / 3).max(1);
    let length = wanted.chars().count();
    let likely = |candidate: &&str| candidate.chars().count().abs_diff(length) <= most;
    let measured = candidates
        .into_iter()
        .map(AsRef::as_ref)
        .filter(likely)
        .take(CANDIDATES_MAX)
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &plain(candidate)), candidate));
    measured.filter(|(distance, _)| *distance <= most).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// Writes a list of candidates as a sentence part, cut when it is long.
pub fn listed<S: AsRef<str>>(candidates: impl IntoIterator<Item = S>) -> String {
    let all: Vec<String> = candidates.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match all.len() {
        0 => "none".into(),
        1..=12 => all.join(", "),
        n => format!("{} and {} more", all[..10].join(", "), n - 10),
    }
}

/// Asks `did you mean`, or lists what there is.
pub fn suggest<'c, S: AsRef<str> + ?Sized + 'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c S> + Clone,
    kind: &str,
) -> String {
    match nearest(word, candidates.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("{kind}: {}", listed(candidates.into_iter().map(AsRef::as_ref))),
    }
}
