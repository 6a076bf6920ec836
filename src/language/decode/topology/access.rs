//! Decodes vhosts, users and permissions.
//! Takes a rendered node; gives model objects. Secrets go from the tree into [`Secret`] and nowhere else.

use crate::language::check::legal;
use crate::language::decode::collect::{Collected, origin};
use crate::language::decode::map_decoder::{Diagnostics, MapDecoder};
use crate::language::decode::read;
use crate::language::decode::read::{DecodeError, Read};
use crate::language::decode::suggestions;
use crate::language::decode::topology::objects::Surroundings;
use crate::language::syntax::tree::{Node, NodeKind};
use crate::model::{Credential, Name, Permission, QueueKind, Secret, TopicPermission, User, Vhost};
use crate::source::{Code, Problem, Span};
use base64::Engine;
use std::collections::BTreeMap;

/// The algorithms that RabbitMQ ships.
const ALGORITHMS: [&str; 3] =
    ["rabbit_password_hashing_sha256", "rabbit_password_hashing_sha512", "rabbit_password_hashing_md5"];

/// The bytes of a hash: a salt of four, and the digest.
const HASH_BYTES: [(&str, usize); 3] = [(ALGORITHMS[0], 4 + 32), (ALGORITHMS[1], 4 + 64), (ALGORITHMS[2], 4 + 16)];

/// The tags that mean something to RabbitMQ.
const TAGS: [&str; 5] = ["administrator", "monitoring", "policymaker", "management", "impersonator"];

/// Decodes one entry of `vhosts`: a map, or a name alone.
pub fn vhost(node: &Node, into: &mut Collected, desk: &mut Diagnostics) {
    if let NodeKind::Text(_) = node.kind {
        if let Some(name) = desk.read("a vhost", node, read::name) {
            into.vhost(Vhost { name, ..Vhost::default() }, origin(node), desk);
        }
        return;
    }
    let Some(mut fields) = MapDecoder::of("vhost", "a vhost", node, desk) else { return };
    let name = fields.need("name", desk, read::name);
    let mut vhost = Vhost::default();
    metadata(&mut fields, &mut vhost, desk);
    if let Some(node) = fields.node("metadata")
        && let Some(mut inner) = MapDecoder::of("vhost_metadata", "`metadata`", node, desk)
    {
        metadata(&mut inner, &mut vhost, desk);
        inner.finish(desk);
    }
    vhost.limits = fields.opt("limits", desk, limits).unwrap_or_default();
    if desk.export {
        fields.ignore(&["tracing", "cluster_state"]);
    }
    fields.finish(desk);
    let Some(name) = name else { return };
    legal::has_name("vhost", &name, &origin(node), desk);
    if let Some(kind) = vhost.default_queue_type.as_deref().and_then(QueueKind::named) {
        desk.judged_for.default_types.insert(name.clone(), kind);
    }
    let earlier = into.topology.vhosts.iter().position(|known| known.name == name);
    if let Some(at) = earlier.filter(|_| !into.origins.contains_key(&vhost_object(&name))) {
        let known = into.topology.vhosts.remove(at);
        vhost.limits.extend(known.limits);
    }
    into.vhost(Vhost { name, ..vhost }, origin(node), desk);
}

fn vhost_object(name: &Name) -> crate::model::Object {
    crate::model::Object::Vhost { name: name.clone() }
}

fn metadata(fields: &mut MapDecoder<'_>, vhost: &mut Vhost, desk: &mut Diagnostics) {
    let description = fields.opt("description", desk, read::text);
    vhost.description = vhost.description.take().or(description);
    let tags = fields.opt("tags", desk, tags);
    vhost.tags = vhost.tags.take().or(tags);
    let kind = fields.opt("default_queue_type", desk, read::text).filter(|kind| kind != "undefined");
    if let (Some(kind), Some(node)) = (&kind, fields.node("default_queue_type")) {
        known_queue_type(kind, node.span, desk);
    }
    vhost.default_queue_type = vhost.default_queue_type.take().or(kind);
    let protected = fields.opt("protected_from_deletion", desk, read::boolean);
    vhost.protected_from_deletion = vhost.protected_from_deletion.or(protected);
}

/// Reports a default queue type that RabbitMQ does not have; a plugin may bring one by the name of its module.
fn known_queue_type(kind: &str, span: Span, desk: &mut Diagnostics) {
    const TYPES: [&str; 3] = ["classic", "quorum", "stream"];
    if !TYPES.contains(&kind) && !kind.starts_with("rabbit_") && !kind.is_empty() {
        let problem = Problem::new(Code::ValueBad, format!("`default_queue_type` knows no `{kind}`"));
        desk.judge(problem.at(span, "no type of queue").by("MG-2").help(suggestions::suggest(
            kind,
            TYPES,
            "there are",
        )));
    }
}

/// Reads tags: a list, or words parted by commas.
fn tags(node: &Node) -> Read<Vec<String>> {
    let texts = read::texts(node)?;
    let words = texts.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|tag| !tag.is_empty());
    Ok(words.map(str::to_owned).collect())
}

/// Reads limits by name; -1 is unlimited.
pub fn limits(node: &Node) -> Read<BTreeMap<String, i64>> {
    match &node.kind {
        NodeKind::Map(entries) => entries
            .iter()
            .map(|entry| Ok((entry.key.replace('_', "-"), read::integer(&entry.value)?)))
            .collect::<Read<_>>()
            .map_err(|_| DecodeError::Kind("a map of limits to whole numbers")),
        NodeKind::List(entries) if entries.is_empty() => Ok(BTreeMap::new()),
        _ => Err(DecodeError::Kind("a map of limits to whole numbers")),
    }
}

/// Reads the limits that stand at the top of an export of one vhost; what is none that can be read is left alone.
pub fn limits_of_export(node: &Node, vhost: &Name, into: &mut Collected, desk: &mut Diagnostics) {
    match limits(node) {
        Ok(limits) => limits.iter().for_each(|(limit, value)| into.vhost_limit(vhost, limit, *value)),
        Err(_) => {
            let message = format!("the limits of vhost '{vhost}' cannot be read and are left alone");
            desk.add(Problem::note(Code::TopologyLimits, message).at(node.span, "no map of whole numbers"));
        }
    }
}

/// Decodes one entry of `users`, with what it may do.
pub fn user(node: &Node, around: &Surroundings, into: &mut Collected, desk: &mut Diagnostics) {
    let Some(mut fields) = MapDecoder::of("user", "a user", node, desk) else { return };
    let name = fields.need("name", desk, read::name);
    let both = fields.has("password") && fields.has("password_hash");
    if let (true, Some(entry)) = (both, fields.entry("password_hash")) {
        let problem = Problem::new(Code::TopologyArgumentTwice, "a user has a password or a hash, not both");
        desk.add(problem.at(entry.key_span, "beside `password`").help("keep one of them"));
    }
    let password = fields.opt("password", desk, read::text).filter(|text| !text.is_empty());
    let hash = fields.opt("password_hash", desk, read::text).filter(|text| !text.is_empty());
    let algorithm = fields.opt("hashing_algorithm", desk, read::word(&ALGORITHMS)).unwrap_or(ALGORITHMS[0]);
    if let (Some(hash), Some(node)) = (&hash, fields.node("password_hash")) {
        check_hash(hash, algorithm, node.span, desk);
    }
    let credential = password
        .map(|password| Credential::Password(Secret::new(password)))
        .or_else(|| hash.map(|hash| Credential::Hash { hash: Secret::new(hash), algorithm: algorithm.to_owned() }));
    let given = fields.node("tags");
    let tags = fields.opt("tags", desk, tags).unwrap_or_default();
    if let Some(node) = given.filter(|_| !desk.export) {
        note_tags(&tags, node, desk);
    }
    let limits = fields.opt("limits", desk, limits).unwrap_or_default();
    let (permissions, topics) = (fields.node("permissions"), fields.node("topic_permissions"));
    fields.finish(desk);
    let Some(name) = name else { return };
    legal::has_name("user", &name, &origin(node), desk);
    if let Some(node) = permissions.filter(|node| !only_scalars("`permissions`", node, desk)) {
        for node in one_or_many(node) {
            permission_of(node, Some(&name), around, into, desk);
        }
    }
    if let Some(node) = topics {
        for node in one_or_many(node) {
            topic_permission_of(node, Some(&name), around, into, desk);
        }
    }
    into.user(User { name, credential, tags, limits }, origin(node), desk);
}

/// Reports a hash that RabbitMQ refuses, or that no password fits. Never quotes it.
fn check_hash(hash: &str, algorithm: &str, span: Span, desk: &mut Diagnostics) {
    let form = "base64 of a salt of 4 bytes and the digest: `rabbitmqctl hash_password` prints one";
    let plain: String = hash.chars().filter(|c| !c.is_whitespace()).collect();
    let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(plain) else {
        let problem = Problem::new(Code::TopologyPasswordHash, "`password_hash` is not base64: RabbitMQ refuses it");
        return desk.add(problem.by("MG-3").at(span, "not base64").help(form));
    };
    let Some((_, length)) = HASH_BYTES.iter().find(|(known, _)| *known == algorithm) else { return };
    if bytes.len() != *length {
        let message = format!("no password fits this hash: {} bytes, {algorithm} makes {length}", bytes.len());
        let note = Problem::note(Code::TopologyPasswordHash, message).by("MG-3");
        desk.add(note.at(span, "nobody can log in with it").help(form));
    }
}

/// Notes tags that give no right: RabbitMQ takes any word.
fn note_tags(tags: &[String], node: &Node, desk: &mut Diagnostics) {
    for tag in tags.iter().filter(|tag| !TAGS.contains(&tag.as_str())) {
        let note = Problem::note(Code::TopologyUnknownTag, format!("the tag `{tag}` gives no right in RabbitMQ"));
        desk.add(note.at(node.span, "not one of RabbitMQ's").help(suggestions::suggest(tag, TAGS, "those that do")));
    }
}

/// Returns whether a list holds no map at all, and reports it once.
fn only_scalars(what: &str, node: &Node, desk: &mut Diagnostics) -> bool {
    let NodeKind::List(entries) = &node.kind else { return false };
    let is_so = !entries.is_empty() && entries.iter().all(|entry| matches!(entry.kind, NodeKind::Text(_)));
    if is_so {
        desk.wrong(what, node, DecodeError::Kind("a map of patterns, or a list of such maps"));
    }
    is_so
}

/// Takes a map alone as a list of one.
fn one_or_many(node: &Node) -> &[Node] {
    match &node.kind {
        NodeKind::List(entries) => entries,
        _ => std::slice::from_ref(node),
    }
}

/// Decodes one entry of `permissions`.
pub fn permission(node: &Node, around: &Surroundings, into: &mut Collected, desk: &mut Diagnostics) {
    permission_of(node, None, around, into, desk);
}

/// Reads the three patterns of a user in a vhost.
pub fn permission_fields(
    fields: &mut MapDecoder<'_>,
    user: Option<&Name>,
    vhost: &Name,
    desk: &mut Diagnostics,
) -> Option<Permission> {
    let user = user.cloned().or_else(|| fields.need("user", desk, read::name));
    let vhost = fields.opt("vhost", desk, read::name).unwrap_or_else(|| vhost.clone());
    let mut pattern = |key: &'static str| checked_pattern(fields, key, desk);
    let (configure, write, read) = (pattern("configure"), pattern("write"), pattern("read"));
    Some(Permission { user: user?, vhost, configure: configure?, write: write?, read: read? })
}

fn permission_of(
    node: &Node,
    user: Option<&Name>,
    around: &Surroundings,
    into: &mut Collected,
    desk: &mut Diagnostics,
) {
    let group = if user.is_some() { "own_permission" } else { "permission" };
    let Some(mut fields) = MapDecoder::of(group, "permissions", node, desk) else { return };
    let read = permission_fields(&mut fields, user, &around.vhost, desk);
    fields.finish(desk);
    if let Some(permission) = read {
        into.permission(permission, origin(node), desk);
    }
}

/// Decodes one entry of `topic_permissions`.
pub fn topic_permission(node: &Node, around: &Surroundings, into: &mut Collected, desk: &mut Diagnostics) {
    topic_permission_of(node, None, around, into, desk);
}

fn topic_permission_of(
    node: &Node,
    user: Option<&Name>,
    around: &Surroundings,
    into: &mut Collected,
    desk: &mut Diagnostics,
) {
    let group = if user.is_some() { "own_topic_permission" } else { "topic_permission" };
    let Some(mut fields) = MapDecoder::of(group, "topic permissions", node, desk) else { return };
    let read = topic_permission_fields(&mut fields, user, &around.vhost, desk);
    fields.finish(desk);
    if let Some(permission) = read {
        into.topic_permission(permission, origin(node), desk);
    }
}

/// Reads the two patterns of a user on a topic exchange.
pub fn topic_permission_fields(
    fields: &mut MapDecoder<'_>,
    user: Option<&Name>,
    vhost: &Name,
    desk: &mut Diagnostics,
) -> Option<TopicPermission> {
    let user = user.cloned().or_else(|| fields.need("user", desk, read::name));
    let vhost = fields.opt("vhost", desk, read::name).unwrap_or_else(|| vhost.clone());
    let exchange = fields.need("exchange", desk, read::name);
    let (write, read) = (checked_pattern(fields, "write", desk), checked_pattern(fields, "read", desk));
    Some(TopicPermission { user: user?, vhost, exchange: exchange?, write: write?, read: read? })
}

/// Reads a pattern that must be there; one that is no regular expression is a problem, and still read.
fn checked_pattern(fields: &mut MapDecoder<'_>, key: &'static str, desk: &mut Diagnostics) -> Option<String> {
    let pattern = fields.need(key, desk, read::text)?;
    if let Some(node) = fields.node(key) {
        let plain = pattern.replace("{username}", "u").replace("{vhost}", "v").replace("{client_id}", "c");
        legal::pattern(&format!("`{key}`"), &plain, node.span, desk);
    }
    Some(pattern)
}
