//! TLS to a broker, the same for AMQP and the management API: what is trusted and shown, and what went wrong.

pub(crate) mod certificate;
pub(crate) mod config;
pub(crate) mod fault;
pub(crate) mod server;
pub(crate) mod session;
