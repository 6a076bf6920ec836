//! A topology as the YAML that a person would have written: typed fields, bindings under what they lead to, rights under
//! their user, `retry` where it is one, no defaults, no secrets. Never writes a file.

mod access;
mod ladder;
mod queue;
mod session;
mod units;
pub(crate) mod values;
pub(crate) mod yaml;

use crate::convert::defaults::without_defaults;
use crate::convert::secrets::SecretVariables;
use crate::model::{Binding, DestinationKind, Exchange, Name, Object, Policy, Topology, Vhost};
use ladder::{Ladders, ladders};
pub use session::{
    DraftConsumer, DraftDeath, DraftQueue, DraftRule, DraftStep, DraftedStep, SessionDraft, write_session,
};
use std::collections::{BTreeMap, BTreeSet};
use values::{policy_definition, put, raw_arguments, secret_json};
use yaml::{Yaml, document};

/// How a topology is written.
#[derive(Debug, Clone, Default)]
pub struct Wording {
    /// Lines at the head of the file.
    pub head: Vec<String>,
    /// The vhost of objects that name none in the source; absent: the source names its vhosts.
    pub names_no_vhost: bool,
    /// Vhosts that the source declares; others are only known by their limits.
    pub declared: BTreeSet<Name>,
    /// Writes ladders of delays as plain queues.
    pub without_retry: bool,
}

/// What all parts of a file need to know while it is written.
pub(crate) struct Writer<'t> {
    topology: &'t Topology,
    wording: &'t Wording,
    /// Where objects are that name no vhost.
    default_vhost: Name,
    ladders: Ladders,
    bindings: BTreeMap<(Name, DestinationKind, Name), Vec<&'t Binding>>,
    pub(crate) secrets: SecretVariables,
}

/// Writes the lists of a topology, and returns them with the vhost of objects that name none.
pub(crate) fn topology_sections(topology: &Topology, wording: &Wording) -> (Vec<(&'static str, Yaml)>, Name) {
    let (sections, vhost, _) = written_sections(topology, wording);
    (sections, vhost)
}

/// Writes a topology, and returns the secrets that its templates stand for.
pub fn write_yaml(topology: &Topology, wording: &Wording) -> (String, SecretVariables) {
    let (sections, _, secrets) = written_sections(topology, wording);
    let mut head = wording.head.clone();
    if !secrets.is_empty() {
        head.push(String::new());
        head.push("From the environment:".to_owned());
        head.extend(secrets.names().map(|name| format!("  {name}")));
    }
    (document(&head, &sections), secrets)
}

fn written_sections(topology: &Topology, wording: &Wording) -> (Vec<(&'static str, Yaml)>, Name, SecretVariables) {
    let mut topology = topology.clone();
    without_defaults(&mut topology);
    let ladders = if wording.without_retry { Ladders::default() } else { ladders(&topology) };
    let mut bindings: BTreeMap<_, Vec<&Binding>> = BTreeMap::new();
    for binding in topology.bindings.iter().filter(|binding| !ladders.implied.contains(&binding.object())) {
        let to = (binding.vhost.clone(), binding.destination_kind, binding.destination.clone());
        bindings.entry(to).or_default().push(binding);
    }
    let default_vhost = default_vhost(&topology, wording);
    let secrets = SecretVariables::default();
    let mut writer = Writer { topology: &topology, wording, default_vhost, ladders, bindings, secrets };
    let sections = writer.sections();
    (sections, writer.default_vhost, writer.secrets)
}

/// Chooses the vhost that most objects are in.
fn default_vhost(topology: &Topology, wording: &Wording) -> Name {
    if wording.names_no_vhost {
        return "/".into();
    }
    let mut counts: BTreeMap<&Name, usize> = BTreeMap::new();
    let objects = (topology.queues.iter().map(|it| &it.vhost))
        .chain(topology.exchanges.iter().map(|it| &it.vhost))
        .chain(topology.bindings.iter().map(|it| &it.vhost))
        .chain(topology.policies.iter().map(|it| &it.vhost))
        .chain(topology.permissions.iter().map(|it| &it.vhost))
        .chain(topology.parameters.iter().map(|it| &it.vhost));
    objects.for_each(|vhost| *counts.entry(vhost).or_default() += 1);
    let most = counts.into_iter().max_by(|one, other| one.1.cmp(&other.1).then(other.0.cmp(one.0)));
    most.map_or_else(|| "/".into(), |(vhost, _)| vhost.clone())
}

impl<'t> Writer<'t> {
    fn sections(&mut self) -> Vec<(&'static str, Yaml)> {
        let topology = self.topology;
        let mut sections = Vec::new();
        if !self.wording.names_no_vhost && topology.vhost_names().iter().any(|vhost| !self.is_only_declared(vhost)) {
            sections.push(("vhost", Yaml::text(&self.default_vhost)));
        }
        let vhosts = topology.vhosts.iter().filter(|vhost| self.wording.declared.contains(&vhost.name));
        let vhosts = vhosts.map(access::vhost).collect();
        let users = access::users(self);
        let permissions = access::permissions_of_others(self);
        let topics = access::topic_permissions_of_others(self);
        let exchanges = topology.exchanges.iter().filter_map(|exchange| self.exchange(exchange)).collect();
        let queues = topology.queues.iter().filter_map(|queue| self.queue(queue)).collect();
        let bindings = self.remaining_bindings();
        let policies = topology.policies.iter().map(|policy| self.policy(policy)).collect();
        let operator = topology.operator_policies.iter().map(|policy| self.policy(policy)).collect();
        let parameters = self.parameters();
        let global = self.global_parameters();
        let lists: [(&'static str, Vec<Yaml>); 11] = [
            ("vhosts", vhosts),
            ("users", users),
            ("permissions", permissions),
            ("topic_permissions", topics),
            ("exchanges", exchanges),
            ("queues", queues),
            ("bindings", bindings),
            ("policies", policies),
            ("operator_policies", operator),
            ("parameters", parameters),
            ("global_parameters", global),
        ];
        sections
            .extend(lists.into_iter().filter(|(_, list)| !list.is_empty()).map(|(key, list)| (key, Yaml::List(list))));
        sections
    }

    /// Returns whether a vhost is declared and holds nothing.
    fn is_only_declared(&self, vhost: &Name) -> bool {
        let topology = self.topology;
        let holds = topology.queues.iter().any(|it| it.vhost == *vhost)
            || topology.exchanges.iter().any(|it| it.vhost == *vhost)
            || topology.bindings.iter().any(|it| it.vhost == *vhost)
            || topology.policies.iter().chain(&topology.operator_policies).any(|it| it.vhost == *vhost)
            || topology.permissions.iter().any(|it| it.vhost == *vhost)
            || topology.topic_permissions.iter().any(|it| it.vhost == *vhost)
            || topology.parameters.iter().any(|it| it.vhost == *vhost)
            || topology.vhosts.iter().any(|it| it.name == *vhost && !self.wording.declared.contains(vhost));
        !holds
    }

    /// Writes `vhost`, where it is not that of the file.
    pub(crate) fn vhost(&self, vhost: &Name, fields: &mut Vec<(String, Yaml)>) {
        if *vhost != self.default_vhost {
            put(fields, "vhost", Yaml::text(vhost));
        }
    }

    fn exchange(&mut self, exchange: &Exchange) -> Option<Yaml> {
        if self.ladders.implied.contains(&exchange.object()) {
            return None;
        }
        let mut fields = vec![("name".to_owned(), Yaml::text(&exchange.name))];
        self.vhost(&exchange.vhost, &mut fields);
        if exchange.kind != "direct" {
            put(&mut fields, "type", Yaml::text(&exchange.kind));
        }
        flags(&mut fields, &[("durable", exchange.durable, true), ("auto_delete", exchange.auto_delete, false)]);
        flags(&mut fields, &[("internal", exchange.internal, false)]);
        let mut arguments = exchange.arguments.clone();
        if let Some(alternate) = arguments.get("alternate-exchange").and_then(|value| value.as_text()) {
            put(&mut fields, "alternate_exchange", Yaml::text(alternate));
            arguments.shift_remove("alternate-exchange");
        }
        raw_arguments(&mut fields, &arguments, &format!("exchange_{}", exchange.name), &mut self.secrets);
        self.bindings_to((exchange.vhost.clone(), DestinationKind::Exchange, exchange.name.clone()), &mut fields);
        Some(Yaml::Map(fields))
    }

    /// Writes the bindings that lead to an object under it.
    pub(crate) fn bindings_to(&mut self, to: (Name, DestinationKind, Name), fields: &mut Vec<(String, Yaml)>) {
        let bindings = self.bindings.remove(&to).unwrap_or_default();
        let written: Vec<Yaml> = bindings.into_iter().map(|binding| self.binding(binding, false)).collect();
        if !written.is_empty() {
            put(fields, "bindings", Yaml::List(written));
        }
    }

    /// Writes a binding; one that stands alone names its destination and its vhost.
    fn binding(&mut self, binding: &Binding, alone: bool) -> Yaml {
        let mut fields = vec![("source".to_owned(), Yaml::text(&binding.source))];
        if alone {
            let key = if binding.destination_kind == DestinationKind::Queue { "queue" } else { "exchange" };
            put(&mut fields, key, Yaml::text(&binding.destination));
            self.vhost(&binding.vhost, &mut fields);
        }
        if !binding.routing_key.is_empty() {
            put(&mut fields, "routing_key", Yaml::text(&binding.routing_key));
        }
        let base = format!("binding_{}_{}", binding.source, binding.destination);
        raw_arguments(&mut fields, &binding.arguments, &base, &mut self.secrets);
        Yaml::Map(fields)
    }

    /// Writes the bindings to what this file does not declare.
    fn remaining_bindings(&mut self) -> Vec<Yaml> {
        let topology = self.topology;
        let left: BTreeSet<Object> =
            std::mem::take(&mut self.bindings).into_values().flatten().map(Binding::object).collect();
        let left = topology.bindings.iter().filter(|binding| left.contains(&binding.object()));
        left.map(|binding| self.binding(binding, true)).collect()
    }

    fn policy(&mut self, policy: &Policy) -> Yaml {
        let mut fields = vec![("name".to_owned(), Yaml::text(&policy.name))];
        self.vhost(&policy.vhost, &mut fields);
        put(&mut fields, "pattern", Yaml::text(&policy.pattern));
        if policy.apply_to != crate::model::ApplyTo::All {
            put(&mut fields, "apply-to", Yaml::text(policy.apply_to.as_str()));
        }
        if policy.priority != 0 {
            put(&mut fields, "priority", Yaml::integer(policy.priority));
        }
        let base = format!("policy_{}", policy.name);
        put(&mut fields, "definition", policy_definition(&policy.definition, &base, &mut self.secrets));
        Yaml::Map(fields)
    }

    /// Writes runtime parameters, and the limits of vhosts that the source does not declare.
    fn parameters(&mut self) -> Vec<Yaml> {
        let topology = self.topology;
        let mut written = Vec::new();
        for parameter in &topology.parameters {
            let mut fields = vec![("component".to_owned(), Yaml::text(&parameter.component))];
            put(&mut fields, "name", Yaml::text(&parameter.name));
            self.vhost(&parameter.vhost, &mut fields);
            let base = format!("{}_{}", parameter.component, parameter.name);
            put(&mut fields, "value", secret_json(&parameter.value, &base, "", &mut self.secrets));
            written.push(Yaml::Map(fields));
        }
        let only_limited = |vhost: &&Vhost| !vhost.limits.is_empty() && !self.wording.declared.contains(&vhost.name);
        for vhost in topology.vhosts.iter().filter(only_limited) {
            let mut fields = vec![("component".to_owned(), Yaml::text("vhost-limits"))];
            put(&mut fields, "name", Yaml::text("limits"));
            self.vhost(&vhost.name, &mut fields);
            put(&mut fields, "value", access::limits(&vhost.limits));
            written.push(Yaml::Map(fields));
        }
        written
    }

    fn global_parameters(&mut self) -> Vec<Yaml> {
        let topology = self.topology;
        let write = |(name, value): (&String, &serde_json::Value)| {
            let value = secret_json(value, "global", name, &mut self.secrets);
            Yaml::Map(vec![("name".to_owned(), Yaml::text(name)), ("value".to_owned(), value)])
        };
        topology.global_parameters.iter().map(write).collect()
    }
}

/// Writes flags that are not what they are when nothing is said.
pub(crate) fn flags(fields: &mut Vec<(String, Yaml)>, flags: &[(&str, bool, bool)]) {
    for (key, value, _) in flags.iter().filter(|(_, value, usual)| value != usual) {
        put(fields, key, Yaml::bool(*value));
    }
}
