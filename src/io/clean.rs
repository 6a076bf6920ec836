//! Sweeps what interrupted runs left: throw-away vhosts and users older than a given age.
//! Never touches a name of any other form.

use crate::io::address::Address;
use crate::io::failure::Failure;
use crate::io::live::{TestVhostName, now_in_minutes};
use crate::io::management::ManagementClient;
use std::time::Duration;

/// Is what was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cleaned {
    pub vhosts: Vec<String>,
    pub users: Vec<String>,
}

/// Deletes the throw-away vhosts and users that are at least as old as `older_than` (whole minutes).
pub async fn clean(address: &Address, older_than: Duration) -> Result<Cleaned, Failure> {
    let management = ManagementClient::new(address)?;
    let old = |name: &String| {
        let made = TestVhostName::parse(name).map(|name| name.minutes);
        made.is_some_and(|made| now_in_minutes().saturating_sub(made) >= older_than.as_secs().div_ceil(60))
    };
    let mut cleaned = Cleaned::default();
    for vhost in management.vhosts().await?.into_iter().filter(old) {
        if gone(management.delete_vhost(&vhost).await)? {
            cleaned.vhosts.push(vhost);
        }
    }
    for user in management.users().await?.into_iter().filter(old) {
        if gone(management.delete_user(&user).await)? {
            cleaned.users.push(user);
        }
    }
    Ok(cleaned)
}

/// Says whether we deleted it; somebody else may have been faster.
fn gone(result: Result<(), Failure>) -> Result<bool, Failure> {
    match result {
        Ok(()) => Ok(true),
        Err(failure) if failure.is_gone() => Ok(false),
        Err(failure) => Err(failure),
    }
}
