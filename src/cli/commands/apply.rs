//! `apply`: plan, ask for leave where something can be lost, carry out, read back, prove.

use crate::cli::arguments::ApplyOptions;
use crate::cli::brokers::one_broker;
use crate::cli::load::Loader;
use crate::cli::terminal::Terminal;
use crate::cli::{ExitCode, runtime};
use crate::io::Address;
use crate::io::BrokerFailure;
use crate::io::management::ManagementClient;
use crate::io::meet;
use crate::io::observe::observe;
use crate::io::rehearse::apply_plan;
use crate::language::LoadedTopology;
use crate::model::counted;
use crate::model::{Credential, Vhost};
use crate::plan::{Observed, Plan, plan};
use crate::report;
use crate::source::{Level, Problem};

/// Applies a topology file.
pub fn apply(command: &ApplyOptions, terminal: &Terminal) -> ExitCode {
    let address = match one_broker(command.broker.broker.as_deref(), command.broker.management.as_deref()) {
        Ok(address) => address,
        Err(none) => return none.emit(terminal),
    };
    let default_vhost = command.vhost.clone().or_else(|| address.vhost.clone());
    let mut loader = match Loader::new(&command.vars, default_vhost) {
        Ok(loader) => loader,
        Err((code, message)) => {
            terminal.usage(&message);
            return code;
        }
    };
    let (loaded, problems) = loader.topology(&command.file);
    if let Some(unknown) = loader.unknown_variable() {
        return terminal.usage(&format!("--var: {unknown}"));
    }
    let code = terminal.problems(&problems, &loader.sources);
    let Some(loaded) = loaded.filter(|_| code == ExitCode::Fine) else { return code.and(ExitCode::BadFile) };
    if let (None, Some(of_file), Some(of_url)) = (&command.vhost, &loaded.file_vhost, &address.vhost)
        && **of_file != **of_url
    {
        let file = command.file.display();
        return terminal.usage(&format!(
            "{file} is for vhost '{of_file}', the URL names vhost '{of_url}'\n  help: settle it with --vhost '{of_file}', or drop the vhost from the URL"
        ));
    }
    let carried_out = carry_out(command, terminal, &loader, &loaded, &address);
    match runtime::interruptible(carried_out) {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => terminal.failure(&failure),
        Err(code) => {
            terminal.error("interrupted: what was declared so far stays; apply again to go on");
            code
        }
    }
}

async fn carry_out(
    command: &ApplyOptions,
    terminal: &Terminal,
    loader: &Loader,
    loaded: &LoadedTopology,
    address: &Address,
) -> Result<ExitCode, BrokerFailure> {
    let overview = meet(address).await?;
    let management = ManagementClient::new(address)?;
    let vhosts = loaded.topology.vhost_names();
    let observed = observe(&management, &vhosts).await?;
    terminal.status(&terminal.palette.dim(&format!("RabbitMQ {} at {}", overview.full_version, address.place())));
    if let Some(missing) = missing_vhost(command, loaded, address, &observed) {
        terminal.error(&missing);
        return Ok(ExitCode::Environment);
    }
    let planned = plan(&loaded.topology, &loaded.origins, &observed);
    let notes: Vec<Problem> = planned.problems.iter().filter(|problem| problem.level == Level::Note).cloned().collect();
    let _ = terminal.problems(&notes, &loader.sources);
    if planned.is_empty() {
        terminal.status(&format!("nothing to do: {}", all_there(planned.unchanged)));
        return Ok(ExitCode::Fine);
    }
    terminal.status(&report::plan_text(&planned, terminal.palette));
    if let Some(code) = refuse(command, terminal, loader, &planned) {
        return Ok(code);
    }
    if command.dry_run {
        terminal.status(&format!("{}; nothing was written (--dry-run)", counted(planned.changes.len(), "change")));
        if planned.risky().next().is_some() {
            terminal.status(&format!("{}: the real run needs --yes", report::at_stake_text(&planned)));
        }
        return Ok(ExitCode::Fine);
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

fn all_there(objects: usize) -> String {
    match objects {
        1 => "the one object is there as declared".to_owned(),
        _ => format!("all {objects} objects are there as declared"),
    }
}

/// Finds a vhost that only the arguments name and the broker does not have: a slip, not a wish for a new vhost.
fn missing_vhost(
    command: &ApplyOptions,
    loaded: &LoadedTopology,
    address: &Address,
    observed: &Observed,
) -> Option<String> {
    let named = command.vhost.as_ref().or(address.vhost.as_ref())?;
    let is = |vhost: &Vhost| *vhost.name == **named;
    let used = loaded.topology.vhost_names().iter().any(|vhost| **vhost == **named);
    // The limits of an export make a vhost known, and declare none.
    let is_declared = |vhost: &Vhost| is(vhost) && loaded.origins.contains_key(&vhost.object());
    if !used || loaded.topology.vhosts.iter().any(is_declared) || observed.topology.vhosts.iter().any(is) {
        return None;
    }
    let there: Vec<String> = observed.topology.vhosts.iter().map(|vhost| format!("'{}'", vhost.name)).collect();
    Some(format!(
        "error: there is no vhost '{named}' at {} (there are {})\n  help: name another one, or declare it in the file: vhosts: [{{name: {named}}}]",
        address.place(),
        there.join(", ")
    ))
}

/// Refuses, before anything is written, what cannot be changed or may lose something.
fn refuse(command: &ApplyOptions, terminal: &Terminal, loader: &Loader, planned: &Plan) -> Option<ExitCode> {
    let immutable = planned.immutable().count();
    if immutable == 0 && planned.problems.iter().any(|problem| problem.level == Level::Problem) {
        let _ = terminal.problems(&planned.problems, &loader.sources);
        terminal.error("nothing was written: this broker lacks what the file needs");
        return Some(ExitCode::Environment);
    }
    if immutable > 0 {
        let _ = terminal.problems(&planned.problems, &loader.sources);
        terminal.error(&format!(
            "nothing was written: {immutable} of the differences cannot be changed on a broker that holds the object; \
             delete it there first, or give the new one another name"
        ));
        return Some(ExitCode::Unsafe);
    }
    if planned.risky().next().is_some() && !command.yes && !command.dry_run {
        let at_stake = report::at_stake_text(planned);
        terminal.error(&format!("nothing was written: {at_stake}; apply with --yes if that is meant"));
        return Some(ExitCode::Unsafe);
    }
    None
}
