//! Which keys hold secrets, by their names.
//! Takes a key; problems never quote what stands at such a one, and `report` masks it in the source that it shows.

/// Returns whether the value of a key is a secret: `password`, `password_hash`, `api_token`, `CLIENT_SECRET`.
///
/// ```
/// use rmqplay::language::is_secret;
/// assert!(is_secret("password_hash") && is_secret("clientSecret"));
/// assert!(is_secret("pasword") && !is_secret("routing_key"));
/// ```
pub fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let misspelt = |part: &str| {
        let likely = part.starts_with(['p', 's']) && (5..=10).contains(&part.len());
        likely
            && (strsim::damerau_levenshtein(part, "password") <= 2 || strsim::damerau_levenshtein(part, "secret") <= 1)
    };
    ["password", "passwd", "secret", "token"].iter().any(|word| key.contains(word))
        || key.len() < 64 && key.split(['_', '-', '.']).any(misspelt)
}
