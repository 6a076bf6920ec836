//! The table of words, of what single steps take that no topology and no consumer has. See `words` for how it is written.

use crate::language::words::{WordGroup, group, word};

/// What steps of a scenario take.
pub const OF_STEPS: &[WordGroup] = &[
    group(
        "ack_held",
        &[
            word("of!", "text", "The name under which it is held"),
            word("multiple", "bool", "And all that was taken before it").or("false"),
        ],
    ),
    group(
        "nack_held",
        &[
            word("of!", "text", "The name under which it is held"),
            word("multiple", "bool", "And all that was taken before it").or("false"),
            word("requeue", "bool", "Back to the queue").or("false"),
        ],
    ),
    group(
        "reject_held",
        &[
            word("of!", "text", "The name under which it is held"),
            word("requeue", "bool", "Back to the queue").or("false"),
        ],
    ),
    group(
        "consume",
        &[
            word("queue!", "text", "Which one"),
            word("global_prefetch", "int:0..65535", "Set before on the channel; 0 sets none").or("0"),
        ],
    ),
    group(
        "wait_until_quiet",
        &[
            word("within!", "duration", "Until when it must have become quiet"),
            word("for", "duration", "How long nothing may move; absent: nothing is left that will"),
        ],
    ),
    group(
        "recover",
        &[
            word("of!", "text", "Whose channel: a consumer's, a user's, or driver"),
            word("requeue", "bool", "RabbitMQ refuses false").or("true"),
        ],
    ),
    group(
        "qos",
        &[
            word("of!", "text", "Whose channel: a consumer's"),
            word("prefetch!", "int:0..65535", "How many unacked messages; 0 is no limit"),
            word("global", "bool", "Of all consumers of the channel together; false: of each that comes after")
                .or("false"),
        ],
    ),
    group(
        "cleared_permission",
        &[word("user!", "text", "Whose"), word("vhost", "text", "Where the topology has several")],
    ),
    group(
        "cleared_topic_permission",
        &[
            word("user!", "text", "Whose"),
            word("exchange!", "text", "On which topic exchange"),
            word("vhost", "text", "Where the topology has several"),
        ],
    ),
    group(
        "vhost_limits",
        &[
            word("vhost", "text", "Of which vhost; absent: that of the step"),
            word("max-connections", "int", "How many connections it may have; -1 is no limit"),
            word("max-queues", "int", "How many queues it may hold; -1 is no limit"),
        ],
    ),
    group(
        "cleared_vhost_limits",
        &[
            word("vhost", "text", "Of which vhost; absent: that of the step"),
            word("limits!", "text | [text]", "Which: max-connections, max-queues"),
        ],
    ),
    group(
        "user_limits",
        &[
            word("user!", "text", "Of which user"),
            word("max-connections", "int", "How many connections the user may have; -1 is no limit"),
            word("max-channels", "int", "How many channels on all connections; -1 is no limit"),
        ],
    ),
    group(
        "cleared_user_limits",
        &[
            word("user!", "text", "Of which user"),
            word("limits", "text | [text]", "Which: max-connections, max-channels; absent: all"),
        ],
    ),
];
