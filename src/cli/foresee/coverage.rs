//! `run --coverage`: collects what each cell exercised, also of live brokers by a replay on the simulator, and tells it.

use crate::broker::Exercised;
use crate::cli::ExitCode;
use crate::cli::live_settings;
use crate::cli::options::{CoverageFormat, CoverageOptions};
use crate::cli::select::ToPlay;
use crate::cli::terminal::Terminal;
use crate::foresee::CoverageRecord;
use crate::io::write_atomically;
use crate::model::Profile;
use crate::report;
use crate::report::CellReport;
use crate::rules::Edition;
use crate::simulate::rehearse_covering;
use crate::source::Sources;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the cells of a run exercise, where it is asked for.
pub(crate) struct Covering<'a> {
    options: &'a CoverageOptions,
    sources: &'a Sources,
    record: Mutex<CoverageRecord>,
    /// The cells that stood in for a live broker, by profile.
    replayed: Mutex<BTreeSet<(Profile, usize)>>,
}

impl<'a> Covering<'a> {
    pub(crate) fn new(options: &'a CoverageOptions, sources: &'a Sources) -> Self {
        Self { options, sources, record: Mutex::default(), replayed: Mutex::default() }
    }

    /// Returns whether it is asked for.
    pub(crate) fn is_asked(&self) -> bool {
        self.options.is_asked()
    }

    /// Adds what a cell exercised by the rules of a version; in whichever order cells come, it comes to the same.
    pub(crate) fn add(&self, one: &ToPlay, edition: Edition, run: &Exercised) {
        let name_of = |file| self.sources.get(file).name.as_str();
        locked(&self.record).add(&one.cell.scenario, edition.profile, run, name_of);
    }

    /// Plays what was played on a live broker once more on the simulator: a live one does not tell what it did inside.
    pub(crate) fn replay(&self, cells: &[ToPlay], reports: &[CellReport]) {
        if !self.options.is_asked() {
            return;
        }
        for report in reports.iter().filter(|report| report.played.is_some()) {
            let profile = report.edition.profile;
            let Some(one) = cells.get(report.cell) else { continue };
            let fits = live_settings::why_not_on_sim(&one.cell, profile).is_none();
            if fits && locked(&self.replayed).insert((profile, report.cell)) {
                let mut run = Exercised::default();
                rehearse_covering(&one.cell, report.edition, false, Some(&mut run));
                self.add(one, report.edition, &run);
            }
        }
    }

    /// Tells what was exercised, and returns whether it is enough.
    pub(crate) fn close(&self, json: bool, terminal: &Terminal) -> ExitCode {
        if !self.options.is_asked() {
            return ExitCode::Fine;
        }
        let record = locked(&self.record);
        let replayed: BTreeSet<Profile> = locked(&self.replayed).iter().map(|(profile, _)| *profile).collect();
        let replayed: Vec<String> = replayed.into_iter().map(|profile| format!("sim {profile}")).collect();
        let shown = report::coverage_json(&record, &replayed, self.sources);
        let is_enough = self.is_enough(&record);
        if json {
            terminal.print(&shown.to_string());
        } else if !terminal.quiet || !is_enough {
            terminal.print(format!("\n{}", report::coverage_text(&record, self.sources, terminal.palette)).trim_end());
            if !replayed.is_empty() {
                terminal.status(&format!(
                    "  a live broker does not tell what it did inside: its cells were played again on {} for this",
                    replayed.join(", ")
                ));
            }
        }
        let written = match &self.options.coverage {
            Some(CoverageFormat::Json(file)) => write_atomically(file, &format!("{shown:#}\n"))
                .map_err(|error| format!("error: the coverage could not be written to {}: {error}", file.display())),
            _ => Ok(()),
        };
        if let Err(message) = &written {
            terminal.error(message);
        }
        let code = if written.is_err() { ExitCode::Environment } else { ExitCode::Fine };
        code.and(self.judge(&record, terminal))
    }

    /// Returns whether the least share is reached, where one is asked for.
    fn is_enough(&self, record: &CoverageRecord) -> bool {
        let total = record.total();
        self.options.coverage_min.is_none_or(|least| total.of > 0 && total.percent() + 1e-9 >= least.0)
    }

    fn judge(&self, record: &CoverageRecord, terminal: &Terminal) -> ExitCode {
        let Some(least) = self.options.coverage_min else { return ExitCode::Fine };
        let total = record.total();
        if total.of == 0 {
            terminal.error(
                "error: --coverage-min asks for a share of the topology files, and no cell uses one\n  help: name the \
                 topology in the scenarios: `topology: ../topologies/FILE.yaml`",
            );
            return ExitCode::Failed;
        }
        if self.is_enough(record) {
            return ExitCode::Fine;
        }
        terminal.error(&format!(
            "error: coverage is {} %, and --coverage-min asks for {} %\n  help: play what is listed above; `rmqplay suggest \
             FILE` writes scenarios for some of it",
            report::short_percent(total.percent()),
            report::short_percent(least.0),
        ));
        ExitCode::Failed
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
