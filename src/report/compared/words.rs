//! What the forms of a comparison share: the rule of a cause as the book tells it, where it changed, counts in words.

use crate::model::{Profile, counted};
use crate::report::compared::data::CauseGroup;
use crate::report::compared::{CellCause, ComparedBroker, ComparedCell, ComparedStep, Sameness};
use crate::rules::{ChangedRule, RuleChange, RuleSection, rule_chapters};
use crate::source::Level;

/// The sections of the rule book that a comparison may cite.
pub(crate) struct CitedRules(Vec<RuleSection>);

impl CitedRules {
    /// Reads the book.
    pub fn read() -> Self {
        Self(rule_chapters().into_iter().flat_map(|chapter| chapter.rules).collect())
    }

    /// Finds the section of a rule.
    pub fn section(&self, rule: Option<ChangedRule>) -> Option<&RuleSection> {
        self.0.iter().find(|section| Some(&*section.id) == rule.map(ChangedRule::id))
    }
}

/// What stands in place of a rule.
pub(crate) const NO_RULE: &str = "no rule that the simulator knows explains this";

/// What to do about what no rule explains.
pub(crate) const NO_ADVICE: &str = "look at what differs below; if it is not a setting of one of the brokers (a policy, a \
    plugin, a limit), the rule book lacks a rule: please report it with the scenario";

/// Names a group: number and title of its rule.
pub(crate) fn title(group: &CauseGroup<'_>, rules: &CitedRules) -> String {
    match rules.section(group.rule) {
        Some(section) => format!("{} {}", section.id, section.title),
        None => NO_RULE.to_owned(),
    }
}

/// Tells in which version a rule changed on the way of a step: `changed in 4.0`, `changed between 3.10 and 4.0`.
pub(crate) fn changed(group: &CauseGroup<'_>, step: &ComparedStep) -> Option<String> {
    let changes = group.rule?.changes(step.from.profile, step.to.profile);
    let changes: Vec<String> = changes.iter().map(change_in_words).collect();
    (!changes.is_empty()).then(|| format!("changed {}", changes.join(" and ")))
}

/// Tells one change; where versions lie between that are not known, between which ones it is.
pub(crate) fn change_in_words(change: &RuleChange) -> String {
    let (before, after) = (change.before.version(), change.after.version());
    let is_next = before.major == after.major && before.minor.abs_diff(after.minor) == 1;
    let older = change.before.min(change.after);
    let newer = change.before.max(change.after);
    match is_next {
        true => format!("in {newer}"),
        false => format!("between {older} and {newer}"),
    }
}

/// Lists what the book says of one of the two versions and not of the other: versions, and text.
pub(crate) fn notes<'r>(section: &'r RuleSection, step: &ComparedStep) -> Vec<(&'r str, &'r str)> {
    let (from, to) = (step.from.profile.version(), step.to.profile.version());
    let told = section.versions.iter().filter(|note| note.covers(from) != note.covers(to));
    told.map(|note| (note.versions.as_str(), note.text.as_str())).collect()
}

/// Names a cell with the queues that a cause concerns there.
pub(crate) fn cell_in_words((cell, cause): (&ComparedCell, &CellCause)) -> String {
    match cause.queues.as_slice() {
        [] => cell.name.clone(),
        [queue] => format!("{} (queue {queue})", cell.name),
        queues => format!("{} (queues {})", cell.name, queues.join(", ")),
    }
}

/// Names a step.
pub(crate) fn step_in_words(step: &ComparedStep) -> String {
    format!("{} → {}", step.from.name, step.to.name)
}

/// Sums a step up: how many cells are the same, differ, and so on.
pub(crate) fn counts(step: &ComparedStep) -> String {
    let differing = step.count(|sameness| matches!(sameness, Sameness::Differs(_)));
    let alike = step.count(|sameness| matches!(sameness, Sameness::FailedAlike));
    let same = step.count(|sameness| matches!(sameness, Sameness::Same)) + alike;
    let alike = if alike > 0 { format!(" ({alike} failed alike)") } else { String::new() };
    let rules = step.groups().iter().filter(|group| group.rule.is_some()).count();
    let by = if rules > 0 { format!(" by {}", counted(rules, "rule")) } else { String::new() };
    let mut parts = vec![format!("{same} the same{alike}")];
    parts.extend((differing > 0).then(|| format!("{differing} different{by}")));
    let unsteady = step.count(|sameness| matches!(sameness, Sameness::Unsteady(_)));
    let skipped = step.count(|sameness| matches!(sameness, Sameness::NotCompared(_)));
    parts.extend((unsteady > 0).then(|| format!("{unsteady} unsteady")));
    parts.extend((skipped > 0).then(|| format!("{skipped} not compared")));
    if !step.findings.is_empty() {
        parts.push(format!("{} of check for one version only", counted(step.findings.len(), "finding")));
    }
    format!("{}: {}", counted(step.cells.len(), "cell"), parts.join(", "))
}

/// Begins a finding: `refused by RabbitMQ 4.3`.
pub(crate) fn finding_head(on: Profile, level: Level) -> String {
    match level {
        Level::Problem => format!("refused by RabbitMQ {on}"),
        Level::Warning => format!("warning for RabbitMQ {on}"),
        Level::Note => format!("note for RabbitMQ {on}"),
    }
}

/// Returns the broker that a finding is said for.
pub(crate) fn said_for(step: &ComparedStep, on_first: bool) -> &ComparedBroker {
    if on_first { &step.from } else { &step.to }
}
