//! Where a broker is and who logs in.

mod url;

pub(crate) use url::encoded;
pub use url::{Address, BadAddress};
