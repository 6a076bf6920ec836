//! The nouns: names, typed values, the objects of a topology, messages, scenarios and what they expect.
//! Plain data with shapes and units. Never decides what a broker would do (that is `rules`), never parses YAML.

mod act;
mod allowance;
mod behaviour;
mod count;
mod counted;
mod expectation;
mod expression;
mod handling;
mod message;
mod moment;
mod name;
mod object;
mod one_line;
mod profile;
mod publish;
mod refused;
mod scale;
mod scenario;
mod secret;
mod table;
mod topology;
mod value;

pub use act::{Act, Call, HeldSettlement, LimitedParty, QuietWait, Side, TransactionAct};
pub use allowance::Allowance;
pub use behaviour::{
    Action, ActionLine, ActionList, Batch, Consumer, DeathMatcher, Forward, Key, Ladder, Matcher, OwnQueue, Reconnect,
    Rule, Seen, Timeout,
};
pub use count::Count;
pub use counted::{by_number, counted};
pub use expectation::{
    Batches, ConnectionExpectation, ConsumerExpectation, DeathPattern, Entries, Expectation, MessageExpectation,
    MessagePattern, Metric, MetricExpectation, Order, Peak, PropertyPattern, PublishExpectation, PublishOutcome,
    QueueExpectation, Received, Subject, TallyExpectation, TallyGroups, TallySource, Tolerance, When,
};
pub use expression::{Scope, Template, TemplateError};
pub use handling::{Handling, Ignored, IgnoredKind, Replacement};
pub use message::{MESSAGE_FIELDS, Message, Properties, Property};
pub use moment::{DurationError, Millis, Moment};
pub use name::{DIRECT_REPLY_TO, Name, QueueName};
pub use object::{BindingKey, Object, ObjectKind, Origin, Origins, exchange_in_words};
pub use one_line::one_line;
pub use profile::{Profile, Version};
pub use publish::{LateValue, Payload, Publish, Text, name_in_series, name_of_same_id, of_same_id, of_series};
pub use refused::Refused;
pub use scale::Scale;
pub use scenario::{Cell, LiveSettings, Needs, Pace, Requirement, Scenario, SnapshotSettings, Step};
pub use secret::Secret;
pub use table::Table;
pub use topology::{
    ApplyTo, Binding, Credential, DestinationKind, Exchange, Parameter, Permission, Policy, Queue, QueueKind,
    TopicPermission, Topology, User, Vhost,
};
pub use value::Value;
