//! Names as they may be shown: RabbitMQ takes any text for a name, line ends and the escape sequences of terminals too.

use std::borrow::Cow;

/// Writes control characters of a text as escapes, so that it stays in its line and does nothing to a terminal.
///
/// ```
/// use rmqplay::model::one_line;
/// assert_eq!(one_line("queue 'a\nb'"), r"queue 'a\nb'");
/// assert_eq!(one_line("\u{1b}[2J ü"), r"\u{1b}[2J ü");
/// ```
pub fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(escaped).collect())
}
