//! The findings of a file in the making: each place is told once for each code, and their number is bounded.
//! Takes problems; gives them in the order of the file.

use crate::source::{Code, Label, Problem, Span};
use std::collections::{BTreeMap, BTreeSet};

/// How many findings of one code are kept, where no other number is asked for.
pub const OF_A_CODE_MAX: usize = 50;

/// Collects findings.
#[derive(Debug)]
pub struct LintFindings {
    of_a_code_max: usize,
    found: Vec<Problem>,
    told: BTreeSet<(Code, Span)>,
    counts: BTreeMap<Code, usize>,
}

impl Default for LintFindings {
    fn default() -> Self {
        Self::of_at_most(OF_A_CODE_MAX)
    }
}

impl LintFindings {
    /// Keeps so many findings of one code.
    pub fn of_at_most(of_a_code_max: usize) -> Self {
        Self { of_a_code_max, found: Vec::new(), told: BTreeSet::new(), counts: BTreeMap::new() }
    }

    /// Takes a finding with its place, unless its code is told of that place already. Places that it has are related ones.
    pub fn add(&mut self, mut problem: Problem, place: Option<Span>, label: &str) {
        if place.is_some_and(|span| !self.told.insert((problem.code, span))) {
            return;
        }
        let count = self.counts.entry(problem.code).or_default();
        *count += 1;
        if *count <= self.of_a_code_max {
            if let Some(span) = place {
                problem.labels.insert(0, Label { span, text: label.to_owned() });
            }
            self.found.push(problem);
        }
    }

    /// Returns whether no more of a code are kept, so that none need be looked for.
    pub fn is_full(&self, code: Code) -> bool {
        self.counts.get(&code).is_some_and(|count| *count >= self.of_a_code_max)
    }

    /// Returns the findings in the order of the file.
    pub fn sorted(mut self) -> Vec<Problem> {
        self.found.sort_by_key(Problem::span);
        self.found
    }
}

/// Names one thing, or the first of several and their number.
pub fn and_more(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("'{one}'"),
        [first, second] => format!("'{first}' and '{second}'"),
        [first, rest @ ..] => format!("'{first}' and {} more", rest.len()),
    }
}
