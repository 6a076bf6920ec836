//! The table of words, of topologies: objects, their keys, what each takes and means. See `words` for how it is written.

use crate::language::words::{WordGroup, group, word};

/// The words of a topology. A queue has a typed field for each argument that the rules know, too.
pub const OF_TOPOLOGIES: &[WordGroup] = &[
    group(
        "topology",
        &[
            word("vhost", "text", "Of every object that names none"),
            word("vars", "{any}", "Variables for templates"),
            word("allow", "[@allowance]", "Findings that are meant to be so"),
            word("users", "[@user]", "Users with their rights"),
            word("vhosts", "[text | @vhost]", "Virtual hosts"),
            word("permissions", "[@permission]", "Rights of users"),
            word("topic_permissions", "[@topic_permission]", "Rights by routing key"),
            word("exchanges", "[@exchange]", "Exchanges"),
            word("queues", "[@queue]", "Queues"),
            word("bindings", "[@binding]", "Bindings"),
            word("policies", "[@policy]", "Policies"),
            word("operator_policies", "[@policy]", "Operator policies"),
            word("parameters", "[@parameter]", "Runtime parameters"),
            word("global_parameters", "[@global_parameter]", "Global parameters"),
            word("rabbit_version", "text", "Of an export: the version that wrote it").of_export(),
            word("rabbitmq_version", "text", "Of an export: the version that wrote it").of_export(),
            word("rabbitmq_definition_format", "any", "Of an export").of_export(),
            word("original_vhost_name", "text", "Of an export of one vhost").of_export(),
            word("original_cluster_name", "text", "Of an export").of_export(),
            word("product_name", "text", "Of an export").of_export(),
            word("product_version", "text", "Of an export").of_export(),
            word("explanation", "any", "Of an export").of_export(),
            word("description", "any", "Of an export of one vhost").of_export(),
            word("metadata", "any", "Of an export of one vhost").of_export(),
        ],
    ),
    group(
        "allowance",
        &[word("code!", "text", "As `check` shows it"), word("reason!", "text", "Why it is meant to be so")],
    ),
    group(
        "user",
        &[
            word("name!", "text", "Its name"),
            word("password", "text", "From the environment: \"{{ env.ALICE_PASSWORD }}\""),
            word("password_hash", "text", "Instead of a password"),
            word(
                "hashing_algorithm",
                "word:rabbit_password_hashing_sha256,rabbit_password_hashing_sha512,rabbit_password_hashing_md5",
                "Of the hash",
            ),
            word("tags", "text | [text]", "administrator, monitoring, policymaker, management"),
            word("limits", "{int} | [any]", "max-connections, max-channels"),
            word("permissions", "@own_permission | [@own_permission]", "Its rights"),
            word("topic_permissions", "@own_topic_permission | [@own_topic_permission]", "Its rights by routing key"),
            word("allow", "[@allowance]", "Findings that are meant to be so, here"),
            word("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    group(
        "vhost",
        &[
            word("name!", "text", "Its name"),
            word("description", "text", "What it is for"),
            word("tags", "text | [text]", "Of the vhost"),
            word("default_queue_type", "text", "Of queues that name no type"),
            word("protected_from_deletion", "bool", "A broker of 4.1 or later refuses to delete it"),
            word("metadata", "@vhost_metadata", "The same, as newer exports write it"),
            word("limits", "{int} | [any]", "max-connections, max-queues"),
            word("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    group(
        "vhost_metadata",
        &[
            word("description", "text", "What it is for"),
            word("tags", "text | [text]", "Of the vhost"),
            word("default_queue_type", "text", "Of queues that name no type"),
            word("protected_from_deletion", "bool", "A broker of 4.1 or later refuses to delete it"),
        ],
    ),
    group(
        "permission",
        &[
            word("user!", "text", "Whose"),
            word("vhost", "text", "Where"),
            word("configure!", "text", "A pattern of names"),
            word("write!", "text", "A pattern of names"),
            word("read!", "text", "A pattern of names"),
            word("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    group(
        "own_permission",
        &[
            word("vhost", "text", "Where"),
            word("configure!", "text", "A pattern of names"),
            word("write!", "text", "A pattern of names"),
            word("read!", "text", "A pattern of names"),
        ],
    ),
    group(
        "topic_permission",
        &[
            word("user!", "text", "Whose"),
            word("vhost", "text", "Where"),
            word("exchange!", "text", "Of which exchange"),
            word("write!", "text", "A pattern of routing keys"),
            word("read!", "text", "A pattern of routing keys"),
            word("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    group(
        "own_topic_permission",
        &[
            word("vhost", "text", "Where"),
            word("exchange!", "text", "Of which exchange"),
            word("write!", "text", "A pattern of routing keys"),
            word("read!", "text", "A pattern of routing keys"),
        ],
    ),
    group(
        "exchange",
        &[
            word("name!", "text", "Its name"),
            word("vhost", "text", "Where"),
            word("type", "text", "direct, fanout, topic, headers, x-local-random, or x-… of a plugin").or("direct"),
            word("durable", "bool", "It survives a restart of the broker").or("true"),
            word("auto_delete", "bool", "Goes with its last binding").or("false"),
            word("internal", "bool", "Takes no publishes").or("false"),
            word("alternate_exchange", "text", "Takes what no binding takes"),
            word("arguments", "{any}", "As RabbitMQ takes them"),
            word("bindings", "[@binding_to]", "What leads to it"),
            word("allow", "[@allowance]", "Findings that are meant to be so, here"),
            word("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    group(
        "queue",
        &[
            word("name!", "text", "Its name"),
            word("vhost", "text", "Where"),
            word("durable", "bool", "It survives a restart of the broker").or("true"),
            word("auto_delete", "bool", "Goes with its last consumer").or("false"),
            word("exclusive", "bool", "Of one connection").or("false"),
            word("dead_letter", "@dead_letter", "Where messages go that die here"),
            word("arguments", "{any}", "As RabbitMQ takes them"),
            word("bindings", "[@binding_to]", "What leads to it"),
            word("retry", "@retry", "Wait queues, and the way back"),
            word("allow", "[@allowance]", "Findings that are meant to be so, here"),
            word("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    group(
        "dead_letter",
        &[
            word("exchange!", "text", "\"\" is the default exchange"),
            word("routing_key", "text", "Absent: the message's own"),
            word("strategy", "word:at-most-once,at-least-once", "Of quorum queues"),
        ],
    ),
    group(
        "retry",
        &[
            word("delays", "[duration]", "A wait queue for each; the consumer's forward chooses"),
            word("every", "duration", "One wait queue and back, by the broker alone"),
            word("then", "text", "The queue of those that were tried often enough"),
        ],
    ),
    group(
        "binding_to",
        &[
            word("source!", "text", "The exchange"),
            word("routing_key", "text", "The key or pattern"),
            word("arguments", "{any}", "As RabbitMQ takes them"),
            word("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    group(
        "binding",
        &[
            word("source!", "text", "The exchange"),
            word("vhost", "text", "Where"),
            word("destination", "text", "What it leads to"),
            word("destination_type", "word:queue,exchange", "What that is").or("queue"),
            word("queue", "text", "Short for a destination that is a queue"),
            word("exchange", "text", "Short for a destination that is an exchange"),
            word("routing_key", "text", "The key or pattern"),
            word("arguments", "{any}", "As RabbitMQ takes them"),
            word("allow", "[@allowance]", "Findings that are meant to be so, here"),
            word("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    group(
        "policy",
        &[
            word("name!", "text", "Its name"),
            word("vhost", "text", "Where"),
            word("pattern!", "text", "Which names it catches"),
            word("apply-to", "word:all,queues,classic_queues,quorum_queues,streams,exchanges", "What it catches")
                .or("all"),
            word("apply_to", "word:all,queues,classic_queues,quorum_queues,streams,exchanges", "What it catches")
                .or("all"),
            word("priority", "int", "The highest one rules").or("0"),
            word("definition!", "{any}", "RabbitMQ's policy keys: {message-ttl: 5000}"),
            word("allow", "[@allowance]", "Findings that are meant to be so, here"),
            word("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    group(
        "parameter",
        &[
            word("vhost", "text", "Where"),
            word("component!", "text", "Of what"),
            word("name!", "text", "Its name"),
            word("value!", "any", "Its value"),
            word("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
    group(
        "global_parameter",
        &[
            word("name!", "text", "Its name"),
            word("value!", "any", "Its value"),
            word("for_each", "[any] | template", "Once for each `{{ item }}`"),
        ],
    ),
];
