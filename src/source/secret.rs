//! Which keys hold secrets, by their names, and where passwords stand in URLs.
//! Takes a key, or a text; problems and plans never quote what stands at such a one, and `report` masks it in the source
//! that it shows.

use std::ops::Range;

/// What the name of a secret key holds.
const WORDS: [&str; 10] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "api-key",
    "apikey",
    "authorization",
    "credential",
];

/// Returns whether the value of a key is a secret: `password`, `password_hash`, `api_token`, `CLIENT_SECRET`.
///
/// ```
/// use rmqplay::source::is_secret;
/// assert!(is_secret("password_hash") && is_secret("clientSecret"));
/// assert!(is_secret("pasword") && !is_secret("routing_key"));
/// ```
pub fn is_secret(key: &str) -> bool {
    // No word is shorter, and none is near that is.
    if key.len() < 5 {
        return false;
    }
    let key = key.to_ascii_lowercase();
    let misspelt = |part: &str| {
        let likely = part.starts_with(['p', 's']) && (5..=10).contains(&part.len());
        likely
            && (strsim::damerau_levenshtein(part, "password") <= 2 || strsim::damerau_levenshtein(part, "secret") <= 1)
    };
    let has_word = |at: usize| WORDS.iter().any(|word| key.as_bytes()[at..].starts_with(word.as_bytes()));
    let is_first = |byte: &u8| matches!(byte, b'p' | b's' | b't' | b'a' | b'c');
    key.bytes().enumerate().any(|(at, byte)| is_first(&byte) && has_word(at))
        || key.len() < 64 && key.split(['_', '-', '.']).any(misspelt)
}

/// Writes `***` in the place of the passwords of URLs.
pub fn without_passwords_in_urls(text: &str) -> String {
    let mut shown = text.to_owned();
    passwords_in_urls(text).into_iter().rev().for_each(|password| shown.replace_range(password, "***"));
    shown
}

/// Returns where passwords stand in the URLs of a text, in order: `pass` in `scheme://user:pass@host`, one with a `/` or a
/// quote in it, too, and the value of a `password` parameter.
///
/// ```
/// use rmqplay::source::passwords_in_urls;
/// assert_eq!(passwords_in_urls("amqps://al:pw@host?password=key&verify=verify_peer"), [11..13, 28..31]);
/// ```
pub fn passwords_in_urls(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("://") {
        let start = at + 3;
        let scheme = text[..at].trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        let is_in_quotes = scheme.ends_with('\'');
        let ends = |c: char| c.is_whitespace() || c == '"' || is_in_quotes && c == '\'';
        let rest = &text[start..];
        let whole = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let authority = &whole[..whole.find('/').unwrap_or(whole.len())];
        let mut after = 0;
        if let Some(colon) = authority.find(':') {
            let port = &authority[colon + 1..];
            let is_port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
            let end = authority.rfind('@').or_else(|| whole.rfind('@').filter(|_| !is_port));
            if let Some(end) = end.filter(|end| colon < *end) {
                found.push(start + colon + 1..start + end);
                after = end;
            }
        }
        if let Some(parameter) = ["?password=", "&password="].iter().find_map(|name| whole[after..].find(name)) {
            let value = after + parameter + "?password=".len();
            let length = whole[value..].find(['&', '#']).unwrap_or(whole.len() - value);
            found.push(start + value..start + value + length);
        }
    }
    found.retain(|range| !range.is_empty());
    found
}
