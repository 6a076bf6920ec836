//! The nearest right spelling.
//! Takes a word and what it might have meant; gives one candidate, or none when nothing is near.

/// How many candidates are measured: a broker's export may declare very many.
const CANDIDATES_MAX: usize = 2_000;

/// What other tools and people call it, and what it is called here: the meanings are not near in spelling.
const OTHER_WORDS: [(&str, &[&str]); 29] = [
    ("actions", &["do"]),
    ("after", &["advance"]),
    ("assert", &["expect"]),
    ("check", &["expect"]),
    ("content", &["body"]),
    ("dead_letter_exchange", &["dead_letter"]),
    ("dead_letter_routing_key", &["dead_letter"]),
    ("dlq", &["dead_letter"]),
    ("dlx", &["dead_letter"]),
    ("drain", &["purge"]),
    ("handler", &["on_message"]),
    ("key", &["routing_key"]),
    ("kill", &["crash"]),
    ("name", &["scenario", "id"]),
    ("pause", &["advance"]),
    ("priorities", &["max_priority"]),
    ("queue", &["routing_key"]),
    ("repeat", &["count"]),
    ("restart", &["restart_broker"]),
    ("rules", &["on_message"]),
    ("send", &["publish"]),
    ("sleep", &["advance", "delay"]),
    ("then", &["do"]),
    ("times", &["count"]),
    ("title", &["scenario"]),
    ("to", &["routing_key"]),
    ("ttl", &["message_ttl", "expiration"]),
    ("user", &["as"]),
    ("wait", &["advance", "delay"]),
];

/// Finds the candidate that a word was most likely meant to be.
pub fn nearest<'c, S: AsRef<str> + ?Sized + 'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c S>,
) -> Option<&'c str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '.', ' '], "_");
    let wanted = plain(word);
    let meanings = OTHER_WORDS.iter().find(|(other, _)| *other == wanted).map_or(&[][..], |(_, meanings)| meanings);
    let length = wanted.chars().count();
    let most = (length / 3).max(1);
    let mut measured = 0;
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates.into_iter().map(AsRef::as_ref) {
        if meanings.contains(&candidate) {
            return Some(candidate);
        }
        if measured == CANDIDATES_MAX || candidate.chars().count().abs_diff(length) > most {
            continue;
        }
        measured += 1;
        let distance = strsim::damerau_levenshtein(&wanted, &plain(candidate));
        if distance <= most && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, name)| name)
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
