//! What `terraform show -json` prints of a state or of a plan, for the provider cyrilgdn/rabbitmq.
//! Takes the tree; gives the objects of all modules. Resources of other providers are noted once a type.

use crate::convert::read::Imported;
use crate::convert::read::fields::{apply_to, vhost_of};
use crate::convert::read::foreign_map::{ForeignMap, assumed, left_out, one_or_many};
use crate::convert::read::terraform_links;
use crate::convert::secrets::unknown;
use crate::language::{Node, plain_value};
use crate::model::{
    Binding, Credential, DestinationKind, Exchange, Name, Permission, Policy, Queue, Secret, Table, TopicPermission,
    User, Value, Vhost,
};
use crate::rules::{ValueKind, queue_argument};
use crate::source::{Code, Problem};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// How deep modules may nest.
const DEPTH_MAX: usize = 50;

/// Reads a state or a plan; of a plan, what will be there.
pub fn read(roots: &[Node], problems: &mut Vec<Problem>) -> Imported {
    let mut terraform = Terraform { imported: Imported::default(), told: BTreeSet::new() };
    terraform.imported.from = "a state of Terraform".to_owned();
    for root in roots {
        let prior = root.get("prior_state").and_then(|state| state.get("values"));
        let values = root.get("planned_values").or_else(|| root.get("values")).or(prior);
        match values.and_then(|values| values.get("root_module")) {
            Some(module) => terraform.module(module, 0, problems),
            None => {
                let note = Problem::note(Code::ConvertLeftOut, "the state holds no resource");
                problems.push(note.at(root.span, "no `values` with a `root_module`"));
            }
        }
    }
    terraform.imported
}

struct Terraform {
    imported: Imported,
    /// The types that were told already.
    told: BTreeSet<String>,
}

impl Terraform {
    fn module(&mut self, module: &Node, depth: usize, problems: &mut Vec<Problem>) {
        if depth > DEPTH_MAX {
            return;
        }
        for resource in module.get("resources").map_or(&[][..], one_or_many) {
            self.resource(resource, problems);
        }
        for child in module.get("child_modules").map_or(&[][..], one_or_many) {
            self.module(child, depth + 1, problems);
        }
    }

    fn resource(&mut self, resource: &Node, problems: &mut Vec<Problem>) {
        let text = |key: &str| resource.get(key).and_then(Node::as_text).unwrap_or_default();
        let (kind, address) = (text("type"), text("address"));
        if text("mode") == "data" {
            return;
        }
        let span = resource.get("type").map_or(resource.span, |node| node.span);
        if !kind.starts_with("rabbitmq_") {
            if self.told.insert(kind.to_owned()) {
                problems.push(left_out(format!("resources of the type `{kind}` are none of RabbitMQ"), span));
            }
            return;
        }
        let what = if address.is_empty() { format!("{kind} '{}'", text("name")) } else { address.to_owned() };
        let Some(values) = resource.get("values") else { return };
        let Some(mut map) = ForeignMap::of(what, values, problems) else { return };
        map.ignore(&["id", "properties_key"]);
        match kind {
            "rabbitmq_queue" => self.queue(&mut map, problems),
            "rabbitmq_exchange" => self.exchange(&mut map, problems),
            "rabbitmq_binding" => self.binding(&mut map, problems),
            "rabbitmq_policy" => self.policy(&mut map, false, problems),
            "rabbitmq_operator_policy" => self.policy(&mut map, true, problems),
            "rabbitmq_user" => self.user(&mut map, problems),
            "rabbitmq_permissions" => self.permissions(&mut map, problems),
            "rabbitmq_topic_permissions" => self.topic_permissions(&mut map, problems),
            "rabbitmq_vhost" => self.vhost(&mut map, problems),
            "rabbitmq_shovel" => terraform_links::shovel(&mut self.imported.topology, &mut map, problems),
            "rabbitmq_federation_upstream" => {
                terraform_links::federation(&mut self.imported.topology, &mut map, problems);
            }
            _ => {
                if self.told.insert(kind.to_owned()) {
                    problems.push(left_out(format!("resources of the type `{kind}` are not known here"), span));
                }
                return;
            }
        }
        map.finish(problems);
    }

    fn queue(&mut self, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
        let (name, vhost) = (map.name("name", problems), vhost_of(map, problems));
        let Some(mut settings) = map.block("settings", problems) else { return };
        let durable = settings.flag("durable", false, problems);
        let auto_delete = settings.flag("auto_delete", false, problems);
        let arguments = arguments(&mut settings, problems);
        settings.finish(problems);
        let Some(name) = name else { return };
        self.imported.topology.queues.push(Queue { vhost, name, durable, auto_delete, exclusive: false, arguments });
    }

    fn exchange(&mut self, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
        let (name, vhost) = (map.name("name", problems), vhost_of(map, problems));
        let Some(mut settings) = map.block("settings", problems) else { return };
        let kind = settings.name("type", problems);
        let durable = settings.flag("durable", false, problems);
        let auto_delete = settings.flag("auto_delete", false, problems);
        let arguments = arguments(&mut settings, problems);
        settings.finish(problems);
        let (Some(name), Some(kind)) = (name, kind) else { return };
        let exchange = Exchange { vhost, name, kind, durable, auto_delete, internal: false, arguments };
        self.imported.topology.exchanges.push(exchange);
    }

    fn binding(&mut self, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
        let vhost = vhost_of(map, problems);
        let (source, destination) = (map.name("source", problems), map.name("destination", problems));
        let is_exchange = map.text("destination_type", problems).as_deref() == Some("exchange");
        let destination_kind = if is_exchange { DestinationKind::Exchange } else { DestinationKind::Queue };
        let routing_key = map.text("routing_key", problems).unwrap_or_default().into();
        let arguments = arguments(map, problems);
        let (Some(source), Some(destination)) = (source, destination) else { return };
        let binding = Binding { vhost, source, destination, destination_kind, routing_key, arguments };
        self.imported.topology.bindings.push(binding);
    }

    fn policy(&mut self, map: &mut ForeignMap<'_>, operator: bool, problems: &mut Vec<Problem>) {
        let (name, vhost) = (map.name("name", problems), vhost_of(map, problems));
        let Some(mut inner) = map.block("policy", problems) else { return };
        let pattern = inner.need("pattern", problems);
        let priority = inner.integer("priority", problems).unwrap_or(0);
        let word = inner.text("apply_to", problems).unwrap_or_else(|| "all".to_owned());
        let apply_to = apply_to(&word, &inner, problems);
        let mut definition = inner.json("definition", problems).unwrap_or_default();
        let is_of_nodes = definition.get("ha-mode").and_then(Json::as_str) == Some("nodes");
        for (key, value) in &mut definition {
            // The provider keeps texts only, and sends numbers for those that look like some.
            let Some(text) = value.as_str() else { continue };
            if is_of_nodes && key == "ha-params" {
                *value = Json::from(text.split(',').collect::<Vec<_>>());
            } else if let Ok(n) = text.parse::<i64>() {
                *value = Json::from(n);
            }
        }
        inner.finish(problems);
        let (Some(name), Some(pattern)) = (name, pattern) else { return };
        let policy = Policy { vhost, name, pattern, apply_to, priority, definition: definition.into_iter().collect() };
        let topology = &mut self.imported.topology;
        let list = if operator { &mut topology.operator_policies } else { &mut topology.policies };
        list.push(policy);
    }

    fn user(&mut self, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
        let Some(name) = map.name("name", problems) else { return };
        let password = map.text("password", problems).unwrap_or_else(|| unknown(&format!("{name}_password")));
        let tags = map.texts("tags", problems);
        map.ignore(&["password_wo", "password_wo_version"]);
        let credential = (!password.is_empty()).then(|| Credential::Password(Secret::new(password)));
        self.imported.topology.users.push(User { name, credential, tags, limits: Default::default() });
    }

    fn permissions(&mut self, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
        let (user, vhost) = (map.name("user", problems), vhost_of(map, problems));
        let Some(mut rights) = map.block("permissions", problems) else { return };
        let mut pattern = |key: &str| rights.text(key, problems).unwrap_or_default();
        let (configure, write, read) = (pattern("configure"), pattern("write"), pattern("read"));
        rights.finish(problems);
        let Some(user) = user else { return };
        self.imported.topology.permissions.push(Permission { user, vhost, configure, write, read });
    }

    fn topic_permissions(&mut self, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
        let (user, vhost) = (map.name("user", problems), vhost_of(map, problems));
        let Some(user) = user else { return };
        for row in map.node("permissions").map_or(&[][..], one_or_many) {
            let Some(mut rights) = ForeignMap::of(format!("`permissions` of {}", map.what), row, problems) else {
                continue;
            };
            let exchange = rights.name("exchange", problems);
            let mut pattern = |key: &str| rights.text(key, problems).unwrap_or_default();
            let (write, read) = (pattern("write"), pattern("read"));
            rights.finish(problems);
            let Some(exchange) = exchange else { continue };
            let (user, vhost) = (user.clone(), vhost.clone());
            self.imported.topology.topic_permissions.push(TopicPermission { user, vhost, exchange, write, read });
        }
    }

    fn vhost(&mut self, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
        let Some(name) = map.name("name", problems) else { return };
        let mut vhost = Vhost { name: name.clone(), ..Vhost::default() };
        vhost.description = map.text("description", problems);
        vhost.default_queue_type = map.text("default_queue_type", problems).filter(|kind| !kind.is_empty());
        for (theirs, ours) in [("max_connections", "max-connections"), ("max_queues", "max-queues")] {
            vhost.limits.extend(map.integer(theirs, problems).map(|limit| (ours.to_owned(), limit)));
        }
        if map.flag("tracing", false, problems) {
            problems
                .push(left_out(format!("{}: tracing is switched by hand, not by a topology", map.what), map.span()));
        }
        self.imported.declared.insert(name);
        self.imported.topology.vhosts.push(vhost);
    }
}

/// Reads `arguments`, whose values the provider keeps as texts, or `arguments_json`.
fn arguments(map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) -> Table {
    let json = map.text("arguments_json", problems).filter(|text| !text.is_empty());
    if let Some(text) = json {
        map.ignore(&["arguments"]);
        return match plain_value(&text) {
            Some(Json::Object(arguments)) => {
                arguments.iter().map(|(key, value)| (key.as_str(), Value::from_json(value))).collect()
            }
            _ => {
                let message = format!("`arguments_json` of {} is no map in JSON", map.what);
                problems.push(Problem::new(Code::ValueBad, message).at(map.span(), "in this one"));
                Table::new()
            }
        };
    }
    let mut table = map.arguments("arguments", problems);
    let names: Vec<Name> = table.keys().cloned().collect();
    for name in names {
        let (Some(text), Some(known)) = (table[&*name].as_text(), queue_argument(&name)) else { continue };
        let value = match known.kind {
            ValueKind::Duration | ValueKind::Size | ValueKind::Integer => text.parse().ok().map(Value::I64),
            ValueKind::Bool => text.parse().ok().map(Value::Bool),
            ValueKind::Text | ValueKind::OneOf(_) => None,
        };
        if let Some(value) = value {
            let message =
                format!("{}: `{name}` is a text in Terraform's state, and RabbitMQ takes none there", map.what);
            problems.push(assumed(message, map.span()).help("it is written as the number or switch that it holds"));
            table.insert(name, value);
        }
    }
    table
}
