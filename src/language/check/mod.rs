//! Checks of the decoded model: what cannot be, what nobody declares, what would always hold.
//! Never changes the model.

pub(crate) mod contents;
pub(crate) mod legal;
pub(crate) mod message_references;
pub(crate) mod policy_keys;
pub(crate) mod scenario_references;
pub(crate) mod suspicious;
pub(crate) mod topology_references;
