//! Puts a plan together in the order of RabbitMQ's own import (users, vhosts, permissions, exchanges, topic
//! permissions, global parameters, policies before queues, parameters, queues, bindings). Never writes.

use crate::model::{Object, Origins, Topology};
use crate::plan::diff::findings::Findings;
use crate::plan::diff::{access, accounts, policies, wiring};
use crate::plan::{Observed, Plan, extras};

/// Finds what separates a broker from what a file declares.
///
/// Objects of the broker that the file does not name are left alone, and listed as extras. Changes come in the order in which they must be
/// applied; planning again after a complete apply gives an empty plan.
pub fn plan(desired: &Topology, origins: &Origins, observed: &Observed) -> Plan {
    let mut findings = Findings { desired, origins, observed, changes: Vec::new(), unchanged: 0, problems: Vec::new() };
    accounts::users(&mut findings);
    accounts::vhosts(&mut findings);
    access::permissions(&mut findings);
    wiring::exchanges(&mut findings);
    access::topic_permissions(&mut findings);
    policies::global_parameters(&mut findings);
    policies::policies(&mut findings);
    policies::parameters(&mut findings);
    wiring::queues(&mut findings);
    wiring::bindings(&mut findings);
    // The account in use goes last: with another password, or without a tag, nothing could be written after it.
    let account = &observed.account;
    findings.changes.sort_by_key(|change| matches!(&change.object, Object::User { name } if *name == *account));
    let extras = extras(desired, observed, &desired.vhost_names());
    Plan { changes: findings.changes, unchanged: findings.unchanged, problems: findings.problems, extras }
}
