//! From a queue to its consumers and back: checkout, get, settlements, requeue, single active consumers.

pub(crate) mod acknowledgement;
pub(crate) mod checkout;
pub(crate) mod consumer;
pub(crate) mod get;
pub(crate) mod overtaken;
pub(crate) mod reading;
pub(crate) mod requeue;
pub(crate) mod single_active;
