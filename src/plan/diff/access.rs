//! Permissions and topic permissions: rows that are missing or differ, and whether a new pattern may take rights away.

use crate::broker::Management;
use crate::model::{Object, TopicPermission};
use crate::plan::diff::equality::push_text;
use crate::plan::diff::findings::Findings;
use crate::plan::diff::patterns::surely_covers;
use crate::plan::{Change, Risk, Write};

/// Compares rows by user and vhost.
pub(crate) fn permissions(findings: &mut Findings<'_>) {
    let (desired, observed) = (findings.desired, findings.observed);
    for row in &desired.permissions {
        let object = row.object();
        let writes = vec![Write::Manage(Management::PutPermission(Box::new(row.clone())))];
        let new = [("configure", &row.configure), ("write", &row.write), ("read", &row.read)];
        match observed.topology.permissions.iter().find(|old| old.user == row.user && old.vhost == row.vhost) {
            None => {
                let reason = format!("'{}' cannot connect to this vhost without it", row.user);
                findings.add(Change::create(object, words(&new), reason, writes));
            }
            Some(old) => compare(findings, object, &[&old.configure, &old.write, &old.read], &new, writes),
        }
    }
}

/// Compares rows by user, vhost and exchange.
pub(crate) fn topic_permissions(findings: &mut Findings<'_>) {
    let (desired, observed) = (findings.desired, findings.observed);
    for row in &desired.topic_permissions {
        let object = row.object();
        let writes = vec![Write::Manage(Management::PutTopicPermission(Box::new(row.clone())))];
        let new = [("write", &row.write), ("read", &row.read)];
        let same =
            |old: &&TopicPermission| old.user == row.user && old.vhost == row.vhost && old.exchange == row.exchange;
        match observed.topology.topic_permissions.iter().find(same) {
            None => new_topic_row(findings, object, &new, writes),
            Some(old) => compare(findings, object, &[&old.write, &old.read], &new, writes),
        }
    }
}

/// A first row takes rights from whoever could use the exchange before: no row allows every key (PE-7).
fn new_topic_row(findings: &mut Findings<'_>, object: Object, new: &[(&str, &String)], writes: Vec<Write>) {
    let reason = "without it every routing key is allowed";
    let mut change = Change::create(object, words(new), reason, writes);
    let Object::TopicPermission { user, vhost, exchange } = &change.object else { return };
    let observed = &findings.observed.topology;
    let has_exchange = observed.exchanges.iter().any(|old| old.vhost == *vhost && old.name == *exchange);
    let has_rights = observed.permissions.iter().any(|old| old.user == *user && old.vhost == *vhost);
    if has_exchange && has_rights && !new.iter().all(|(_, pattern)| surely_covers(pattern, ".*")) {
        let what = format!("'{user}' may use any routing key on '{exchange}' today, and then only those that match");
        change.risk = Some(Risk::of_rights(what, "every routing key", words(new).join(", ")));
    }
    findings.add(change);
}

fn compare(findings: &mut Findings<'_>, object: Object, old: &[&String], new: &[(&str, &String)], writes: Vec<Write>) {
    let mut fields = Vec::new();
    let mut risk = None;
    for (before, (name, after)) in old.iter().zip(new) {
        push_text(&mut fields, name, before, after);
        if !surely_covers(after, before) {
            let what = format!("{object} narrow what may be {}", participle(name));
            risk = Some(Risk::of_rights(what, before.as_str(), after.as_str()).join(risk));
        }
    }
    if fields.is_empty() {
        findings.unchanged += 1;
        return;
    }
    let reason = match risk {
        Some(_) => "what the old pattern allowed and the new one does not is refused from then on, on new channels",
        None => "nothing that was allowed is taken away",
    };
    let mut change = Change::update(object, fields, reason, writes);
    change.risk = risk;
    findings.add(change);
}

fn participle(name: &str) -> &'static str {
    match name {
        "configure" => "declared and deleted",
        "write" => "written to",
        _ => "read from",
    }
}

/// Writes patterns with their names, the empty one as `''`.
pub(crate) fn words(patterns: &[(&str, &String)]) -> Vec<String> {
    let word = |(name, pattern): &(&str, &String)| {
        if pattern.is_empty() { format!("{name} ''") } else { format!("{name} {pattern}") }
    };
    patterns.iter().map(word).collect()
}
