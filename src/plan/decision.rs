//! What `apply` does about a plan: nothing, write it, or refuse it before the first write.
//! Pure: the same plan and the same consent give the same decision to `plan`, `apply` and `apply --dry-run`.

use crate::plan::{ChangeKind, Plan};
use crate::source::Level;

/// What an apply with certain flags would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The broker holds all that the file declares.
    Nothing,
    /// The broker holds all that the file declares, and something beside it that is not accepted.
    Extras,
    /// It may be written.
    Write,
    /// This broker, or this user's rights, lack what the file needs.
    Lacks,
    /// Objects would have to be replaced, and nothing says how.
    Replaces,
    /// A vhost would be deleted that the broker protects from that.
    Protected,
    /// It might be written, but for a finding that is not accepted.
    Denied,
    /// Something can be lost, and the loss was not consented to.
    Loses,
    /// So much would be deleted that consent is asked for, whatever it is.
    DeletesMuch,
}

/// How many objects are deleted without consent to a loss, where none of them holds anything.
pub const DELETIONS_MAX: usize = 20;

impl Decision {
    /// Decides; `loss` says that messages, rights and logins may be lost.
    pub fn of(plan: &Plan, loss: bool) -> Self {
        let is_stuck =
            plan.changes.iter().any(|one| matches!(one.kind, ChangeKind::Replace { .. }) && one.writes.is_empty());
        let lacks = plan.problems.iter().any(|problem| problem.level == Level::Problem);
        match () {
            () if is_stuck => Decision::Replaces,
            () if lacks => Decision::Lacks,
            () if plan.changes.is_empty() => Decision::Nothing,
            () if plan.protected().next().is_some() => Decision::Protected,
            () if plan.risky().next().is_some() && !loss => Decision::Loses,
            () if plan.deleted().count() > DELETIONS_MAX && !loss => Decision::DeletesMuch,
            () => Decision::Write,
        }
    }

    /// Keeps from writing where a finding stands against it; what is refused anyway stays refused for its own reason.
    #[must_use]
    pub fn unless(self, is_denied: bool) -> Self {
        if self == Decision::Write && is_denied { Decision::Denied } else { self }
    }

    /// Refuses what is beside the files, where nothing would be written.
    #[must_use]
    pub fn unless_extras(self, are_refused: bool) -> Self {
        if self == Decision::Nothing && are_refused { Decision::Extras } else { self }
    }

    /// Returns the word for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Nothing => "nothing",
            Decision::Extras => "extras",
            Decision::Write => "write",
            Decision::Lacks => "lacks",
            Decision::Replaces => "replaces",
            Decision::Protected => "protected",
            Decision::Denied => "denied",
            Decision::Loses => "loses",
            Decision::DeletesMuch => "deletes-much",
        }
    }
}
