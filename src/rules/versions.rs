//! What differs between the RabbitMQ versions of the profiles, in one table; each field names its rule in the book.
//! Everything else asks a field of [`Differences`], never which profile it is.

use crate::model::Profile;
use crate::rules::streams::{STREAMS_3_10, STREAMS_3_12, STREAMS_3_13, STREAMS_4_0, STREAMS_4_3, StreamDifferences};
use crate::rules::version_choices::{
    BadDefaultType, ClientXDeath, DelayHeader, EventFacts, Ghosts, GoneTarget, ModulusOrder, OwnDeadLetters,
    PassiveAccess,
};

/// How a quorum queue orders by priority (PRI-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuorumPriority {
    /// One FIFO.
    None,
    /// High (5 and above) and normal, served 2 : 1.
    Two,
    /// 32 levels, strictly; missing is 4.
    Strict,
}

/// Whether failed deliveries are remembered through dead-lettering (DL-32, DL-34).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureCount {
    /// Each queue starts afresh.
    Forgotten,
    /// Rejections in quorum queues travel and are shown by the next quorum queue, but not counted.
    Shown,
    /// All failures travel and count towards the next delivery limit.
    Counted,
}

/// Who times out consumers that do not acknowledge (CO-19, CO-25).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsumerTimeout {
    /// The channel, by the node's value.
    Node,
    /// The channel, by the queue's value or else the node's.
    QueueOrNode,
    /// The quorum queue itself.
    Queue,
}

/// How many messages that return together keep their order in every version (CO-10).
pub const RETURNS_IN_ORDER_MAX: u64 = 32;

/// Holds all that differs between the profiles; one field per difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Differences {
    /// DL-19: x-death is reversed before each merge.
    pub death_order_bug: bool,
    /// DL-14: the CC header survives a dead-letter routing key.
    pub keeps_cc: bool,
    /// DL-22.
    pub client_x_death: ClientXDeath,
    /// DL-16: a classic queue forgets the expiration of a message that came while others lay in it.
    pub classic_forgets_expiration: bool,
    /// DL-21: x-last-death-* are set.
    pub last_death: bool,
    /// DL-17: each BCC key takes its first likeness from x-death's routing keys, be it the key itself or of CC.
    pub bcc_hides_likenesses: bool,
    /// DL-23: headers are always delivered sorted by key.
    pub sorts_headers: bool,
    /// DL-31: several maxlen victims of one command leave a quorum queue last first.
    pub quorum_maxlen_reversed: bool,
    /// DL-32, DL-34.
    pub failure_count: FailureCount,
    /// EXP-4: a policy's `expires` replaces the argument of a quorum queue.
    pub quorum_expires_policy_wins: bool,
    /// LEN-1: quorum queues count the encoded properties as bytes.
    pub quorum_bytes_with_properties: bool,
    /// PRI-4, PRI-5.
    pub quorum_priority: QuorumPriority,
    /// PRI-1: x-max-priority 0 means this.
    pub least_max_priority: u8,
    /// TTL-13: the returns and each level of a quorum queue expire apart (else only what is next).
    pub quorum_heads_expire_apart: bool,
    /// RT-17: an unknown exchange type ends the connection, not just the channel.
    pub unknown_type_closes_connection: bool,
    /// RT-17: types that come without a plugin.
    pub more_exchange_types: &'static [&'static str],
    /// RT-18.
    pub delay_header: DelayHeader,
    /// PX-1: a header is hashed with the type of its value.
    pub hashes_typed_headers: bool,
    /// PX-1: the largest weight.
    pub hash_weight_max: Option<u64>,
    /// PX-1: a restart keeps the ring; else it is made anew of the bindings.
    pub hash_ring_is_kept: bool,
    /// PX-3: a binding through which nothing of a history can be replayed is not made.
    pub failed_replay_undoes_binding: bool,
    /// PX-4.
    pub event_facts: EventFacts,
    /// PX-2: the order in which `x-modulus-hash` counts its bindings.
    pub modulus_order: ModulusOrder,
    /// RT-7: header values compare exactly; timestamps of bindings never match.
    pub headers_strict: bool,
    /// PE-7: a topic permission needs its exchange.
    pub topic_permissions_need_exchange: bool,
    /// PE-7: a topic permission goes with its exchange.
    pub topic_permissions_go_with_exchange: bool,
    /// RT-22: names of direct reply-to are queues of a type of their own. A mandatory reply to a key that the broker gave
    /// counts as routed, else it is returned, delivered or not; a declare crashes at a strange key or the vhost's limit.
    pub volatile_reply_queues: bool,
    /// RT-20: how many `#` a topic binding key may have.
    pub topic_hashes_max: Option<usize>,
    /// RT-19: user_id and topic permission are checked before expiration.
    pub early_topic_check: bool,
    /// PE-8: topic permissions cover CC and BCC keys.
    pub topic_check_covers_cc: bool,
    /// PE-3: the refusal names the verb.
    pub verb_in_403: bool,
    /// PE-2.
    pub passive_access: PassiveAccess,
    /// ER-13: the text writes the limit of channels in parentheses.
    pub channel_limit_in_parentheses: bool,
    /// CO-4: `global` of basic.qos is ignored.
    pub global_qos_ignored: bool,
    /// CO-6: the highest priority is the single active consumer of a quorum queue.
    pub quorum_sac_priority: bool,
    /// CO-6: a return after which the active consumer makes way does not choose the next.
    pub returns_elect_nobody: bool,
    /// CO-6: when a consumer that was to make way stays although its channel ended.
    pub quorum_sac_ghosts: Ghosts,
    /// CO-6: a classic queue whose active consumer cancels gives the next one nothing before something wakes the queue.
    pub cancel_wakes_nobody: bool,
    /// CO-7: how the text names the type.
    pub quorum_shown_in_text: &'static str,
    /// TX-7.
    pub gone_target: GoneTarget,
    /// LEN-9: a quorum queue without any limit lets refused publishers go on.
    pub quorum_unlimited_releases: bool,
    /// CO-10: when a channel ends, its consumers' messages return by subscription, not by consumer tag.
    pub quorum_returns_by_subscription: bool,
    /// CO-10: with a delivery limit, how many messages that return at once keep their order; `None`: all.
    pub returns_in_order_max: Option<usize>,
    /// CO-10: without a delivery limit a return goes to the tail.
    pub unlimited_returns_to_tail: bool,
    /// CO-10: more than [`RETURNS_IN_ORDER_MAX`] messages that return together to a queue with a delivery limit lose their
    /// order.
    pub many_returns_lose_order: bool,
    /// CO-12: x-delivery-count is 0 on a first get.
    pub quorum_get_count_0: bool,
    /// CO-12: x-acquired-count beside x-delivery-count.
    pub two_counters: bool,
    /// CO-13: returns of a message that a quorum queue allows by default.
    pub quorum_default_limit: Option<i64>,
    /// CO-13: a death by delivery limit lets its consumer hold one message more from then on (seen on 3.10.8).
    pub limit_death_leaks_credit: bool,
    /// CO-13: a negative delivery limit means none (else: discard at once).
    pub negative_limit_is_none: bool,
    /// CO-13: nack, recover and timeouts do not count to the limit.
    pub only_failures_count: bool,
    /// CO-19, CO-25.
    pub consumer_timeout: ConsumerTimeout,
    /// QQ-43-*: delayed retry.
    pub delayed_retry: bool,
    /// DL-30.
    pub own_dead_letters: OwnDeadLetters,
    /// DL-30: a purge also takes dead letters that wait.
    pub purge_takes_waiting: bool,
    /// PO-3: keys that make a policy skip a classic queue, beyond the ones of all versions.
    pub classic_skips: &'static [&'static str],
    /// PO-4: keys of a user policy, beyond the ones of all versions.
    pub more_policy_keys: &'static [&'static str],
    /// PO-5: keys of an operator policy, beyond the ones of all versions.
    pub more_operator_keys: &'static [&'static str],
    /// PO-7: apply-to knows queue types.
    pub apply_to_types: bool,
    /// PO-1: at equal priority the alphabetically first policy wins (else it is chance, and the last one is assumed).
    pub tie_takes_first: bool,
    /// PO-9: texts of /policies are HTML-escaped.
    pub policy_text_escaped: bool,
    /// PO-4: the erlang release says `missing closing parenthesis`.
    pub long_regex_text: bool,
    /// MG-6, ER-4: the type is stored with every queue (else with those that take it from their vhost).
    pub stores_queue_type: bool,
    /// MG-15: a vhost's default queue type is honoured.
    pub default_queue_type: bool,
    /// MG-2: a repeated PUT of a vhost that names no default queue type resets it.
    pub put_resets_default_type: bool,
    /// MG-2.
    pub bad_default_type: BadDefaultType,
    /// ER-11: the limit of queues is looked at before the arguments.
    pub queue_limit_first: bool,
    /// ER-7: x-queue-mode must be a known word.
    pub queue_mode_checked: bool,
    /// ER-7: x-queue-version 1 is refused, too.
    pub queue_version_1_refused: bool,
    /// ER-12: x-queue-master-locator is refused.
    pub master_locator_denied: bool,
    /// ER-12: queues that are neither durable nor exclusive are refused.
    pub transient_queues_denied: bool,
    /// ER-7: delivery_mode must be 1 or 2.
    pub delivery_mode_checked: bool,
    /// ER-7: the largest body, in bytes.
    pub message_size_max: usize,
    /// ST-1 to ST-9.
    pub streams: StreamDifferences,
}

const V3_10: Differences = Differences {
    death_order_bug: true,
    keeps_cc: false,
    client_x_death: ClientXDeath::History,
    classic_forgets_expiration: false,
    last_death: false,
    bcc_hides_likenesses: false,
    quorum_returns_by_subscription: false,
    quorum_unlimited_releases: false,
    gone_target: GoneTarget::LookedUpAgain,
    sorts_headers: false,
    quorum_maxlen_reversed: true,
    failure_count: FailureCount::Forgotten,
    quorum_expires_policy_wins: true,
    quorum_bytes_with_properties: false,
    quorum_priority: QuorumPriority::None,
    quorum_heads_expire_apart: false,
    least_max_priority: 0,
    unknown_type_closes_connection: true,
    more_exchange_types: &[],
    delay_header: DelayHeader::Field,
    hashes_typed_headers: true,
    hash_weight_max: None,
    hash_ring_is_kept: false,
    failed_replay_undoes_binding: true,
    event_facts: EventFacts::WithoutTypes,
    modulus_order: ModulusOrder::BindingKey,
    headers_strict: false,
    topic_permissions_need_exchange: false,
    topic_permissions_go_with_exchange: false,
    volatile_reply_queues: false,
    topic_hashes_max: None,
    early_topic_check: true,
    topic_check_covers_cc: false,
    verb_in_403: false,
    passive_access: PassiveAccess::Free,
    channel_limit_in_parentheses: true,
    global_qos_ignored: false,
    quorum_sac_priority: false,
    returns_elect_nobody: false,
    quorum_sac_ghosts: Ghosts::Never,
    cancel_wakes_nobody: true,
    quorum_shown_in_text: "quorum",
    returns_in_order_max: Some(32),
    unlimited_returns_to_tail: true,
    many_returns_lose_order: true,
    quorum_get_count_0: true,
    two_counters: false,
    quorum_default_limit: None,
    limit_death_leaks_credit: true,
    negative_limit_is_none: false,
    only_failures_count: false,
    consumer_timeout: ConsumerTimeout::Node,
    delayed_retry: false,
    own_dead_letters: OwnDeadLetters::Unheard,
    purge_takes_waiting: false,
    classic_skips: &["queue-leader-locator"],
    more_policy_keys: &[
        "ha-mode",
        "ha-params",
        "ha-sync-mode",
        "ha-sync-batch-size",
        "ha-promote-on-shutdown",
        "ha-promote-on-failure",
        "queue-master-locator",
    ],
    more_operator_keys: &[],
    apply_to_types: false,
    tie_takes_first: false,
    policy_text_escaped: true,
    long_regex_text: false,
    stores_queue_type: false,
    default_queue_type: false,
    put_resets_default_type: false,
    bad_default_type: BadDefaultType::Taken,
    queue_limit_first: true,
    queue_mode_checked: true,
    queue_version_1_refused: false,
    master_locator_denied: false,
    transient_queues_denied: false,
    delivery_mode_checked: true,
    message_size_max: 134_217_728,
    streams: STREAMS_3_10,
};

/// Of 3.12.14, measured.
const V3_12: Differences = Differences {
    event_facts: EventFacts::WithTypes,
    failed_replay_undoes_binding: false,
    streams: STREAMS_3_12,
    classic_forgets_expiration: true,
    quorum_get_count_0: false,
    limit_death_leaks_credit: false,
    verb_in_403: true,
    own_dead_letters: OwnDeadLetters::LimitFirst,
    default_queue_type: true,
    put_resets_default_type: true,
    bad_default_type: BadDefaultType::RefusedForNew,
    apply_to_types: true,
    consumer_timeout: ConsumerTimeout::QueueOrNode,
    classic_skips: &["queue-leader-locator", "max-in-memory-length", "max-in-memory-bytes"],
    more_policy_keys: &[
        "ha-mode",
        "ha-params",
        "ha-sync-mode",
        "ha-sync-batch-size",
        "ha-promote-on-shutdown",
        "ha-promote-on-failure",
        "queue-master-locator",
        "consumer-timeout",
    ],
    more_operator_keys: &["overflow", "queue-version"],
    ..V3_10
};

/// Of 3.13.7, measured.
const V3_13: Differences = Differences {
    streams: STREAMS_3_13,
    gone_target: GoneTarget::Missed,
    queue_limit_first: false,
    classic_forgets_expiration: false,
    death_order_bug: false,
    keeps_cc: true,
    client_x_death: ClientXDeath::Cleaned,
    last_death: true,
    bcc_hides_likenesses: true,
    sorts_headers: true,
    least_max_priority: 1,
    unknown_type_closes_connection: false,
    delay_header: DelayHeader::Annotation,
    hashes_typed_headers: false,
    headers_strict: true,
    delivery_mode_checked: false,
    bad_default_type: BadDefaultType::Refused,
    classic_skips: &["queue-leader-locator", "max-in-memory-length", "max-in-memory-bytes", "target-group-size"],
    more_policy_keys: &[
        "ha-mode",
        "ha-params",
        "ha-sync-mode",
        "ha-sync-batch-size",
        "ha-promote-on-shutdown",
        "ha-promote-on-failure",
        "queue-master-locator",
        "consumer-timeout",
        "target-group-size",
        "stream-filter-size-bytes",
    ],
    more_operator_keys: &["overflow", "queue-version", "target-group-size"],
    ..V3_12
};

const V4_0: Differences = Differences {
    event_facts: EventFacts::WithLeaders,
    streams: STREAMS_4_0,
    gone_target: GoneTarget::Missed,
    queue_limit_first: false,
    returns_in_order_max: None,
    death_order_bug: false,
    keeps_cc: true,
    client_x_death: ClientXDeath::Replaced,
    last_death: true,
    bcc_hides_likenesses: true,
    quorum_returns_by_subscription: true,
    quorum_unlimited_releases: true,
    sorts_headers: true,
    failure_count: FailureCount::Shown,
    quorum_expires_policy_wins: false,
    quorum_priority: QuorumPriority::Two,
    least_max_priority: 1,
    unknown_type_closes_connection: false,
    more_exchange_types: &["x-local-random"],
    failed_replay_undoes_binding: false,
    delay_header: DelayHeader::Annotation,
    hashes_typed_headers: false,
    headers_strict: true,
    early_topic_check: false,
    topic_check_covers_cc: true,
    verb_in_403: true,
    quorum_sac_priority: true,
    returns_elect_nobody: true,
    own_dead_letters: OwnDeadLetters::LimitFirst,
    quorum_sac_ghosts: Ghosts::AfterLimitDeath,
    cancel_wakes_nobody: false,
    many_returns_lose_order: false,
    quorum_get_count_0: false,
    quorum_default_limit: Some(20),
    limit_death_leaks_credit: false,
    negative_limit_is_none: true,
    consumer_timeout: ConsumerTimeout::QueueOrNode,
    classic_skips: &["max-in-memory-length", "max-in-memory-bytes", "target-group-size"],
    more_policy_keys: &["consumer-timeout", "target-group-size", "stream-filter-size-bytes", "queue-master-locator"],
    more_operator_keys: &["overflow", "queue-version", "target-group-size"],
    apply_to_types: true,
    stores_queue_type: true,
    default_queue_type: true,
    bad_default_type: BadDefaultType::Refused,
    delivery_mode_checked: false,
    message_size_max: 16_777_216,
    ..V3_10
};

/// Of 4.1.8, measured.
const V4_1: Differences = Differences {
    returns_elect_nobody: false,
    put_resets_default_type: true,
    bad_default_type: BadDefaultType::RefusedForNew,
    ..V4_0
};

/// Of 4.2.6, measured.
const V4_2: Differences = Differences {
    hash_weight_max: Some(10_000),
    hash_ring_is_kept: true,
    modulus_order: ModulusOrder::Creation,
    gone_target: GoneTarget::EndsConnection,
    volatile_reply_queues: true,
    quorum_shown_in_text: "<<\"quorum\">>",
    own_dead_letters: OwnDeadLetters::LettersFirst,
    quorum_maxlen_reversed: false,
    policy_text_escaped: false,
    passive_access: PassiveAccess::Configure,
    topic_permissions_go_with_exchange: true,
    bad_default_type: BadDefaultType::Refused,
    ..V4_1
};

pub(crate) const V4_3: Differences = Differences {
    streams: STREAMS_4_3,
    gone_target: GoneTarget::EndsConnection,
    quorum_heads_expire_apart: true,
    quorum_maxlen_reversed: false,
    failure_count: FailureCount::Counted,
    quorum_bytes_with_properties: true,
    quorum_priority: QuorumPriority::Strict,
    more_exchange_types: &["x-local-random", "x-modulus-hash"],
    hash_weight_max: Some(10_000),
    hash_ring_is_kept: true,
    modulus_order: ModulusOrder::Destination,
    topic_permissions_need_exchange: true,
    topic_permissions_go_with_exchange: true,
    volatile_reply_queues: true,
    topic_hashes_max: Some(2),
    passive_access: PassiveAccess::AnyRight,
    channel_limit_in_parentheses: false,
    global_qos_ignored: true,
    quorum_shown_in_text: "<<\"quorum\">>",
    unlimited_returns_to_tail: false,
    two_counters: true,
    only_failures_count: true,
    returns_elect_nobody: false,
    own_dead_letters: OwnDeadLetters::LettersFirst,
    quorum_sac_ghosts: Ghosts::Always,
    cancel_wakes_nobody: false,
    consumer_timeout: ConsumerTimeout::Queue,
    delayed_retry: true,
    purge_takes_waiting: true,
    more_policy_keys: &[
        "consumer-timeout",
        "target-group-size",
        "stream-filter-size-bytes",
        "consumer-disconnected-timeout",
        "delayed-retry-type",
        "delayed-retry-min",
        "delayed-retry-max",
    ],
    more_operator_keys: &[
        "overflow",
        "queue-version",
        "target-group-size",
        "delayed-retry-type",
        "delayed-retry-min",
        "delayed-retry-max",
    ],
    tie_takes_first: true,
    policy_text_escaped: false,
    long_regex_text: true,
    put_resets_default_type: true,
    bad_default_type: BadDefaultType::Explained,
    queue_mode_checked: false,
    queue_version_1_refused: true,
    master_locator_denied: true,
    transient_queues_denied: true,
    ..V4_0
};

/// Returns what the profile does differently from the others.
pub fn differences(profile: Profile) -> &'static Differences {
    match profile {
        Profile::V3_10 => &V3_10,
        Profile::V3_12 => &V3_12,
        Profile::V3_13 => &V3_13,
        Profile::V4_0 => &V4_0,
        Profile::V4_1 => &V4_1,
        Profile::V4_2 => &V4_2,
        Profile::V4_3 => &V4_3,
    }
}
