//! Names of broker objects.
//! Cheap to clone: short ones are kept in place, longer ones shared. Legal lengths are checked in `language`.

use smol_str::SmolStr;
use std::fmt;

/// The name of an exchange, a queue, a user, a routing key: at most 255 bytes of UTF-8.
pub type Name = SmolStr;

/// What direct replies are consumed from; it is no queue that anybody declares (RT-22).
pub const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// Names a queue in its vhost.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueName {
    /// Where it lives.
    pub vhost: Name,
    /// Unique within the vhost.
    pub name: Name,
}

impl QueueName {
    /// Returns whether it is what direct replies are consumed from.
    pub fn is_direct_reply_to(&self) -> bool {
        self.name == DIRECT_REPLY_TO
    }

    /// Names the queue `name` in `vhost`.
    pub fn new(vhost: impl Into<Name>, name: impl Into<Name>) -> Self {
        Self { vhost: vhost.into(), name: name.into() }
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "queue '{}' in vhost '{}'", self.name, self.vhost)
    }
}
