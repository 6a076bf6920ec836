//! Which cells a broker's version fits, and which exit code their verdicts make together.

use super::ExitCode;
use super::arguments::Snapshots;
use super::terminal::in_ci;
use crate::model::{Scenario, Version};
use crate::play::Verdict;
use crate::report::CellReport;

/// Says why a scenario does not fit a broker's version.
pub(super) fn why_not(scenario: &Scenario, version: Version) -> Option<String> {
    let unmet = scenario.requires.iter().find(|bound| {
        bound.at_least.is_some_and(|least| version < least) || bound.below.is_some_and(|below| version >= below)
    })?;
    let bounds = [unmet.at_least.map(|least| format!(">={least}")), unmet.below.map(|below| format!("<{below}"))];
    let bounds: Vec<String> = bounds.into_iter().flatten().collect();
    Some(format!("requires RabbitMQ {}, this is {version}", bounds.join(" ")))
}

/// Says why a scenario cannot play in a vhost that is lent.
pub(super) fn why_not_lent(scenario: &Scenario) -> Option<String> {
    let topology = &scenario.topology;
    let needs = [
        ("several vhosts", scenario.vhosts().len() != 1 || !topology.vhosts.is_empty()),
        ("users", !topology.users.is_empty()),
        ("permissions", !topology.permissions.is_empty() || !topology.topic_permissions.is_empty()),
        ("parameters", !topology.parameters.is_empty() || !topology.global_parameters.is_empty()),
    ];
    let need = needs.iter().find(|(_, needed)| *needed)?.0;
    Some(format!("declares {need}, and --in-vhost makes none"))
}

/// Gives the exit code of all verdicts together.
pub(super) fn exit_code(reports: &[CellReport], mode: Snapshots) -> ExitCode {
    let codes = reports.iter().map(|report| match report.verdict {
        Verdict::Failed | Verdict::Changed => ExitCode::Failed,
        Verdict::New if mode == Snapshots::Check || in_ci() => ExitCode::Failed,
        _ => ExitCode::Fine,
    });
    let skipped = reports.iter().all(|report| matches!(report.verdict, Verdict::Skipped(_)));
    let nothing = if skipped { ExitCode::Nothing } else { ExitCode::Fine };
    codes.fold(nothing, ExitCode::and)
}
