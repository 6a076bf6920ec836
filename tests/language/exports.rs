//! A definitions file as a broker wrote it loads without a problem, whatever its version.

use super::{Held, Settings, Sources, load_topology, topology};
use rmqplay::model::{Credential, Value};
use rmqplay::source::{Code, Level};

const CLUSTER: &str = r#"{"rabbit_version":"3.10.8","rabbitmq_version":"3.10.8","product_name":"RabbitMQ","product_version":"3.10.8",
"users":[{"name":"guest","password_hash":"QJsQ0/W7","hashing_algorithm":"rabbit_password_hashing_sha256","tags":["administrator"],"limits":{"max-connections":5}},
{"name":"old","password_hash":"QJsQ0/W8","hashing_algorithm":"rabbit_password_hashing_sha256","tags":"monitoring,policymaker","limits":[]}],
"vhosts":[{"name":"/"},{"name":"shop","metadata":{"description":"d","tags":["a"],"default_queue_type":"quorum"}}],
"permissions":[{"user":"guest","vhost":"/","configure":".*","write":".*","read":".*"}],"topic_permissions":[],
"parameters":[{"vhost":"/","component":"operator_policy","name":"cap","value":{"pattern":".*","definition":{"max-length":9},"priority":2,"apply-to":"queues"}},
{"value":{"max-queues":7},"vhost":"shop","component":"vhost-limits","name":"limits"}],
"global_parameters":[{"name":"internal_cluster_id","value":"rabbitmq-cluster-id-x"}],
"policies":[{"vhost":"/","name":"p{{ not a template }}","pattern":"^x","apply-to":"all","definition":{"ha-mode":"all"},"priority":0}],
"queues":[{"name":"q","vhost":"/","durable":true,"auto_delete":false,"type":"quorum","new_field":1,"arguments":{"x-queue-type":"quorum"}},
{"name":"c","vhost":"shop","durable":true,"auto_delete":false,"type":"classic","arguments":{}}],
"exchanges":[{"name":"e","vhost":"/","type":"topic","durable":true,"auto_delete":false,"internal":true,"arguments":{"alternate-exchange":"amq.fanout"}}],
"bindings":[{"source":"e","vhost":"/","destination":"q","destination_type":"queue","routing_key":"a","arguments":{"x-n":1.5}}]}"#;

#[test]
fn a_cluster_export_loads_with_notes_at_most() {
    let (loaded, notes) = topology(&Held::default(), CLUSTER);
    assert!(loaded.is_export);
    assert!(notes.iter().all(|note| note.level == Level::Note), "{notes:?}");
    let found = &loaded.topology;
    assert!(matches!(&found.users[0].credential, Some(Credential::Hash { hash, .. }) if hash.expose() == "QJsQ0/W7"));
    assert_eq!(found.users[1].tags, ["monitoring", "policymaker"]);
    assert_eq!(found.vhosts[1].default_queue_type.as_deref(), Some("quorum"));
    assert_eq!(found.vhosts[1].limits["max-queues"], 7);
    assert_eq!(found.operator_policies[0].definition["max-length"], 9);
    assert_eq!(&*found.policies[0].name, "p{{ not a template }}");
    assert_eq!(found.bindings[0].arguments["x-n"], Value::F64(1.5));
    assert_eq!(found.parameters.len(), 0);
    assert!(notes.iter().any(|note| note.message.contains("new_field")));
}

#[test]
fn an_export_of_one_vhost_names_it_once() {
    let text = r#"{"rabbitmq_definition_format":"single_virtual_host","original_vhost_name":"shop","metadata":{"description":""},
        "limits":{"max-queues":7},
        "queues":[{"name":"q","durable":true,"auto_delete":false,"arguments":{}}],"exchanges":[],"bindings":[]}"#;
    let (loaded, notes) = topology(&Held::default(), text);
    assert_eq!(notes, Vec::new());
    assert_eq!(loaded.topology.vhosts[0].limits["max-queues"], 7);
    let (loaded, notes) = topology(&Held::default(), &text.replace("{\"max-queues\":7}", "[]"));
    assert_eq!((notes, loaded.topology.vhosts.len()), (Vec::new(), 0));
    assert!(loaded.topology.queue("shop", "q").is_some());
}

#[test]
fn an_export_may_be_large_wherever_the_keys_stand_that_tell_it() {
    // `rabbitmqctl export_definitions` writes the bindings before the version.
    let large = format!(r#"{{"global_parameters":[{{"name":"note","value":"{}"}}]"#, "x".repeat(9 << 20));
    let (loaded, notes) = topology(&Held::default(), &format!(r#"{large},"rabbit_version":"4.3.6"}}"#));
    assert_eq!((loaded.topology.global_parameters.len(), notes), (1, Vec::new()));
    let mut sources = Sources::default();
    let (loaded, problems) = load_topology(
        &mut sources,
        "large.json",
        format!("{large}}}").as_bytes(),
        &Held::default(),
        &Settings::default(),
    );
    assert!(loaded.is_none());
    assert_eq!(problems[0].code, Code::FileTooLarge);
}

#[test]
fn bom_and_crlf_are_fine() {
    let (loaded, notes) = topology(&Held::default(), "\u{feff}queues:\r\n  - name: q\r\n    message_ttl: 5s\r\n");
    assert_eq!(notes, Vec::new());
    assert_eq!(loaded.topology.queues[0].arguments["x-message-ttl"], Value::I64(5_000));
}
