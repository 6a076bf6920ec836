//! `apply`: plan, ask for leave where something can be lost, carry out, read back, prove.

use crate::cli::arguments::ApplyOptions;
use crate::cli::commands::plan::{code_of_decision, show};
use crate::cli::desired::Desired;
use crate::cli::planned;
use crate::cli::planned::all_there;
use crate::cli::terminal::Terminal;
use crate::cli::{ExitCode, runtime};
use crate::io::Address;
use crate::io::BrokerFailure;
use crate::io::management::ManagementClient;
use crate::io::meet;
use crate::io::observe::observe;
use crate::io::rehearse::apply_plan;
use crate::language::LoadedTopology;
use crate::model::Credential;
use crate::model::counted;
use crate::plan::{Decision, Plan, plan};
use crate::report;

/// Applies topology files.
pub fn apply(command: &ApplyOptions, terminal: &Terminal) -> ExitCode {
    let desired = match Desired::load(&command.files, &command.broker, command.vhost.as_ref(), &command.vars, terminal)
    {
        Ok(desired) => desired,
        Err(code) => return code,
    };
    match runtime::interruptible(carry_out(command, terminal, &desired)) {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => terminal.failure(&failure),
        Err(code) => {
            terminal.error("interrupted: what was declared so far stays; apply again to go on");
            code
        }
    }
}

async fn carry_out(command: &ApplyOptions, terminal: &Terminal, desired: &Desired) -> Result<ExitCode, BrokerFailure> {
    let (address, loaded, sources) = (&desired.address, &desired.loaded, &desired.loader.sources);
    let overview = meet(address).await?;
    let management = ManagementClient::new(address)?;
    let vhosts = desired.vhosts();
    let observed = observe(&management, &vhosts).await?;
    terminal.status(&terminal.palette.dim(&format!("RabbitMQ {} at {}", overview.full_version, address.place())));
    if let Some(missing) = desired.missing_vhost(&observed) {
        terminal.error(&missing);
        return Ok(ExitCode::Environment);
    }
    let planned = plan(&loaded.topology, &loaded.origins, &observed);
    let decision = Decision::of(&planned, command.yes);
    if command.dry_run {
        show(&planned, decision, terminal, sources);
        return Ok(code_of_decision(decision));
    }
    planned::show(&planned, terminal, sources);
    if decision == Decision::Nothing {
        terminal.status(&format!("nothing to do: {}", all_there(planned.unchanged)));
        return Ok(ExitCode::Fine);
    }
    if let Some(code) = planned::refuse(&planned, decision, terminal, sources) {
        return Ok(code);
    }
    let changes = planned.changes.len();
    let (rest, own) = planned.without_user(&address.user);
    let applied = apply_plan(&rest, address).await?;
    terminal.error_unless_empty(&report::applied_text(&applied, terminal.palette));
    let (mut again, mut own_left) =
        plan(&loaded.topology, &loaded.origins, &observe(&management, &vhosts).await?).without_user(&address.user);
    if let Some(own) = own.filter(|_| again.is_empty()) {
        let Some(now) = change_own_account(&own, terminal, loaded, address).await? else {
            return Ok(ExitCode::Fine);
        };
        let seen = observe(&ManagementClient::new(&now)?, &vhosts).await?;
        (again, own_left) = plan(&loaded.topology, &loaded.origins, &seen).without_user(&address.user);
    }
    again.changes.extend(own_left.into_iter().flat_map(|own| own.changes));
    if again.is_empty() {
        let (done, all) = (counted(changes, "change"), all_there(again.unchanged));
        terminal.status(&format!("{done} made; read back: {all}"));
        return Ok(ExitCode::Fine);
    }
    terminal.error("read back, and the broker still differs from the file:");
    terminal.error(&report::plan_text(&again, terminal.palette));
    Ok(if applied.refused.is_empty() { ExitCode::Failed } else { ExitCode::Environment })
}

/// Changes the account in use, last of all; returns the login that holds from then on, where the file tells it.
async fn change_own_account(
    own: &Plan,
    terminal: &Terminal,
    loaded: &LoadedTopology,
    address: &Address,
) -> Result<Option<Address>, BrokerFailure> {
    let applied = apply_plan(own, address).await?;
    terminal.error_unless_empty(&report::applied_text(&applied, terminal.palette));
    let user = loaded.topology.users.iter().find(|user| *user.name == *address.user);
    match user.and_then(|user| user.credential.as_ref()) {
        Some(Credential::Hash { .. }) if own.risky().next().is_some() => {
            terminal.status(&format!(
                "all else was made and read back; user '{}' has the hash of the file now: log in with its password to check",
                address.user
            ));
            Ok(None)
        }
        Some(Credential::Password(password)) => Ok(Some(Address { password: password.clone(), ..address.clone() })),
        _ => Ok(Some(address.clone())),
    }
}
