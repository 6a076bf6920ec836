//! `graph --plan`: the picture of what `apply` would make of a broker, with what it creates, changes, replaces and deletes.

use crate::cli::commands::graph::check_vhost;
use crate::cli::commands::plan::{names_a_broker, observed_file};
use crate::cli::desired::Desired;
use crate::cli::options::GraphOptions;
use crate::cli::reach::look;
use crate::cli::terminal::Terminal;
use crate::cli::{ExitCode, runtime};
use crate::foresee::{TopologyGraph, TopologyView, as_planned, mark_planned, only_vhosts, topology_graph, versions};
use crate::io::management::ManagementClient;
use crate::io::{BrokerFailure, meet};
use crate::model::{Origins, Profile, Topology};
use crate::plan::{Observed, Plan};
use crate::report;
use std::path::{Path, PathBuf};

/// Plans as `plan` does, and draws it.
pub(super) fn graph_of_plan(command: &GraphOptions, terminal: &Terminal) -> Result<TopologyGraph, ExitCode> {
    let [file] = command.words.as_slice() else {
        return Err(
            terminal.usage("--plan compares a file with a broker: rmqplay graph FILE --plan [--against FILE|URL]")
        );
    };
    let mut broker = command.look.broker.clone();
    let stand_in = command.against.as_deref().filter(|against| !names_a_broker(against));
    if let (Some(against), None) = (&command.against, stand_in) {
        if broker.broker.is_some() || broker.node.is_some() {
            return Err(terminal.usage("--broker and --against both name a broker: give one of them"));
        }
        broker.broker = Some(against.clone());
    }
    let desired = Desired::load(&[PathBuf::from(file)], &broker, None, &command.look.vars, terminal)?;
    if let Some(code) = command.reach.refuse(&desired, terminal) {
        return Err(code);
    }
    let (observed, plan) = match stand_in {
        Some(stand_in) => {
            let (observed, _) = observed_file(Path::new(stand_in), &command.look.vars, None, terminal)?;
            let plan = command.reach.plan(&desired, &observed);
            (observed, plan)
        }
        None => match runtime::interruptible(on_broker(command, &desired)) {
            Ok(Ok(looked)) => looked,
            Ok(Err(failure)) => return Err(terminal.failure(&failure)),
            Err(code) => return Err(code),
        },
    };
    if let Some(missing) = desired.missing_vhost(&observed) {
        terminal.error(&missing);
        return Err(ExitCode::Environment);
    }
    if !terminal.quiet {
        terminal.error(&match plan.is_empty() {
            true => "nothing to do: the picture shows what is there".to_owned(),
            false => format!("{}; nothing was written", report::changes_text(&plan)),
        });
    }
    let profile = command.look.versions.iter().max().copied().unwrap_or(Profile::nearest(observed.version));
    let (wanted, vhost) = (&desired.loaded.topology, command.vhost.as_deref());
    let held = as_planned(wanted, &observed.topology, &plan);
    check_vhost(&held, command, terminal)?;
    let draw = |topology: &Topology| drawn(topology, &desired.loaded.origins, profile, vhost);
    let after = draw(&held);
    let before = draw(&only_vhosts(&observed.topology, &wanted.vhost_names()));
    let (Some(after), Some(before)) = (after, before) else { return Err(ExitCode::Nothing) };
    Ok(mark_planned(after, &before, &plan, wanted))
}

fn drawn(topology: &Topology, origins: &Origins, profile: Profile, vhost: Option<&str>) -> Option<TopologyGraph> {
    let versions = versions(topology, &[profile]);
    Some(topology_graph(&TopologyView::new(topology, origins, &versions)?, vhost))
}

async fn on_broker(command: &GraphOptions, desired: &Desired) -> Result<(Observed, Plan), BrokerFailure> {
    let overview = meet(&desired.address).await?;
    let management = ManagementClient::new(&desired.address)?;
    let make = |observed: &Observed| command.reach.plan(desired, observed);
    look(&management, &overview, &desired.vhosts(), &desired.address, make).await
}
