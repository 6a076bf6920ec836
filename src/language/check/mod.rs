//! Checks of the decoded model: what cannot be, what nobody declares, what would always hold.
//! Never changes the model.

pub(crate) mod consequences;
pub(crate) mod contents;
pub(crate) mod dead_letter_targets;
pub(crate) mod held_messages;
pub(crate) mod in_effect;
pub(crate) mod legal;
pub(crate) mod legal_arguments;
pub(crate) mod live_races;
pub(crate) mod message_references;
pub(crate) mod policy_keys;
pub(crate) mod right_shapes;
pub(crate) mod scenario_references;
pub(crate) mod stream_consumers;
pub(crate) mod stream_offsets;
pub(crate) mod stream_steps;
pub(crate) mod suspicious;
pub(crate) mod topology_references;
pub(crate) mod transactions;
