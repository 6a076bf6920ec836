//! The RabbitMQ versions that a file is judged for, and which of them refuse something in it.
//! Takes the bounds of a scenario; returns the versions that refuse and those that do not. Never says what is wrong.

use crate::language::world::Settings;
use crate::model::{Name, Profile, QueueKind, Requirement, by_number};
use crate::rules::{Differences, differences};
use std::collections::BTreeMap;

/// The versions that a file may meet, and the vhosts whose queues have another type by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedFor {
    profiles: Vec<Profile>,
    /// The command line asked for these versions: what none of them takes is a problem in an export, too.
    pub is_asked: bool,
    /// Types of queues that name none, by vhost.
    pub default_types: BTreeMap<Name, QueueKind>,
}

impl Default for JudgedFor {
    fn default() -> Self {
        Self { profiles: Profile::ALL.to_vec(), is_asked: false, default_types: BTreeMap::new() }
    }
}

/// Which versions refuse something, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedBy<T> {
    refusing: Vec<Profile>,
    taking: Vec<Profile>,
    /// The reason of the newest version that refuses.
    pub reason: T,
}

impl JudgedFor {
    /// Returns the versions that keep to all bounds of a scenario and that its `brokers` name; all where that leaves none.
    pub fn of_scenario(requires: &[Requirement], brokers: &[String]) -> Self {
        let is_named = |profile: &Profile| {
            let is_own = |word: &str| word.strip_prefix("sim:").is_none_or(|version| *version == profile.to_string());
            brokers.is_empty() || brokers.iter().any(|word| is_own(word))
        };
        let admitted = |profile: &Profile| requires.iter().all(|bound| bound.admits(profile.version()));
        let profiles: Vec<Profile> = Profile::ALL.into_iter().filter(|it| is_named(it) && admitted(it)).collect();
        if profiles.is_empty() { Self::default() } else { Self { profiles, ..Self::default() } }
    }

    /// Returns the versions that the command line names; all where it names none.
    pub fn of_settings(settings: &Settings) -> Self {
        match settings.judged_for.is_empty() {
            true => Self::default(),
            false => Self { profiles: settings.judged_for.clone(), is_asked: true, ..Self::default() },
        }
    }

    /// Keeps those that the command line names; all of them where that leaves none.
    pub fn within(mut self, settings: &Settings) -> Self {
        let named = |profile: &Profile| settings.judged_for.is_empty() || settings.judged_for.contains(profile);
        if self.profiles.iter().any(named) {
            self.profiles.retain(named);
        }
        self
    }

    /// Returns the versions, oldest first.
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// Asks each version whether it refuses something; `None` when none does.
    pub fn refused_by<T>(&self, refuse: impl Fn(&'static Differences) -> Option<T>) -> Option<RefusedBy<T>> {
        let (mut refusing, mut taking, mut reason) = (Vec::new(), Vec::new(), None);
        for profile in &self.profiles {
            match refuse(differences(*profile)) {
                Some(why) => {
                    refusing.push(*profile);
                    reason = Some(why);
                }
                None => taking.push(*profile),
            }
        }
        reason.map(|reason| RefusedBy { refusing, taking, reason })
    }

    /// Returns the rules of the newest version.
    pub fn newest(&self) -> &'static Differences {
        differences(self.profiles.last().copied().unwrap_or(Profile::NEWEST))
    }

    /// Returns the same without the versions that are not like that.
    pub fn among(&self, is: impl Fn(&'static Differences) -> bool) -> Self {
        let profiles = self.profiles.iter().copied().filter(|profile| is(differences(*profile))).collect();
        Self { profiles, ..self.clone() }
    }

    /// Returns whether any of the versions is like that.
    pub fn any(&self, is: impl Fn(&'static Differences) -> bool) -> bool {
        self.profiles.iter().any(|profile| is(differences(*profile)))
    }

    /// Returns the type that a queue without one gets by default in a vhost.
    pub fn default_type(&self, vhost: &str) -> Option<QueueKind> {
        self.default_types.get(vhost).copied()
    }
}

impl<T> RefusedBy<T> {
    /// Returns whether no version takes it.
    pub fn is_by_all(&self) -> bool {
        self.taking.is_empty()
    }

    /// Names the versions that refuse, with a verb: `RabbitMQ 4.3 refuses`, `RabbitMQ 3.10 to 4.2 refuse`.
    pub fn who(&self, one: &str, many: &str) -> String {
        format!("RabbitMQ {} {}", Profile::listed(&self.refusing, " and "), by_number(self.refusing.len(), one, many))
    }

    /// Names the others, of keys: `3.10 to 3.13 have`.
    pub fn having(&self) -> String {
        format!("{} {}", Profile::listed(&self.taking, " and "), by_number(self.taking.len(), "has", "have"))
    }

    /// Names the others: `3.10 and 4.0 take it`.
    pub fn who_takes(&self) -> String {
        self.others("takes", "take")
    }

    /// Names the others with a verb: `4.3 has it`.
    pub fn others(&self, one: &str, many: &str) -> String {
        format!("{} {} it", Profile::listed(&self.taking, " and "), by_number(self.taking.len(), one, many))
    }
}
