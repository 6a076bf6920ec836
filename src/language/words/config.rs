//! The table of words, of `rmqplay.yaml`: brokers by name and what can be done with each, and profiles of `run`. See `words` for how it is written.

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
            word("profiles", "{@profile | null}", "Flags of `run` by name, for `run --profile NAME`"),
        ],
    ),
    group(
        "profile",
        &[
            word("paths", "text | [text]", "Scenario files and folders").or("scenarios"),
            word("brokers", "text | [text]", "Where it is played: sim, sim:VERSION, a URL, a name of `brokers`")
                .or("sim"),
            word("jobs", "int:1..1000000", "How many cells play at once on a broker"),
            word("report", "text | [text]", "Reports: KIND:FILE"),
            word("filter", "text", "Only cells that fit: \"tag(dlx) and not name(retry)\""),
            word("tags", "text | [text]", "Only cells with one of these tags"),
            word("snapshots", "word:check,pending,accept", "What becomes of new and changed outcomes"),
            word("fail_fast", "bool", "Play no further cell once one has failed or changed").or("false"),
            word("retries", "int:0..1000000", "How often a cell that failed plays again on a live broker").or("0"),
            word("time_scale", "number | word:fit", "Multiply every duration on a live broker"),
            word("max_wait", "text", "Skip a cell that would take longer on a live broker").or("30s"),
            word("coverage_min", "number", "The least share in percent that the cells must exercise"),
            word("trace", "bool", "Tell what happened in each run, entry by entry").or("false"),
            word("vars", "{any}", "Variables of the files; those of --var come on top"),
            word("vars_files", "text | [text]", "Files of variables"),
            word("permit", "text | [text]", "Deprecated features that the simulated broker permits"),
            word("plugins", "text | [text]", "Plugins that the simulated broker has enabled"),
            word("management", "text", "URL of the management API of a live broker"),
            word("keep_vhost", "word:always,on-failure", "When the vhosts on a live broker stay for a look"),
            word("in_vhost", "text", "The vhost of a live broker in which cells play one after another"),
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
