//! Vhosts for live runs: test vhosts with their names and their removal, existing ones, names mapped both ways.

pub(crate) mod existing_vhost;
pub(crate) mod names;
pub(crate) mod test_vhost_name;
pub(crate) mod test_vhosts;
