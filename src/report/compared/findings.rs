//! What `check` says of files for one of two versions and not for the other: refused, denied, another default.

use crate::report::VersionFinding;
use crate::source::{Problem, Sources};
use std::collections::BTreeMap;

/// Where a finding stands, its code and its rule: what two versions say of the same thing in other words is the same.
type FindingKey = (String, u32, &'static str, Option<&'static str>);

/// What `check` says of files for one version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionFindings(BTreeMap<FindingKey, VersionFinding>);

impl VersionFindings {
    /// Takes what was found; what has no place is left out.
    pub fn new(problems: &[Problem], sources: &Sources) -> Self {
        Self(problems.iter().filter_map(|problem| finding(problem, sources)).collect())
    }

    /// Lists what is said for this version only, then what for the other only, the gravest first; files of which `is_left_out` is
    /// true are not compared.
    pub fn apart(&self, other: &Self, is_left_out: impl Fn(&str) -> bool) -> Vec<VersionFinding> {
        let only = |of: &Self, other: &Self, on_first: bool| {
            let only = of.0.iter().filter(|(key, one)| other.0.get(*key).is_none_or(|other| other.level != one.level));
            let meant = only.filter(|(_, one)| !is_left_out(&one.file));
            meant.map(|(_, one)| VersionFinding { on_first, ..one.clone() }).collect::<Vec<_>>()
        };
        let mut all = only(self, other, true);
        all.extend(only(other, self, false));
        all.sort_by_key(|one| (std::cmp::Reverse(one.level), one.file.clone(), one.line));
        all
    }
}

fn finding(problem: &Problem, sources: &Sources) -> Option<(FindingKey, VersionFinding)> {
    let span = problem.span()?;
    let file = sources.get(span.file).name.clone();
    let key = (file.clone(), span.start, problem.code.text(), problem.rule);
    let finding = VersionFinding {
        on_first: false,
        level: problem.level,
        code: problem.code.text(),
        rule: problem.rule,
        message: problem.message.clone(),
        help: problem.help.as_ref().map(ToString::to_string),
        file,
        line: sources.position(span).line,
    };
    Some((key, finding))
}
