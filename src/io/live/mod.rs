//! The live side of the seam: lapin connections and the management API as one value, stepped in the client's own task.
//! [`run_live`] is the twin of `simulate`: broker first, all events, then commands until there are none, then time.
//! Test vhosts, their names and their removal live here too. Never decides what an event means.

mod adapter;
mod amqp;
mod batch;
mod job;
mod limits;
mod management;
mod observe;
mod periodic;
mod run;
mod step;
mod submit;
mod vhosts;
mod wait;

pub use adapter::Live;
pub use amqp::dial::check_login;
pub use limits::LiveLimits;
pub use management::nodes::start_nodes;
pub use run::{LiveEnded, run_live};
pub use vhosts::existing_vhost::{ExistingVhost, VhostNotUsable, lend};
pub use vhosts::names::NameMapping;
pub use vhosts::test_vhost_name::{TestVhostName, now_in_minutes, random_salt};
pub use vhosts::test_vhosts::TestVhosts;
