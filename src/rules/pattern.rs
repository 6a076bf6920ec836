//! Erlang's regular expressions: unanchored, case-sensitive, the empty one of a permission matches nothing but "".
//! Takes a pattern text, gives a compiled pattern or Erlang's complaint.

use fancy_regex::Regex;

/// A compiled pattern with its text.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    matcher: PatternMatcher,
}

#[derive(Debug, Clone)]
enum PatternMatcher {
    All,
    OnlyEmpty,
    /// `^orders$`, `^cmd\\.`, `^(a|b)$`, `^cmd\\..+$`: nothing but letters, and perhaps anything behind them. By far the
    /// most, and cheap beside a compiled expression.
    Letters {
        texts: Vec<String>,
        from_start: bool,
        tail: Tail,
    },
    Regex(Box<Regex>),
}

/// What may stand behind the letters; a point fits anything but the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    /// Whatever there is.
    Open,
    /// `$`.
    Nothing,
    /// `.*$`.
    Line,
    /// `.+`.
    Sign,
    /// `.+$`.
    Signs,
}

impl Tail {
    fn fits(self, rest: &str) -> bool {
        match self {
            Tail::Open => true,
            Tail::Nothing => rest.is_empty(),
            Tail::Line => !rest.contains('\n'),
            Tail::Sign => !rest.is_empty() && !rest.starts_with('\n'),
            Tail::Signs => !rest.is_empty() && !rest.contains('\n'),
        }
    }
}

impl Pattern {
    /// Compiles a policy's pattern (PO-1).
    ///
    /// # Errors
    /// Erlang's detail, `{"missing )",1}`, with the text of the Erlang release.
    pub fn new(text: &str, long_text: bool) -> Result<Self, String> {
        let matcher = match text {
            "" | ".*" => PatternMatcher::All,
            "^$" => PatternMatcher::OnlyEmpty,
            _ => match letters(text) {
                Some(matcher) => matcher,
                None => {
                    PatternMatcher::Regex(Box::new(Regex::new(text).map_err(|error| detail(text, &error, long_text))?))
                }
            },
        };
        Ok(Self { text: text.to_owned(), matcher })
    }

    /// Says what is wrong with a text that is no pattern, for people: which sign, and where; `None` when it is one.
    ///
    /// ```
    /// use rmqplay::rules::Pattern;
    /// assert_eq!(Pattern::fault("^(a|b$").as_deref(), Some("the `(` at sign 2 is never closed"));
    /// assert_eq!(Pattern::fault("^a"), None);
    /// ```
    pub fn fault(text: &str) -> Option<String> {
        let error = Self::new(text, true).err()?;
        Some(first_fault(text).unwrap_or_else(|| match error.rsplit_once(',') {
            Some((words, _)) => words.trim_start_matches(['{', '"']).trim_end_matches('"').to_owned(),
            None => error,
        }))
    }

    /// Compiles a permission's pattern: the empty one is `^$` (PE-1).
    ///
    /// # Errors
    /// As [`Pattern::new`].
    pub fn permission(text: &str, long_text: bool) -> Result<Self, String> {
        let pattern = Self::new(if text.is_empty() { "^$" } else { text }, long_text)?;
        Ok(Self { text: text.to_owned(), ..pattern })
    }

    /// Returns whether the pattern finds something in `name`.
    ///
    /// ```
    /// use rmqplay::rules::Pattern;
    /// assert!(Pattern::new("tl", false).unwrap().matches("ttl.q"));
    /// assert!(!Pattern::permission("", false).unwrap().matches("q"));
    /// ```
    pub fn matches(&self, name: &str) -> bool {
        match &self.matcher {
            PatternMatcher::All => true,
            PatternMatcher::OnlyEmpty => name.is_empty(),
            PatternMatcher::Letters { texts, from_start, tail } => texts.iter().any(|text| match (from_start, tail) {
                (true, tail) => name.strip_prefix(text.as_str()).is_some_and(|rest| tail.fits(rest)),
                (false, Tail::Nothing) => name.ends_with(text.as_str()),
                (false, _) => name.contains(text.as_str()),
            }),
            PatternMatcher::Regex(regex) => regex.is_match(name).unwrap_or(false),
        }
    }

    /// Returns whether the text is a pattern of letters, anchors and a tail, which every engine reads in the same way.
    pub fn is_plain(text: &str) -> bool {
        text == ".*" || letters(text).is_some()
    }

    /// Returns the text that it was made from.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Takes a pattern apart that holds nothing but letters, anchors, choices between words and a tail.
fn letters(text: &str) -> Option<PatternMatcher> {
    let (from_start, text) = text.strip_prefix('^').map_or((false, text), |rest| (true, rest));
    let meant = |rest: &&str| !rest.ends_with('\\');
    let (to_end, text) = text.strip_suffix('$').filter(meant).map_or((false, text), |rest| (true, rest));
    let any = text.strip_suffix(".*").filter(meant).filter(|_| from_start);
    let some = text.strip_suffix(".+").filter(meant).filter(|_| from_start);
    let (tail, text) = match (any, some, to_end) {
        (Some(rest), _, false) => (Tail::Open, rest),
        (Some(rest), _, true) => (Tail::Line, rest),
        (_, Some(rest), false) => (Tail::Sign, rest),
        (_, Some(rest), true) => (Tail::Signs, rest),
        (None, None, false) => (Tail::Open, text),
        (None, None, true) => (Tail::Nothing, text),
    };
    let choices = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let words: Vec<&str> = choices.map_or_else(|| vec![text], |inside| inside.split('|').collect());
    let texts: Vec<String> = words.into_iter().map(unescaped).collect::<Option<_>>()?;
    Some(PatternMatcher::Letters { texts, from_start, tail })
}

/// Reads a word in which only escaped signs may be special.
fn unescaped(word: &str) -> Option<String> {
    let mut plain = String::new();
    let mut signs = word.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => plain.push(signs.next().filter(char::is_ascii_punctuation)?),
            '_' | '-' | '/' | ':' | '@' | ' ' => plain.push(sign),
            _ if sign.is_alphanumeric() => plain.push(sign),
            _ => return None,
        }
    }
    Some(plain)
}

/// Finds the first sign that makes a text no pattern: a bracket without its other half, a repetition of nothing.
fn first_fault(text: &str) -> Option<String> {
    let (mut open, mut class, mut repeatable) = (Vec::new(), None, false);
    let mut signs = text.chars().zip(1_usize..).peekable();
    while let Some((sign, at)) = signs.next() {
        match sign {
            '\\' if signs.next().is_none() => {
                return Some(format!("it ends with a `\\` (sign {at}) that escapes nothing"));
            }
            '\\' => repeatable = true,
            ']' if class.is_some() => (class, repeatable) = (None, true),
            _ if class.is_some() => {}
            '[' => {
                class = Some(at);
                // A bracket that stands first in a class belongs to it.
                signs.next_if(|(next, _)| *next == '^');
                signs.next_if(|(next, _)| *next == ']');
            }
            '(' => {
                open.push(at);
                repeatable = false;
                // `(?:`, `(?!` and the like.
                signs.next_if(|(next, _)| *next == '?');
            }
            ')' if open.pop().is_none() => return Some(format!("the `)` at sign {at} closes nothing")),
            '*' | '+' | '?' if !repeatable => {
                return Some(format!("the `{sign}` at sign {at} repeats nothing (`.*` stands for any text)"));
            }
            '|' | '^' => repeatable = false,
            _ => repeatable = true,
        }
    }
    let unclosed = class.map(|at| ('[', at)).or_else(|| open.pop().map(|at| ('(', at)));
    unclosed.map(|(sign, at)| format!("the `{sign}` at sign {at} is never closed"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_letters_match_as_compiled_ones_do() {
        let names =
            ["", "a", "b", "ab", "a.b", "axb", "xa.b", "a.bx", "a|b", "(a)", "a$", "a\n", "a\nb", "ab\nc", "a.*"];
        let patterns = [
            "a",
            "^a",
            "a$",
            "^a$",
            "a\\.b",
            "^a\\.b$",
            "^(a|b)$",
            "^(a|a\\.b)",
            "(b|x)$",
            "a\\|b",
            "a\\$",
            "^()$",
            "^a.*",
            "^a.*$",
            "^a.+",
            "^a.+$",
            "^a\\..+$",
            "^(a|b).+",
            "^.*$",
            "^.+",
            "^a\\.\\*",
        ];
        for text in patterns {
            assert!(Pattern::is_plain(text), "{text}");
            let (pattern, regex) = (Pattern::new(text, false).unwrap(), Regex::new(text).unwrap());
            for name in names {
                assert_eq!(pattern.matches(name), regex.is_match(name).unwrap(), "{text} on {name}");
            }
        }
        for text in ["a.b", "a*", "a.*", "^a\\.*", "^a.*b", "[ab]", "a|b", "\\d", "(a", "a)", "(a(b|c))", "(?:a)"] {
            assert!(!Pattern::is_plain(text), "{text}");
        }
    }
}
