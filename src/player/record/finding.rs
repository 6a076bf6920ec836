//! One field that is not as an expectation says, as data.

use crate::model::Name;

/// One field that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `ready`, `messages[1].x_death[0].count`.
    pub field: String,
    /// As the file says it.
    pub expected: String,
    /// As the run had it.
    pub found: String,
    /// Where messages tell more.
    pub difference: Difference,
}

/// How what was found differs from what was expected, as far as messages tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Difference {
    /// In a value, or in nothing that is counted.
    #[default]
    Value,
    /// Less was found than expected.
    Fewer,
    /// More was found than expected.
    More,
    /// By name; a missing one may end in `*`.
    Messages {
        /// Expected, and not there.
        missing: Vec<Name>,
        /// There, and not expected.
        surplus: Vec<Name>,
    },
}

impl Finding {
    /// Makes a finding from anything that can be shown.
    pub fn new(field: impl Into<String>, expected: impl ToString, found: impl ToString) -> Self {
        let difference = Difference::Value;
        Self { field: field.into(), expected: expected.to_string(), found: found.to_string(), difference }
    }

    /// Adds how the two differ.
    pub fn by(self, difference: Difference) -> Self {
        Self { difference, ..self }
    }
}
