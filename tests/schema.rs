//! The schemas that editors read: every shipped file is valid, wrong ones are not, and the table of words is the
//! language's own, word for word.
#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

#[path = "support/golden.rs"]
mod golden;
#[path = "schema/reports.rs"]
mod reports;

use fancy_regex::Regex;
use rmqplay::io::snapshots::yaml_files;
use rmqplay::io::{Disk, KnownBrokers};
use rmqplay::language::{
    OF_CONFIG, OF_SCENARIOS, OF_STEPS, OF_TOPOLOGIES, Settings, WordGroup, load_scenario, load_topology,
};
use rmqplay::language::{ValueShape, example_of_group, example_of_key};
use rmqplay::report::{SchemaOf, schema};
use rmqplay::source::{Code, Problem, Sources};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};

/// Lists what a schema says against a text.
fn faults(of: SchemaOf, text: &str) -> Vec<String> {
    let validator = jsonschema::draft7::new(&schema(of)).expect("a schema");
    let value: Json = serde_yaml::from_str(text).expect("YAML");
    validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Returns a path below the repository.
fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn shipped_files_name_the_schema_beside_them() {
    for (folder, of) in [("scenarios", SchemaOf::Scenario), ("topologies", SchemaOf::Topology)] {
        let kept = root(folder).join(".schema.json");
        let text = format!("{:#}\n", schema(of));
        golden::check(&kept, &text).unwrap_or_else(|difference| panic!("{difference}"));
        for path in yaml_files(&[root(folder)]).expect("a folder") {
            let text = std::fs::read_to_string(&path).expect("readable");
            let named = text.lines().next().and_then(|line| line.strip_prefix("# yaml-language-server: $schema="));
            let named = named.unwrap_or_else(|| panic!("{} names no schema in its first line", path.display()));
            let beside = path.parent().expect("a folder").join(named);
            assert_eq!(beside.canonicalize().expect("a schema"), kept, "{}", path.display());
        }
    }
}

#[test]
fn examples_of_the_table_are_right() {
    let mut wrong: Vec<String> = Vec::new();
    for group in OF_SCENARIOS.iter().chain(OF_STEPS).chain(OF_TOPOLOGIES) {
        let mut own = schema(SchemaOf::Scenario);
        own["$ref"] = format!("#/definitions/{}", group.name).into();
        let validator = jsonschema::draft7::new(&own).expect("a schema");
        let example = example_of_group(group);
        let value: Json = serde_yaml::from_str(&example).expect("YAML");
        assert!(validator.is_valid(&value) && example != "{}", "{}: {example}", group.name);
        let takes_something =
            group.words.iter().filter(|word| word.kind != "null" && !word.is_of_export).map(|word| word.key());
        for key in takes_something {
            for shape in [ValueShape::Map, ValueShape::List, ValueShape::Scalar] {
                let line = example_of_key(group, key, shape).expect("an example");
                let beside = group.name == "action" && ["refused", "on_return"].contains(&key);
                let line = if beside { format!("ack: {{}}\n{line}") } else { line };
                let value: Json = serde_yaml::from_str(&line).expect("YAML");
                assert!(!value[key].is_null(), "{line} in {} shows nothing", group.name);
                // Other keys that must be there are not in the line; an action has no other.
                let is_of_line = |error: &jsonschema::ValidationError<'_>| {
                    group.name == "action" || !error.instance_path().as_str().is_empty()
                };
                let found: Vec<String> =
                    validator.iter_errors(&value).filter(is_of_line).map(|error| error.to_string()).collect();
                wrong.extend(found.into_iter().map(|why| format!("{line} in {}: {why}", group.name)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn shipped_files_are_valid() {
    let mut checked = 0;
    let begun = [
        ("scenarios", SchemaOf::Scenario),
        ("topologies", SchemaOf::Topology),
        ("src/cli/commands/init", SchemaOf::Scenario),
    ];
    for (folder, of) in begun {
        for path in yaml_files(&[root(folder)]).expect("a folder") {
            let of = match path.file_name().and_then(|name| name.to_str()) {
                Some("workflow.yaml") => continue,
                Some("topology.yaml") => SchemaOf::Topology,
                _ => of,
            };
            let found = faults(of, &std::fs::read_to_string(&path).expect("readable"));
            assert!(found.is_empty(), "{}: {found:#?}", path.display());
            checked += 1;
        }
    }
    assert!(checked >= 16, "only {checked} files were checked");
}

#[test]
fn wrong_files_are_not_valid() {
    let scenarios = [
        "{scenario: x, setps: []}",
        "{steps: []}",
        "{scenario: x, steps: [{publish: {rooting_key: q}}]}",
        "{scenario: x, steps: [{publish: {}, expect: {}}]}",
        "{scenario: x, steps: [{advance: 5}]}",
        "{scenario: x, consumers: {w: {queue: q, prefetch: many}}}",
        "{scenario: x, consumers: {w: {queue: q, prefetch: 70000}}}",
        "{scenario: x, consumers: {w: {queue: q, on_message: [{do: [akc]}]}}}",
        "{scenario: x, steps: [{expect: {queue: q, ready: '>=x'}}]}",
        "{scenario: x, steps: [{expect: {queue: q, ready: -1}}]}",
    ];
    for text in scenarios {
        assert!(!faults(SchemaOf::Scenario, text).is_empty(), "{text} is valid");
    }
    let topologies = [
        "{queues: [{name: q, typ: quorum}]}",
        "{queues: [{type: quorum}]}",
        "{queues: [{name: q, message_ttl: 5}]}",
        "{queues: {q: {}}}",
        "{exchanges: [{name: e, durable: perhaps}]}",
        "{quues: []}",
    ];
    for text in topologies {
        assert!(!faults(SchemaOf::Topology, text).is_empty(), "{text} is valid");
    }
    assert!(faults(SchemaOf::Topology, "{rabbit_version: 4.3.6, queues: [{name: q, new_key: 1}]}").is_empty());
    assert!(faults(SchemaOf::Scenario, "{scenario: x, steps: [{publish: {count: '{{ n }}'}}]}").is_empty());
}

/// Where an object may stand: texts with `KEY` for its key. An expectation has other keys for each subject.
const PLACES: &[(&str, &[&str])] = &[
    ("scenario", &["{scenario: x, KEY}"]),
    ("allowance", &["{allow: [{KEY}]}", "{scenario: x, allow: [{KEY}]}"]),
    ("requires", &["{scenario: x, requires: {KEY}}"]),
    ("snapshot", &["{scenario: x, snapshot: {KEY}}"]),
    ("consumer", &["{scenario: x, consumers: {w: {KEY}}}"]),
    ("rule", &["{scenario: x, consumers: {w: {queue: q, on_message: [{KEY}]}}}"]),
    ("match", &["{scenario: x, consumers: {w: {queue: q, on_message: [{match: {KEY}, do: ack}]}}}"]),
    ("death_matcher", &["{scenario: x, consumers: {w: {queue: q, on_message: [{match: {x_death: {KEY}}, do: ack}]}}}"]),
    (
        "action",
        &[
            "{scenario: x, consumers: {w: {queue: q, on_message: [{do: [{KEY}]}]}}}",
            "{scenario: x, consumers: {w: {queue: q, on_message: [{do: [{ack: {}, KEY}]}]}}}",
        ],
    ),
    ("ack", &["{scenario: x, consumers: {w: {queue: q, on_message: [{do: [{ack: {KEY}}]}]}}}"]),
    ("nack", &["{scenario: x, consumers: {w: {queue: q, on_message: [{do: [{nack: {KEY}}]}]}}}"]),
    ("reject", &["{scenario: x, consumers: {w: {queue: q, on_message: [{do: [{reject: {KEY}}]}]}}}"]),
    ("forward", &["{scenario: x, consumers: {w: {queue: q, on_message: [{do: [{forward: {KEY}}]}]}}}"]),
    ("publish", &["{scenario: x, steps: [{publish: {KEY}}]}"]),
    ("step", &["{scenario: x, steps: [{KEY}]}", "{scenario: x, steps: [{publish: {}, KEY}]}"]),
    ("refused", &["{scenario: x, steps: [{publish: {}, refused: {KEY}}]}"]),
    ("get", &["{scenario: x, steps: [{get: {KEY}}]}"]),
    ("ack_held", &["{scenario: x, steps: [{ack: {KEY}}]}"]),
    ("nack_held", &["{scenario: x, steps: [{nack: {KEY}}]}"]),
    ("reject_held", &["{scenario: x, steps: [{reject: {KEY}}]}"]),
    ("consume", &["{scenario: x, steps: [{consume: {KEY}}]}"]),
    ("wait_until_quiet", &["{scenario: x, steps: [{wait_until_quiet: {KEY}}]}"]),
    ("recover", &["{scenario: x, steps: [{recover: {KEY}}]}"]),
    ("qos", &["{scenario: x, steps: [{qos: {KEY}}]}"]),
    ("cleared_permission", &["{scenario: x, steps: [{clear_permission: {KEY}}]}"]),
    ("cleared_topic_permission", &["{scenario: x, steps: [{clear_topic_permission: {KEY}}]}"]),
    ("vhost_limits", &["{scenario: x, steps: [{set_vhost_limits: {KEY}}]}"]),
    ("cleared_vhost_limits", &["{scenario: x, steps: [{clear_vhost_limits: {KEY}}]}"]),
    ("user_limits", &["{scenario: x, steps: [{set_user_limits: {KEY}}]}"]),
    ("cleared_user_limits", &["{scenario: x, steps: [{clear_user_limits: {KEY}}]}"]),
    ("queue_only", &["{scenario: x, steps: [{purge: {KEY}}]}"]),
    ("declare", &["{scenario: x, steps: [{declare: {KEY}}]}"]),
    ("delete", &["{scenario: x, steps: [{delete: {KEY}}]}"]),
    (
        "expect",
        &[
            "{scenario: x, steps: [{expect: {queue: q, KEY}}]}",
            "{scenario: x, steps: [{expect: {consumer: w, KEY}}]}",
            "{scenario: x, steps: [{expect: {message: m, KEY}}]}",
            "{scenario: x, steps: [{expect: {confirmed: 1, KEY}}]}",
            "{scenario: x, steps: [{expect: {tally: {}, is: 1, KEY}}]}",
            "{scenario: x, steps: [{expect: {metric: acked, is: 1, KEY}}]}",
            "{scenario: x, steps: [{expect: {KEY}}]}",
        ],
    ),
    ("peak", &["{scenario: x, steps: [{expect: {queue: q, peak: {KEY}}}]}"]),
    ("includes", &["{scenario: x, steps: [{expect: {queue: q, messages: {KEY}}}]}"]),
    ("message", &["{scenario: x, steps: [{expect: {queue: q, messages: [{KEY}]}}]}"]),
    ("includes_deaths", &["{scenario: x, steps: [{expect: {queue: q, messages: [{x_death: {KEY}}]}}]}"]),
    ("death", &["{scenario: x, steps: [{expect: {queue: q, messages: [{x_death: [{KEY}]}]}}]}"]),
    ("needs", &["{scenario: x, needs: {KEY}}"]),
    ("live", &["{scenario: x, live: {KEY}}"]),
    ("batch", &["{scenario: x, consumers: {w: {queue: q, batch: {KEY}}}}"]),
    ("timeout", &["{scenario: x, consumers: {w: {queue: q, timeout: {KEY}}}}"]),
    ("reconnect", &["{scenario: x, consumers: {w: {queue: q, reconnect: {KEY}}}}"]),
    ("own_queue", &["{scenario: x, consumers: {w: {queue: q, declare: {KEY}}}}"]),
    ("seen", &["{scenario: x, consumers: {w: {queue: q, on_message: [{match: {seen: {KEY}}, do: ack}]}}}"]),
    ("call", &["{scenario: x, steps: [{call: {KEY}}]}"]),
    ("close_connection", &["{scenario: x, steps: [{close_connection: {KEY}}]}"]),
    ("stop_node", &["{scenario: x, steps: [{stop_node: {KEY}}]}"]),
    ("includes_queues", &["{scenario: x, steps: [{expect: {message: m, routed_to: {KEY}}}]}"]),
    ("tally", &["{scenario: x, steps: [{expect: {tally: {KEY}, is: 1}}]}"]),
    (
        "metric",
        &[
            "{scenario: x, steps: [{expect: {metric: {KEY}, is: 1}}]}",
            "{scenario: x, steps: [{expect: {metric: {name: published, KEY}, is: 1}}]}",
            "{scenario: x, steps: [{expect: {metric: {name: dead_lettered, KEY}, is: 1}}]}",
            "{scenario: x, steps: [{expect: {metric: {name: latency, KEY}, is: 1s}}]}",
        ],
    ),
    ("topology", &["{queues: [], KEY}"]),
    ("user", &["{users: [{KEY}]}"]),
    ("vhost", &["{vhosts: [{KEY}]}"]),
    ("vhost_metadata", &["{vhosts: [{name: v, metadata: {KEY}}]}"]),
    ("permission", &["{permissions: [{KEY}]}"]),
    ("own_permission", &["{users: [{name: u, permissions: [{KEY}]}]}"]),
    ("topic_permission", &["{topic_permissions: [{KEY}]}"]),
    ("own_topic_permission", &["{users: [{name: u, topic_permissions: [{KEY}]}]}"]),
    ("exchange", &["{exchanges: [{KEY}]}"]),
    ("queue", &["{queues: [{KEY}]}"]),
    ("ignore", &["{ignore: {KEY}}"]),
    ("topology_needs", &["{needs: {KEY}}"]),
    ("dead_letter", &["{queues: [{name: q, dead_letter: {KEY}}]}"]),
    ("retry", &["{queues: [{name: q, retry: {KEY}}]}"]),
    ("binding_to", &["{queues: [{name: q, bindings: [{KEY}]}]}"]),
    ("binding", &["{bindings: [{KEY}]}"]),
    ("policy", &["{policies: [{KEY}]}"]),
    ("parameter", &["{parameters: [{KEY}]}"]),
    ("global_parameter", &["{global_parameters: [{KEY}]}"]),
];

fn problems(text: &str) -> Vec<Problem> {
    let (mut sources, settings) = (Sources::default(), Settings::default());
    let world = Disk::at("", Default::default());
    match text.starts_with("{scenario:") {
        true => load_scenario(&mut sources, "x.yaml", text.as_bytes(), &world, &settings).1,
        false => load_topology(&mut sources, "x.yaml", text.as_bytes(), &world, &settings).1,
    }
}

/// Returns whether the language refuses a key at a place, be it unknown or not available yet, whatever stands at it.
fn is_refused(place: &str, key: &str) -> bool {
    let codes = [Code::YamlUnknownKey, Code::ScenarioNotYet, Code::ScenarioStep, Code::ScenarioAction];
    let about_it = |one: &Problem| {
        one.code == Code::ScenarioNoSubject || codes.contains(&one.code) && one.message.contains(&format!("`{key}`"))
    };
    ["null", "{}"].iter().all(|value| {
        let text = place.replace("KEY", &format!("{key}: {value}"));
        problems(&text).iter().any(about_it)
    })
}

fn objects() -> impl Iterator<Item = &'static WordGroup> {
    OF_SCENARIOS.iter().chain(OF_STEPS).chain(OF_TOPOLOGIES)
}

#[test]
fn the_language_knows_every_word_of_the_table() {
    for object in objects() {
        let (_, places) = PLACES
            .iter()
            .find(|(name, _)| *name == object.name)
            .unwrap_or_else(|| panic!("say in PLACES where `{}` may stand", object.name));
        // These say what they take instead of which key is unknown.
        let says_so = !["includes_deaths", "declare", "delete"].contains(&object.name);
        for place in places.iter().filter(|_| says_so) {
            assert!(is_refused(place, "nonsense"), "{}: nonsense is not refused in {place}", object.name);
        }
        for word in object.keys() {
            let known = word == "for_each" || places.iter().any(|place| !is_refused(place, word));
            assert!(known, "the language refuses `{word}` in {}: take it out of the table", object.name);
        }
    }
}

#[test]
fn every_kind_of_the_table_is_one() {
    for of in [SchemaOf::Scenario, SchemaOf::Topology, SchemaOf::Config] {
        let text = schema(of).to_string();
        assert!(!text.contains("no such kind"), "{text}");
        let references = Regex::new(r##""#/definitions/([a-z_]+)""##).expect("a pattern");
        for reference in references.captures_iter(&*text) {
            let name = &reference.expect("a match")[1];
            assert!(schema(of)["definitions"].get(name).is_some(), "nothing is called {name}");
        }
    }
}

/// Returns what reading a `rmqplay.yaml` complains of: as a whole, of its broker `b`, or of its profile `p`.
fn config_faults(text: &str) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("rmqplay.yaml"), text).expect("writable");
    let disk = Disk::at(folder.path(), Default::default());
    match KnownBrokers::read(&disk) {
        Ok(known) => {
            let of_broker = known.address("b", &disk).and_then(Result::err);
            of_broker.or_else(|| known.profiles().read("p", &disk).and_then(Result::err))
        }
        Err(why) => Some(why),
    }
}

#[test]
fn the_schema_of_rmqplay_yaml_takes_what_the_program_takes() {
    let kept = root("tests/schema/rmqplay.schema.json");
    golden::check(&kept, &format!("{:#}\n", schema(SchemaOf::Config)))
        .unwrap_or_else(|difference| panic!("{difference}"));
    let right = [
        "{brokers: {b: 'amqp://localhost'}}",
        "{brokers: {b: {url: 'amqps://h', username: u, password: '{{ env.X | default(1) }}', vhost: v, heartbeat: 5}}}",
        "{brokers: {b: {url: 'amqps://h', cacertfile: ca.pem, certfile: c.pem, keyfile: k.pem, auth_mechanism: external}}}",
        "{brokers: {b: {url: 'amqps://h', verify: verify_none, server_name_indication: h, channel_max: 0}}}",
        "{brokers: {b: {url: 'amqp://h', connection_timeout: 500, management: 'http://h:1', restart: 'true'}}}",
        "{brokers: {}, permit: [transient_nonexcl_queues]}",
        "{profiles: {p: {brokers: [sim, 'sim:3.10'], jobs: 4, fail_fast: true, vars: {n: 3}, time_scale: fit}, q: null}}",
        "{profiles: {p: {brokers: sim, report: 'junit:x.xml', snapshots: check, coverage_min: 80.5, keep_vhost: on-failure}}}",
    ];
    for text in right {
        assert_eq!(faults(SchemaOf::Config, text), Vec::<String>::new(), "{text}");
        assert_eq!(config_faults(text), None, "{text}");
    }
    let wrong = [
        "{brokers: []}",
        "{broker: {}}",
        "{brokers: {b: {username: u}}}",
        "{brokers: {b: {rul: 'amqp://h'}}}",
        "{brokers: {b: {url: 'amqps://h', verify: maybe}}}",
        "{brokers: {b: {url: 'amqp://h', heartbeat: -1}}}",
        "{brokers: {b: {url: 'amqp://h', connection_timeout: 0}}}",
        "{brokers: {b: {url: 'amqp://h', channel_max: 70000}}}",
        "{brokers: {b: {url: [x]}}}",
        "{permit: [everything]}",
        "{permit: everything}",
        "{profiles: [p]}",
        "{profiles: {p: [sim]}}",
        "{profiles: {p: {broker: sim}}}",
        "{profiles: {p: {fail_fast: 3}}}",
        "{profiles: {p: {jobs: [1]}}}",
        "{profiles: {p: {vars: [n]}}}",
    ];
    for text in wrong {
        assert!(!faults(SchemaOf::Config, text).is_empty(), "the schema takes {text}");
        assert!(config_faults(text).is_some(), "the program takes {text}");
    }
}

#[test]
fn the_reference_shows_a_rmqplay_yaml_that_the_schema_takes() {
    let reference = std::fs::read_to_string(root("src/language/reference.md")).expect("the reference");
    let section = reference.split("\n### `rmqplay.yaml`").nth(1).expect("its section");
    let example = section.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    assert_eq!(faults(SchemaOf::Config, example), Vec::<String>::new());
    for group in OF_CONFIG {
        for key in group.keys() {
            let told = section.split("\n## ").next().is_some_and(|own| own.contains(&format!("`{key}`")));
            assert!(told, "the reference does not tell of `{key}`");
        }
    }
}
