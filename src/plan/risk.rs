//! What a change can lose.

use crate::model::QueueName;

/// What a change can lose: messages or rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Risk {
    /// One plain sentence.
    pub what: String,
    /// Queues at stake and the messages that they held when they were read, `None` where nothing counted them; no queues when
    /// rights are at stake.
    pub queues: Vec<(QueueName, Option<u64>)>,
    /// On the broker, as text.
    pub old: String,
    /// In the file, as text.
    pub new: String,
}

impl Risk {
    /// Makes a risk of rights; boxed, since few changes have any.
    pub(crate) fn of_rights(what: impl Into<String>, old: impl Into<String>, new: impl Into<String>) -> Box<Self> {
        Box::new(Self { what: what.into(), queues: Vec::new(), old: old.into(), new: new.into() })
    }

    /// Joins two risks of one change.
    pub(crate) fn join(self: Box<Self>, other: Option<Box<Risk>>) -> Box<Risk> {
        let Some(other) = other else { return self };
        let mut queues = self.queues;
        for (queue, messages) in other.queues {
            if !queues.iter().any(|(known, _)| *known == queue) {
                queues.push((queue, messages));
            }
        }
        let text = |a: String, b: String| format!("{a}; {b}");
        Box::new(Risk {
            what: text(self.what, other.what),
            queues,
            old: text(self.old, other.old),
            new: text(self.new, other.new),
        })
    }
}
