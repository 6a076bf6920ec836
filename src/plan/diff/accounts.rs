//! Users and vhosts with their limits: passwords by their hashes, tags as sets, absent metadata left alone.
//! A write always resends what the broker would otherwise forget. Never shows a password or a hash.

use crate::broker::Management;
use crate::model::{Credential, Name, Object, ObjectKind, Permission, User, Version, Vhost};
use crate::plan::diff::equality::{push_flag, push_text};
use crate::plan::diff::findings::Findings;
use crate::plan::{Change, FieldChange, Risk, Write, is_hash_of};
use crate::source::{Code, Problem};
use std::collections::{BTreeMap, BTreeSet};

/// Returns whether and why a stored password must be written.
enum Password {
    Same,
    Differs,
    CannotTell,
}

/// Compares users.
pub(crate) fn users(findings: &mut Findings<'_>) {
    let (desired, observed) = (findings.desired, findings.observed);
    for user in &desired.users {
        let object = user.object();
        match observed.topology.users.iter().find(|old| old.name == user.name) {
            None => {
                let mut writes = vec![Write::Manage(Management::PutUser(Box::new(user.clone())))];
                writes.extend(user_limits(&user.name, user.limits.iter()));
                let mut words: Vec<String> = user.tags.clone();
                words.extend(limit_words(&user.limits));
                let reason = match user.credential {
                    Some(_) => format!("the broker has no {object}"),
                    None => format!("the broker has no {object}; without a password it cannot log in"),
                };
                findings.add(Change::create(object, words, reason, writes));
            }
            Some(old) => changed_user(findings, object, old, user),
        }
    }
}

fn changed_user(findings: &mut Findings<'_>, object: Object, old: &User, new: &User) {
    let password = password_of(old, new);
    let mut fields = Vec::new();
    if !matches!(password, Password::Same) {
        fields.push(FieldChange::hidden("password"));
    }
    let (old_tags, new_tags) = (tag_set(&old.tags), tag_set(&new.tags));
    if old_tags != new_tags {
        fields.push(FieldChange::new("tags", tag_text(&old_tags), tag_text(&new_tags)));
    }
    let limits = limit_changes(&old.limits, &new.limits);
    let put = !fields.is_empty();
    fields.extend(limits.iter().map(|(change, ..)| change.clone()));
    if fields.is_empty() {
        findings.unchanged += 1;
        return;
    }
    // A PUT without password and hash clears the password (MG-3).
    let credential = new.credential.clone().or_else(|| old.credential.clone());
    if put && credential.is_none() {
        let reason = "its password hash cannot be read with these rights, and writing tags without it clears the \
                      password: read the broker as an administrator, or name the password in the file";
        let text = format!("{object} cannot change tags: {reason}");
        findings.problem(&object, "tags", Problem::new(Code::PlanPasswordUnknown, text));
        findings.add(Change::update(object, fields, reason, Vec::new()));
        return;
    }
    let mut writes = Vec::new();
    if put {
        writes.push(Write::Manage(Management::PutUser(Box::new(User { credential, ..new.clone() }))));
    }
    writes.extend(user_limits(&new.name, limits.iter().map(|(change, value, _)| (&change.name, value))));
    let mut change = Change::update(object, fields, user_reason(&password), writes);
    let removed: Vec<&str> = old_tags.difference(&new_tags).copied().collect();
    if !removed.is_empty() {
        let what = format!("user '{}' loses the rights of the tag {}", new.name, removed.join(", "));
        change.risk = Some(Risk::of_rights(what, tag_text(&old_tags), tag_text(&new_tags)));
    }
    if !matches!(password, Password::Same) {
        let own = if findings.observed.account == new.name { ", who applies this," } else { "" };
        let what = format!("user '{}'{own} gets another password: who logs in with the old one is refused", new.name);
        change.risk = Some(Risk::of_rights(what, "***", "***").join(change.risk));
    }
    if may_be_in_use(findings, |row| row.user == new.name) {
        change.risk = limit_risk(&change.object, &limits, change.risk);
    }
    findings.add(change);
}

fn user_reason(password: &Password) -> &'static str {
    match password {
        Password::Differs => "the stored hash is not of the file's password; who logs in with the old one is refused",
        Password::CannotTell => "the stored hash cannot be compared with a password here, so it is written once more",
        Password::Same => "the password stays as it is",
    }
}

fn password_of(old: &User, new: &User) -> Password {
    match (&new.credential, &old.credential) {
        (None, _) => Password::Same,
        (Some(Credential::Password(password)), Some(Credential::Hash { hash, algorithm })) => {
            match is_hash_of(hash, algorithm, password) {
                Some(true) => Password::Same,
                Some(false) => Password::Differs,
                None => Password::CannotTell,
            }
        }
        (Some(new), Some(old)) if new == old => Password::Same,
        (Some(Credential::Hash { .. }), Some(Credential::Hash { .. })) => Password::Differs,
        (Some(Credential::Hash { hash, algorithm }), Some(Credential::Password(password))) => {
            match is_hash_of(hash, algorithm, password) {
                Some(true) => Password::Same,
                Some(false) => Password::Differs,
                None => Password::CannotTell,
            }
        }
        (Some(Credential::Password(_)), Some(Credential::Password(_))) => Password::Differs,
        _ => Password::CannotTell,
    }
}

fn tag_set(tags: &[String]) -> BTreeSet<&str> {
    tags.iter().map(String::as_str).filter(|tag| !tag.is_empty()).collect()
}

fn tag_text(tags: &BTreeSet<&str>) -> String {
    if tags.is_empty() { "none".into() } else { tags.iter().copied().collect::<Vec<_>>().join(", ") }
}

/// Compares vhosts, and makes those that objects of the file are put into.
pub(crate) fn vhosts(findings: &mut Findings<'_>) {
    let (desired, observed) = (findings.desired, findings.observed);
    for name in desired.vhost_names() {
        let declared = desired.vhosts.iter().find(|vhost| vhost.name == name);
        let old = observed.topology.vhosts.iter().find(|vhost| vhost.name == name);
        match (declared, old) {
            (None, Some(_)) => {}
            (Some(new), Some(old)) => changed_vhost(findings, old, new),
            (declared, None) => new_vhost(findings, &name, declared),
        }
    }
}

fn new_vhost(findings: &mut Findings<'_>, name: &Name, declared: Option<&Vhost>) {
    let mut vhost = declared.cloned().unwrap_or_else(|| Vhost { name: name.clone(), ..Vhost::default() });
    let object = vhost.object();
    if vhost.protected_from_deletion.is_some() && !keeps_protection(findings, &object) {
        vhost.protected_from_deletion = None;
    }
    let reason = match declared {
        Some(_) => format!("the broker has no {object}"),
        None => format!("the broker has no {object}, and the file puts objects into it"),
    };
    let mut words: Vec<String> = vhost.description.iter().filter(|text| !text.is_empty()).cloned().collect();
    words.extend(vhost.default_queue_type.iter().map(|kind| format!("queues are {kind} by default")));
    words.extend(vhost.protected_from_deletion.filter(|on| *on).map(|_| "protected from deletion".to_owned()));
    words.extend(limit_words(&vhost.limits));
    let mut writes = vec![Write::Manage(Management::PutVhost(Box::new(vhost.clone())))];
    writes.extend(vhost_limits(name, vhost.limits.iter()));
    findings.add(Change::create(object, words, reason, writes));
}

fn changed_vhost(findings: &mut Findings<'_>, old: &Vhost, new: &Vhost) {
    let object = new.object();
    let mut fields = Vec::new();
    if let Some(text) = &new.description {
        push_text(&mut fields, "description", old.description.as_deref().unwrap_or(""), text);
    }
    if let Some(tags) = &new.tags {
        let (old, new) = (tag_set(old.tags.as_deref().unwrap_or(&[])), tag_set(tags));
        push_text(&mut fields, "tags", &tag_text(&old), &tag_text(&new));
    }
    if let Some(kind) = new.default_queue_type.as_deref().filter(|kind| keeps_default_type(findings, &object, kind)) {
        // 4.x shows `classic` in every new vhost, older ones show nothing (MG-2).
        let plain = |kind: &str| if matches!(kind, "" | "undefined") { "classic".to_owned() } else { kind.to_owned() };
        let old = plain(old.default_queue_type.as_deref().unwrap_or(""));
        push_text(&mut fields, "default_queue_type", &old, &plain(kind));
    }
    if let Some(protected) = new.protected_from_deletion.filter(|_| keeps_protection(findings, &object)) {
        push_flag(&mut fields, "protected_from_deletion", old.protected_from_deletion == Some(true), protected);
    }
    let put = !fields.is_empty();
    let limits = limit_changes(&old.limits, &new.limits);
    fields.extend(limits.iter().map(|(change, ..)| change.clone()));
    if fields.is_empty() {
        findings.unchanged += 1;
        return;
    }
    let mut writes = Vec::new();
    if put {
        // A PUT resets what its body leaves out (MG-2).
        let whole = Vhost {
            name: new.name.clone(),
            description: new.description.clone().or_else(|| old.description.clone()),
            tags: new.tags.clone().or_else(|| old.tags.clone()),
            default_queue_type: new.default_queue_type.clone().or_else(|| old.default_queue_type.clone()),
            protected_from_deletion: old
                .protected_from_deletion
                .and(new.protected_from_deletion)
                .or(old.protected_from_deletion),
            limits: new.limits.clone(),
        };
        writes.push(Write::Manage(Management::PutVhost(Box::new(whole))));
    }
    writes.extend(vhost_limits(&new.name, limits.iter().map(|(change, value, _)| (&change.name, value))));
    let mut change = Change::update(object, fields, "its queues and their messages stay as they are", writes);
    let observed = &findings.observed.topology;
    let holds_any = observed.queues.iter().any(|queue| queue.vhost == new.name)
        || observed.exchanges.iter().any(|exchange| exchange.vhost == new.name);
    let account = &findings.observed.account;
    // An apply that is ended between a vhost and its limits leaves it unlimited: the next one goes on.
    if holds_any || may_be_in_use(findings, |row| row.vhost == new.name && row.user != *account) {
        change.risk = limit_risk(&change.object, &limits, None);
    }
    findings.add(change);
}

/// 3.10 takes a default queue type and neither shows nor follows it (MG-15): there is nothing to compare.
fn keeps_default_type(findings: &mut Findings<'_>, object: &Object, kind: &str) -> bool {
    let kept = findings.observed.version >= Version { major: 3, minor: 11 };
    if !kept && kind != "classic" {
        let text = format!("RabbitMQ {} ignores the default queue type of a vhost", findings.observed.version);
        findings.problem(object, "default_queue_type", Problem::note(Code::PlanDefaultQueueType, text));
    }
    kept
}

/// Brokers before 4.1 know no protection from deletion: there is nothing to compare.
fn keeps_protection(findings: &mut Findings<'_>, object: &Object) -> bool {
    let kept = findings.observed.version >= Version { major: 4, minor: 1 };
    if !kept {
        let text = format!("RabbitMQ {} knows no protection of vhosts from deletion", findings.observed.version);
        findings.problem(object, "metadata", Problem::note(Code::PlanProtectedFromDeletion, text));
    }
    kept
}

/// A changed limit with its new value and whether it is lower than before.
type LimitChange = (FieldChange, i64, bool);

fn limit_changes(old: &BTreeMap<String, i64>, new: &BTreeMap<String, i64>) -> Vec<LimitChange> {
    let unlimited = |n: i64| if n < 0 { -1 } else { n };
    let mut changes = Vec::new();
    for (name, value) in new {
        let (before, after) = (unlimited(old.get(name).copied().unwrap_or(-1)), unlimited(*value));
        if before != after {
            let lower = after >= 0 && (before < 0 || after < before);
            changes.push((FieldChange::new(name.as_str(), limit_text(before), limit_text(after)), *value, lower));
        }
    }
    changes
}

/// Returns whether somebody has, or may have, permissions of a kind.
fn may_be_in_use(findings: &Findings<'_>, is_of: impl Fn(&Permission) -> bool) -> bool {
    let observed = findings.observed;
    observed.unread.contains(&ObjectKind::Permission) || observed.topology.permissions.iter().any(is_of)
}

fn limit_risk(object: &Object, limits: &[LimitChange], other: Option<Box<Risk>>) -> Option<Box<Risk>> {
    let mut risk = other;
    for (change, _, _) in limits.iter().filter(|(_, _, lower)| *lower) {
        let what = format!("{object} gets a lower {}: what goes beyond it is refused", change.name);
        risk = Some(Risk::of_rights(what, &change.old, &change.new).join(risk));
    }
    risk
}

fn limit_text(n: i64) -> String {
    if n < 0 { "unlimited".into() } else { n.to_string() }
}

fn limit_words(limits: &BTreeMap<String, i64>) -> Vec<String> {
    limits.iter().map(|(name, value)| format!("{name} {}", limit_text(*value))).collect()
}

fn user_limits<'a>(user: &Name, limits: impl Iterator<Item = (&'a String, &'a i64)>) -> Vec<Write> {
    let put = |(name, value): (&String, &i64)| {
        Write::Manage(Management::PutUserLimit { user: user.clone(), name: name.as_str().into(), value: *value })
    };
    limits.map(put).collect()
}

fn vhost_limits<'a>(vhost: &Name, limits: impl Iterator<Item = (&'a String, &'a i64)>) -> Vec<Write> {
    let put = |(name, value): (&String, &i64)| {
        Write::Manage(Management::PutVhostLimit { vhost: vhost.clone(), name: name.as_str().into(), value: *value })
    };
    limits.map(put).collect()
}
