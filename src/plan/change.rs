//! A plan as data: changes in the order of RabbitMQ's own import, each with its reason, its risk and its writes.
//! Texts of secrets never get in here; the writes hold them as [`Secret`](crate::model::Secret).

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::broker::{Management, Method};
use crate::model::{Name, Object, QueueName};
use crate::plan::{Extra, ReplaceWay, Risk, Stakes};
use crate::source::Problem;
use std::borrow::Cow;

/// How many queues an effect names; the rest is counted.
const QUEUES_MAX: usize = 5;

/// Everything that separates a broker from a file, and what the broker holds beside it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// In the order in which they are applied.
    pub changes: Vec<Change>,
    /// How many declared objects are there already, equal.
    pub unchanged: usize,
    /// Immutable differences with their place in the file, and notes.
    pub problems: Vec<Problem>,
    /// What the vhosts of the file hold on the broker and the file does not name; a plan leaves it alone.
    pub extras: Vec<Extra>,
    /// Who applies it: this account needs its permissions before the first connection.
    pub account: Name,
}

/// One object that is missing or differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub object: Object,
    pub kind: ChangeKind,
    /// One plain sentence: why, and what follows from it. `None`: the broker has no such object.
    pub reason: Option<Cow<'static, str>>,
    pub risk: Option<Box<Risk>>,
    /// What it takes from queues by which settings are in force on them; of policies alone.
    pub effects: Vec<PolicyEffect>,
    /// What brings it about, in order; empty when it cannot be changed.
    pub writes: Vec<Write>,
}

/// How an object differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// Not there; `words` say what is worth knowing of it (`quorum`, `message-ttl 5s`).
    Create {
        words: Vec<String>,
    },
    Update {
        fields: Vec<FieldChange>,
    },
    /// There with values that RabbitMQ never changes: it would have to be deleted and made anew.
    Replace {
        fields: Vec<FieldChange>,
        stakes: Stakes,
        way: ReplaceWay,
    },
    /// There, and not in the file; planned only where deleting was asked for. `words` as for `Create`.
    Delete {
        words: Vec<String>,
        stakes: Stakes,
    },
}

/// One field with both its values as text; an absent value is `none`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    pub name: String,
    /// On the broker.
    pub old: String,
    /// In the file.
    pub new: String,
    /// The values are secrets: both are `***`.
    pub hidden: bool,
}

/// What a policy takes from queues by being changed or deleted, whether messages are at stake or not: the queues for which the
/// same settings change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyEffect {
    /// The first of them.
    pub queues: Vec<QueueName>,
    /// How many there are beside those.
    pub more: usize,
    /// What was in force, and what will be.
    pub fields: Vec<FieldChange>,
}

/// One request that belongs to a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    Manage(Management),
    /// Goes over AMQP, in the object's vhost.
    Call(Method),
}

impl Plan {
    /// Returns whether the broker holds all that the file declares; this is the proof after `apply`.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Lists what can only be replaced; while there is any that has no writes, nothing may be written.
    pub fn replaced(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| matches!(change.kind, ChangeKind::Replace { .. }))
    }

    /// Lists what is deleted for good.
    pub fn deleted(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| matches!(change.kind, ChangeKind::Delete { .. }))
    }

    /// Lists what is to be deleted and is protected from it: vhosts, as long as the broker protects them.
    pub fn protected(&self) -> impl Iterator<Item = &Change> {
        self.deleted().filter(|change| change.writes.is_empty() && matches!(change.object, Object::Vhost { .. }))
    }

    /// Parts the change of one user from the rest: what locks out who applies the plan must come last.
    pub fn without_user(self, user: &str) -> (Plan, Option<Plan>) {
        let is_own = |change: &Change| change.is_of_account(user);
        let (own, rest): (Vec<Change>, Vec<Change>) = self.changes.into_iter().partition(is_own);
        let own = (!own.is_empty()).then(|| Plan { changes: own, account: self.account.clone(), ..Plan::default() });
        (Plan { changes: rest, ..self }, own)
    }

    /// Lists what can lose messages or rights.
    pub fn risky(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.risk.is_some())
    }
}

impl Change {
    /// Returns whether a change takes something from the account that applies it: its login, or rights that it has. Before
    /// its first row of topic permissions it may use every key.
    pub(crate) fn is_of_account(&self, account: &str) -> bool {
        match &self.object {
            Object::User { name } => **name == *account,
            Object::Permission { user, .. } => **user == *account && self.risk.is_some(),
            Object::TopicPermission { user, .. } => {
                **user == *account && (self.risk.is_some() || matches!(self.kind, ChangeKind::Create { .. }))
            }
            _ => false,
        }
    }

    /// Makes a creation without risk.
    pub(crate) fn create(
        object: Object,
        words: Vec<String>,
        reason: impl Into<Cow<'static, str>>,
        writes: Vec<Write>,
    ) -> Self {
        Self {
            object,
            kind: ChangeKind::Create { words },
            reason: Some(reason.into()),
            risk: None,
            effects: Vec::new(),
            writes,
        }
    }

    /// Makes the creation of what the broker does not have, without risk.
    pub(crate) fn absent(object: Object, words: Vec<String>, writes: Vec<Write>) -> Self {
        let kind = ChangeKind::Create { words };
        Self { object, kind, reason: None, risk: None, effects: Vec::new(), writes }
    }

    /// Says why, and what follows from it.
    pub fn why(&self) -> Cow<'_, str> {
        match &self.reason {
            Some(reason) => Cow::Borrowed(reason),
            None => Cow::Owned(match &self.object {
                Object::Binding { source, destination, .. } => {
                    format!("nothing leads from '{source}' to '{destination}' yet")
                }
                object => format!("the broker has no {object}"),
            }),
        }
    }

    /// Makes the deletion of an extra, which `writes` bring about.
    pub fn delete(extra: Extra, reason: impl Into<Cow<'static, str>>, writes: Vec<Write>) -> Self {
        let Extra { object, words, stakes } = extra;
        Self {
            object,
            kind: ChangeKind::Delete { words, stakes },
            reason: Some(reason.into()),
            risk: None,
            effects: Vec::new(),
            writes,
        }
    }

    /// Makes an update without risk.
    pub(crate) fn update(
        object: Object,
        fields: Vec<FieldChange>,
        reason: impl Into<Cow<'static, str>>,
        writes: Vec<Write>,
    ) -> Self {
        Self {
            object,
            kind: ChangeKind::Update { fields },
            reason: Some(reason.into()),
            risk: None,
            effects: Vec::new(),
            writes,
        }
    }

    /// Makes a difference that nobody can mend in place.
    pub(crate) fn replace(
        object: Object,
        fields: Vec<FieldChange>,
        stakes: Stakes,
        reason: impl Into<Cow<'static, str>>,
    ) -> Self {
        let kind = ChangeKind::Replace { fields, stakes, way: ReplaceWay::Refused };
        Self { object, kind, reason: Some(reason.into()), risk: None, effects: Vec::new(), writes: Vec::new() }
    }
}

impl FieldChange {
    pub(crate) fn new(name: impl Into<String>, old: impl Into<String>, new: impl Into<String>) -> Self {
        Self { name: name.into(), old: old.into(), new: new.into(), hidden: false }
    }

    /// Makes one of a secret.
    pub(crate) fn hidden(name: impl Into<String>) -> Self {
        Self { hidden: true, ..Self::new(name, "***", "***") }
    }
}

impl PolicyEffect {
    /// Adds a queue.
    pub(crate) fn add(&mut self, queue: QueueName) {
        if self.queues.len() < QUEUES_MAX {
            self.queues.push(queue);
        } else {
            self.more += 1;
        }
    }
}
