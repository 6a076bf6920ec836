//! A scenario before its expectations are known: what it does, and what it should make happen.

use crate::foresee::coverage::Coverable;
use crate::foresee::suggest::publishing::{PublishPlace, place_for};
use crate::foresee::suggest::yaml::scalar;
use crate::foresee::topology_view::TopologyView;
use crate::model::{Name, QueueName};

/// A scenario that is still to be played.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// The stem of its file.
    pub name: String,
    /// Why somebody should have it.
    pub why: String,
    pub title: DraftTitle,
    /// Lines below `consumers:`.
    pub consumers: Vec<String>,
    /// Lines below `steps:`.
    pub steps: Vec<String>,
    /// The queue whose dead letters are looked at in the end.
    pub of: Option<QueueName>,
    /// The messages whose queues are looked at in the end.
    pub published: Vec<String>,
    /// Lines below `at_end:` that are known before.
    pub at_end: Vec<String>,
    pub covers: Vec<Coverable>,
}

/// The sentence of a scenario.
#[derive(Debug, Clone)]
pub(crate) enum DraftTitle {
    Known(String),
    /// Of a user's rights: steps show what there is a name for.
    OfRights(String),
    /// The sentence where dead letters turn up nowhere, and what stands before the queues where they do.
    To(String, String),
}

impl DraftTitle {
    pub(crate) fn with(&self, targets: &[Name]) -> String {
        match self {
            Self::Known(title) | Self::OfRights(title) => title.clone(),
            Self::To(alone, _) if targets.is_empty() => alone.clone(),
            Self::To(_, to) => {
                let names: Vec<&str> = targets.iter().map(|name| &**name).collect();
                format!("{to} {}", names.join(" and "))
            }
        }
    }
}

/// What drafts are written with.
pub(crate) struct Workshop<'v> {
    pub view: &'v TopologyView<'v>,
    /// The vhost of steps that name none.
    pub vhost: Name,
}

impl Workshop<'_> {
    /// Writes a step; it names its vhost where that is another one.
    pub(crate) fn step(&self, vhost: &str, body: &str) -> String {
        self.step_as(vhost, body, None, false)
    }

    /// Writes a step of a user, which may have to be refused.
    pub(crate) fn step_as(&self, vhost: &str, body: &str, user: Option<&str>, refused: bool) -> String {
        let mut out = format!("  - {body}\n");
        if let Some(user) = user {
            out.push_str(&format!("    as: {}\n", scalar(user)));
        }
        if *self.vhost != *vhost {
            out.push_str(&format!("    vhost: {}\n", scalar(vhost)));
        }
        if refused {
            out.push_str("    refused: {code: 403}\n");
        }
        out
    }

    /// Writes a consumer of a queue.
    pub(crate) fn consumer(&self, name: &str, queue: &QueueName, rest: &str) -> String {
        let vhost =
            if *self.vhost == *queue.vhost { String::new() } else { format!(", vhost: {}", scalar(&queue.vhost)) };
        format!("  {name}: {{queue: {}{vhost}, {rest}}}\n", scalar(&queue.name))
    }

    /// Writes a publish for a queue, with what the message is.
    pub(crate) fn publish(&self, queue: &QueueName, message: &str) -> Option<String> {
        let place = place_for(self.view, queue);
        let fields = place.fields().unwrap_or_else(|| PublishPlace::by_name(queue).fields().unwrap_or_default());
        (!fields.contains("{{")).then(|| self.step(&queue.vhost, &format!("publish: {{{fields}, {message}}}")))
    }
}
