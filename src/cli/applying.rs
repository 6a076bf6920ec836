//! The part of `apply` that writes: carries a plan out, reads the broker back until it shows what was written, and keeps what
//! came of each object. Asks nothing and prints nothing but progress.

use crate::cli::ExitCode;
use crate::cli::arguments::ReachOptions;
use crate::cli::desired::Desired;
use crate::cli::progress::RunProgress;
use crate::cli::reach::{PlanParts, look};
use crate::cli::terminal::Terminal;
use crate::io::management::{ManagementClient, Overview};
use crate::io::rehearse::{apply_plan, carry_out_stepwise};
use crate::io::{Address, BrokerFailure};
use crate::model::{Credential, Name, Object, Origins, Topology};
use crate::plan::{Applied, ChangeKind, Observed, Plan, plan};
use crate::report;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a read-back waits before it looks again: a list of 3.10 may be some seconds old.
const LOOKS: [Duration; 6] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1_600),
    Duration::from_millis(3_000),
];

/// What is applied, and where.
pub(crate) struct ApplyWork<'a> {
    pub topology: &'a Topology,
    pub origins: &'a Origins,
    pub address: &'a Address,
    pub overview: &'a Overview,
    pub vhosts: Vec<Name>,
    /// How far it reaches beyond the plan of the files; a saved plan reaches no further.
    pub reach: Option<(&'a ReachOptions, &'a Desired)>,
    pub terminal: &'a Terminal,
}

/// What came of an apply.
#[derive(Debug, Default)]
pub(crate) struct ApplyOutcome {
    pub applied: Applied,
    /// What the plan deletes.
    pub meant: BTreeSet<Object>,
    /// What the broker still lacks; `None` when it could not be read back.
    pub again: Option<Plan>,
    /// The account in use got a hash whose password the file does not tell: the rest was proven before.
    pub unproven_account: bool,
    /// Why it ended early.
    pub failure: Option<BrokerFailure>,
    /// A replacement could not be carried out; nothing of what comes after it was written.
    pub stopped: Option<ExitCode>,
}

impl ApplyWork<'_> {
    /// Makes the plan of a broker that was read.
    pub fn plan(&self, observed: &Observed) -> Plan {
        match self.reach {
            Some((reach, desired)) => reach.plan(desired, observed),
            None => plan(self.topology, self.origins, observed),
        }
    }

    /// Reads a broker and makes the plan.
    pub async fn look(&self, address: &Address) -> Result<(Observed, Plan), BrokerFailure> {
        let management = ManagementClient::new(address)?;
        look(&management, self.overview, &self.vhosts, address, |observed| self.plan(observed)).await
    }

    /// Writes a plan, the account in use last, and reads back.
    pub async fn carry_out(&self, planned: Plan, progress: &RunProgress) -> ApplyOutcome {
        let account = &self.address.user;
        let mut outcome = ApplyOutcome {
            meant: planned.deleted().map(|change| change.object.clone()).collect(),
            ..Default::default()
        };
        let PlanParts { replacements, mut rest, deletions } = PlanParts::of(planned);
        if let Some((reach, desired)) = self.reach.filter(|_| !replacements.is_empty()) {
            match reach.replace(&replacements, desired, self.terminal).await {
                Ok(None) => {}
                Ok(stopped) => return ApplyOutcome { stopped, ..outcome },
                Err(failure) => return ApplyOutcome { failure: Some(failure), ..outcome },
            }
            outcome.applied.done.extend(replacements.into_iter().map(|change| change.object));
            match self.look(self.address).await {
                Ok((_, planned)) => rest = PlanParts::of(planned).rest,
                Err(failure) => return ApplyOutcome { failure: Some(failure), ..outcome },
            }
        }
        let (rest, own) = rest.without_user(account);
        match apply_plan(rest, self.address, self.overview, &|done| progress.reached(done as u64)).await {
            Ok(applied) => outcome.applied.join(applied),
            Err((applied, failure)) => {
                outcome.applied.join(applied);
                outcome.failure = Some(failure);
                return outcome;
            }
        }
        if !deletions.is_empty() {
            match carry_out_stepwise(&deletions, self.address).await {
                Ok(deleted) => {
                    self.terminal.status_unless_empty(&report::deleted_text(&deleted));
                    outcome.applied.join(deleted);
                }
                Err(failure) => return ApplyOutcome { failure: Some(failure), ..outcome },
            }
        }
        let refused = !outcome.applied.refused.is_empty();
        let is_done = |again: &Plan| again.clone().without_user(account).0.is_empty();
        let seen = self.read_back(self.address, refused, &outcome.meant, is_done).await;
        let again = match seen {
            Ok(again) => again,
            Err(failure) => return ApplyOutcome { failure: Some(failure), ..outcome },
        };
        let (others, _) = again.clone().without_user(account);
        let Some(own) = own.filter(|_| others.is_empty() && !refused) else {
            outcome.again = Some(again);
            return outcome;
        };
        self.change_account(own, outcome).await
    }

    /// Changes the account in use, last of all, and reads back with the login that holds from then on.
    async fn change_account(&self, own: Plan, mut outcome: ApplyOutcome) -> ApplyOutcome {
        let is_risky = own.risky().next().is_some();
        match apply_plan(own, self.address, self.overview, &|_| {}).await {
            Ok(applied) => {
                outcome.applied.done.extend(applied.done);
                outcome.applied.refused.extend(applied.refused);
            }
            Err((_, failure)) => return ApplyOutcome { failure: Some(failure), ..outcome },
        }
        let user = self.topology.users.iter().find(|user| *user.name == *self.address.user);
        let login = match user.and_then(|user| user.credential.as_ref()) {
            Some(Credential::Hash { .. }) if is_risky => {
                outcome.unproven_account = true;
                return outcome;
            }
            Some(Credential::Password(password)) => Address { password: password.clone(), ..self.address.clone() },
            _ => self.address.clone(),
        };
        let refused = !outcome.applied.refused.is_empty();
        match self.read_back(&login, refused, &outcome.meant, Plan::is_empty).await {
            Ok(again) => outcome.again = Some(again),
            Err(failure) => outcome.failure = Some(failure),
        }
        outcome
    }

    /// Plans until nothing is left, a bounded number of times; once where a refusal explains what is left. What came to the
    /// broker meanwhile, or was kept by what is gone by now, was not `meant` to be deleted: the next plan lists it.
    async fn read_back(
        &self,
        address: &Address,
        refused: bool,
        meant: &BTreeSet<Object>,
        is_done: impl Fn(&Plan) -> bool,
    ) -> Result<Plan, BrokerFailure> {
        let look = async || {
            let (_, mut again) = self.look(address).await?;
            let is_new = |kind: &ChangeKind| matches!(kind, ChangeKind::Delete { .. });
            again.changes.retain(|change| !is_new(&change.kind) || meant.contains(&change.object));
            Ok(again)
        };
        look_until(&LOOKS, look, |again| refused || is_done(again)).await
    }
}

/// Looks until what is seen is done, with these pauses between; returns what was seen last.
async fn look_until<T, E>(
    pauses: &[Duration],
    look: impl AsyncFn() -> Result<T, E>,
    is_done: impl Fn(&T) -> bool,
) -> Result<T, E> {
    let mut pauses = pauses.iter();
    loop {
        let seen = look().await?;
        match pauses.next().filter(|_| !is_done(&seen)) {
            Some(pause) => tokio::time::sleep(*pause).await,
            None => return Ok(seen),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Looks at a list that lacks an object until the third time; returns what was seen last, and how often.
    async fn late(pauses: usize) -> (usize, usize) {
        let looks = AtomicUsize::new(0);
        let look = async || Ok::<usize, ()>(looks.fetch_add(1, Ordering::Relaxed) + 1);
        let seen = look_until(&vec![Duration::from_millis(1); pauses], look, |seen| *seen >= 3).await;
        (seen.unwrap_or_default(), looks.into_inner())
    }

    #[tokio::test]
    async fn a_list_that_is_late_is_looked_at_again_and_never_without_end() {
        assert_eq!(late(6).await, (3, 3));
        assert_eq!(late(1).await, (2, 2), "what was seen last is told");
    }
}
