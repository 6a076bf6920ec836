//! A number and its noun, and words that follow a number.

use std::fmt::Display;

/// Writes `1 vhost`, `2 vhosts`: for nouns whose plural ends in a plain `s`.
///
/// ```
/// use rmqplay::model::counted;
/// assert_eq!((counted(1, "queue"), counted(0, "queue")), ("1 queue".to_owned(), "0 queues".to_owned()));
/// ```
pub fn counted<N: Copy + Display + PartialEq + From<u8>>(n: N, noun: &str) -> String {
    let ending = by_number(n, "", "s");
    format!("{n} {noun}{ending}")
}

/// Chooses between the word for one and the word for many.
pub fn by_number<'w, N: PartialEq + From<u8>>(n: N, one: &'w str, many: &'w str) -> &'w str {
    if n == N::from(1) { one } else { many }
}
