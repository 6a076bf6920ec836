//! Which keys hold secrets, by their names.
//! Takes a key; problems never quote what stands at such a one, and `report` masks it in the source that it shows.

/// Says whether the value of a key is a secret: `password`, `password_hash`, `api_token`, `CLIENT_SECRET`.
///
/// ```
/// use rmqplay::language::is_secret;
/// assert!(is_secret("password_hash") && is_secret("clientSecret"));
/// assert!(!is_secret("routing_key"));
/// ```
pub fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["password", "passwd", "secret", "token"].iter().any(|word| key.contains(word))
}
