//! How far an apply reaches beyond adding and changing: what it replaces, and what it deletes.
//! Joins flags and files into one plan, and carries out the part of it that Applier does not.

use crate::cli::ExitCode;
use crate::cli::arguments::ReachOptions;
use crate::cli::desired::Desired;
use crate::cli::terminal::Terminal;
use crate::io::management::{ManagementClient, Overview};
use crate::io::observe::observe_and_plan;
use crate::io::rehearse::{carry_out_stepwise, count_consumers};
use crate::io::{Address, BrokerFailure, MoveFailure, MoveSettings, move_queue};
use crate::model::{Name, Object, QueueName, Replacement};
use crate::plan::{
    Change, ChangeKind, IgnoreList, MoveStop, Observed, Plan, ReplaceWay, ReplaceWishes, judge_policies,
    missing_plugins, plan, prune, settle_replacements, spared,
};
use crate::report;

/// Why such flags and saved plans do not go together.
pub(crate) const NOT_SAVED: &str =
    "a saved plan neither deletes nor replaces: apply the files with --prune and --replace";

/// Reads a broker and plans; consumers of queues that would go are counted as exactly as AMQP does.
pub(crate) async fn look(
    management: &ManagementClient,
    overview: &Overview,
    vhosts: &[Name],
    address: &Address,
    make: impl Fn(&Observed) -> Plan,
) -> Result<(Observed, Plan), BrokerFailure> {
    let (mut observed, planned) = observe_and_plan(management, overview, vhosts, &make).await?;
    let queues = queues_that_go(&planned);
    if queues.is_empty() {
        return Ok((observed, planned));
    }
    count_consumers(&mut observed, &queues, address).await?;
    let planned = make(&observed);
    Ok((observed, planned))
}

/// The parts of a plan, in the order in which they are carried out.
pub(crate) struct PlanParts {
    pub replacements: Vec<Change>,
    /// What adds and changes.
    pub rest: Plan,
    pub deletions: Vec<Change>,
}

impl ReachOptions {
    /// Finds what speaks against the flags before a broker is asked.
    pub fn refuse(&self, desired: &Desired, terminal: &Terminal) -> Option<ExitCode> {
        self.prune?;
        let topology = &desired.loaded.topology;
        let is_without_objects = topology.exchanges.is_empty()
            && topology.queues.is_empty()
            && topology.bindings.is_empty()
            && topology.policies.is_empty()
            && topology.operator_policies.is_empty()
            && topology.parameters.is_empty()
            && topology.permissions.is_empty();
        if is_without_objects {
            terminal.error(
                "the files declare no object of a vhost: --prune would delete all that there is\n  help: a slip in a template \
                 or in a path makes such files; destroy deletes what a file names",
            );
            let is_empty = topology.users.is_empty() && topology.global_parameters.is_empty();
            return Some(if is_empty { ExitCode::BadFile } else { ExitCode::Unsafe });
        }
        if desired.loaded.own_vhosts.is_empty() {
            terminal.error(
                "the files name no vhost of their own, and --prune deletes in those alone\n  help: say \
                 which: `vhost: /` at the top of a file, or `vhosts: [/]`",
            );
            return Some(ExitCode::Unsafe);
        }
        None
    }

    /// Plans all that the flags and files ask for.
    pub fn plan(&self, desired: &Desired, observed: &Observed) -> Plan {
        let loaded = &desired.loaded;
        let topology = desired.topology_beside(observed);
        let mut planned = plan(&topology, &loaded.origins, observed);
        let wishes = ReplaceWishes {
            handling: &loaded.handling,
            default: self.replace,
            while_publishing: self.while_publishing,
        };
        planned.problems.extend(missing_plugins(&loaded.handling, observed));
        settle_replacements(&mut planned, &topology, &loaded.origins, observed, wishes);
        let ignored = IgnoreList::of(&loaded.handling.ignored);
        planned.extras.retain(|extra| !ignored.covers(&extra.object));
        if let Some(scope) = self.prune {
            let deletions = prune(&topology, &loaded.handling, observed, &loaded.own_vhosts, scope);
            planned.extras.retain(|extra| !deletions.iter().any(|change| change.object == extra.object));
            planned.changes.extend(deletions);
            judge_policies(&mut planned.changes, &topology, observed);
            planned.problems.extend(spared(&topology, &loaded.handling, observed, &loaded.own_vhosts, scope));
        }
        planned
    }

    /// Returns whether any flag reaches further than the plan of the files.
    pub fn is_any(&self) -> bool {
        self.prune.is_some() || self.replace != Replacement::Refuse || self.while_publishing
    }

    /// Replaces queues one after another; returns how it ended where one could not be.
    pub async fn replace(
        &self,
        replacements: &[Change],
        desired: &Desired,
        terminal: &Terminal,
    ) -> Result<Option<ExitCode>, BrokerFailure> {
        for change in replacements {
            let ChangeKind::Replace { way, .. } = &change.kind else { continue };
            if let ReplaceWay::Move { .. } = way {
                if let Some(code) = self.move_one(change, desired, terminal).await? {
                    return Ok(Some(code));
                }
                continue;
            }
            let applied = carry_out_stepwise(std::slice::from_ref(change), &desired.address).await?;
            terminal.error_unless_empty(&report::applied_text(&applied, terminal.palette));
            if !applied.refused.is_empty() {
                terminal.error("what comes after it was not written");
                return Ok(Some(ExitCode::Environment));
            }
        }
        Ok(None)
    }

    async fn move_one(
        &self,
        change: &Change,
        desired: &Desired,
        terminal: &Terminal,
    ) -> Result<Option<ExitCode>, BrokerFailure> {
        let topology = &desired.loaded.topology;
        let Object::Queue { vhost, name } = &change.object else { return Ok(None) };
        let Some(queue) = topology.queue(vhost, name) else { return Ok(None) };
        let id = queue.id();
        let settings =
            MoveSettings { address: &desired.address, desired: topology, while_publishing: self.while_publishing };
        let mut tell =
            |stage| terminal.status(&terminal.palette.dim(&format!("  {}", report::move_stage_text(stage, &id))));
        match move_queue(settings, queue, &mut tell).await {
            Ok(tally) => {
                terminal.status(&report::moved_text(&id, &tally));
                Ok(None)
            }
            Err(MoveFailure::Broker(failure)) => Err(failure),
            Err(MoveFailure::Stopped(stop)) => {
                let stopped = report::stopped_move(&id, &stop);
                terminal.error(&format!("{id} was not moved: {}\n  help: {}", stopped.why, stopped.help));
                let is_refused = matches!(stop, MoveStop::Refused { .. } | MoveStop::NotTaken);
                Ok(Some(if is_refused { ExitCode::Environment } else { ExitCode::Unsafe }))
            }
        }
    }
}

impl PlanParts {
    /// Parts a plan.
    pub fn of(plan: Plan) -> Self {
        let Plan { changes, unchanged, problems, extras, account } = plan;
        let (replacements, changes): (Vec<Change>, Vec<Change>) =
            changes.into_iter().partition(|change| matches!(change.kind, ChangeKind::Replace { .. }));
        let (deletions, changes): (Vec<Change>, Vec<Change>) =
            changes.into_iter().partition(|change| matches!(change.kind, ChangeKind::Delete { .. }));
        Self { replacements, rest: Plan { changes, unchanged, problems, extras, account }, deletions }
    }
}

/// Lists the queues that a plan would delete, for good or to make them anew.
fn queues_that_go(plan: &Plan) -> Vec<QueueName> {
    let goes = |change: &&Change| matches!(change.kind, ChangeKind::Replace { .. } | ChangeKind::Delete { .. });
    let queue = |change: &Change| match &change.object {
        Object::Queue { vhost, name } => Some(QueueName { vhost: vhost.clone(), name: name.clone() }),
        _ => None,
    };
    plan.changes.iter().filter(goes).filter_map(queue).collect()
}
