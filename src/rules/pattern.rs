//! Erlang's regular expressions: unanchored, case-sensitive, the empty one of a permission matches nothing but "".
//! Takes a pattern text, gives a compiled pattern or Erlang's complaint.

use fancy_regex::Regex;

/// Is a compiled pattern with its text.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    matcher: Matcher,
}

#[derive(Debug, Clone)]
enum Matcher {
    All,
    OnlyEmpty,
    Regex(Box<Regex>),
}

impl Pattern {
    /// Compiles a policy's pattern (PO-1).
    ///
    /// # Errors
    /// Erlang's detail, `{"missing )",1}`, with the text of the Erlang release.
    pub fn new(text: &str, long_text: bool) -> Result<Self, String> {
        let matcher = match text {
            "" | ".*" => Matcher::All,
            "^$" => Matcher::OnlyEmpty,
            _ => Matcher::Regex(Box::new(Regex::new(text).map_err(|error| detail(text, &error, long_text))?)),
        };
        Ok(Self { text: text.to_owned(), matcher })
    }

    /// Compiles a permission's pattern: the empty one is `^$` (PE-1).
    ///
    /// # Errors
    /// As [`Pattern::new`].
    pub fn permission(text: &str, long_text: bool) -> Result<Self, String> {
        Self::new(if text.is_empty() { "^$" } else { text }, long_text)
    }

    /// Says whether the pattern finds something in `name`.
    ///
    /// ```
    /// use rmqplay::rules::Pattern;
    /// assert!(Pattern::new("tl", false).unwrap().matches("ttl.q"));
    /// assert!(!Pattern::permission("", false).unwrap().matches("q"));
    /// ```
    pub fn matches(&self, name: &str) -> bool {
        match &self.matcher {
            Matcher::All => true,
            Matcher::OnlyEmpty => name.is_empty(),
            Matcher::Regex(regex) => regex.is_match(name).unwrap_or(false),
        }
    }

    /// Gives the text that it was made from.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Words a compile error as Erlang's `re` does, as far as it can be told from ours.
fn detail(text: &str, error: &fancy_regex::Error, long_text: bool) -> String {
    let opened = text.matches('(').count() - text.matches("\\(").count();
    let closed = text.matches(')').count() - text.matches("\\)").count();
    if opened > closed {
        let words = if long_text { "missing closing parenthesis" } else { "missing )" };
        return format!("{{\"{words}\",{}}}", text.len());
    }
    let words = error.to_string().replace('"', "'");
    format!("{{\"{words}\",{}}}", text.len())
}
