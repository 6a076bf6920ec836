//! The table of words, of `rmqplay.yaml`: brokers by name, and what can be done with each. See `words` for how it is written.

use crate::language::words::{WordGroup, group, word};

/// The words of `rmqplay.yaml`.
pub const OF_CONFIG: &[WordGroup] = &[
    group(
        "config",
        &[
            word("brokers", "{text | @broker}", "Brokers by name: a URL each, or a map with `url`"),
            word(
                "permit",
                "[word:global_qos,transient_nonexcl_queues]",
                "Deprecated features that the simulated broker permits",
            ),
            word(
                "plugins",
                "[word:rabbitmq_consistent_hash_exchange,rabbitmq_random_exchange,rabbitmq_recent_history_exchange,rabbitmq_sharding]",
                "Plugins that the simulated broker has enabled",
            ),
        ],
    ),
    group(
        "broker",
        &[
            word("url!", "text", "amqp://USER:PASSWORD@HOST:PORT/VHOST, or amqps:// for TLS"),
            word("username", "text | number", "Instead of the URL's, as it is"),
            word("password", "text | number", "Instead of the URL's, as it is: \"{{ env.STAGING_PASSWORD }}\""),
            word("vhost", "text | number", "Instead of the URL's, as it is"),
            word("management", "text", "URL of the management API").or("the AMQP port + 10000"),
            word("restart", "text", "A shell command that stops and starts the broker"),
            word("node", "text", "A shell command that, with `stop NODE` or `start NODE` added, does so with a node"),
            word("cacertfile", "text", "Certificates of the authorities that are trusted").or("the system's"),
            word("certfile", "text", "The client's certificate"),
            word("keyfile", "text", "The key of the client's certificate"),
            word("verify", "word:verify_peer,verify_none", "Whether the broker's certificate is checked")
                .or("verify_peer"),
            word("server_name_indication", "text", "The name that the broker's certificate must have").or("the host"),
            word("auth_mechanism", "word:plain,external", "external: login by the client's certificate").or("plain"),
            word("heartbeat", "int:0..65535", "Seconds, 0 for none"),
            word("connection_timeout", "int:1..4294967295", "Milliseconds until a connection is given up"),
            word("channel_max", "int:0..65535", "Channels of a connection, 0 for as many as the broker allows"),
        ],
    ),
];
