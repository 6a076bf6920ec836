//! Who may log in: the users of the served broker with their passwords, which the simulator does not keep.

use crate::model::{Credential, Name, Secret, User};
use crate::plan::is_hash_of;
use std::collections::BTreeMap;

/// Users and how they prove who they are; one without a credential cannot log in.
#[derive(Debug, Clone, Default)]
pub struct Accounts(BTreeMap<Name, Option<Credential>>);

impl Accounts {
    /// Knows `guest` with the password `guest`, as a broker that is new.
    pub fn guest() -> Self {
        Self(BTreeMap::from([("guest".into(), Some(Credential::Password(Secret::new("guest"))))]))
    }

    /// Knows these users; `guest` where there is none.
    ///
    /// ```
    /// use rmqplay::serve::Accounts;
    /// let accounts = Accounts::of(&[]);
    /// assert!(accounts.fits("guest", "guest") && !accounts.fits("guest", "other") && !accounts.fits("alice", ""));
    /// ```
    pub fn of(users: &[User]) -> Self {
        if users.is_empty() {
            return Self::guest();
        }
        Self(users.iter().map(|user| (user.name.clone(), user.credential.clone())).collect())
    }

    /// Keeps what a user proves itself by from now on; `None` leaves what is known.
    pub fn put(&mut self, name: &Name, credential: Option<Credential>) {
        let known = self.0.entry(name.clone()).or_default();
        if credential.is_some() {
            *known = credential;
        }
    }

    /// Forgets a user.
    pub fn delete(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Returns whether there is such a user, however it proves who it is.
    pub fn knows(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Returns whether the user is known and the password its own. RabbitMQ refuses empty passwords.
    pub fn fits(&self, name: &str, password: &str) -> bool {
        if password.is_empty() {
            return false;
        }
        match self.0.get(name) {
            Some(Some(Credential::Password(secret))) => secret.expose() == password,
            Some(Some(Credential::Hash { hash, algorithm })) => {
                is_hash_of(hash, algorithm, &Secret::new(password)).unwrap_or(false)
            }
            Some(None) | None => false,
        }
    }
}
