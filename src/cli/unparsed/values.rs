//! Values of flags that take one of a few words: the nearest, or what other tools call it.

use crate::source::{Help, nearest_name};

/// A flag, words of other tools, and the word here.
const OTHER_WORDS: &[(&str, &[&str], &str)] = &[
    ("--snapshots", &["update", "overwrite", "write", "new", "all", "always", "bless", "force", "yes"], "accept"),
    ("--snapshots", &["none", "no", "ci", "never", "readonly", "compare"], "check"),
    ("--snapshots", &["review", "ask", "auto"], "pending"),
    ("--color", &["yes", "on", "true", "1", "force"], "always"),
    ("--color", &["no", "off", "false", "none", "0"], "never"),
    ("--extras", &["error", "deny", "forbid", "strict"], "fail"),
    ("--extras", &["show", "allow", "warn", "ignore"], "list"),
    ("--keep-vhost", &["failed", "failure", "on-fail", "failures", "on-error"], "on-failure"),
    ("--keep-vhost", &["yes", "true", "all"], "always"),
    ("--format", &["plain", "human", "pretty"], "text"),
    ("--format", &["gha", "actions", "annotations"], "github"),
    ("<KIND>", &["topologies", "definitions"], "topology"),
    ("<KIND>", &["scenarios", "test"], "scenario"),
];

/// Returns which word was likely meant.
pub(crate) fn advice(flag: &str, value: &str, valid: &[String]) -> Option<String> {
    let flag = flag.split([' ', '[']).next().unwrap_or(flag);
    let plain = value.to_lowercase();
    let other = OTHER_WORDS.iter().find(|(of, words, _)| *of == flag && words.contains(&plain.as_str()));
    let near = other.map(|(.., word)| *word).or_else(|| nearest_name(&plain, valid)).or_else(|| {
        // A misspelt word of another tool.
        let of_flag = OTHER_WORDS.iter().filter(|(of, ..)| *of == flag);
        of_flag
            .filter(|(_, words, _)| nearest_name(&plain, words.iter().copied()).is_some())
            .map(|(.., word)| *word)
            .next()
    })?;
    Some(Help::did_you_mean(near).to_string())
}
