//! What RabbitMQ is sure to refuse, or to make otherwise than a file says it, found before the first write.
//! Takes the changes of a plan; gives problems. What a plugin or a patch may take is left to the broker.

use crate::broker::{Management, Method};
use crate::model::{Binding, Exchange, Name, Object, ObjectKind, Topology, User, one_line};
use crate::plan::diff::abilities::judges;
use crate::plan::diff::findings::Findings;
use crate::plan::{Change, Write};
use crate::rules::{check_headers_binding, differences, shown_exchange, type_name};
use crate::source::{Code, Problem};
use std::collections::BTreeMap;

/// The limits that RabbitMQ has.
const LIMITS_OF_VHOSTS: [&str; 2] = ["max-connections", "max-queues"];
const LIMITS_OF_USERS: [&str; 2] = ["max-channels", "max-connections"];

/// Checks all changes of a plan against what no broker of this version takes.
pub(crate) fn check(findings: &mut Findings<'_>) {
    if findings.observed.abilities.is_none() {
        return;
    }
    let changes = std::mem::take(&mut findings.changes);
    for Change { object, writes, .. } in &changes {
        for write in writes {
            match write {
                Write::Call(method) => called(findings, object, method),
                Write::Manage(act) => managed(findings, object, act),
            }
        }
    }
    findings.changes = changes;
}

fn called(findings: &mut Findings<'_>, object: &Object, method: &Method) {
    match method {
        Method::DeclareQueue(queue) => without_line_ends(findings, object, "name", &queue.name),
        Method::DeclareExchange(exchange) => {
            without_line_ends(findings, object, "name", &exchange.name);
            alternate_exchange(findings, object, exchange);
        }
        Method::Bind(binding) => {
            without_line_ends(findings, object, "source", &binding.source);
            without_line_ends(findings, object, "destination", &binding.destination);
            headers_binding(findings, object, binding);
        }
        _ => {}
    }
}

fn managed(findings: &mut Findings<'_>, object: &Object, act: &Management) {
    match act {
        Management::PutUser(user) => tags(findings, object, user),
        Management::PutPermission(row) => known_user(findings, object, &row.user),
        Management::PutTopicPermission(row) => {
            known_user(findings, object, &row.user);
            known_exchange(findings, object, &row.vhost, &row.exchange);
        }
        _ => {}
    }
    limits(findings, object, act);
    if let Some(step) = path_of(act).into_iter().find(|name| matches!(name.as_str(), "." | "..")) {
        let text = format!("the management API cannot be asked for {object}: '{step}' is a step of a path there");
        let help = "no request can name it: choose another name";
        findings.problem(object, "name", Problem::new(Code::PlanName, text).help(help));
    }
}

/// Lists the names that the path of a request is made of.
fn path_of(act: &Management) -> Vec<Name> {
    match act {
        Management::PutVhost(vhost) | Management::ReplaceVhost(vhost) => vec![vhost.name.clone()],
        Management::PutVhostLimit { vhost, .. } => vec![vhost.clone()],
        Management::PutUser(user) => vec![user.name.clone()],
        Management::PutUserLimit { user, .. } => vec![user.clone()],
        Management::PutPermission(row) => vec![row.vhost.clone(), row.user.clone()],
        Management::PutTopicPermission(row) => vec![row.vhost.clone(), row.user.clone()],
        Management::PutPolicy { policy, .. } => vec![policy.vhost.clone(), policy.name.clone()],
        Management::PutParameter(parameter) => vec![parameter.vhost.clone(), parameter.name.clone()],
        Management::PutGlobalParameter { name, .. } => vec![name.clone()],
        _ => Vec::new(),
    }
}

/// Methods of AMQP take line ends out of names: what the file names would never be there.
fn without_line_ends(findings: &mut Findings<'_>, object: &Object, field: &str, name: &str) {
    if !name.contains(['\n', '\r']) {
        return;
    }
    let made = name.replace(['\n', '\r'], "");
    let text = format!("RabbitMQ takes the line end out of '{}' and would write '{made}': {object}", one_line(name));
    let help = "a name of two lines comes from the management API alone: write it without the line end";
    findings.problem(object, field, Problem::new(Code::PlanName, text).help(help));
}

fn alternate_exchange(findings: &mut Findings<'_>, object: &Object, exchange: &Exchange) {
    const ARGUMENT: &str = "alternate-exchange";
    let Some(value) = exchange.arguments.get(ARGUMENT).filter(|value| value.as_text().is_none()) else { return };
    let shown = shown_exchange(&exchange.vhost, &exchange.name);
    let reason = format!("invalid type '{}' for arg '{ARGUMENT}' in {shown}", type_name(value));
    refused(findings, object, ARGUMENT, &reason);
}

fn headers_binding(findings: &mut Findings<'_>, object: &Object, binding: &Binding) {
    let is_of = |topology: &Topology| {
        let exchange = topology.exchanges.iter().find(|one| one.vhost == binding.vhost && one.name == binding.source);
        exchange.is_some_and(|exchange| &*exchange.kind == "headers")
    };
    let is_headers = matches!(&*binding.source, "amq.headers" | "amq.match")
        || is_of(findings.desired)
        || is_of(&findings.observed.topology);
    if let Some(Err(text)) = is_headers.then(|| check_headers_binding(&binding.arguments)) {
        refused(findings, object, "x-match", &text);
    }
}

/// Keeps the problem of an argument that every version refuses.
fn refused(findings: &mut Findings<'_>, object: &Object, argument: &str, reason: &str) {
    let text = format!("RabbitMQ {} refuses `{argument}`: {object}", findings.observed.version);
    let help = format!("it would say: 406 PRECONDITION_FAILED - {reason}");
    findings.problem(object, argument, Problem::new(Code::PlanArgument, text).help(help));
}

/// The management API keeps each byte of a tag as a character.
fn tags(findings: &mut Findings<'_>, object: &Object, user: &User) {
    let is_kept = |before: &User| before.name == user.name && before.tags == user.tags;
    if findings.observed.topology.users.iter().any(is_kept) {
        return;
    }
    for tag in user.tags.iter().filter(|tag| !tag.is_ascii()) {
        let kept: String = tag.bytes().map(char::from).collect();
        let text = format!("RabbitMQ would keep the tag '{}' as '{}': {object}", one_line(tag), one_line(&kept));
        let help = "it takes each byte of a tag for a character: write tags in ASCII";
        findings.problem(object, "tags", Problem::new(Code::PlanName, text).help(help));
    }
}

/// Rights are given to a user that is there by then; one that may not be read is not known to be missing.
fn known_user(findings: &mut Findings<'_>, object: &Object, user: &Name) {
    let observed = findings.observed;
    let has = |topology: &Topology| topology.users.iter().any(|one| one.name == *user);
    let is_known = observed.account.is_empty() || observed.unread.contains(&ObjectKind::User);
    if is_known || observed.account == *user || has(findings.desired) || has(&observed.topology) {
        return;
    }
    let text = format!("neither the file nor the broker has user '{user}': {object}");
    let help = "declare it under `users`, or leave its rights out";
    findings.problem(object, "user", Problem::new(Code::PlanMissing, text).help(help));
}

/// From 4.3 on a topic permission needs its exchange (PE-7).
fn known_exchange(findings: &mut Findings<'_>, object: &Object, vhost: &Name, exchange: &Name) {
    let observed = findings.observed;
    let mut judges = judges(observed.version).map(differences).peekable();
    if judges.peek().is_none() || !judges.all(|rules| rules.topic_permissions_need_exchange) {
        return;
    }
    let has = |topology: &Topology| topology.exchanges.iter().any(|one| one.vhost == *vhost && one.name == *exchange);
    let is_hidden = observed.unread.contains(&ObjectKind::Exchange) || observed.closed.contains(vhost);
    let is_predeclared = exchange.is_empty() || exchange.starts_with("amq.");
    if is_hidden || is_predeclared || has(findings.desired) || has(&observed.topology) {
        return;
    }
    let text = format!("neither the file nor the broker has exchange '{exchange}' in vhost '{vhost}': {object}");
    let help = format!("RabbitMQ {} gives topic permissions on exchanges that are there: declare it", observed.version);
    findings.problem(object, "exchange", Problem::new(Code::PlanMissing, text).by("PE-7").help(help));
}

fn limits(findings: &mut Findings<'_>, object: &Object, act: &Management) {
    let all = |limits: &BTreeMap<String, i64>| limits.keys().cloned().collect::<Vec<_>>();
    let (known, given) = match act {
        Management::PutVhostLimit { name, .. } => (LIMITS_OF_VHOSTS, vec![name.to_string()]),
        Management::PutUserLimit { name, .. } => (LIMITS_OF_USERS, vec![name.to_string()]),
        Management::PutVhost(vhost) => (LIMITS_OF_VHOSTS, all(&vhost.limits)),
        Management::PutUser(user) => (LIMITS_OF_USERS, all(&user.limits)),
        _ => return,
    };
    // A version that is newer than all that were measured may have more.
    if judges(findings.observed.version).next().is_none() {
        return;
    }
    for limit in given.iter().filter(|limit| !known.contains(&limit.as_str())) {
        let text = format!("RabbitMQ {} has no limit `{limit}`: {object}", findings.observed.version);
        let help = format!("there are {}", known.join(" and "));
        let problem = Problem::new(Code::PlanUnknownLimit, text).help(help);
        if !findings.problems.iter().any(|known| known.message == problem.message) {
            findings.problem(object, limit, problem);
        }
    }
}
