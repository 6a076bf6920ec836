//! The verdict over a played cell: its failures, then its snapshot. Writes pending outcomes, never snapshots.

use super::ExitCode;
use super::run::ToPlay;
use crate::io::{snapshots, write_atomically};
use crate::model::Version;
use crate::play::{Played, Verdict};
use crate::report::{self, CellReport, Comparison};

/// Judges a run, and its outcome against the snapshot. With `CI` set nothing is written.
pub(super) fn verdict(one: &ToPlay, played: &Played, version: Version) -> (Verdict, Option<String>) {
    let (true, Some(outcome)) = (played.failures.is_empty(), &played.outcome) else {
        return (Verdict::Failed, None);
    };
    let scenario = &one.cell.scenario;
    if scenario.snapshot.off {
        return (Verdict::Passed, None);
    }
    let folder = one.path.parent().map(|parent| parent.join("snapshots")).unwrap_or_default();
    let stem = one.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let names = report::snapshot_names(&stem, &one.cell.axes, version, &snapshots::names_in(&folder));
    let body = report::body(outcome, scenario);
    let kept = names.present.as_ref().and_then(|name| std::fs::read_to_string(folder.join(name)).ok());
    let pending = folder.join(&names.pending);
    let keep = || -> String {
        if in_ci() {
            return "nothing is written in CI".to_owned();
        }
        match write_atomically(&pending, &report::whole_file(scenario, &body)) {
            Ok(()) => format!("pending in {}; take it over with: rmqplay accept {}", pending.display(), scenario.file),
            Err(error) => format!("could not be written to {}: {error}", pending.display()),
        }
    };
    match report::compare(kept.as_deref(), &body) {
        Comparison::Same => (Verdict::Passed, None),
        Comparison::Missing => (Verdict::New, Some(format!("no snapshot yet: {}", keep()))),
        Comparison::Different(difference) => {
            let name = names.present.unwrap_or_default();
            let words = format!("the outcome differs from snapshots/{name}:\n{difference}{}", keep());
            (Verdict::Changed, Some(words))
        }
    }
}

fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

/// Gives the exit code of all verdicts together.
pub(super) fn exit_code(reports: &[CellReport]) -> ExitCode {
    let codes = reports.iter().map(|report| match report.verdict {
        Verdict::Failed | Verdict::Changed => ExitCode::Failed,
        Verdict::New if in_ci() => ExitCode::Failed,
        _ => ExitCode::Fine,
    });
    let skipped = reports.iter().all(|report| matches!(report.verdict, Verdict::Skipped(_)));
    let nothing = if skipped { ExitCode::Nothing } else { ExitCode::Fine };
    codes.fold(nothing, ExitCode::and)
}
