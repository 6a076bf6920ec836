//! `run --metrics FILE`: what the cells of a run came to as OpenMetrics text.

use crate::cli::ExitCode;
use crate::cli::arguments::RunOptions;
use crate::cli::terminal::Terminal;
use crate::io::{head_of, write_atomically};
use crate::report::{BrokerCounters, CellReport, MeasuredRun, open_metrics};

/// How such a file begins.
const HEAD: &[u8] = b"# TYPE rmqplay_";

/// Says why metrics cannot be written where they are asked for: something else is there.
pub(crate) fn why_no_metrics(command: &RunOptions) -> Option<String> {
    let file = command.suite.metrics.as_ref()?;
    let there = head_of(file, HEAD.len() as u64)?;
    let is_other = !there.starts_with(HEAD) && !there.is_empty();
    is_other.then(|| {
        let file = file.display();
        format!("--metrics {file} would overwrite {file}, which holds no metrics\n  help: give the metrics a file of their own")
    })
}

/// Writes the metrics of a run, where they are asked for.
pub(crate) fn write_metrics(
    command: &RunOptions,
    reports: &[CellReport],
    counted: &[BrokerCounters],
    terminal: &Terminal,
) -> ExitCode {
    let Some(file) = &command.suite.metrics else { return ExitCode::Fine };
    let measured = reports.iter().filter_map(|report| {
        let labels = vec![
            ("broker", report.broker.clone()),
            ("file", report.file.clone()),
            ("cell", report.name.clone()),
            ("verdict", report.verdict.as_str().to_owned()),
        ];
        Some(MeasuredRun { labels, counts: report.played.as_ref()?.timeline.counts()? })
    });
    let measured: Vec<MeasuredRun<'_>> = measured.collect();
    match write_atomically(file, &open_metrics(&measured, counted)) {
        Ok(()) => ExitCode::Fine,
        Err(error) => {
            terminal.error(&format!("error: the metrics could not be written: {error}\n  help: give another file"));
            ExitCode::Environment
        }
    }
}
