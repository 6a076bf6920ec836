//! Vhosts, users and rights in the words of the language; rights stand under their user.
//! Takes the writer; gives lists of maps. A password or a hash is never written, but the template that stands for it.

use crate::convert::write::Writer;
use crate::convert::write::values::put;
use crate::convert::write::yaml::Yaml;
use crate::model::{Credential, Name, Permission, TopicPermission, User, Vhost};
use std::collections::BTreeMap;

/// The algorithm of hashes that name none.
const USUAL_ALGORITHM: &str = "rabbit_password_hashing_sha256";

/// Writes a vhost: its name alone, when there is no more to say.
pub(crate) fn vhost(vhost: &Vhost) -> Yaml {
    let mut fields = vec![("name".to_owned(), Yaml::text(&vhost.name))];
    if let Some(description) = &vhost.description {
        put(&mut fields, "description", Yaml::text(description));
    }
    if let Some(tags) = &vhost.tags {
        put(&mut fields, "tags", Yaml::texts(tags));
    }
    if let Some(kind) = &vhost.default_queue_type {
        put(&mut fields, "default_queue_type", Yaml::text(kind));
    }
    if let Some(protected) = vhost.protected_from_deletion {
        put(&mut fields, "protected_from_deletion", Yaml::bool(protected));
    }
    if !vhost.limits.is_empty() {
        put(&mut fields, "limits", limits(&vhost.limits));
    }
    if fields.len() == 1 { Yaml::text(&vhost.name) } else { Yaml::Map(fields) }
}

/// Writes limits by name.
pub(crate) fn limits(limits: &BTreeMap<String, i64>) -> Yaml {
    Yaml::Map(limits.iter().map(|(name, value)| (name.clone(), Yaml::integer(*value))).collect())
}

/// Writes all users with their rights.
pub(crate) fn users(writer: &mut Writer<'_>) -> Vec<Yaml> {
    let topology = writer.topology;
    topology.users.iter().map(|one| user(writer, one)).collect()
}

fn user(writer: &mut Writer<'_>, user: &User) -> Yaml {
    let mut fields = vec![("name".to_owned(), Yaml::text(&user.name))];
    match &user.credential {
        Some(Credential::Password(password)) => {
            let template = writer.secrets.template(&format!("{}_password", user.name), password.expose());
            put(&mut fields, "password", Yaml::template(&template));
        }
        Some(Credential::Hash { hash, algorithm }) => {
            let template = writer.secrets.template(&format!("{}_password_hash", user.name), hash.expose());
            put(&mut fields, "password_hash", Yaml::template(&template));
            if algorithm != USUAL_ALGORITHM {
                put(&mut fields, "hashing_algorithm", Yaml::text(algorithm));
            }
        }
        None => {}
    }
    if !user.tags.is_empty() {
        put(&mut fields, "tags", Yaml::texts(&user.tags));
    }
    if !user.limits.is_empty() {
        put(&mut fields, "limits", limits(&user.limits));
    }
    let topology = writer.topology;
    let own = topology.permissions.iter().filter(|row| row.user == user.name);
    put_rows(&mut fields, "permissions", own.map(|row| permission(writer, row, false)).collect());
    let own = topology.topic_permissions.iter().filter(|row| row.user == user.name);
    put_rows(&mut fields, "topic_permissions", own.map(|row| topic_permission(writer, row, false)).collect());
    Yaml::Map(fields)
}

/// Writes one row as a map, several as a list.
fn put_rows(fields: &mut Vec<(String, Yaml)>, key: &str, mut rows: Vec<Yaml>) {
    match rows.len() {
        0 => {}
        1 => put(fields, key, rows.remove(0)),
        _ => put(fields, key, Yaml::List(rows)),
    }
}

fn is_of_user(writer: &Writer<'_>, user: &Name) -> bool {
    writer.topology.users.iter().any(|known| known.name == *user)
}

/// Writes the rights of users that the file does not declare.
pub(crate) fn permissions_of_others(writer: &Writer<'_>) -> Vec<Yaml> {
    let rows = writer.topology.permissions.iter().filter(|row| !is_of_user(writer, &row.user));
    rows.map(|row| permission(writer, row, true)).collect()
}

/// Writes the rights by routing key of users that the file does not declare.
pub(crate) fn topic_permissions_of_others(writer: &Writer<'_>) -> Vec<Yaml> {
    let rows = writer.topology.topic_permissions.iter().filter(|row| !is_of_user(writer, &row.user));
    rows.map(|row| topic_permission(writer, row, true)).collect()
}

fn permission(writer: &Writer<'_>, row: &Permission, with_user: bool) -> Yaml {
    let mut fields = Vec::new();
    if with_user {
        put(&mut fields, "user", Yaml::text(&row.user));
    }
    writer.vhost(&row.vhost, &mut fields);
    for (key, pattern) in [("configure", &row.configure), ("write", &row.write), ("read", &row.read)] {
        put(&mut fields, key, Yaml::text(pattern));
    }
    Yaml::Map(fields)
}

fn topic_permission(writer: &Writer<'_>, row: &TopicPermission, with_user: bool) -> Yaml {
    let mut fields = Vec::new();
    if with_user {
        put(&mut fields, "user", Yaml::text(&row.user));
    }
    writer.vhost(&row.vhost, &mut fields);
    put(&mut fields, "exchange", Yaml::text(&row.exchange));
    for (key, pattern) in [("write", &row.write), ("read", &row.read)] {
        put(&mut fields, key, Yaml::text(pattern));
    }
    Yaml::Map(fields)
}
