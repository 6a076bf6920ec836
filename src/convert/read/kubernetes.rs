//! Resources of RabbitMQ's messaging topology operator, in several documents or in a `List`.
//! Takes the documents; gives the objects that the operator would declare, by its defaults. Other resources are noted.

use crate::convert::read::Imported;
use crate::convert::read::fields::{apply_to, vhost_of};
use crate::convert::read::foreign_map::{ForeignMap, assumed, left_out, one_or_many};
use crate::convert::read::kubernetes_links;
use crate::convert::read::resources::Resources;
use crate::convert::secrets::unknown;
use crate::language::Node;
use crate::model::{
    Binding, Credential, DestinationKind, Exchange, Name, Permission, Policy, Queue, Secret, Table, TopicPermission,
    User, Value, Vhost,
};
use crate::source::Problem;
use base64::Engine;
use std::collections::BTreeMap;

/// The group of the operator's resources.
const GROUP: &str = "rabbitmq.com/";

/// Reads all resources.
pub fn read(roots: &[Node], problems: &mut Vec<Problem>) -> Imported {
    let mut resources = Resources::default();
    for root in roots {
        match root.get("items").filter(|_| text(root, "kind").ends_with("List")) {
            Some(items) => resources.nodes.extend(one_or_many(items)),
            None => resources.nodes.push(root),
        }
    }
    resources.imported.from = "resources of Kubernetes".to_owned();
    let nodes = resources.nodes.clone();
    for node in nodes.iter().filter(|node| text(node, "kind") == "Secret") {
        resources.secret(node);
    }
    // Rights may name a user by its resource, wherever that stands.
    for node in nodes.iter().filter(|node| text(node, "kind") == "User" && is_of_operator(node)) {
        resources.user(node, problems);
    }
    for node in nodes {
        resources.resource(node, problems);
    }
    resources.imported
}

fn text<'n>(node: &'n Node, key: &str) -> &'n str {
    node.get(key).and_then(Node::as_text).unwrap_or_default()
}

fn is_of_operator(node: &Node) -> bool {
    text(node, "apiVersion").starts_with(GROUP)
}

fn metadata_name(node: &Node) -> &str {
    node.get("metadata").map_or("", |metadata| text(metadata, "name"))
}

impl<'n> Resources<'n> {
    fn secret(&mut self, node: &Node) {
        let mut keys = BTreeMap::new();
        for entry in node.get("data").map_or(&[][..], Node::entries) {
            let decoded = entry.value.as_text().and_then(|text| {
                let bytes = base64::engine::general_purpose::STANDARD.decode(text.trim()).ok()?;
                String::from_utf8(bytes).ok()
            });
            keys.extend(decoded.map(|text| (entry.key.to_string(), text)));
        }
        for entry in node.get("stringData").map_or(&[][..], Node::entries) {
            keys.extend(entry.value.as_text().map(|text| (entry.key.to_string(), text.to_owned())));
        }
        self.secrets.insert(metadata_name(node).to_owned(), keys);
    }

    /// Reads one resource that is no secret and no user.
    fn resource(&mut self, node: &'n Node, problems: &mut Vec<Problem>) {
        let (kind, name) = (text(node, "kind").to_owned(), metadata_name(node));
        let span = node.entries().first().map_or(node.span, |entry| entry.key_span);
        match kind.as_str() {
            "Secret" | "Namespace" | "User" => return,
            "RabbitmqCluster" => {
                return problems
                    .push(left_out(format!("RabbitmqCluster '{name}' is a broker, no object on one"), span));
            }
            _ if !is_of_operator(node) => {
                let message = format!("{kind} '{name}' is no resource of the messaging topology operator");
                return problems.push(left_out(message, span));
            }
            _ => {}
        }
        let Some(spec) = node.get("spec") else {
            return problems.push(left_out(format!("{kind} '{name}' has no `spec`"), span));
        };
        let Some(mut map) = ForeignMap::of(format!("{kind} '{name}'"), spec, problems) else { return };
        map.ignore(&["rabbitmqClusterReference", "deletionPolicy", "deleteIfEmpty", "deleteIfUnused"]);
        match kind.as_str() {
            "Queue" => self.queue(&mut map, problems),
            "Exchange" => self.exchange(&mut map, problems),
            "Binding" => self.binding(&mut map, problems),
            "Policy" => self.policy(&mut map, false, problems),
            "OperatorPolicy" => self.policy(&mut map, true, problems),
            "Vhost" => self.vhost(&mut map, problems),
            "Permission" => self.permission(&mut map, problems),
            "TopicPermission" => self.topic_permission(&mut map, problems),
            "Federation" => kubernetes_links::federation(self, &mut map, problems),
            "Shovel" => kubernetes_links::shovel(self, &mut map, problems),
            "SchemaReplication" => kubernetes_links::schema_replication(self, &mut map, problems),
            "SuperStream" => kubernetes_links::super_stream(self, name, &mut map, problems),
            _ => return problems.push(left_out(format!("{kind} '{name}' is of a kind that is not known here"), span)),
        }
        map.finish(problems);
    }

    fn queue(&mut self, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
        let (name, vhost) = (map.name("name", problems), vhost_of(map, problems));
        let durable = map.flag("durable", true, problems);
        let auto_delete = map.flag("autoDelete", false, problems);
        let mut arguments = Table::new();
        if let Some(kind) = map.text("type", problems) {
            arguments.insert("x-queue-type".into(), Value::from(kind.as_str()));
        }
        arguments.extend(map.arguments("arguments", problems));
        let Some(name) = name else { return };
        self.imported.topology.queues.push(Queue { vhost, name, durable, auto_delete, exclusive: false, arguments });
    }

    fn exchange(&mut self, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
        let (name, vhost) = (map.name("name", problems), vhost_of(map, problems));
        let kind = map.text("type", problems).unwrap_or_else(|| "direct".to_owned()).into();
        // The operator's own default; a transient exchange is seldom meant.
        let durable = map.flag("durable", false, problems);
        let auto_delete = map.flag("autoDelete", false, problems);
        let arguments = map.arguments("arguments", problems);
        let Some(name) = name else { return };
        let exchange = Exchange { vhost, name, kind, durable, auto_delete, internal: false, arguments };
        self.imported.topology.exchanges.push(exchange);
    }

    fn binding(&mut self, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
        let vhost = vhost_of(map, problems);
        let (source, destination) = (map.name("source", problems), map.name("destination", problems));
        let is_exchange = map.text("destinationType", problems).as_deref() == Some("exchange");
        let destination_kind = if is_exchange { DestinationKind::Exchange } else { DestinationKind::Queue };
        let routing_key = map.text("routingKey", problems).unwrap_or_default().into();
        let arguments = map.arguments("arguments", problems);
        let (Some(source), Some(destination)) = (source, destination) else { return };
        let binding = Binding { vhost, source, destination, destination_kind, routing_key, arguments };
        self.imported.topology.bindings.push(binding);
    }

    fn policy(&mut self, map: &mut ForeignMap<'_>, operator: bool, problems: &mut Vec<Problem>) {
        let (name, vhost) = (map.name("name", problems), vhost_of(map, problems));
        let pattern = map.need("pattern", problems);
        let word = map.text("applyTo", problems).unwrap_or_else(|| if operator { "queues" } else { "all" }.to_owned());
        let apply_to = apply_to(&word, map, problems);
        let priority = map.integer("priority", problems).unwrap_or(0);
        let definition = map.json("definition", problems).unwrap_or_default().into_iter().collect();
        let (Some(name), Some(pattern)) = (name, pattern) else { return };
        let topology = &mut self.imported.topology;
        let list = if operator { &mut topology.operator_policies } else { &mut topology.policies };
        list.push(Policy { vhost, name, pattern, apply_to, priority, definition });
    }

    fn vhost(&mut self, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
        let Some(name) = map.name("name", problems) else { return };
        let mut vhost = Vhost { name: name.clone(), ..Vhost::default() };
        let tags = map.texts("tags", problems);
        vhost.tags = (!tags.is_empty()).then_some(tags);
        vhost.default_queue_type = map.text("defaultQueueType", problems);
        if map.flag("tracing", false, problems) {
            problems
                .push(left_out(format!("{}: tracing is switched by hand, not by a topology", map.what), map.span()));
        }
        limits(
            map,
            "limits",
            &[("connections", "max-connections"), ("queues", "max-queues")],
            &mut vhost.limits,
            problems,
        );
        self.imported.declared.insert(name);
        self.imported.topology.vhosts.push(vhost);
    }

    /// Reads a user: its name and password stand in a secret, or are made by the operator.
    fn user(&mut self, node: &'n Node, problems: &mut Vec<Problem>) {
        let resource = metadata_name(node);
        let Some(mut map) =
            node.get("spec").and_then(|spec| ForeignMap::of(format!("User '{resource}'"), spec, problems))
        else {
            return;
        };
        map.ignore(&["rabbitmqClusterReference", "deletionPolicy"]);
        let tags = map.texts("tags", problems);
        let mut own_limits = BTreeMap::new();
        limits(
            &mut map,
            "limits",
            &[("connections", "max-connections"), ("channels", "max-channels")],
            &mut own_limits,
            problems,
        );
        let secret = map.node("importCredentialsSecret").map(|node| text(node, "name").to_owned());
        let held = secret.as_ref().and_then(|secret| self.secrets.get(secret));
        let get = |key: &str| held.and_then(|held| held.get(key)).cloned();
        let name: Name = get("username").map_or_else(|| resource.into(), Name::from);
        if get("username").is_none() {
            let why = match &secret {
                Some(secret) => format!("its name is in the secret '{secret}', which is not in this file"),
                None => "the operator makes a name by chance".to_owned(),
            };
            problems.push(assumed(format!("User '{resource}' is taken for '{name}': {why}"), map.span()));
        }
        let credential = match (get("passwordHash"), get("password")) {
            (Some(hash), _) if hash.is_empty() => None,
            (Some(hash), _) => Some(Credential::Hash {
                hash: Secret::new(hash),
                algorithm: "rabbit_password_hashing_sha512".to_owned(),
            }),
            (None, Some(password)) => Some(Credential::Password(Secret::new(password))),
            (None, None) => Some(Credential::Password(Secret::new(unknown(&format!("{name}_password"))))),
        };
        map.finish(problems);
        self.users.insert(resource.to_owned(), name.clone());
        self.imported.topology.users.push(User { name, credential, tags, limits: own_limits });
    }

    /// Returns who a right is for: a user of the broker, or of a resource.
    fn user_of(&self, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) -> Option<Name> {
        if let Some(reference) = map.node("userReference") {
            let resource = text(reference, "name");
            if let Some(name) = self.users.get(resource) {
                return Some(name.clone());
            }
            let message = format!("{}: User '{resource}' is not in this file, and taken for '{resource}'", map.what);
            problems.push(assumed(message, reference.span));
            return Some(resource.into());
        }
        map.name("user", problems)
    }

    fn permission(&mut self, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
        let user = self.user_of(map, problems);
        let vhost = vhost_of(map, problems);
        let Some(rights) = map.node("permissions") else { return };
        let Some(mut rights) = ForeignMap::of(format!("`permissions` of {}", map.what), rights, problems) else {
            return;
        };
        let mut pattern = |key: &str| rights.text(key, problems).unwrap_or_default();
        let (configure, write, read) = (pattern("configure"), pattern("write"), pattern("read"));
        rights.finish(problems);
        let Some(user) = user else { return };
        self.imported.topology.permissions.push(Permission { user, vhost, configure, write, read });
    }

    fn topic_permission(&mut self, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
        let user = self.user_of(map, problems);
        let vhost = vhost_of(map, problems);
        let Some(rights) = map.node("permissions") else { return };
        let Some(mut rights) = ForeignMap::of(format!("`permissions` of {}", map.what), rights, problems) else {
            return;
        };
        let exchange = rights.name("exchange", problems);
        let mut pattern = |key: &str| rights.text(key, problems).unwrap_or_default();
        let (write, read) = (pattern("write"), pattern("read"));
        rights.finish(problems);
        let (Some(user), Some(exchange)) = (user, exchange) else { return };
        self.imported.topology.topic_permissions.push(TopicPermission { user, vhost, exchange, write, read });
    }
}

/// Reads limits under the names of the operator.
fn limits(
    map: &mut ForeignMap<'_>,
    key: &str,
    names: &[(&str, &str)],
    into: &mut BTreeMap<String, i64>,
    problems: &mut Vec<Problem>,
) {
    let Some(node) = map.node(key) else { return };
    let Some(mut limits) = ForeignMap::of(format!("`{key}` of {}", map.what), node, problems) else { return };
    for (theirs, ours) in names {
        into.extend(limits.integer(theirs, problems).map(|limit| ((*ours).to_owned(), limit)));
    }
    limits.finish(problems);
}
