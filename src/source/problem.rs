//! What is wrong with a file, as data.
//! Gives codes, places and helps for `report` to draw. Never holds layout or colour.

use super::Code;
use crate::source::Span;
use std::fmt;

/// Whether a finding stops the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Worth knowing, or a guess; nothing stops.
    Note,
    /// RabbitMQ takes it, and it does something else than it says; nothing stops.
    Warning,
    /// Must be mended before anything is played or applied.
    Problem,
}

/// Points at a place and says a few words about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// A few words; may be empty.
    pub text: String,
}

/// What to do about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Help {
    /// What to do next.
    Advice(String),
    /// What is likely meant, and what else is worth a word.
    DidYouMean {
        /// The nearest word that is known.
        near: String,
        /// Why, where the spelling alone does not tell.
        aside: Option<String>,
    },
}

impl Help {
    /// Asks whether a word is meant.
    pub fn did_you_mean(near: impl Into<String>) -> Self {
        Self::DidYouMean { near: near.into(), aside: None }
    }
}

impl From<String> for Help {
    fn from(advice: String) -> Self {
        Self::Advice(advice)
    }
}

impl From<&str> for Help {
    fn from(advice: &str) -> Self {
        Self::Advice(advice.to_owned())
    }
}

impl fmt::Display for Help {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Advice(advice) => f.write_str(advice),
            Self::DidYouMean { near, aside: None } => write!(f, "did you mean `{near}`?"),
            Self::DidYouMean { near, aside: Some(aside) } => write!(f, "did you mean `{near}`? {aside}"),
        }
    }
}

/// One finding: a stable code, a sentence, its places and what to do.
///
/// ```
/// use rmqplay::source::{Code, Help, Problem, Sources, Span};
/// let mut sources = Sources::default();
/// let file = sources.add("t.yaml", "queuse: []\n");
/// let problem = Problem::new(Code::YamlUnknownKey, "unknown key `queuse`")
///     .at(Span::new(file, 0, 6), "not a key of a topology")
///     .help(Help::did_you_mean("queues"));
/// assert_eq!(problem.code.text(), "yaml::unknown_key");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, in a word: `rmqplay explain` tells more.
    pub code: Code,
    /// Whether it stops the work.
    pub level: Level,
    /// One sentence without a full stop.
    pub message: String,
    /// The first one is the place itself; further ones are related places.
    pub labels: Vec<Label>,
    /// What to do next.
    pub help: Option<Help>,
    /// The rule of the book that makes it so.
    pub rule: Option<&'static str>,
}

impl Problem {
    /// Makes a problem that stops the work.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, level: Level::Problem, message: message.into(), labels: Vec::new(), help: None, rule: None }
    }

    /// Makes a finding that stops nothing.
    pub fn note(code: Code, message: impl Into<String>) -> Self {
        Self { level: Level::Note, ..Self::new(code, message) }
    }

    /// Makes a finding that stops nothing, and that somebody will regret.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::new(code, message) }
    }

    /// Names the rule of the book that makes it so.
    pub fn by(mut self, rule: &'static str) -> Self {
        self.rule = Some(rule);
        self
    }

    /// Adds a place; the first one added is the main one.
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds what to do.
    pub fn help(mut self, help: impl Into<Help>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Returns the main place, if there is one.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}
