//! Which cells fit a lent vhost, and which exit code their verdicts make together.

use crate::cli::ExitCode;
use crate::cli::arguments::Snapshots;
use crate::cli::terminal::in_ci;
use crate::model::{Act, Scenario};
use crate::player::Verdict;
use crate::report::CellReport;

/// Returns why a scenario cannot play in a vhost that is lent.
pub(crate) fn why_not_lent(scenario: &Scenario) -> Option<String> {
    let topology = &scenario.topology;
    let needs = [
        ("several vhosts", scenario.vhosts().len() != 1 || !topology.vhosts.is_empty()),
        ("a restart of the broker", scenario.needs.restart),
        ("to stop nodes", scenario.needs.nodes.is_some()),
        ("users", !topology.users.is_empty()),
        ("permissions", !topology.permissions.is_empty() || !topology.topic_permissions.is_empty()),
        (
            "limits",
            scenario.all_steps().any(|step| matches!(step.act, Act::SetLimits { .. } | Act::ClearLimits { .. })),
        ),
        ("parameters", !topology.parameters.is_empty() || !topology.global_parameters.is_empty()),
    ];
    let need = needs.iter().find(|(_, needed)| *needed)?.0;
    Some(format!("wants {need}, and --in-vhost gives none"))
}

/// Returns the exit code of all verdicts together, with so many cells beside them that passed.
pub(crate) fn exit_code(reports: &[CellReport], passed: usize, mode: Snapshots) -> ExitCode {
    let codes = reports.iter().map(|report| match report.verdict {
        Verdict::Failed | Verdict::Changed => ExitCode::Failed,
        Verdict::New if mode == Snapshots::Check || in_ci() => ExitCode::Failed,
        _ => ExitCode::Fine,
    });
    let skipped = passed == 0 && reports.iter().all(|report| matches!(report.verdict, Verdict::Skipped(_)));
    let nothing = if skipped { ExitCode::Nothing } else { ExitCode::Fine };
    codes.fold(nothing, ExitCode::and)
}
