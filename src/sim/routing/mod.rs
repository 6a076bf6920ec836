//! From a publish to the queues it goes to: exchanges, bindings, publishes, direct reply-to.

pub(crate) mod asked;
pub(crate) mod binding;
pub(crate) mod delayed;
pub(crate) mod direct_reply_to;
pub(crate) mod exchange;
pub(crate) mod held;
pub(crate) mod plugin_types;
pub(crate) mod publish;
pub(crate) mod way;
