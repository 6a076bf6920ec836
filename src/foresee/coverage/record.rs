//! What all runs of all cells exercised together, by topology file.
//! An item counts once for its file, however many scenarios, cells and versions know it.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::broker::Exercised;
use crate::foresee::coverage::coverable::{Coverable, CoverableKind};
use crate::foresee::coverage::exercise::is_exercised;
use crate::foresee::coverage::inventory::inventory;
use crate::foresee::topology_view::versions;
use crate::model::{Profile, Scenario};
use crate::source::{FileId, Span};
use std::collections::{BTreeMap, BTreeSet};

/// One thing of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageItem {
    pub span: Span,
    pub exercised: bool,
}

/// What a topology file holds, and what was exercised of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileCoverage {
    pub items: BTreeMap<Coverable, CoverageItem>,
    /// How many scenarios use the file.
    pub scenarios: BTreeSet<String>,
}

/// How many of how many were exercised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CoverageCount {
    pub exercised: usize,
    pub of: usize,
}

/// What all runs exercised.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CoverageRecord {
    /// By the name of the topology file.
    pub files: BTreeMap<String, FileCoverage>,
    /// The rules of the rule book that were at work.
    pub rules: BTreeSet<&'static str>,
    /// Some runs had more different routing keys than are looked at.
    pub cut: bool,
}

impl CoverageRecord {
    /// Adds a run of a scenario on a version; `name_of` names the file of a place. What a scenario declares for itself does
    /// not count.
    pub fn add<'n>(
        &mut self,
        scenario: &Scenario,
        profile: Profile,
        run: &Exercised,
        name_of: impl Fn(FileId) -> &'n str,
    ) {
        self.rules.extend(&run.rules);
        self.cut |= run.cut;
        let views = versions(&scenario.topology, &[profile]);
        let Some(version) = views.last() else { return };
        for (item, span) in inventory(&scenario.topology, &scenario.origins, version) {
            let name = name_of(span.file);
            if name == scenario.file {
                continue;
            }
            let exercised = is_exercised(&item, &scenario.topology, version, run);
            if !self.files.contains_key(name) {
                self.files.insert(name.to_owned(), FileCoverage::default());
            }
            let Some(file) = self.files.get_mut(name) else { continue };
            file.items.entry(item).or_insert(CoverageItem { span, exercised: false }).exercised |= exercised;
            if !file.scenarios.contains(&scenario.file) {
                file.scenarios.insert(scenario.file.clone());
            }
        }
    }

    /// Counts all files together.
    pub fn total(&self) -> CoverageCount {
        self.files.values().map(FileCoverage::total).fold(CoverageCount::default(), CoverageCount::and)
    }
}

impl FileCoverage {
    /// Counts all kinds together.
    pub fn total(&self) -> CoverageCount {
        count(self.items.values())
    }

    /// Counts each kind that there is anything of.
    pub fn by_kind(&self) -> Vec<(CoverableKind, CoverageCount)> {
        let of = |kind| count(self.items.iter().filter(|(item, _)| item.kind() == kind).map(|(_, found)| found));
        CoverableKind::ALL.into_iter().map(|kind| (kind, of(kind))).filter(|(_, count)| count.of > 0).collect()
    }
}

impl CoverageCount {
    /// Adds the counts of something else.
    pub fn and(self, other: Self) -> Self {
        Self { exercised: self.exercised + other.exercised, of: self.of + other.of }
    }

    /// Returns the share in percent; of nothing, all is exercised.
    pub fn percent(self) -> f64 {
        if self.of == 0 { 100.0 } else { self.exercised as f64 * 100.0 / self.of as f64 }
    }
}

fn count<'i>(items: impl Iterator<Item = &'i CoverageItem>) -> CoverageCount {
    items.fold(CoverageCount::default(), |count, item| {
        count.and(CoverageCount { exercised: usize::from(item.exercised), of: 1 })
    })
}
