//! The rights of the account in use in a vhost that was left half-made: RabbitMQ makes a vhost first and grants its maker's
//! rights after it (MG-2), and whoever is ended in between leaves one that nobody may enter. Gives the missing grant.

use crate::broker::Management;
use crate::model::{Name, Object, ObjectKind, Permission};
use crate::plan::diff::access::words;
use crate::plan::diff::findings::Findings;
use crate::plan::{Change, Write};
use crate::source::{Code, Problem};

/// Grants the account in use all rights in half-made vhosts that the file puts something into over AMQP.
pub(crate) fn of_half_made_vhosts(findings: &mut Findings<'_>) {
    let account = findings.observed.account.clone();
    if account.is_empty() || findings.observed.unread.contains(&ObjectKind::Permission) {
        return;
    }
    for vhost in findings.desired.vhost_names() {
        if is_half_made(findings, &vhost) && is_entered(findings, &vhost) {
            grant(findings, &account, vhost);
        }
    }
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
