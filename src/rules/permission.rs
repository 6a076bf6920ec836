//! Permission texts and the expansion of topic patterns (PE-1 to PE-8).
//! Takes names, gives RabbitMQ's words. Never holds users.

use crate::rules::Differences;

/// Names one of the three rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// Declare and delete.
    Configure,
    /// Publish, and bind to a queue.
    Write,
    /// Consume, and bind from an exchange.
    Read,
}

impl Access {
    /// Returns RabbitMQ's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Access::Configure => "configure",
            Access::Write => "write",
            Access::Read => "read",
        }
    }
}

/// Words a refused access to `resource` (`queue 'q' in vhost 'v'`), PE-3.
pub fn access_refused(differences: &Differences, access: Access, resource: &str, user: &str) -> String {
    let verb = if differences.verb_in_403 { format!("{} ", access.as_str()) } else { String::new() };
    format!("{verb}access to {resource} refused for user '{user}'")
}

/// Words a refused topic (PE-7).
pub fn topic_access_refused(
    differences: &Differences,
    access: Access,
    routing_key: &str,
    exchange: &str,
    vhost: &str,
    user: &str,
) -> String {
    let resource = format!("topic '{routing_key}' in exchange '{exchange}' in vhost '{vhost}'");
    access_refused(differences, access, &resource, user)
}

/// Puts user and vhost into a topic pattern (PE-7).
///
/// ```
/// assert_eq!(rmqplay::rules::expand_topic_pattern("^{vhost}\\.{username}$", "alice", "v"), "^v\\.alice$");
/// ```
pub fn expand_topic_pattern(pattern: &str, user: &str, vhost: &str) -> String {
    pattern.replace("{username}", user).replace("{vhost}", vhost)
}
