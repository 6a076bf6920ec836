//! Who may log in: the users of the served broker with their passwords, which the simulator does not keep.

use crate::model::{Credential, Name, Secret, User};
use crate::plan::{hash_of, is_hash_of};
use sha2::{Digest, Sha256};
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

    /// Returns the hash of a user's password and its algorithm, as RabbitMQ keeps it.
    pub fn hash_of(&self, name: &str) -> Option<(String, String)> {
        let made = match self.0.get(name)?.as_ref()? {
            // A password that is known makes the same hash each time: nothing here is random.
            Credential::Password(password) => {
                let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(name));
                hash_of(password, [a, b, c, d])
            }
            hash => hash.clone(),
        };
        let Credential::Hash { hash, algorithm } = made else { return None };
        Some((hash.expose().to_owned(), algorithm))
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
