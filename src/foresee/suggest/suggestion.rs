//! What is suggested, and what is not.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::foresee::coverage::Coverable;
use crate::model::{Cell, Profile};

/// A scenario that passes on every version that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The stem of its file.
    pub name: String,
    pub text: String,
    pub cell: Cell,
    /// What it makes happen, of what was missing.
    pub covers: Vec<Coverable>,
}

/// Why there is no scenario for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyNoSuggestion {
    /// It would publish so many messages.
    TooMany(u64),
    /// The dead letters reach no queue.
    LeadsNowhere,
    /// No name was found that the pattern fits, and none that it does not.
    NoSample,
    /// It was played, and did not make it happen or did not pass.
    DoesNotPass(Profile),
    /// It could not be read back.
    NotReadable,
    /// Clients may not publish to its exchange, or how it routes is not known.
    NotOpen,
    /// Something else wins, or nothing comes there.
    NotInForce,
    /// The topology is so large that playing for each thing would take too long.
    TooLarge,
}

/// Something that has no scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuggestion {
    pub item: Coverable,
    pub why: WhyNoSuggestion,
}

/// All that was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Suggested {
    pub scenarios: Vec<Suggestion>,
    pub without: Vec<NoSuggestion>,
    /// The versions that do not take the topology or are not simulated with it, with the reason: the scenarios are for the
    /// others.
    pub not_played: Vec<(Profile, String)>,
}
