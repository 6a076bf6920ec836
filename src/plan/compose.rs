//! Puts a plan together in the order of RabbitMQ's own import (users, vhosts, permissions, exchanges, topic
//! permissions, global parameters, policies before queues, parameters, queues, bindings). Never writes.

use crate::model::{ObjectKind, Origins, Topology};
use crate::plan::diff::findings::Findings;
use crate::plan::diff::{abilities, access, accounts, loss, own_rights, policies, sure_refusals, wiring};
use crate::plan::{Observed, Plan, extras};

/// Compares one kind of object.
type Compare = fn(&mut Findings<'_>);

/// Finds what separates a broker from what a file declares.
///
/// Objects of the broker that the file does not name are left alone, and listed as extras. Changes come in the order in which they must be
/// applied; planning again after a complete apply gives an empty plan.
pub fn plan(desired: &Topology, origins: &Origins, observed: &Observed) -> Plan {
    let mut findings = Findings { desired, origins, observed, changes: Vec::new(), unchanged: 0, problems: Vec::new() };
    let compare: [(ObjectKind, Compare); 10] = [
        (ObjectKind::User, accounts::users),
        (ObjectKind::Vhost, accounts::vhosts),
        (ObjectKind::Permission, permissions),
        (ObjectKind::Exchange, wiring::exchanges),
        (ObjectKind::TopicPermission, access::topic_permissions),
        (ObjectKind::GlobalParameter, policies::global_parameters),
        (ObjectKind::Policy, policies::policies),
        (ObjectKind::Parameter, policies::parameters),
        (ObjectKind::Queue, wiring::queues),
        (ObjectKind::Binding, wiring::bindings),
    ];
    for (kind, compare) in compare {
        match abilities::unread(&findings, kind) {
            Some(problem) => findings.problems.push(problem),
            None => compare(&mut findings),
        }
    }
    loss::judge_policies(&mut findings.changes, desired, observed);
    abilities::check(&mut findings);
    sure_refusals::check(&mut findings);
    // The account in use goes last: with another password, or without a tag, nothing could be written after it.
    let account = &observed.account;
    findings.changes.sort_by_key(|change| change.is_of_account(account));
    let extras = extras(desired, observed, &desired.vhost_names());
    Plan {
        changes: findings.changes,
        unchanged: findings.unchanged,
        problems: findings.problems,
        extras,
        account: observed.account.clone(),
    }
}

/// Compares permissions, and adds those of the account in use that a half-made vhost lacks.
fn permissions(findings: &mut Findings<'_>) {
    access::permissions(findings);
    own_rights::of_half_made_vhosts(findings);
}
