//! `plan`: what `apply` would change, and what a broker, an export or another file holds beside the files.

use crate::cli::arguments::{ExtrasMode, PlanOptions, Vars};
use crate::cli::brokers::broker_for_a_file;
use crate::cli::desired::Desired;
use crate::cli::load::Loader;
use crate::cli::options::Denied;
use crate::cli::planned;
use crate::cli::reach::look;
use crate::cli::terminal::Terminal;
use crate::cli::warned::{decision_of, warned_of};
use crate::cli::{ExitCode, runtime, saved_plans};
use crate::io::live::random_salt;
use crate::io::management::ManagementClient;
use crate::io::{Address, BrokerFailure, meet};
use crate::model::Topology;
use crate::plan::{Decision, Observed, Plan, SavedPlan, digest_of, without_passwords};
use crate::report;
use crate::report::PlannedFor;
use crate::source::Sources;
use std::path::Path;

/// Shows what separates files from a broker.
pub fn plan_of(command: &PlanOptions, terminal: &Terminal) -> ExitCode {
    let mut broker = command.broker.clone();
    let file = command.against.as_deref().filter(|against| !names_a_broker(against));
    if let (Some(against), None) = (&command.against, file) {
        if broker.broker.is_some() || broker.node.is_some() {
            return terminal.usage("--broker and --against both name a broker: give one of them");
        }
        broker.broker = Some(against.clone());
    }
    let is_kept = command.save_plan.is_some();
    if let Some(held) = command.files.iter().find_map(|file| broker_for_a_file(file)) {
        return terminal.usage(&not_a_file(&held, command));
    }
    let desired = match Desired::load_for_a_look(
        &command.files,
        &broker,
        command.vhost.as_ref(),
        &command.vars,
        is_kept,
        terminal,
    ) {
        Ok(desired) => desired,
        Err(code) => return code,
    };
    if let Some(code) = command.reach.refuse(&desired, terminal) {
        return code;
    }
    if command.save_plan.is_some() && command.reach.is_any() {
        return terminal.usage(crate::cli::reach::NOT_SAVED);
    }
    if let Some(file) = file {
        if command.save_plan.is_some() {
            return terminal.usage("--save-plan keeps a plan for a broker, and a file stands in its place");
        }
        return match observed_file(Path::new(file), &command.vars, command.vhost.clone(), terminal) {
            Ok((observed, version)) => {
                let planned_for = desired.planned_for(file, "file", version.clone());
                let mut planned = command.reach.plan(&desired, &observed);
                let named = version.is_some().then_some(observed.version);
                let topology = &desired.loaded.topology;
                let warned = warned_of(&planned, topology, &desired.loaded, &observed, named, &command.deny);
                planned.problems.extend(warned);
                tell(command, terminal, &desired, &planned, planned_for)
            }
            Err(code) => code,
        };
    }
    match runtime::interruptible(of_broker(command, terminal, &desired)) {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => terminal.failure(&failure),
        Err(code) => code,
    }
}

/// Says what to do where a broker stands in a file's place.
fn not_a_file(held: &str, command: &PlanOptions) -> String {
    let other = command.against.as_deref().map(|other| broker_for_a_file(Path::new(other)).unwrap_or(other.to_owned()));
    let with_it = other.map_or_else(String::new, |other| format!(" --against {other}"));
    let instead = match &command.against {
        None => format!("compare files with it: rmqplay plan FILE --broker {held}; or "),
        Some(_) => String::new(),
    };
    format!(
        "`{held}` is a broker, and plan compares files with one: a broker stands in the place of --broker or --against\n  \
         help: {instead}write down what it holds, and compare that: rmqplay export --broker {held} -o held.json && rmqplay \
         plan held.json{with_it}"
    )
}

/// Returns whether `--against` names a broker: a URL, or a name of rmqplay.yaml.
pub(crate) fn names_a_broker(against: &str) -> bool {
    against == "env" || against.contains("://") || !(against.contains(['.', '/']) || Path::new(against).exists())
}

async fn of_broker(command: &PlanOptions, terminal: &Terminal, desired: &Desired) -> Result<ExitCode, BrokerFailure> {
    let address: &Address = &desired.address;
    let overview = meet(address).await?;
    let management = ManagementClient::new(address)?;
    let make = |observed: &Observed| command.reach.plan(desired, observed);
    let (observed, mut planned) = look(&management, &overview, &desired.vhosts(), address, make).await?;
    if let Some(missing) = desired.missing_vhost(&observed) {
        terminal.error(&missing);
        return Ok(ExitCode::Environment);
    }
    let (loaded, version) = (&desired.loaded, Some(overview.version));
    planned.problems.extend(warned_of(&planned, &loaded.topology, loaded, &observed, version, &command.deny));
    let planned_for = desired.planned_for(&address.place(), "broker", Some(overview.full_version));
    if let Some(file) = &command.save_plan {
        let decision = decision_of(&planned, command.yes, &command.deny);
        let kept = save(file, &desired.loaded.topology, &observed, &planned, decision, &planned_for, terminal);
        if let Some(code) = kept {
            return Ok(code);
        }
    }
    Ok(tell(command, terminal, desired, &planned, planned_for))
}

/// Reads a file that stands in the broker's place.
pub(crate) fn observed_file(
    path: &Path,
    vars: &Vars,
    vhost: Option<String>,
    terminal: &Terminal,
) -> Result<(Observed, Option<String>), ExitCode> {
    let mut loader = Loader::new(vars, vhost).map_err(|(code, message)| {
        terminal.usage(&message);
        code
    })?;
    loader = loader.without_secrets();
    let (loaded, problems) = loader.topology(path);
    let code = terminal.problems_of_files(&problems, &loader.sources);
    let Some(loaded) = loaded.filter(|_| code == ExitCode::Fine) else { return Err(code.and(ExitCode::BadFile)) };
    let version = loader.version_of_export();
    Ok((
        Observed::of_file(loaded.topology, version.as_deref().and_then(|text| text.parse().ok()), loaded.is_export),
        version,
    ))
}

fn tell(
    command: &PlanOptions,
    terminal: &Terminal,
    desired: &Desired,
    planned: &Plan,
    planned_for: PlannedFor,
) -> ExitCode {
    let are_refused = command.extras == ExtrasMode::Fail && !planned.extras.is_empty();
    let decision = decision_of(planned, command.yes, &command.deny).unless_extras(are_refused);
    let sources = &desired.loader.sources;
    if command.json {
        terminal.print(&report::plan_json(planned, &planned_for, decision, sources).to_string());
        return code_of_decision(decision);
    }
    let rabbit = planned_for.version.map(|version| format!("RabbitMQ {version}"));
    let header = match (planned_for.kind, rabbit) {
        ("file", Some(rabbit)) => format!("{} (of {rabbit})", planned_for.against),
        (_, Some(rabbit)) => format!("{rabbit} at {}", planned_for.against),
        (_, None) => planned_for.against.clone(),
    };
    terminal.status(&terminal.palette.dim(&header));
    let next = (planned_for.kind == "broker" && command.save_plan.is_none()).then_some("`rmqplay apply` writes it");
    show(planned, decision, &command.deny, next, terminal, sources);
    code_of_decision(decision)
}

/// Shows a plan as `plan` and `apply --dry-run` do; `next` says what would write it.
pub(crate) fn show(
    planned: &Plan,
    decision: Decision,
    deny: &[Denied],
    next: Option<&str>,
    terminal: &Terminal,
    sources: &Sources,
) {
    planned::show(planned, terminal, sources);
    match decision {
        Decision::Nothing => terminal.status(&format!("nothing to do: {}", planned::all_there(planned.unchanged))),
        Decision::Extras => {
            let beside = report::beside_text(planned.extras.len());
            let all_there = planned::all_there(planned.unchanged);
            terminal.status(&format!("{all_there}, and {beside}, which --extras fail does not accept"));
        }
        Decision::Write => {
            let next = next.map_or_else(String::new, |next| format!(": {next}"));
            terminal.status(&format!("{}; nothing was written{next}", report::changes_text(planned)));
        }
        _ => planned::would_refuse(planned, decision, deny, terminal, sources),
    }
}

/// Returns how `plan` ends: as `apply` with the same flags would, with 2 where that would write, and where something is beside the
/// files that is not accepted.
pub(crate) fn code_of_decision(decision: Decision) -> ExitCode {
    match decision {
        Decision::Nothing => ExitCode::Fine,
        Decision::Write | Decision::Extras => ExitCode::Differs,
        Decision::Lacks => ExitCode::Environment,
        Decision::Replaces | Decision::Protected | Decision::Denied | Decision::Loses | Decision::DeletesMuch => {
            ExitCode::Unsafe
        }
    }
}

/// Keeps a plan for `apply FILE`; complains and returns the exit code where it cannot be written. A plan that the broker or
/// the account cannot carry out is not kept.
pub(crate) fn save(
    file: &Path,
    topology: &Topology,
    observed: &Observed,
    planned: &Plan,
    decision: Decision,
    planned_for: &PlannedFor,
    terminal: &Terminal,
) -> Option<ExitCode> {
    if matches!(decision, Decision::Lacks | Decision::Replaces | Decision::Denied) {
        terminal.error("the plan was not saved: it would be refused");
        return None;
    }
    let topology = without_passwords(topology, observed, random_salt);
    let saved = SavedPlan {
        broker: planned_for.against.clone(),
        version: planned_for.version.clone().unwrap_or_default(),
        digest: digest_of(&topology, observed),
        files: planned_for.files.clone(),
        topology,
    };
    let shown = report::plan_json(planned, planned_for, decision, &Sources::default());
    match saved_plans::write(file, &saved, &shown) {
        Ok(()) => {
            terminal
                .status(&format!("saved to {0}: rmqplay apply {0} carries out this plan and no other", file.display()));
            None
        }
        Err(error) => {
            terminal.error(&format!("error: cannot write {}: {error}", file.display()));
            Some(ExitCode::Environment)
        }
    }
}
