//! The nearest right spelling.
//! Takes a word and what it might have meant; gives one candidate, or none when nothing is near.

use crate::language::decode::other_words::OTHER_WORDS;
use crate::source::{Help, nearest_name, plain_spelling, squeezed_spelling};

/// Finds the word of the language that a word was most likely meant to be: by what it means elsewhere, or by its letters.
pub fn nearest<'c, S: AsRef<str> + ?Sized + 'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c S>,
) -> Option<&'c str> {
    let candidates: Vec<&'c str> = candidates.into_iter().map(AsRef::as_ref).collect();
    let wanted = plain_spelling(word);
    // RabbitMQ's arguments begin with `x-`, and fields are named without it.
    let bare = wanted.strip_prefix("x_").unwrap_or(&wanted);
    let parted_otherwise = squeezed_spelling(bare);
    let same = |known: &&&'c str| squeezed_spelling(&plain_spelling(known)) == parted_otherwise;
    if let Some(same) = candidates.iter().find(same) {
        return Some(same);
    }
    let other = OTHER_WORDS.iter().find(|(other, _)| *other == bare).map_or(&[][..], |(_, meanings)| meanings);
    let meant = other.iter().find_map(|meaning| candidates.iter().find(|candidate| *candidate == meaning));
    meant.copied().or_else(|| nearest_name(word, candidates))
}

/// Writes a list of candidates as a sentence part, cut when it is long.
pub fn listed<S: AsRef<str>>(candidates: impl IntoIterator<Item = S>) -> String {
    let all: Vec<String> = candidates.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match all.len() {
        0 => "none".into(),
        1..=13 => all.join(", "),
        n => format!("{} and {} more", all[..10].join(", "), n - 10),
    }
}

/// Asks `did you mean`, or lists what there is: words of the language.
pub fn suggest<'c, S: AsRef<str> + ?Sized + 'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c S> + Clone,
    kind: &str,
) -> Help {
    near_or_listed(nearest(word, candidates.clone()), candidates, kind)
}

/// Asks `did you mean`, or lists what there is: names that somebody gave.
pub fn suggest_name<'c, S: AsRef<str> + ?Sized + 'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c S> + Clone,
    kind: &str,
) -> Help {
    near_or_listed(nearest_name(name, candidates.clone()), candidates, kind)
}

fn near_or_listed<'c, S: AsRef<str> + ?Sized + 'c>(
    near: Option<&str>,
    candidates: impl IntoIterator<Item = &'c S>,
    kind: &str,
) -> Help {
    match near {
        Some(near) => Help::did_you_mean(near),
        None => format!("{kind}: {}", listed(candidates.into_iter().map(AsRef::as_ref))).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearer_spellings_come_first() {
        let near = |word: &str, known: &[&'static str]| nearest(word, known.iter().copied()).map(str::to_owned);
        for (word, known, expected) in [
            ("policy", &["parameters", "policies"][..], Some("policies")),
            ("CO13", &["CO-1", "CO-3", "CO-13"], Some("CO-13")),
            ("routingKey", &["routing_keys", "routing_key"], Some("routing_key")),
            ("desc", &["durable", "description"], Some("description")),
            ("x-message-ttl", &["type", "message_ttl"], Some("message_ttl")),
            ("x-dead-letter-exchange", &["exchange", "dead_letter"], Some("dead_letter")),
            ("to", &["source", "destination", "routing_key"], Some("destination")),
            ("to", &["exchange", "routing_key"], Some("exchange")),
            ("prefetch_size_max", &["prefetch", "priority"], Some("prefetch")),
            ("a", &["b"], None),
            ("q1", &["d1"], None),
            ("q1", &["q2"], Some("q2")),
            ("", &["a"], None),
            ("xyzzy", &["queue", "exchange"], None),
        ] {
            assert_eq!(near(word, known).as_deref(), expected, "{word}");
        }
    }

    #[test]
    fn what_words_mean_elsewhere_is_in_order_and_once() {
        assert!(OTHER_WORDS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(OTHER_WORDS.iter().all(|(word, meanings)| !meanings.is_empty() && !meanings.contains(word)));
    }
}
