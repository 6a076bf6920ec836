//! `destroy`: deletes what files name. Shows it first; asks for consent where something can be lost.

use crate::cli::arguments::DestroyOptions;
use crate::cli::desired::Desired;
use crate::cli::planned;
use crate::cli::terminal::Terminal;
use crate::cli::warned::{decision_of, warned_of};
use crate::cli::{ExitCode, runtime};
use crate::io::management::ManagementClient;
use crate::io::observe::observe;
use crate::io::rehearse::{carry_out_stepwise, count_consumers};
use crate::io::{BrokerFailure, meet};
use crate::model::{Object, QueueName, Topology, counted};
use crate::plan::{Decision, Observed, Plan, destroy, spared_from_destroy};
use crate::report;

/// Deletes what topology files name.
pub fn destroy_all(command: &DestroyOptions, terminal: &Terminal) -> ExitCode {
    let desired = match Desired::load(&command.files, &command.broker, command.vhost.as_ref(), &command.vars, terminal)
    {
        Ok(desired) => desired,
        Err(code) => return code,
    };
    match runtime::interruptible(carry_out(command, terminal, &desired)) {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => terminal.failure(&failure),
        Err(code) => {
            terminal.error("interrupted: what was deleted so far is gone; destroy again to go on");
            code
        }
    }
}

fn planned_of(command: &DestroyOptions, desired: &Desired, observed: &Observed) -> Plan {
    let scope = command.also.unwrap_or_default();
    let changes = destroy(&desired.loaded.topology, &desired.loaded.handling, observed, scope);
    let problems = spared_from_destroy(&desired.loaded.topology, &desired.loaded.handling, observed, scope);
    Plan { changes, problems, ..Plan::default() }
}

async fn carry_out(
    command: &DestroyOptions,
    terminal: &Terminal,
    desired: &Desired,
) -> Result<ExitCode, BrokerFailure> {
    let (address, sources) = (&desired.address, &desired.loader.sources);
    let overview = meet(address).await?;
    let management = ManagementClient::new(address)?;
    let vhosts = desired.vhosts();
    let mut observed = observe(&management, &overview, &vhosts).await?;
    terminal.status(&terminal.palette.dim(&format!("RabbitMQ {} at {}", overview.full_version, address.place())));
    let queues: Vec<QueueName> = (planned_of(command, desired, &observed).changes.iter())
        .filter_map(|change| match &change.object {
            Object::Queue { vhost, name } => Some(QueueName { vhost: vhost.clone(), name: name.clone() }),
            _ => None,
        })
        .collect();
    if !queues.is_empty() {
        count_consumers(&mut observed, &queues, address).await?;
    }
    let mut planned = planned_of(command, desired, &observed);
    let (nothing, version) = (Topology::default(), Some(overview.version));
    let warned = warned_of(&planned, &nothing, &desired.loaded, &observed, version, &command.deny);
    planned.problems.extend(warned);
    if planned.is_empty() {
        planned::show(&planned, terminal, sources);
        terminal.status("nothing to do: the broker holds nothing that the files name");
        return Ok(ExitCode::Fine);
    }
    planned::show(&planned, terminal, sources);
    let decision = decision_of(&planned, command.yes, &command.deny);
    if command.dry_run {
        terminal.status(&format!("{}; nothing was deleted", report::changes_text(&planned)));
    }
    let why = match decision {
        Decision::Loses => report::at_stake_text(&planned),
        Decision::DeletesMuch => planned::deletes_much(&planned),
        Decision::Protected => {
            terminal.error(&format!("nothing was deleted: {}", planned::protected(&planned)));
            return Ok(ExitCode::Unsafe);
        }
        Decision::Denied => {
            terminal.error(&format!("nothing was deleted: {}", planned::denied(&planned, &command.deny)));
            return Ok(ExitCode::Unsafe);
        }
        _ if command.dry_run => return Ok(ExitCode::Differs),
        _ => String::new(),
    };
    if !why.is_empty() {
        terminal.error(&format!("nothing was deleted: {why}; destroy with --yes if that is meant"));
        return Ok(ExitCode::Unsafe);
    }
    let question = format!("delete {} at {}?", counted(planned.changes.len(), "object"), address.place());
    if !planned::is_approved(&question, command.auto_approve, terminal) {
        terminal.error("nothing was deleted: the answer was not yes");
        return Ok(ExitCode::Unsafe);
    }
    let applied = carry_out_stepwise(&planned.changes, address).await?;
    terminal.status_unless_empty(&report::deleted_text(&applied));
    terminal.error_unless_empty(&report::applied_text(&applied, terminal.palette));
    let left = planned_of(command, desired, &observe(&management, &overview, &vhosts).await?);
    if left.is_empty() && applied.refused.is_empty() {
        let deleted = counted(applied.done.len(), "object");
        terminal.status(&format!("{deleted} deleted; read back: nothing that the files name is left"));
        return Ok(ExitCode::Fine);
    }
    terminal.error("read back, and the broker still holds what the files name:");
    terminal.error(&report::plan_text(&left, terminal.palette));
    Ok(if applied.refused.is_empty() { ExitCode::Failed } else { ExitCode::Environment })
}
