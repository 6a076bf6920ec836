//! Deprecated features that RabbitMQ denies unless its configuration permits them (ER-12, CO-4).
//! Takes their names; gives the differences of a profile with some of them permitted. Never looks at a broker.

use crate::model::Profile;
use crate::rules::is_known_type;
use crate::rules::patches::of_patch;
use crate::rules::plugins::Plugins;
use crate::rules::versions::{Differences, V4_3, differences};
use crate::source::{Help, nearest_name};
use std::fmt;
use std::str::FromStr;

/// A feature that 4.3 denies by default and that `deprecated_features.permit.NAME = true` brings back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeprecatedFeature {
    /// CO-4: `global` of basic.qos.
    GlobalQos,
    /// Queues that are neither durable nor exclusive.
    TransientNonexclQueues,
}

impl DeprecatedFeature {
    /// All of them, by name.
    pub const ALL: [Self; 2] = [Self::GlobalQos, Self::TransientNonexclQueues];

    /// Returns RabbitMQ's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GlobalQos => "global_qos",
            Self::TransientNonexclQueues => "transient_nonexcl_queues",
        }
    }
}

impl fmt::Display for DeprecatedFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DeprecatedFeature {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|feature| feature.as_str() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str);
            let advice = match nearest_name(text, names) {
                Some(near) => Help::did_you_mean(near),
                None => format!("there are {}", names.join(", ")).into(),
            };
            format!("no deprecated feature `{text}`: {advice}")
        })
    }
}

/// The deprecated features that a broker permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permits(u8);

impl Permits {
    /// No deprecated feature, as RabbitMQ is shipped.
    pub const NONE: Self = Self(0);

    /// Every deprecated feature.
    pub const ALL: Self = Self((1 << DeprecatedFeature::ALL.len()) - 1);

    /// Returns whether a feature is among them.
    pub const fn contains(self, feature: DeprecatedFeature) -> bool {
        self.0 & (1 << feature as u8) != 0
    }

    /// Returns the features, by name.
    pub fn iter(self) -> impl Iterator<Item = DeprecatedFeature> {
        DeprecatedFeature::ALL.into_iter().filter(move |feature| self.contains(*feature))
    }
}

impl FromIterator<DeprecatedFeature> for Permits {
    fn from_iter<I: IntoIterator<Item = DeprecatedFeature>>(features: I) -> Self {
        Self(features.into_iter().fold(0, |bits, feature| bits | 1 << feature as u8))
    }
}

/// A RabbitMQ version as its rules go, with the deprecated features that its configuration permits and the plugins that it has
/// enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edition {
    /// The version.
    pub profile: Profile,
    /// What its configuration permits beyond the default.
    pub permits: Permits,
    /// What it has enabled.
    pub plugins: Plugins,
    /// 6 of 4.3.6: some rules changed within a minor version.
    pub patch: u16,
}

impl Edition {
    /// The release that the profile imitates.
    pub fn permitting(profile: Profile, permits: Permits) -> Self {
        Self { profile, permits, plugins: Plugins::NONE, patch: profile.patch() }
    }

    /// The release that a broker names, `4.2.3` or `4.2.3-1`; that of the profile where it is of another minor version.
    pub fn of_release(profile: Profile, release: &str, permits: Permits) -> Self {
        let rest = release.strip_prefix(&format!("{profile}."));
        let digits = rest.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
        let patch = digits.and_then(|digits| digits.parse().ok()).unwrap_or(profile.patch());
        Self { profile, permits, plugins: Plugins::NONE, patch }
    }
}

impl Edition {
    /// Returns it with more plugins.
    #[must_use]
    pub fn with_plugins(self, more: Plugins) -> Self {
        Self { plugins: self.plugins.with(more), ..self }
    }

    /// Returns whether exchanges of that type can be declared (RT-17).
    pub fn knows_exchange_type(self, kind: &str) -> bool {
        is_known_type(kind, differences_of(self)) || self.plugins.bring(kind)
    }

    /// Returns the release whose rules these are, `4.2.3`.
    pub fn release(self) -> String {
        format!("{}.{}", self.profile, self.patch)
    }

    /// Names the simulated broker that follows them: `sim 4.2`, and `sim 4.2, as 4.2.3` where it is another patch than the
    /// one that the profile imitates and follows other rules.
    pub fn sim_name(self) -> String {
        let plain = Self { patch: self.profile.patch(), ..self };
        match std::ptr::eq(differences_of(self), differences_of(plain)) {
            true => format!("sim {}", self.profile),
            false => format!("sim {}, as {}", self.profile, self.release()),
        }
    }
}

impl From<Profile> for Edition {
    /// As it is shipped.
    fn from(profile: Profile) -> Self {
        Self::permitting(profile, Permits::NONE)
    }
}

/// How many sets of permitted features there are.
const SETS: usize = 1 << DeprecatedFeature::ALL.len();

static V4_3_PERMITTING: [Differences; SETS] = {
    let mut all = [V4_3; SETS];
    let mut set = 0;
    while set < SETS {
        let permits = Permits(set as u8);
        if permits.contains(DeprecatedFeature::GlobalQos) {
            all[set].global_qos_ignored = false;
        }
        if permits.contains(DeprecatedFeature::TransientNonexclQueues) {
            all[set].transient_queues_denied = false;
        }
        set += 1;
    }
    all
};

/// Returns what the profile does differently from the others while it permits some deprecated features; versions that
/// permit them by default do so anyway.
pub fn differences_of(edition: Edition) -> &'static Differences {
    let own = of_profile(edition);
    if edition.patch == edition.profile.patch() {
        own
    } else {
        of_patch((edition.profile, edition.patch, edition.permits.0), own)
    }
}

fn of_profile(edition: Edition) -> &'static Differences {
    match edition.profile {
        Profile::V4_3 => &V4_3_PERMITTING[usize::from(edition.permits.0)],
        profile => differences(profile),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{PassiveAccess, changed_rules};

    fn permitting(permits: Permits) -> &'static Differences {
        differences_of(Edition::permitting(Profile::V4_3, permits))
    }

    #[test]
    fn each_permission_brings_back_its_own_feature() {
        assert_eq!(permitting(Permits::NONE), differences(Profile::V4_3));
        let transient = permitting(Permits::from_iter([DeprecatedFeature::TransientNonexclQueues]));
        assert!(!transient.transient_queues_denied && transient.global_qos_ignored);
        let all = permitting(Permits::ALL);
        assert!(!all.transient_queues_denied && !all.global_qos_ignored);
    }

    #[test]
    fn a_misspelt_feature_is_told_the_right_name() {
        let why = "transient_nonexl_queues".parse::<DeprecatedFeature>().expect_err("a misspelt name");
        assert!(why.ends_with("did you mean `transient_nonexcl_queues`?"), "{why}");
    }

    fn changed(profile: Profile, release: &str) -> Vec<&'static str> {
        let edition = Edition::of_release(profile, release, Permits::NONE);
        changed_rules(profile.into(), edition).into_iter().map(|rule| rule.id()).collect()
    }

    #[test]
    fn a_release_follows_the_rules_of_its_patch() {
        assert_eq!(changed(Profile::V3_13, "3.13.2"), ["RT-17"]);
        assert_eq!(changed(Profile::V4_1, "4.1.1-1"), ["CO-6"]);
        assert_eq!(changed(Profile::V4_2, "4.2.0"), ["DL-31", "PE-2", "PX-1"]);
        assert_eq!(changed(Profile::V4_2, "4.2.7"), ["PE-2"]);
        assert_eq!(changed(Profile::V4_2, "4.2.6"), [""; 0]);
        let newer = differences_of(Edition::of_release(Profile::V4_2, "4.2.9", Permits::NONE));
        assert_eq!(newer.passive_access, PassiveAccess::AnyRight);
    }

    #[test]
    fn a_simulated_broker_is_named_with_its_patch_where_that_matters() {
        let name = |release: &str| Edition::of_release(Profile::V4_2, release, Permits::NONE).sim_name();
        assert_eq!(name("4.2.3"), "sim 4.2, as 4.2.3");
        assert_eq!(name("4.2.6"), "sim 4.2");
        let later = Edition::of_release(Profile::V4_1, "4.1.9", Permits::ALL);
        assert_eq!(later.sim_name(), "sim 4.1", "no rule is known to have changed after 4.1.8");
    }

    #[test]
    fn the_release_of_a_profile_is_the_profile() {
        for profile in Profile::ALL {
            let own = Edition::of_release(profile, &profile.release(), Permits::NONE);
            assert!(std::ptr::eq(differences_of(own), differences_of(profile.into())), "{profile}");
            assert_eq!(differences_of(own), differences(profile));
        }
    }
}
