//! RabbitMQ's pure functions of model and profile. Never hold state.

mod amqp_limits;
mod arguments;
mod book;
mod changes;
mod death;
mod declare;
mod effective_policies;
mod exchange_types;
mod expiration;
mod patches;
mod pattern;
mod permission;
mod permits;
mod plugins;
mod policy;
mod policy_check;
mod policy_contest;
mod reply_texts;
mod routing;
mod streams;
mod term;
mod version_choices;
mod versions;

pub use amqp_limits::{AmqpLimit, OverLimit, PublishPart, SHORT_STRING_BYTES_MAX, over_limit, short_string_excess};
pub use arguments::{QUEUE_ARGUMENTS, QueueArgument, ValueKind, queue_argument};
pub use book::{
    KnownFrom, PLAYED_RELEASES, RuleChapter, RuleSection, RuleSource, TOLD_RULES, VersionNote, rule_chapters,
};
pub use changes::{ChangedRule, RuleChange, changed_rules, with_undone};
pub use death::{Dying, cleaned_history, is_cycle, record_death};
pub use declare::{
    RefusedArgument, check_exchange_equivalence, check_queue_arguments, check_queue_equivalence,
    check_queue_properties, crashes_over_max_age, is_known_type, priority_argument, refused_arguments, shown_exchange,
    shown_queue, type_of_new_queue,
};
pub use effective_policies::{EffectivePolicies, PoliciesInForce};
pub use exchange_types::{
    ErlangTerm, HashInput, MessageDelay, check_delayed_type, check_local_random_binding, hash_weight, jump_hash,
    message_delay, modulus_hash, phash2, recent_history_length, with_negated_delay,
};
pub use expiration::parse_expiration;
pub use pattern::Pattern;
pub use permission::{Access, access_refused, expand_topic_pattern, missing_right, topic_access_refused};
pub use permits::{DeprecatedFeature, Edition, Permits, differences_of};
pub use plugins::{Plugin, Plugins};
pub use policy::{
    Definition, DelayedRetry, Overflow, QueueSettings, RetryKind, applies_to_exchange, applies_to_queue,
    merge_definitions, policy_holds_for_stream, queue_settings,
};
pub use policy_check::{check_delayed_retry, check_policy, check_policy_value, policy_keys};
pub use policy_contest::{PolicyContest, PolicyFate, PolicyStanding, Precedence, SetBy, SettingContest};
pub use reply_texts::{
    QuotedName, RefusalMeaning, as_by_default, cut, denial, meaning_of_refusal, quoted_durations, quoted_names,
    rule_of_refusal,
};
pub use routing::{check_headers_binding, check_topic_key, headers_match, topic_matches};
pub(crate) use streams::starts_with_digit;
pub use streams::{
    BadStreamArgument, ReaderRefusal, STREAM_OFFSET_WORDS, STREAM_SEGMENT_BYTES_MAX, StreamDifferences, StreamFilter,
    StreamOffset, StreamRetention, appended_bytes, as_appended, check_consumer_arguments, filter_value, refused_reader,
    stream_filter, stream_interval_ms, stream_offset, unsupported_by_streams,
};
pub use term::{erlang_term, type_name};
pub use version_choices::{
    BadDefaultType, ClientXDeath, DelayHeader, EventFacts, Ghosts, GoneTarget, ModulusOrder, OwnDeadLetters,
    PassiveAccess,
};
pub use versions::{ConsumerTimeout, Differences, FailureCount, QuorumPriority, RETURNS_IN_ORDER_MAX, differences};
