//! Which argument and which policy key is known, for which queue type, and what kind of value it takes.
//! The one table that `language` (typed fields, problems), `plan` (what can change) and `sim` (refusals) read.

use crate::model::{Profile, QueueKind};

/// What a value of an argument must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Milliseconds.
    Duration,
    /// A number of bytes.
    Size,
    /// A whole number.
    Integer,
    /// Any text.
    Text,
    /// True or false.
    Bool,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

/// One known queue argument: `x-` and its name; the typed field of a topology is the name with `_` for `-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueArgument {
    /// Without `x-`: also the policy's key, where a policy may set it.
    pub name: &'static str,
    /// What its value is.
    pub kind: ValueKind,
    /// The queue types that take it; another type refuses it (406, ER-6).
    pub types: &'static [QueueKind],
    /// The first version that knows it; older ones ignore it.
    pub since: Profile,
    /// A policy may set it too.
    pub policy: bool,
}

use QueueKind::{Classic, Quorum, Stream};
use ValueKind::{Bool, Duration, Integer, OneOf, Size, Text};

const ALL: &[QueueKind] = &[Classic, Quorum, Stream];
const QUEUES: &[QueueKind] = &[Classic, Quorum];

const fn argument(name: &'static str, kind: ValueKind, types: &'static [QueueKind]) -> QueueArgument {
    QueueArgument { name, kind, types, since: Profile::V3_10, policy: true }
}

impl QueueArgument {
    const fn since(self, since: Profile) -> Self {
        Self { since, ..self }
    }

    const fn no_policy(self) -> Self {
        Self { policy: false, ..self }
    }

    /// Returns the argument's full name, `x-message-ttl`.
    pub fn full_name(&self) -> String {
        format!("x-{}", self.name)
    }

    /// Returns the typed field of a topology file, `message_ttl`.
    pub fn field(&self) -> String {
        self.name.replace('-', "_")
    }
}

/// All queue arguments that RabbitMQ 3.10 to 4.3 know (rules TTL-2, EXP-1, LEN-1, ER-6).
pub const QUEUE_ARGUMENTS: &[QueueArgument] = &[
    argument("queue-type", OneOf(&["classic", "quorum", "stream"]), ALL).no_policy(),
    argument("message-ttl", Duration, QUEUES),
    argument("expires", Duration, QUEUES),
    argument("dead-letter-exchange", Text, QUEUES),
    argument("dead-letter-routing-key", Text, QUEUES),
    argument("dead-letter-strategy", OneOf(&["at-most-once", "at-least-once"]), &[Quorum]),
    argument("max-length", Integer, QUEUES),
    argument("max-length-bytes", Size, ALL),
    argument("max-in-memory-length", Integer, &[Quorum]),
    argument("max-in-memory-bytes", Size, &[Quorum]),
    argument("overflow", OneOf(&["drop-head", "reject-publish", "reject-publish-dlx"]), QUEUES),
    argument("max-priority", Integer, &[Classic]).no_policy(),
    argument("queue-mode", OneOf(&["default", "lazy"]), &[Classic]),
    argument("queue-version", Integer, &[Classic]),
    argument("queue-master-locator", OneOf(&["min-masters", "client-local", "random"]), &[Classic]),
    argument("queue-leader-locator", OneOf(&["client-local", "balanced"]), ALL),
    argument("single-active-consumer", Bool, QUEUES).no_policy(),
    argument("delivery-limit", Integer, &[Quorum]),
    argument("quorum-initial-group-size", Integer, &[Quorum]).no_policy(),
    argument("target-group-size", Integer, &[Quorum]).since(Profile::V3_13),
    argument("consumer-timeout", Duration, &[Quorum]).since(Profile::V3_12),
    argument("consumer-disconnected-timeout", Duration, &[Quorum]).since(Profile::V4_3),
    argument("delayed-retry-type", OneOf(&["all", "failed", "returned", "disabled"]), &[Quorum]).since(Profile::V4_3),
    argument("delayed-retry-min", Duration, &[Quorum]).since(Profile::V4_3),
    argument("delayed-retry-max", Duration, &[Quorum]).since(Profile::V4_3),
    argument("max-age", Text, &[Stream]),
    argument("stream-max-segment-size-bytes", Size, &[Stream]),
    argument("stream-filter-size-bytes", Size, &[Stream]).since(Profile::V3_13),
    argument("initial-cluster-size", Integer, &[Stream]),
];

/// Finds a queue argument by its name, with or without `x-`.
pub fn queue_argument(name: &str) -> Option<&'static QueueArgument> {
    let bare = name.strip_prefix("x-").unwrap_or(name);
    QUEUE_ARGUMENTS.iter().find(|argument| argument.name == bare)
}
