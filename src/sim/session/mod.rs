//! Connections and channels: how they open, end, and what ends with them.

pub(crate) mod channel;
pub(crate) mod connection;
pub(crate) mod direct;
