//! Rights that give nothing, or not enough: patterns that find nothing, topic rights on other exchanges, vhosts that
//! nobody may enter, declarations that their owner could not make. Takes a topology's view; gives findings.

use crate::foresee::lint::findings::{LintFindings, and_more};
use crate::foresee::lint::pattern_words::{PatternWord, is_slip, pattern_words};
use crate::foresee::lint::policies::near_name;
use crate::foresee::topology_view::{QueueView, TopologyView};
use crate::model::{Credential, Permission, Secret, Value};
use crate::plan::is_hash_of;
use crate::rules::Pattern;
use crate::source::{Code, Problem};
use std::collections::{BTreeMap, BTreeSet};

/// What a pattern may be meant for that no file declares.
const SERVER_NAMES: [&str; 6] =
    ["amq.default", "amq.gen-1A2b3C4d5E6f7G8h9I0jKL", "amq.direct", "amq.topic", "amq.fanout", "amq.headers"];

/// Those of them that are exchanges.
const SERVER_EXCHANGES: [&str; 5] = ["amq.default", "amq.direct", "amq.topic", "amq.fanout", "amq.headers"];

/// Looks at users, permissions and topic permissions.
pub fn check(view: &TopologyView<'_>, found: &mut LintFindings) {
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let topology = view.topology;
    let queues = topology.queues.iter().map(|it| (&it.vhost, &it.name));
    for (vhost, name) in queues.chain(topology.exchanges.iter().map(|it| (&it.vhost, &it.name))) {
        names.entry(vhost).or_default().insert(name);
    }
    let is_dying = |queue: &&QueueView<'_>| queue.queue.arguments.contains_key("x-dead-letter-exchange");
    let dying: Vec<&QueueView<'_>> = view.queues.iter().filter(is_dying).collect();
    for permission in &topology.permissions {
        let Some(names) = names.get(&*permission.vhost) else { continue };
        let names: Vec<&str> = names.iter().copied().collect();
        for (word, pattern) in
            [("configure", &permission.configure), ("write", &permission.write), ("read", &permission.read)]
        {
            finds_nothing(permission, word, pattern, &names, view, found);
        }
        declaring(permission, &dying, view, found);
        nearly_read(permission, &names, view, found);
    }
    topics(view, found);
    entrance(view, &names, found);
    guest(view, found);
    without_password(view, found);
}

fn finds_nothing(
    permission: &Permission,
    word: &str,
    pattern: &str,
    names: &[&str],
    view: &TopologyView<'_>,
    found: &mut LintFindings,
) {
    if matches!(pattern, "" | "^$") {
        return;
    }
    let Ok(compiled) = Pattern::permission(pattern, false) else { return };
    if names.iter().chain(&SERVER_NAMES).any(|name| compiled.matches(name)) {
        if word == "write" {
            finds_no_exchange(permission, &compiled, view, found);
        }
        return;
    }
    let message = format!("the right of '{}' to {word} finds nothing in this file: `{pattern}`", permission.user);
    let note = Problem::note(Code::LintPermissionMatchesNothing, message).by("PE-1");
    let help = match near_name(pattern, names) {
        Some(near) => format!("`^{near}$` would find '{near}'; an application may declare other names at run time"),
        None => "an application may declare such names at run time; \"\" gives no right at all".to_owned(),
    };
    found.add(note.help(help), view.field(&permission.object(), &[word, "permissions"]), "finds nothing here");
}

/// Tells of a name in a right to read that nothing has, while a queue of nearly that name is read by nobody (PE-1).
fn nearly_read(permission: &Permission, names: &[&str], view: &TopologyView<'_>, found: &mut LintFindings) {
    let finds = |word: &PatternWord, name: &str| match word.is_whole {
        true => word.text == name,
        false => name.contains(&word.text),
    };
    let is_stray = |word: &PatternWord| !names.iter().chain(&SERVER_NAMES).any(|&name| finds(word, name));
    let stray: Vec<PatternWord> = pattern_words(&permission.read).into_iter().filter(is_stray).collect();
    if stray.is_empty() {
        return;
    }
    let rights = view.topology.permissions.iter().filter(|it| it.vhost == permission.vhost);
    let reads: Vec<Pattern> = rights.filter_map(|it| Pattern::permission(&it.read, false).ok()).collect();
    let queues = view.topology.queues.iter().filter(|it| it.vhost == permission.vhost);
    let near = queues.map(|queue| queue.name.as_str()).find_map(|name| {
        let word = stray.iter().find(|word| is_slip(&word.text, name))?;
        (!reads.iter().any(|read| read.matches(name))).then_some((word, name))
    });
    let Some((word, queue)) = near else { return };
    let message = format!(
        "the right of '{}' to read names `{}`, which is not in this file, and nobody of it may read queue '{queue}'",
        permission.user, word.text
    );
    let note = Problem::note(Code::LintPermissionMatchesNothing, message).by("PE-1");
    let help = format!("did you mean `{queue}`? An application may declare '{}' at run time", word.text);
    found.add(note.help(help), view.field(&permission.object(), &["read", "permissions"]), "finds nothing here");
}

/// Tells of rights to write on queues alone, where the user may bind none of them either: it can publish nowhere (PE-3).
fn finds_no_exchange(permission: &Permission, write: &Pattern, view: &TopologyView<'_>, found: &mut LintFindings) {
    let own = view.topology.exchanges.iter().filter(|exchange| exchange.vhost == permission.vhost);
    let own: Vec<&str> = own.map(|exchange| exchange.name.as_str()).collect();
    let finds = |pattern: &Pattern| own.iter().chain(&SERVER_EXCHANGES).any(|name| pattern.matches(name));
    // Who may read an exchange writes to a queue to bind it.
    let binds = Pattern::permission(&permission.read, false).is_ok_and(|read| finds(&read));
    if own.is_empty() || binds || finds(write) {
        return;
    }
    let message = format!(
        "the right of '{}' to write finds queues alone and no exchange of this file, so it can publish nowhere: `{}`",
        permission.user, permission.write
    );
    let note = Problem::note(Code::LintPermissionMatchesNothing, message).by("PE-3");
    let help = match near_name(&permission.write, &own) {
        Some(near) => format!("`^{near}$` would find exchange '{near}'; to publish by the name of a queue is to write to `amq.default`"),
        None => "to publish is to write to an exchange, by the name of a queue to `amq.default`; an application may declare \
                 one at run time"
            .to_owned(),
    };
    found.add(note.help(help), view.field(&permission.object(), &["write", "permissions"]), "finds no exchange here");
}

/// Tells of queues that a user may configure but not declare, for want of rights on their dead-letter exchange (DL-9).
fn declaring(permission: &Permission, dying: &[&QueueView<'_>], view: &TopologyView<'_>, found: &mut LintFindings) {
    let compile = |pattern: &str| Pattern::permission(pattern, false).ok();
    let (Some(configure), Some(write), Some(read)) =
        (compile(&permission.configure), compile(&permission.write), compile(&permission.read))
    else {
        return;
    };
    let mut lacking: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for queue in dying.iter().filter(|queue| queue.queue.vhost == permission.vhost) {
        let exchange = queue.queue.arguments.get("x-dead-letter-exchange").and_then(Value::as_text);
        let Some(exchange) = exchange.filter(|_| configure.matches(queue.name())) else { continue };
        let shown = if exchange.is_empty() { "amq.default" } else { exchange };
        let lacks = match (read.matches(queue.name()), write.matches(shown)) {
            (true, true) => continue,
            (false, _) => "read it".to_owned(),
            (true, false) => format!("write to its dead-letter exchange '{shown}'"),
        };
        lacking.entry(lacks).or_default().push(queue.name());
    }
    for (lacks, queues) in lacking {
        let message = format!(
            "'{}' may configure queue {} but not {lacks}, so cannot declare it",
            permission.user,
            and_more(&queues)
        );
        let note = Problem::note(Code::LintCannotDeclare, message).by("DL-9");
        let help = "RabbitMQ refuses the declaration (403) where the queue is not there yet; nothing is asked for when \
                    somebody else declares it";
        found.add(note.help(help), view.field(&permission.object(), &["configure", "permissions"]), "not enough");
    }
}

/// Tells of topic permissions on exchanges that do not look at topics (PE-7).
fn topics(view: &TopologyView<'_>, found: &mut LintFindings) {
    for topic in &view.topology.topic_permissions {
        let Some(kind) = view.exchange_kind(&topic.vhost, &topic.exchange).filter(|kind| *kind != "topic") else {
            continue;
        };
        let on = match topic.exchange.is_empty() {
            true => "the default exchange".to_owned(),
            false => format!("exchange '{}'", topic.exchange),
        };
        let message = format!("the topic permission of '{}' on {on} has no effect: its type is {kind}", topic.user);
        let warning = Problem::warning(Code::LintTopicPermission, message).by("PE-7");
        let help = "RabbitMQ asks for topic permissions on topic exchanges alone; give the right by `permissions`";
        found.add(
            warning.help(help),
            view.field(&topic.object(), &["exchange", "topic_permissions"]),
            "no topic exchange",
        );
    }
}

/// Tells of vhosts that hold objects and that no user of the file may enter.
fn entrance(view: &TopologyView<'_>, names: &BTreeMap<&str, BTreeSet<&str>>, found: &mut LintFindings) {
    let topology = view.topology;
    if topology.users.is_empty() {
        return;
    }
    for vhost in topology.vhosts.iter().filter(|vhost| names.contains_key(&*vhost.name)) {
        if topology.permissions.iter().any(|permission| permission.vhost == vhost.name) {
            continue;
        }
        let message =
            format!("no user of this file has a right in vhost '{}', which has queues or exchanges", vhost.name);
        let warning = Problem::warning(Code::LintNobodyEnters, message).by("PE-1");
        let help = "tags give no rights on queues and exchanges; add `permissions` for the user that works there";
        found.add(warning.help(help), view.field(&vhost.object(), &["name"]), "nobody may enter");
    }
}

/// Tells of users with an empty hash: RabbitMQ takes it for none, and no password fits (MG-3).
fn without_password(view: &TopologyView<'_>, found: &mut LintFindings) {
    for user in view.topology.users.iter().filter(|user| user.credential.is_none()) {
        let origin = view.origins.get(&user.object());
        let Some(span) = origin.and_then(|origin| origin.field("password_hash")) else { continue };
        let message = format!("user '{}' has an empty password hash: no password fits", user.name);
        let note = Problem::note(Code::LintNoPassword, message).by("MG-3");
        let help = "such a user gets in by a certificate, LDAP or OAuth alone; else give it a hash: `rabbitmqctl \
                    hash_password` prints one";
        found.add(note.help(help), Some(span), "no password");
    }
}

/// Tells of the default user with the password that everybody knows.
fn guest(view: &TopologyView<'_>, found: &mut LintFindings) {
    let is_administrator = |tags: &[String]| tags.iter().any(|tag| tag == "administrator");
    let known = Secret::new("guest".to_owned());
    for user in view.topology.users.iter().filter(|user| &*user.name == "guest" && is_administrator(&user.tags)) {
        let is_known = match &user.credential {
            Some(Credential::Password(password)) => password.expose() == known.expose(),
            Some(Credential::Hash { hash, algorithm }) => is_hash_of(hash, algorithm, &known) == Some(true),
            None => false,
        };
        if is_known {
            let message = "the administrator 'guest' has the password that everybody knows";
            let note = Problem::note(Code::LintGuestAdministrator, message).by("MG-14");
            let help = "RabbitMQ lets guest in from the same machine alone, unless `loopback_users` says otherwise; \
                        declare a user of your own";
            found.add(note.help(help), view.field(&user.object(), &["name"]), "guest/guest");
        }
    }
}
