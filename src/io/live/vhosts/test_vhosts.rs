//! The throw-away vhosts and users of one run: made over HTTP before, deleted over HTTP after.
//! Deleting a vhost closes its connections, so clean-up never needs AMQP; it has a time limit and is never in Drop.

use crate::io::address::Address;
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::live::vhosts::names::NameMapping;
use crate::io::management::ManagementClient;
use crate::model::{Name, User, Vhost};
use std::time::Duration;
use tokio::time::timeout;

/// How often a name that is taken is replaced.
const TRIES: usize = 5;
/// How long the whole clean-up may take.
const SWEEP: Duration = Duration::from_secs(60);

/// What must be deleted after a run.
#[derive(Clone)]
pub struct TestVhosts {
    management: ManagementClient,
    names: NameMapping,
    /// A vhost of somebody else, lent for the run.
    lent: Option<Name>,
}

impl TestVhosts {
    /// Makes a throw-away vhost for each declared one, with all rights for the runner, and a throw-away user for each
    /// declared one. Descriptions, tags and limits come with the applier's acts.
    ///
    /// # Errors
    /// The first failure, after what was made is deleted again.
    pub async fn set_up(address: &Address, vhosts: &[Name], users: &[Name]) -> Result<Self, BrokerFailure> {
        let guard = Self::bare(address)?;
        let made = guard.make(vhosts, users).await;
        match made {
            Ok(()) => Ok(guard),
            Err(failure) => {
                // The first failure is the telling one; `clean` finds what could not be deleted.
                let _ = guard.sweep().await;
                Err(failure)
            }
        }
    }

    /// Guards a cell that plays in a vhost that is there already: makes no vhost and no user, and sweeps what is in it.
    pub fn lent(address: &Address, declared: &Name, vhost: &Name) -> Result<Self, BrokerFailure> {
        let names = NameMapping::lent(declared.clone(), vhost.clone());
        Ok(Self { management: ManagementClient::new(address)?, names, lent: Some(vhost.clone()) })
    }

    /// Makes nothing yet; [`TestVhosts::make`] does, and [`TestVhosts::sweep`] works at any time between, also after an abort.
    pub fn bare(address: &Address) -> Result<Self, BrokerFailure> {
        Ok(Self { management: ManagementClient::new(address)?, names: NameMapping::throw_away(), lent: None })
    }

    /// Makes the vhosts and users.
    ///
    /// # Errors
    /// The first failure; that of a user who may not make vhosts tells another way.
    pub async fn make(&self, vhosts: &[Name], users: &[Name]) -> Result<(), BrokerFailure> {
        if self.lent.is_some() {
            return Ok(());
        }
        for declared in vhosts {
            self.make_vhost(declared).await.map_err(or_lent)?;
        }
        for declared in users {
            self.make_user(declared).await?;
        }
        Ok(())
    }

    /// Returns the mapping, for [`Live::open`](crate::io::live::Live::open).
    pub fn names(&self) -> NameMapping {
        self.names.clone()
    }

    /// Names the vhosts and users of the run, for people who want a look at them afterwards.
    pub fn handed_out(&self) -> (Vec<Name>, Vec<Name>) {
        self.names.handed_out()
    }

    async fn make_vhost(&self, declared: &Name) -> Result<(), BrokerFailure> {
        for _ in 0..TRIES {
            let name = self.names.vhost(declared);
            let description = Some("throw-away vhost of rmqplay".to_owned());
            let vhost = Vhost { name: name.clone(), description, tags: Some(Vec::new()), ..Vhost::default() };
            if self.management.put_vhost(&vhost).await? {
                return self.management.grant_all(self.management.user(), &name).await;
            }
            self.names.rename_vhost(declared);
        }
        Err(self.all_taken())
    }

    async fn make_user(&self, declared: &Name) -> Result<(), BrokerFailure> {
        for _ in 0..TRIES {
            let bare = User { name: declared.clone(), credential: None, tags: Vec::new(), limits: Default::default() };
            if self.management.put_user(&self.names.throw_away_user(&bare)).await? {
                return Ok(());
            }
            self.names.rename_user(declared);
        }
        Err(self.all_taken())
    }

    fn all_taken(&self) -> BrokerFailure {
        let reason = "every throw-away name that was tried is taken".to_owned();
        BrokerFailure::new(BrokerFailureKind::Refused { status: 204, reason }, self.management.shown())
            .hint("`rmqplay clean` removes what earlier runs left")
    }

    /// Deletes all vhosts and users that this run was given, present or not.
    ///
    /// # Errors
    /// The first failure; the others are tried all the same.
    pub async fn sweep(&self) -> Result<(), BrokerFailure> {
        if let Some(vhost) = &self.lent {
            let swept = timeout(SWEEP, crate::io::live::vhosts::existing_vhost::empty(&self.management, vhost)).await;
            let late = || {
                let doing = format!("emptying vhost '{vhost}'");
                Err(BrokerFailure::new(BrokerFailureKind::NoAnswer { doing, after: SWEEP }, self.management.shown()))
            };
            return swept.unwrap_or_else(|_| late());
        }
        let (vhosts, users) = self.names.handed_out();
        let left = vhosts.iter().chain(&users).map(|name| &**name).collect::<Vec<_>>().join(", ");
        let mut first = Ok(());
        let deletions = async {
            for vhost in &vhosts {
                keep_first(&mut first, self.management.delete_vhost(vhost).await);
            }
            for user in &users {
                keep_first(&mut first, self.management.delete_user(user).await);
            }
        };
        if timeout(SWEEP, deletions).await.is_err() {
            let doing = format!("deleting {left}");
            first =
                Err(BrokerFailure::new(BrokerFailureKind::NoAnswer { doing, after: SWEEP }, self.management.shown()));
        }
        first.map_err(|failure| failure.hint(format!("`rmqplay clean` removes what is left of {left}")))
    }
}

/// Tells who may not make vhosts that one which is there will do.
fn or_lent(failure: BrokerFailure) -> BrokerFailure {
    match &failure.kind {
        BrokerFailureKind::NoRight { .. } => {
            let hint = format!("{}; or play in an empty vhost that is there: --in-vhost VHOST", failure.hint);
            failure.hint(hint)
        }
        _ => failure,
    }
}

/// Keeps the first failure; what is not there needs no deletion.
fn keep_first(first: &mut Result<(), BrokerFailure>, next: Result<(), BrokerFailure>) {
    if let Err(failure) = next
        && first.is_ok()
        && !failure.is_gone()
    {
        *first = Err(failure);
    }
}
