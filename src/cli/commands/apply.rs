//! `apply`: plan, ask for leave where something can be lost, carry out, read back, prove.

use crate::cli::applying::{ApplyOutcome, ApplyWork};
use crate::cli::arguments::ApplyOptions;
use crate::cli::brokers::one_broker;
use crate::cli::commands::plan::{code_of_decision, save, show};
use crate::cli::desired::Desired;
use crate::cli::options::report_file;
use crate::cli::planned;
use crate::cli::planned::all_there;
use crate::cli::progress::RunProgress;
use crate::cli::reach::NOT_SAVED;
use crate::cli::terminal::Terminal;
use crate::cli::warned::{decision_of, warned_of};
use crate::cli::{ExitCode, runtime, saved_plans};
use crate::io::{Address, BrokerFailure, meet};
use crate::model::{Origins, counted};
use crate::plan::{Decision, Observed, Plan, SavedPlan, digest_of};
use crate::report;
use crate::report::PlannedFor;
use crate::source::{Code, Sources};
use std::path::PathBuf;
use std::time::Duration;

/// Applies topology files, or a saved plan.
pub fn apply(command: &ApplyOptions, terminal: &Terminal) -> ExitCode {
    let report = |text: &String| report_file("--report", text, &["json"], &command.files).map(|(_, file)| file);
    let report = match command.report.as_ref().map(report).transpose() {
        Ok(report) => report,
        Err(message) => return terminal.usage(&message),
    };
    let apply = Apply { command, terminal, report };
    if let Some(saved) = saved_plans::read(&command.files, terminal) {
        return match saved {
            Ok(saved) => apply.saved(&saved),
            Err(code) => code,
        };
    }
    match Desired::load(&command.files, &command.broker, command.vhost.as_ref(), &command.vars, terminal) {
        Ok(desired) => apply.ended(runtime::interruptible(apply.files(&desired))),
        Err(code) => code,
    }
}

/// How often rights that the account lacks are looked at again, how often a vhost that is not finished, and after how long.
const RIGHTS_LOOKS: usize = 3;
const UNFINISHED_LOOKS: usize = 16;
const RIGHTS_PAUSE: Duration = Duration::from_millis(300);

/// One call of the command.
struct Apply<'a> {
    command: &'a ApplyOptions,
    terminal: &'a Terminal,
    report: Option<PathBuf>,
}

impl Apply<'_> {
    fn ended(&self, ended: Result<Result<ExitCode, BrokerFailure>, ExitCode>) -> ExitCode {
        match ended {
            Ok(Ok(code)) => code,
            Ok(Err(failure)) => self.terminal.failure(&failure),
            Err(code) => {
                self.terminal.error("interrupted: what was declared so far stays; apply again to go on");
                code
            }
        }
    }

    async fn files(&self, desired: &Desired) -> Result<ExitCode, BrokerFailure> {
        let overview = meet(&desired.address).await?;
        let work = ApplyWork {
            topology: &desired.loaded.topology,
            origins: &desired.loaded.origins,
            address: &desired.address,
            overview: &overview,
            vhosts: desired.vhosts(),
            reach: Some((&self.command.reach, desired)),
            terminal: self.terminal,
        };
        if let Some(code) = self.command.reach.refuse(desired, self.terminal) {
            return Ok(code);
        }
        if self.command.save_plan.is_some() && self.command.reach.is_any() {
            return Ok(self.terminal.usage(NOT_SAVED));
        }
        let (mut observed, mut planned) = work.look(work.address).await?;
        // A vhost that somebody else is just making has no permissions yet: they come a moment later.
        for look in 0..UNFINISHED_LOOKS {
            let looks = if observed.unfinished.is_empty() { RIGHTS_LOOKS } else { UNFINISHED_LOOKS };
            if look >= looks || !planned.problems.iter().any(|problem| problem.code == Code::PlanRights) {
                break;
            }
            tokio::time::sleep(RIGHTS_PAUSE).await;
            (observed, planned) = work.look(work.address).await?;
        }
        self.greet(&work);
        if let Some(missing) = desired.missing_vhost(&observed) {
            self.terminal.error(&missing);
            return Ok(ExitCode::Environment);
        }
        let (loaded, version) = (&desired.loaded, Some(overview.version));
        let warned = warned_of(&planned, &loaded.topology, loaded, &observed, version, &self.command.deny);
        planned.problems.extend(warned);
        let planned_for = desired.planned_for(&desired.address.place(), "broker", Some(overview.full_version.clone()));
        Ok(self.decide(&work, &observed, planned, &planned_for, &desired.loader.sources).await)
    }

    /// Applies a saved plan on the broker that it was made for, as long as that broker has not moved.
    fn saved(&self, saved: &SavedPlan) -> ExitCode {
        let command = self.command;
        let is_varied = !command.vars.vars.is_empty() || !command.vars.vars_files.is_empty();
        if command.reach.is_any() {
            return self.terminal.usage(NOT_SAVED);
        }
        if command.vhost.is_some() || is_varied || command.save_plan.is_some() || !command.deny.is_empty() {
            return self.terminal.usage(
                "a saved plan holds its vhost and its variables, and was judged when it was made: apply it without --vhost, \
                 --var, --save-plan and --deny",
            );
        }
        let address = match one_broker(&command.broker, self.terminal) {
            Ok(address) => address,
            Err(none) => return none.emit(self.terminal),
        };
        if address.place() != saved.broker {
            self.terminal.error(&format!(
                "nothing was written: the plan was made for the broker at {}, and this one is at {}",
                saved.broker,
                address.place()
            ));
            return ExitCode::Unsafe;
        }
        self.ended(runtime::interruptible(self.unmoved(saved, &address)))
    }

    async fn unmoved(&self, saved: &SavedPlan, address: &Address) -> Result<ExitCode, BrokerFailure> {
        let overview = meet(address).await?;
        let origins = Origins::new();
        let vhosts = saved.topology.vhost_names();
        let (topology, terminal) = (&saved.topology, self.terminal);
        let work =
            ApplyWork { topology, origins: &origins, address, overview: &overview, vhosts, reach: None, terminal };
        let (observed, planned) = work.look(address).await?;
        self.greet(&work);
        if saved.version != overview.full_version || saved.digest != digest_of(&saved.topology, &observed) {
            self.terminal.error(
                "nothing was written: the broker has moved since the plan was saved; plan again and look at what is new",
            );
            return Ok(ExitCode::Unsafe);
        }
        let planned_for = PlannedFor {
            files: saved.files.clone(),
            against: saved.broker.clone(),
            kind: "broker",
            version: Some(saved.version.clone()),
        };
        Ok(self.decide(&work, &observed, planned, &planned_for, &Sources::default()).await)
    }

    fn greet(&self, work: &ApplyWork<'_>) {
        let line = format!("RabbitMQ {} at {}", work.overview.full_version, work.address.place());
        self.terminal.status(&self.terminal.palette.dim(&line));
    }

    async fn decide(
        &self,
        work: &ApplyWork<'_>,
        observed: &Observed,
        planned: Plan,
        planned_for: &PlannedFor,
        sources: &Sources,
    ) -> ExitCode {
        let (command, terminal) = (self.command, self.terminal);
        let decision = decision_of(&planned, command.yes, &command.deny);
        if command.dry_run || command.save_plan.is_some() {
            let next = command.save_plan.is_none().then_some("without --dry-run it is");
            show(&planned, decision, &command.deny, next, terminal, sources);
            let code = code_of_decision(decision);
            return match &command.save_plan {
                Some(file) => {
                    save(file, work.topology, observed, &planned, decision, planned_for, terminal).unwrap_or(code)
                }
                None => code,
            };
        }
        planned::show(&planned, terminal, sources);
        if decision == Decision::Nothing {
            terminal.status(&format!("nothing to do: {}", all_there(planned.unchanged)));
            return self.keep(&planned, planned_for, decision, sources, None, ExitCode::Fine);
        }
        if let Some(code) = planned::refuse(&planned, decision, &command.deny, terminal, sources) {
            return self.keep(&planned, planned_for, decision, sources, None, code);
        }
        let question = format!("apply {}?", counted(planned.changes.len(), "change"));
        if !planned::is_approved(&question, command.auto_approve, terminal) {
            terminal.error("nothing was written: the answer was not yes");
            return self.keep(&planned, planned_for, decision, sources, None, ExitCode::Unsafe);
        }
        let progress = RunProgress::of("objects", planned.changes.len() as u64, terminal.quiet);
        let outcome = work.carry_out(planned.clone(), &progress).await;
        progress.close();
        let code = self.tell(&planned, &outcome, work.address);
        self.keep(&planned, planned_for, decision, sources, Some(&outcome), code)
    }

    fn tell(&self, planned: &Plan, outcome: &ApplyOutcome, address: &Address) -> ExitCode {
        let terminal = self.terminal;
        terminal.error_unless_empty(&report::applied_text(&outcome.applied, terminal.palette));
        let changes = counted(planned.changes.len(), "change");
        if let Some(code) = outcome.stopped {
            return code;
        }
        if let Some(failure) = &outcome.failure {
            let code = terminal.failure(failure);
            terminal.error(&format!(
                "{} of {changes} were made, none was proven: apply again to go on",
                outcome.applied.done.len()
            ));
            return code;
        }
        if outcome.unproven_account {
            terminal.status(&format!(
                "all else was made and read back; user '{}' has the hash of the file now: log in with its password to check",
                address.user
            ));
            return ExitCode::Fine;
        }
        match &outcome.again {
            Some(again) if again.is_empty() => {
                terminal.status(&format!("{changes} made; read back: {}", all_there(again.unchanged)));
                terminal.status(&terminal.palette.dim(report::EQUAL_COVERS));
                ExitCode::Fine
            }
            Some(again) => {
                terminal.error("read back, and the broker still differs from the file:");
                terminal.error(&report::plan_text(again, terminal.palette));
                terminal.error(&format!(
                    "{} of {changes} were made; apply again to go on, once what stands against it is mended",
                    outcome.applied.done.len()
                ));
                if outcome.applied.refused.is_empty() { ExitCode::Failed } else { ExitCode::Environment }
            }
            None => ExitCode::Failed,
        }
    }

    /// Writes the report, where one is asked for.
    fn keep(
        &self,
        planned: &Plan,
        planned_for: &PlannedFor,
        decision: Decision,
        sources: &Sources,
        outcome: Option<&ApplyOutcome>,
        code: ExitCode,
    ) -> ExitCode {
        let Some(file) = &self.report else { return code };
        let applied = outcome.map(|outcome| &outcome.applied);
        let again = outcome.and_then(|outcome| outcome.again.as_ref());
        let json = report::apply_json(planned, planned_for, decision, sources, applied, again);
        match std::fs::write(file, format!("{json:#}\n")) {
            Ok(()) => code,
            Err(error) => {
                self.terminal.error(&format!("error: cannot write {}: {error}", file.display()));
                code.and(ExitCode::Environment)
            }
        }
    }
}
