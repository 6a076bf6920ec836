//! A number and its noun.

/// Writes `1 vhost`, `2 vhosts`: for nouns whose plural ends in a plain `s`.
pub fn counted(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
