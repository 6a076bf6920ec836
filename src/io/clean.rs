//! Sweeps what interrupted runs left: throw-away vhosts and users older than a given age.
//! Never touches a name of any other form.

use crate::io::address::Address;
use crate::io::failure::BrokerFailure;
use crate::io::live::{TestVhostName, now_in_minutes};
use crate::io::management::ManagementClient;
use std::time::Duration;

/// What was deleted, and what was spared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cleaned {
    /// Deleted ones.
    pub vhosts: Vec<String>,
    /// Deleted ones.
    pub users: Vec<String>,
    /// Vhosts that somebody is connected to, with the number of connections; their runs may be under way.
    pub spared: Vec<(String, usize)>,
}

/// Deletes the throw-away vhosts and users that are at least as old as `older_than` (whole minutes). A vhost with open
/// connections, and the users of its run, are left alone unless `force` says otherwise.
pub async fn clean(address: &Address, older_than: Duration, force: bool) -> Result<Cleaned, BrokerFailure> {
    let management = ManagementClient::new(address)?;
    let old = |name: &String| {
        let made = TestVhostName::parse(name).map(|name| name.minutes);
        made.is_some_and(|made| now_in_minutes().saturating_sub(made) >= older_than.as_secs().div_ceil(60))
    };
    let mut cleaned = Cleaned::default();
    for vhost in management.vhosts().await?.into_iter().filter(old) {
        let open = if force { 0 } else { open_connections(&management, &vhost).await? };
        if open > 0 {
            cleaned.spared.push((vhost, open));
        } else if gone(management.delete_vhost(&vhost).await)? {
            cleaned.vhosts.push(vhost);
        }
    }
    for user in management.users().await?.into_iter().filter(old) {
        if !cleaned.spared.iter().any(|(vhost, _)| is_same_run(vhost, &user))
            && gone(management.delete_user(&user).await)?
        {
            cleaned.users.push(user);
        }
    }
    Ok(cleaned)
}

/// Counts the connections of a vhost; one that vanished meanwhile has none.
async fn open_connections(management: &ManagementClient, vhost: &str) -> Result<usize, BrokerFailure> {
    match management.open_connections(vhost).await {
        Err(failure) if failure.is_gone() => Ok(0),
        counted => counted,
    }
}

/// Returns whether two names were handed out by one run.
fn is_same_run(one: &str, other: &str) -> bool {
    let run = |name: &str| TestVhostName::parse(name).map(|name| (name.minutes, name.run));
    run(one).is_some() && run(one) == run(other)
}

/// Returns whether we deleted it; somebody else may have been faster.
fn gone(result: Result<(), BrokerFailure>) -> Result<bool, BrokerFailure> {
    match result {
        Ok(()) => Ok(true),
        Err(failure) if failure.is_gone() => Ok(false),
        Err(failure) => Err(failure),
    }
}
