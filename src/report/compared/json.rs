//! A comparison as JSON: an object per cause, finding and cell that is not the same, and a summary per step.

use crate::report::compared::data::CauseGroup;
use crate::report::compared::words::{CitedRules, NO_ADVICE, change_in_words, notes, said_for};
use crate::report::compared::{CellCause, ComparedCell, ComparedStep, ComparedTopology, Sameness, VersionFinding};
use crate::rules::ChangedRule;
use crate::source::Level;
use serde_json::{Value as Json, json};

/// Writes what was compared of a topology alone.
pub fn compared_topology_json(one: &ComparedTopology) -> Json {
    let left_out = one.left_out.iter().map(|(object, by)| json!({ "object": object, "by": by }));
    json!({
        "type": "topology",
        "file": one.file,
        "scenarios": one.scenarios,
        "without": one.without,
        "left_out": left_out.collect::<Vec<_>>(),
    })
}

/// Writes everything, an object a line.
pub fn comparison_json(steps: &[ComparedStep]) -> Vec<Json> {
    let rules = CitedRules::read();
    steps.iter().flat_map(|step| step_json(step, &rules)).collect()
}

fn step_json(step: &ComparedStep, rules: &CitedRules) -> Vec<Json> {
    let groups = step.groups();
    let mut all: Vec<Json> = groups.iter().map(|group| group_json(group, step, rules)).collect();
    all.extend(step.findings.iter().map(|finding| finding_json(finding, step)));
    all.extend(step.cells.iter().filter_map(|cell| cell_json(cell, step)));
    let count = |is: fn(&Sameness) -> bool| step.count(is);
    all.push(json!({
        "type": "comparison",
        "from": step.from.name,
        "to": step.to.name,
        "differs": step.differs(),
        "cells": step.cells.len(),
        "same": count(|one| matches!(one, Sameness::Same)),
        "failed_alike": count(|one| matches!(one, Sameness::FailedAlike)),
        "different": count(|one| matches!(one, Sameness::Differs(_))),
        "unsteady": count(|one| matches!(one, Sameness::Unsteady(_))),
        "not_compared": count(|one| matches!(one, Sameness::NotCompared(_))),
        "rules": groups.iter().filter_map(|group| group.rule).map(ChangedRule::id).collect::<Vec<_>>(),
        "findings": step.findings.len(),
    }));
    all
}

fn group_json(group: &CauseGroup<'_>, step: &ComparedStep, rules: &CitedRules) -> Json {
    let section = rules.section(group.rule);
    let changes = group.rule.map_or_else(Vec::new, |rule| rule.changes(step.from.profile, step.to.profile));
    let notes = section.map_or_else(Vec::new, |section| notes(section, step));
    json!({
        "type": "difference",
        "from": step.from.name,
        "to": step.to.name,
        "rule": group.rule.map(ChangedRule::id),
        "title": section.map(|section| &section.title),
        "changed": changes.iter().map(change_in_words).collect::<Vec<_>>(),
        "versions": notes.iter().map(|(versions, text)| json!({ "versions": versions, "text": text })).collect::<Vec<_>>(),
        "upgrade": section.map_or(Some(NO_ADVICE), |section| section.upgrade.as_deref()),
        "cells": group.cells.iter().map(|(cell, cause)| cause_json(cell, cause)).collect::<Vec<_>>(),
    })
}

fn cause_json(cell: &ComparedCell, cause: &CellCause) -> Json {
    let lines = cause.lines.iter();
    let lines: Vec<Json> =
        lines.map(|line| json!({ "subject": line.subject, "from": line.sides[0], "to": line.sides[1] })).collect();
    json!({
        "name": cell.name,
        "file": cell.file,
        "title": cell.title,
        "axes": cell.axes,
        "queues": cause.queues,
        "messages": cause.messages,
        "lines": lines,
    })
}

fn finding_json(finding: &VersionFinding, step: &ComparedStep) -> Json {
    let level = match finding.level {
        Level::Problem => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    json!({
        "type": "finding",
        "from": step.from.name,
        "to": step.to.name,
        "only_for": said_for(step, finding.on_first).profile.to_string(),
        "level": level,
        "code": finding.code,
        "rule": finding.rule,
        "message": finding.message,
        "help": finding.help,
        "file": finding.file,
        "line": finding.line,
    })
}

/// Returns a cell of which nothing can be said.
fn cell_json(cell: &ComparedCell, step: &ComparedStep) -> Option<Json> {
    let (verdict, reason) = match &cell.sameness {
        Sameness::Unsteady(brokers) => {
            ("unsteady", format!("played twice on {}, it ended in two ways", brokers.join(" and ")))
        }
        Sameness::NotCompared(reason) => ("not_compared", reason.clone()),
        Sameness::Same | Sameness::FailedAlike | Sameness::Differs(_) => return None,
    };
    Some(json!({
        "type": "cell",
        "from": step.from.name,
        "to": step.to.name,
        "name": cell.name,
        "file": cell.file,
        "axes": cell.axes,
        "verdict": verdict,
        "reason": reason,
    }))
}
