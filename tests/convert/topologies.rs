//! Random topologies: every kind of object, flag, argument and name that the model holds, written and read again.
//! A failure names the seed and the objects that differ.

use crate::harness::Checked;
use crate::random::Random;
use crate::{exports_come_back, written};
use rmqplay::convert::Imported;
use rmqplay::model::{
    ApplyTo, Binding, Credential, DestinationKind, Exchange, Millis, Name, Parameter, Permission, Policy, Queue,
    Secret, Table, TopicPermission, Topology, User, Value, Vhost,
};
use rmqplay::rules::{QUEUE_ARGUMENTS, ValueKind};
use rmqplay::source::Level;
use std::collections::BTreeMap;

/// How many topologies are tried.
const TOPOLOGIES: u64 = 150;

const NAMES: [&str; 16] = [
    "orders",
    "a.b",
    "yes",
    "null",
    "1",
    "0x1F",
    "1e5",
    "~",
    "- x",
    "a: b",
    "#",
    "é日本",
    "{{ env.X }}",
    "{% x %}",
    "a b\"c'd\\",
    "line\nend",
];

pub fn random_topologies_come_back() -> Checked {
    for seed in 0..TOPOLOGIES {
        let topology = topology(&mut Random::new(seed));
        let declared = topology.vhosts.iter().map(|vhost| vhost.name.clone()).collect();
        let imported = Imported { topology, declared, names_no_vhost: false, from: "chance".to_owned() };
        let (written, _) = written(&imported);
        // Objects of chance need not fit together; that they are the same is what counts.
        let differs = written.problems.iter().find(|problem| problem.code.text() == "convert::not_equal");
        if let Some(problem) = differs {
            return Err(format!("seed {seed}: {}\n{}", problem.message, written.text));
        }
        let broken =
            |code: &str| code.starts_with("yaml::") || code.starts_with("value::") || code.starts_with("template::");
        let broken = written.problems.iter().find(|it| it.level == Level::Problem && broken(it.code.text()));
        if let Some(problem) = broken {
            return Err(format!("seed {seed}: {}\n{}", problem.message, written.text));
        }
        exports_come_back(&imported.topology).map_err(|why| format!("seed {seed}: {why}"))?;
    }
    Ok(())
}

fn topology(random: &mut Random) -> Topology {
    let vhosts: Vec<Name> = if random.below(2) == 0 { vec!["/".into()] } else { vec!["/".into(), "v 1".into()] };
    let mut topology = Topology::default();
    for name in &vhosts {
        let mut vhost = Vhost { name: name.clone(), ..Vhost::default() };
        if random.below(2) == 0 {
            vhost.description = Some(random.pick(&NAMES).to_string());
            vhost.default_queue_type = Some(random.pick(&["classic", "quorum"]).to_string());
            vhost.limits = BTreeMap::from([("max-queues".to_owned(), random.below(50) as i64)]);
        }
        topology.vhosts.push(vhost);
    }
    for at in 0..random.below(4) {
        exchange(&vhosts, at, random, &mut topology);
    }
    for at in 0..random.below(6) {
        queue(&vhosts, at, random, &mut topology);
    }
    if random.below(3) == 0 {
        ladder(&vhosts[0], random, &mut topology);
    }
    for _ in 0..random.below(5) {
        binding(random, &mut topology);
    }
    for at in 0..random.below(3) {
        policy(&vhosts, at, random, &mut topology);
        user(&vhosts, at, random, &mut topology);
    }
    topology
}

fn name(at: u64, random: &mut Random) -> Name {
    format!("{}{at}", random.pick(&NAMES)).into()
}

fn value(random: &mut Random, depth: u64) -> Value {
    match random.below(if depth > 1 { 4 } else { 6 }) {
        0 => Value::Bool(random.below(2) == 0),
        1 => Value::I64(random.below(1_000_000) as i64 - 500_000),
        2 => Value::F64(random.below(1_000) as f64 / 4.0),
        3 => Value::from(*random.pick(&NAMES)),
        4 => Value::Array((0..random.below(3)).map(|_| value(random, depth + 1)).collect()),
        _ => {
            let entries: Vec<(String, Value)> =
                (0..random.below(3)).map(|n| (format!("k{n}"), value(random, depth + 1))).collect();
            Value::Table(entries.into_iter().collect())
        }
    }
}

fn exchange(vhosts: &[Name], at: u64, random: &mut Random, into: &mut Topology) {
    let mut arguments = Table::new();
    if random.below(3) == 0 {
        arguments.insert("alternate-exchange".into(), Value::from("amq.fanout"));
        arguments.insert("x-own".into(), value(random, 0));
    }
    into.exchanges.push(Exchange {
        vhost: random.pick(vhosts).clone(),
        name: name(at, random),
        kind: (*random.pick(&["direct", "topic", "fanout", "headers"])).into(),
        durable: random.below(4) > 0,
        auto_delete: random.below(4) == 0,
        internal: random.below(4) == 0,
        arguments,
    });
}

fn queue(vhosts: &[Name], at: u64, random: &mut Random, into: &mut Topology) {
    let mut arguments = Table::new();
    for argument in QUEUE_ARGUMENTS {
        if random.below(5) > 0 {
            continue;
        }
        let fitting = match argument.kind {
            ValueKind::Duration => {
                Value::I64(*random.pick(&[0, 1, 250, 1_500, 5_000, 60_000, 90_000, 604_800_000, 7_777_777]))
            }
            ValueKind::Size => Value::I64(*random.pick(&[0, 500, 1_000_000, 1 << 20, 12_345, 5 << 30])),
            ValueKind::Integer => Value::I64(random.below(100) as i64),
            ValueKind::Text => Value::from(*random.pick(&NAMES)),
            ValueKind::Bool => Value::Bool(random.below(2) == 0),
            ValueKind::OneOf(words) => Value::from(*random.pick(words)),
        };
        arguments.insert(argument.full_name().into(), if random.below(9) == 0 { value(random, 1) } else { fitting });
    }
    if random.below(3) == 0 {
        arguments.insert("x-own".into(), value(random, 0));
    }
    into.queues.push(Queue {
        vhost: random.pick(vhosts).clone(),
        name: name(at, random),
        durable: random.below(4) > 0,
        auto_delete: random.below(4) == 0,
        exclusive: false,
        arguments,
    });
}

/// What `retry:` would declare, now and then with something wrong in it.
fn ladder(vhost: &Name, random: &mut Random, into: &mut Topology) {
    let plain = |name: String, arguments: Table| Queue {
        vhost: vhost.clone(),
        name: name.into(),
        durable: true,
        auto_delete: false,
        exclusive: false,
        arguments,
    };
    let exchange = Exchange {
        vhost: vhost.clone(),
        name: "ladder.retry".into(),
        kind: "direct".into(),
        durable: random.below(6) > 0,
        auto_delete: false,
        internal: false,
        arguments: Table::new(),
    };
    into.exchanges.push(exchange);
    into.queues.push(plain("ladder".to_owned(), Table::new()));
    for written in ["5s", "1m", "1.5s", "2h"].iter().take(1 + random.below(4) as usize) {
        let delay: Millis = written.parse().expect("a duration");
        let mut arguments = Table::new();
        arguments.insert("x-message-ttl".into(), Value::I64(delay.0 as i64 + i64::from(random.below(8) == 0)));
        arguments.insert("x-dead-letter-exchange".into(), Value::from(""));
        arguments.insert("x-dead-letter-routing-key".into(), Value::from("ladder"));
        into.queues.push(plain(format!("ladder.retry.{written}"), arguments));
        into.bindings.push(lead("ladder.retry", &format!("ladder.retry.{written}"), written, vhost));
    }
    if random.below(2) == 0 {
        into.queues.push(plain("ladder.parked".to_owned(), Table::new()));
        into.bindings.push(lead("ladder.retry", "ladder.parked", "parked", vhost));
    }
}

fn lead(source: &str, queue: &str, key: &str, vhost: &Name) -> Binding {
    Binding {
        vhost: vhost.clone(),
        source: source.into(),
        destination: queue.into(),
        destination_kind: DestinationKind::Queue,
        routing_key: key.into(),
        arguments: Table::new(),
    }
}

fn binding(random: &mut Random, into: &mut Topology) {
    let ends: Vec<(Name, DestinationKind, Name)> =
        (into.queues.iter().map(|it| (it.vhost.clone(), DestinationKind::Queue, it.name.clone())))
            .chain(into.exchanges.iter().map(|it| (it.vhost.clone(), DestinationKind::Exchange, it.name.clone())))
            .collect();
    if ends.is_empty() {
        return;
    }
    let (vhost, destination_kind, destination) = random.pick(&ends).clone();
    let mut arguments = Table::new();
    if random.below(3) == 0 {
        arguments.insert("x-match".into(), Value::from("all"));
        arguments.insert("n".into(), value(random, 1));
    }
    let routing_key: Name = (*random.pick(&NAMES)).into();
    let binding = Binding { vhost, source: "amq.topic".into(), destination, destination_kind, routing_key, arguments };
    if into.bindings.iter().all(|known| known.object() != binding.object()) {
        into.bindings.push(binding);
    }
}

fn policy(vhosts: &[Name], at: u64, random: &mut Random, into: &mut Topology) {
    let policy = Policy {
        vhost: random.pick(vhosts).clone(),
        name: name(at, random),
        pattern: (*random.pick(&["^a", ".*", "^\\{\\{", "x|y"])).to_owned(),
        apply_to: *random.pick(&[ApplyTo::All, ApplyTo::Queues, ApplyTo::Exchanges, ApplyTo::Streams]),
        priority: random.below(5) as i64 - 2,
        definition: [("max-length".to_owned(), serde_json::json!(5))].into_iter().collect(),
    };
    match random.below(2) {
        0 => into.policies.push(policy),
        _ => into.operator_policies.push(policy),
    }
    let value = serde_json::json!({"src-uri": "amqp://u:p@h", "n": [1, {"a": null}], "x": 1.5});
    let parameter =
        Parameter { vhost: random.pick(vhosts).clone(), component: "shovel".to_owned(), name: name(at, random), value };
    into.parameters.push(parameter);
    into.global_parameters.insert(format!("global{at}"), serde_json::json!(*random.pick(&NAMES)));
}

fn user(vhosts: &[Name], at: u64, random: &mut Random, into: &mut Topology) {
    let hash = Secret::new("AQIDBLXgXLQE6blp5wp8S0s+h6jcxHG4bEAxHPOTq8iiB0oO");
    let user = User {
        name: name(at, random),
        credential: (random.below(4) > 0)
            .then(|| Credential::Hash { hash, algorithm: "rabbit_password_hashing_sha256".to_owned() }),
        tags: if random.below(2) == 0 { vec!["management".to_owned()] } else { Vec::new() },
        limits: BTreeMap::new(),
    };
    let name = if random.below(4) == 0 { Name::from(format!("absent{at}")) } else { user.name.clone() };
    into.users.push(user);
    for vhost in vhosts.iter().take(1 + random.below(2) as usize) {
        let (user, vhost) = (name.clone(), vhost.clone());
        let patterns = |text: &str| text.to_owned();
        into.topic_permissions.push(TopicPermission {
            user: user.clone(),
            vhost: vhost.clone(),
            exchange: "amq.topic".into(),
            write: patterns("^{username}"),
            read: patterns(".*"),
        });
        into.permissions.push(Permission {
            user,
            vhost,
            configure: patterns(""),
            write: patterns("^a|b$"),
            read: patterns(".*"),
        });
    }
}
