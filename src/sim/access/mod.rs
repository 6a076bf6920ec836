//! Who may do what: users, vhosts, permissions.

pub(crate) mod permission;
pub(crate) mod user;
pub(crate) mod vhost;
