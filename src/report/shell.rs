//! Words as a shell takes them, for commands that readers copy.

use std::borrow::Cow;

/// Returns one argument for a POSIX shell, in quotes where it needs them.
///
/// ```
/// use rmqplay::report::shell_word;
/// assert_eq!(shell_word("scenarios/ttl-dlq.yaml"), "scenarios/ttl-dlq.yaml");
/// assert_eq!(shell_word("k=b c"), "'k=b c'");
/// assert_eq!(shell_word("it's"), r"'it'\''s'");
/// ```
pub fn shell_word(text: &str) -> Cow<'_, str> {
    // A letter beyond ASCII means nothing to a shell; a space beyond ASCII looks like one.
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c) || !c.is_ascii();
    match !text.is_empty() && text.chars().all(plain) && !text.contains(char::is_whitespace) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("'{}'", text.replace('\'', r"'\''"))),
    }
}
