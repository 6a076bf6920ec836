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

/// Says which right a refusal misses: whose, which (`usual` where 3.10 names none), and the narrowest pattern that grants it.
///
/// ```
/// use rmqplay::rules::{Access, missing_right};
/// let text = "ACCESS_REFUSED - access to exchange 'amq.default' in vhost 'v' refused for user 'alice'";
/// let help = missing_right(text, Access::Write).unwrap();
/// assert_eq!(help, r"user 'alice' needs write on '^amq\.default$' in vhost 'v': add it to its `permissions`");
/// assert_eq!(missing_right("NOT_ALLOWED - access to vhost 'v' refused for user 'alice'", Access::Write), None);
/// ```
pub fn missing_right(text: &str, usual: Access) -> Option<String> {
    let (before, rest) = text.split_once("access to ")?;
    let (resource, user) = rest.rsplit_once(" refused for user '")?;
    let user = user.strip_suffix('\'')?;
    let (resource, vhost) = resource.rsplit_once("' in vhost '")?;
    let vhost = vhost.strip_suffix('\'')?;
    let named = [Access::Configure, Access::Write, Access::Read];
    let right = named.into_iter().find(|right| before.trim_end().ends_with(right.as_str())).unwrap_or(usual).as_str();
    if let Some(topic) = resource.strip_prefix("topic '") {
        let (key, exchange) = topic.rsplit_once("' in exchange '")?;
        let pattern = pattern_of(key);
        return Some(format!(
            "user '{user}' needs {right} on '{pattern}' in the `topic_permissions` of exchange '{exchange}' in vhost '{vhost}'"
        ));
    }
    let (_, name) = resource.split_once(" '")?;
    let pattern = pattern_of(name);
    Some(format!("user '{user}' needs {right} on '{pattern}' in vhost '{vhost}': add it to its `permissions`"))
}

/// Writes the pattern that fits one name alone.
fn pattern_of(name: &str) -> String {
    let mut pattern = "^".to_owned();
    for letter in name.chars() {
        if r"\.+*?()|[]{}^$".contains(letter) {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern + "$"
}

/// Puts user and vhost into a topic pattern (PE-7).
///
/// ```
/// assert_eq!(rmqplay::rules::expand_topic_pattern("^{vhost}\\.{username}$", "alice", "v"), "^v\\.alice$");
/// ```
pub fn expand_topic_pattern(pattern: &str, user: &str, vhost: &str) -> String {
    pattern.replace("{username}", user).replace("{vhost}", vhost)
}
