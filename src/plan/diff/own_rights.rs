//! The rights of the account in use in a vhost that was left half-made: RabbitMQ makes a vhost first and grants its maker's
//! rights after it (MG-2), and whoever is ended in between leaves one that nobody may enter, or one that is not finished. Gives
//! the missing grant, and has a vhost that is not finished and holds nothing made anew.

use crate::broker::Management;
use crate::model::{Name, Object, ObjectKind, Permission, Vhost};
use crate::plan::diff::access::words;
use crate::plan::diff::findings::Findings;
use crate::plan::{Change, FieldChange, Write};
use crate::source::{Code, Problem};

/// Grants the account in use all rights in half-made vhosts that the file puts something into over AMQP.
pub(crate) fn of_half_made_vhosts(findings: &mut Findings<'_>) {
    let account = findings.observed.account.clone();
    if account.is_empty() || findings.observed.unread.contains(&ObjectKind::Permission) {
        return;
    }
    for vhost in findings.desired.vhost_names() {
        let is_unfinished = findings.observed.unfinished.contains(&vhost);
        if !is_half_made(findings, &vhost) {
            if findings.observed.down.contains(&vhost) && is_entered(findings, &vhost) {
                tell_down(findings, &vhost);
            }
            continue;
        }
        if is_unfinished {
            make_anew(findings, &vhost);
        }
        if is_entered(findings, &vhost) {
            grant(findings, &account, vhost);
        }
    }
}

/// Makes a vhost anew that RabbitMQ did not finish: it is down, or lacks exchanges, and putting it again mends neither.
fn make_anew(findings: &mut Findings<'_>, name: &Name) {
    let object = Object::Vhost { name: name.clone() };
    let text = format!(
        "{object} was not finished: it is down, or lacks exchanges that every vhost has; nobody has permissions in it and \
         nothing is in it, so that it is deleted and made anew"
    );
    let help = "an apply that was ended while RabbitMQ made the vhost leaves it so";
    findings.problem(&object, "name", Problem::note(Code::PlanRights, text).by("MG-2").help(help));
    let of = |vhosts: &[Vhost]| vhosts.iter().find(|vhost| vhost.name == *name).cloned().unwrap_or_default();
    let (old, new) = (of(&findings.observed.topology.vhosts), of(&findings.desired.vhosts));
    let whole = Vhost {
        name: name.clone(),
        description: new.description.or(old.description),
        tags: new.tags.or(old.tags),
        default_queue_type: new.default_queue_type.or(old.default_queue_type),
        protected_from_deletion: new.protected_from_deletion.or(old.protected_from_deletion),
        limits: old.limits.into_iter().chain(new.limits).collect(),
    };
    let writes = vec![
        Write::Manage(Management::DeleteVhost { vhost: name.clone() }),
        Write::Manage(Management::PutVhost(Box::new(whole))),
    ];
    // What differs is written with it.
    findings.changes.retain(|change| change.object != object);
    let fields = vec![FieldChange::new("state", "not finished", "made anew")];
    findings.add(Change::update(object, fields, "RabbitMQ never finishes a vhost whose making was ended", writes));
}

/// Tells that a vhost with something in it takes no connection.
fn tell_down(findings: &mut Findings<'_>, name: &Name) {
    let object = Object::Vhost { name: name.clone() };
    let text = format!("{object} is down, and takes no connection");
    let help = format!("`rabbitmqctl restart_vhost -p {name}` starts it; the broker's log says why it went down");
    findings.problem(&object, "name", Problem::new(Code::PlanRights, text).help(help));
}

fn grant(findings: &mut Findings<'_>, account: &Name, vhost: Name) {
    let text = format!(
        "nobody has permissions in vhost '{vhost}', and nothing is in it: user '{account}', who applies this, gets all, as \
         the maker of a vhost does"
    );
    let object = Object::Permission { user: account.clone(), vhost: vhost.clone() };
    let help = "an apply that was ended while RabbitMQ made the vhost leaves it so";
    let note = Problem::note(Code::PlanRights, text).by("MG-2").help(help);
    findings.problem(&Object::Vhost { name: vhost.clone() }, "name", note);
    let all = || ".*".to_owned();
    let row = Permission { user: account.clone(), vhost, configure: all(), write: all(), read: all() };
    let words = words(&[("configure", &row.configure), ("write", &row.write), ("read", &row.read)]);
    let writes = vec![Write::Manage(Management::PutPermission(Box::new(row)))];
    findings.add(Change::create(object, words, "whoever makes a vhost has all rights in it", writes));
}

/// Returns whether a vhost is as one that was just made, but for its maker's rights: nobody could enter it yet.
fn is_half_made(findings: &Findings<'_>, vhost: &Name) -> bool {
    let observed = &findings.observed.topology;
    observed.vhosts.iter().any(|known| known.name == *vhost)
        && !findings.observed.closed.contains(vhost)
        && !observed.permissions.iter().any(|row| row.vhost == *vhost)
        && !observed.queues.iter().any(|queue| queue.vhost == *vhost)
        && !observed.exchanges.iter().any(|exchange| exchange.vhost == *vhost)
        && !observed.policies.iter().any(|policy| policy.vhost == *vhost)
        && !observed.operator_policies.iter().any(|policy| policy.vhost == *vhost)
        && !observed.parameters.iter().any(|parameter| parameter.vhost == *vhost)
        && !observed.topic_permissions.iter().any(|row| row.vhost == *vhost)
}

/// Returns whether the file needs a connection to a vhost, and does not say itself what the account may do there.
fn is_entered(findings: &Findings<'_>, vhost: &Name) -> bool {
    let desired = findings.desired;
    let is_told = desired.permissions.iter().any(|row| row.vhost == *vhost && row.user == findings.observed.account);
    let has_objects = desired.queues.iter().any(|queue| queue.vhost == *vhost)
        || desired.exchanges.iter().any(|exchange| exchange.vhost == *vhost)
        || desired.bindings.iter().any(|binding| binding.vhost == *vhost);
    has_objects && !is_told
}
