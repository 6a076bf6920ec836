//! Where a broker is and who logs in: by a URL, by the environment, by the nodes of rabbitmqadmin.

mod environment;
mod node_file;
mod options;
mod parameters;
mod rabbitmqadmin;
mod url;

pub use environment::of_environment;
pub use options::{LoginMechanism, TlsOptions};
pub(crate) use parameters::PARAMETERS;
pub use rabbitmqadmin::{node, nodes};
pub(crate) use url::encoded;
pub use url::{Address, BadAddress};
