//! The table of words, of topologies: objects, their keys, what each takes and means. See `words` for how it is written.

use crate::report::schema::words::{Object, object};

/// The words of a topology. A queue has a typed field for each argument that the rules know, too.
pub const TOPOLOGY_OBJECTS: &[Object] = &[
    object(
        "topology",
        &[
            ("vhost", "text", "Of every object that names none"),
            ("vars", "{any}", "Variables for templates"),
            ("users", "[@user]", "Users with their rights"),
            ("vhosts", "[text | @vhost]", "Virtual hosts"),
            ("permissions", "[@permission]", "Rights of users"),
            ("topic_permissions", "[@topic_permission]", "Rights by routing key"),
            ("exchanges", "[@exchange]", "Exchanges"),
            ("queues", "[@queue]", "Queues"),
            ("bindings", "[@binding]", "Bindings"),
            ("policies", "[@policy]", "Policies"),
            ("operator_policies", "[@policy]", "Operator policies"),
            ("parameters", "[@parameter]", "Runtime parameters"),
            ("global_parameters", "[@global_parameter]", "Global parameters"),
            ("rabbit_version", "text", "Of an export: the version that wrote it"),
            ("rabbitmq_version", "text", "Of an export: the version that wrote it"),
            ("rabbitmq_definition_format", "any", "Of an export"),
            ("original_vhost_name", "text", "Of an export of one vhost"),
            ("original_cluster_name", "text", "Of an export"),
            ("product_name", "text", "Of an export"),
            ("product_version", "text", "Of an export"),
            ("explanation", "any", "Of an export"),
            ("description", "any", "Of an export of one vhost"),
            ("metadata", "any", "Of an export of one vhost"),
        ],
    ),
    object(
        "user",
        &[
            ("name!", "text", "Its name"),
            ("password", "text", "From the environment: \"{{ env.ALICE_PASSWORD }}\""),
            ("password_hash", "text", "Instead of a password"),
            (
                "hashing_algorithm",
                "word:rabbit_password_hashing_sha256,rabbit_password_hashing_sha512,rabbit_password_hashing_md5",
                "Of the hash",
            ),
            ("tags", "text | [text]", "administrator, monitoring, policymaker, management"),
            ("limits", "{int} | [any]", "max-connections, max-channels"),
            ("permissions", "@own_permission | [@own_permission]", "Its rights"),
            ("topic_permissions", "@own_topic_permission | [@own_topic_permission]", "Its rights by routing key"),
            ("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    object(
        "vhost",
        &[
            ("name!", "text", "Its name"),
            ("description", "text", "What it is for"),
            ("tags", "text | [text]", "Of the vhost"),
            ("default_queue_type", "text", "Of queues that name no type"),
            ("metadata", "@vhost_metadata", "The same, as newer exports write it"),
            ("limits", "{int} | [any]", "max-connections, max-queues"),
            ("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    object(
        "vhost_metadata",
        &[
            ("description", "text", "What it is for"),
            ("tags", "text | [text]", "Of the vhost"),
            ("default_queue_type", "text", "Of queues that name no type"),
        ],
    ),
    object(
        "permission",
        &[
            ("user!", "text", "Whose"),
            ("vhost", "text", "Where"),
            ("configure!", "text", "A pattern of names"),
            ("write!", "text", "A pattern of names"),
            ("read!", "text", "A pattern of names"),
            ("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    object(
        "own_permission",
        &[
            ("vhost", "text", "Where"),
            ("configure!", "text", "A pattern of names"),
            ("write!", "text", "A pattern of names"),
            ("read!", "text", "A pattern of names"),
        ],
    ),
    object(
        "topic_permission",
        &[
            ("user!", "text", "Whose"),
            ("vhost", "text", "Where"),
            ("exchange!", "text", "Of which exchange"),
            ("write!", "text", "A pattern of routing keys"),
            ("read!", "text", "A pattern of routing keys"),
            ("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    object(
        "own_topic_permission",
        &[
            ("vhost", "text", "Where"),
            ("exchange!", "text", "Of which exchange"),
            ("write!", "text", "A pattern of routing keys"),
            ("read!", "text", "A pattern of routing keys"),
        ],
    ),
    object(
        "exchange",
        &[
            ("name!", "text", "Its name"),
            ("vhost", "text", "Where"),
            ("type", "text", "direct (default), fanout, topic, headers, local-random, or x-… of a plugin"),
            ("durable", "bool", "true unless said otherwise"),
            ("auto_delete", "bool", "Goes with its last binding"),
            ("internal", "bool", "Takes no publishes"),
            ("alternate_exchange", "text", "Takes what no binding takes"),
            ("arguments", "{any}", "As RabbitMQ takes them"),
            ("bindings", "[@binding_to]", "What leads to it"),
            ("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    object(
        "queue",
        &[
            ("name!", "text", "Its name"),
            ("vhost", "text", "Where"),
            ("durable", "bool", "true unless said otherwise"),
            ("auto_delete", "bool", "Goes with its last consumer"),
            ("exclusive", "bool", "Of one connection"),
            ("dead_letter", "@dead_letter", "Where messages go that die here"),
            ("arguments", "{any}", "As RabbitMQ takes them"),
            ("bindings", "[@binding_to]", "What leads to it"),
            ("retry", "@retry", "Wait queues, and the way back"),
            ("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    object(
        "dead_letter",
        &[
            ("exchange!", "text", "\"\" is the default exchange"),
            ("routing_key", "text", "Absent: the message's own"),
            ("strategy", "word:at-most-once,at-least-once", "Of quorum queues"),
        ],
    ),
    object(
        "retry",
        &[
            ("delays", "[duration]", "A wait queue for each; the consumer's forward chooses"),
            ("every", "duration", "One wait queue and back, by the broker alone"),
            ("then", "text", "The queue of those that were tried often enough"),
        ],
    ),
    object(
        "binding_to",
        &[
            ("source!", "text", "The exchange"),
            ("routing_key", "text", "The key or pattern"),
            ("arguments", "{any}", "As RabbitMQ takes them"),
            ("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    object(
        "binding",
        &[
            ("source!", "text", "The exchange"),
            ("vhost", "text", "Where"),
            ("destination", "text", "What it leads to"),
            ("destination_type", "word:queue,exchange", "What that is"),
            ("queue", "text", "Short for a destination that is a queue"),
            ("exchange", "text", "Short for a destination that is an exchange"),
            ("routing_key", "text", "The key or pattern"),
            ("arguments", "{any}", "As RabbitMQ takes them"),
            ("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    object(
        "policy",
        &[
            ("name!", "text", "Its name"),
            ("vhost", "text", "Where"),
            ("pattern!", "text", "Which names it catches"),
            ("apply-to", "word:all,queues,classic_queues,quorum_queues,streams,exchanges", "What it catches"),
            ("apply_to", "word:all,queues,classic_queues,quorum_queues,streams,exchanges", "What it catches"),
            ("priority", "int", "The highest one rules"),
            ("definition!", "{any}", "RabbitMQ's policy keys: {message-ttl: 5000}"),
            ("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    object(
        "parameter",
        &[
            ("vhost", "text", "Where"),
            ("component!", "text", "Of what"),
            ("name!", "text", "Its name"),
            ("value!", "any", "Its value"),
            ("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    object(
        "global_parameter",
        &[
            ("name!", "text", "Its name"),
            ("value!", "any", "Its value"),
            ("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
];
