//! `run --report KIND:FILE`: which reports are asked for, and their writing once all is played.

use crate::cli::ExitCode;
use crate::cli::arguments::RunOptions;
use crate::cli::options::{CoverageFormat, report_file};
use crate::cli::run_reporter::RunReporter;
use crate::cli::select::ToPlay;
use crate::cli::snapshot_store::Settled;
use crate::io::{Disk, append, same_path, write_atomically, write_parts_atomically};
use crate::report;
use crate::report::{CellReport, RunPage, VersionPair};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The kinds of a report that is a file.
const KINDS: [&str; 5] = ["html", "junit", "json", "tap", "markdown"];

/// Where GitHub takes the summary of a job from.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// The reports that a run writes.
#[derive(Debug, Default)]
pub(crate) struct RunReports {
    files: Vec<(&'static str, PathBuf)>,
    /// Annotations go to standard output, where GitHub reads them.
    annotates: bool,
}

/// A run that was played.
pub(crate) struct WrittenRun<'a> {
    pub stage: &'a RunReporter<'a>,
    pub cells: &'a [ToPlay],
    pub reports: &'a [CellReport],
    pub differing: &'a [VersionPair],
    pub settled: &'a Settled,
    pub real: Duration,
}

/// Where a run writes beside its reports, with words for each.
///
/// # Errors
/// Two are the same file.
fn other_outputs(command: &RunOptions) -> Result<BTreeMap<PathBuf, String>, String> {
    let coverage = match &command.coverage.coverage {
        Some(CoverageFormat::Json(file)) => Some(file),
        _ => None,
    };
    let mut known = BTreeMap::new();
    let files = [
        ("coverage", coverage),
        ("record", command.suite.record.as_ref()),
        ("metrics", command.suite.metrics.as_ref()),
    ];
    for (option, file) in files.into_iter().filter_map(|(option, file)| Some((option, file?))) {
        let shown = format!("--{option} {}", file.display());
        if let Some(other) = known.insert(same_path(file), shown.clone()) {
            return Err(format!("{shown} would overwrite {other}\n  help: give each a file of its own"));
        }
    }
    Ok(known)
}

impl RunReports {
    /// Reads what is asked for; `inputs` are the files that the run reads.
    ///
    /// # Errors
    /// In words: another kind, no file, or a file that is an input or the file of another report.
    pub fn read(command: &RunOptions, inputs: &[PathBuf]) -> Result<Self, String> {
        let mut reports = Self::default();
        let mut known = other_outputs(command)?;
        for text in &command.report {
            if text == "github" {
                reports.annotates = true;
                continue;
            }
            let (kind, file) =
                report_file("--report", text, &KINDS, inputs).map_err(|error| with_github(text, error))?;
            if let Some(other) = known.get(&same_path(&file)) {
                return Err(format!("--report {text} would overwrite {other}\n  help: give each a file of its own"));
            }
            known.insert(same_path(&file), format!("the report {kind}:{}", file.display()));
            reports.files.push((kind, file));
        }
        match reports.annotates && command.json {
            true => Err(
                "--report github and --json both write to standard output\n  help: `--report json:FILE` writes the \
                         JSON to a file"
                    .to_owned(),
            ),
            false => Ok(reports),
        }
    }

    /// Returns whether a page is asked for.
    pub fn has_page(&self) -> bool {
        self.files.iter().any(|(kind, _)| *kind == "html")
    }

    /// Writes all; one that cannot be written keeps no other from it.
    pub fn write(&self, run: &WrittenRun<'_>) -> ExitCode {
        let mut code = ExitCode::Fine;
        for (kind, file) in &self.files {
            if let Err(error) = run.write(kind, file) {
                run.stage.error(&format!(
                    "error: the report could not be written: {error}\n  help: {}",
                    run.saved(kind, file)
                ));
                code = code.and(ExitCode::Environment);
            }
        }
        if self.annotates {
            let (errors, sources) = (run.stage.errors(), run.stage.sources);
            run.stage.terminal.print_unless_empty(&report::run_annotations(run.reports, &errors, sources));
            let summary = Disk::here().variable(STEP_SUMMARY).filter(|file| !file.is_empty());
            if let Some(Err(error)) = summary.map(|file| append(Path::new(&file), &run.markdown())) {
                run.stage.error(&format!("error: the summary of the job could not be written: {error}"));
                code = code.and(ExitCode::Environment);
            }
        }
        code
    }
}

impl WrittenRun<'_> {
    fn write(&self, kind: &str, file: &Path) -> Result<(), String> {
        let (errors, sources) = (self.stage.errors(), self.stage.sources);
        let text = match kind {
            "html" => {
                let page = RunPage {
                    reports: self.reports,
                    scenario_of: &|cell| &self.cells[cell].cell.scenario,
                    errors: &errors,
                    differing: self.differing,
                    sources,
                    real: self.real,
                };
                return write_parts_atomically(file, |write| report::page(page, write));
            }
            "junit" => report::junit(self.reports, &errors, sources)?,
            "tap" => report::tap(self.reports, &errors, sources),
            "markdown" => self.markdown(),
            _ => {
                let trace = self.stage.command.trace;
                let cells = self.reports.iter().map(|cell| report::cell_json(cell, sources, trace)).collect();
                let written = self.settled.written.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
                let summary = report::summary_json(self.reports, &written, self.real);
                format!("{:#}\n", report::run_json(cells, &errors, &summary))
            }
        };
        write_atomically(file, &text)
    }

    fn markdown(&self) -> String {
        report::run_markdown(self.reports, &self.stage.errors(), self.stage.sources, self.real)
    }

    /// Keeps a report that could not be written where it should be: a run on a live broker may have taken long.
    fn saved(&self, kind: &str, file: &Path) -> String {
        let name = file.file_name().map_or("report".into(), |name| name.to_string_lossy());
        let elsewhere = std::env::temp_dir().join(format!("rmqplay-{}-{name}", std::process::id()));
        match self.write(kind, &elsewhere) {
            Ok(()) => format!("it was kept as {}; make the folder writable, or give another file", elsewhere.display()),
            Err(_) => "make the folder writable, or give another file".to_owned(),
        }
    }
}

/// Adds the kind that has no file.
fn with_github(text: &str, error: String) -> String {
    match text.split(':').next() {
        Some("github" | "annotations" | "gha") => {
            "--report github takes no file: annotations go to standard output, the summary to the file that \
             GITHUB_STEP_SUMMARY names"
                .to_owned()
        }
        _ => error,
    }
}
