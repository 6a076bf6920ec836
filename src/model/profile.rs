//! RabbitMQ versions, and the ones whose rules the sim knows.
//! Gives the nearest profile of a version. Never says what differs (that is `rules`).

use std::fmt;

/// A RabbitMQ release line: the contract is major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// 4 of 4.3.
    pub major: u16,
    /// 3 of 4.3.
    pub minor: u16,
}

/// Names the version whose rules the sim follows; ordered from old to new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// RabbitMQ 3.10.
    V3_10,
    /// RabbitMQ 3.12.
    V3_12,
    /// RabbitMQ 3.13.
    V3_13,
    /// RabbitMQ 4.0.
    V4_0,
    /// RabbitMQ 4.1.
    V4_1,
    /// RabbitMQ 4.2.
    V4_2,
    /// RabbitMQ 4.3.
    V4_3,
}

impl Profile {
    /// All profiles, oldest first.
    pub const ALL: [Profile; 7] =
        [Profile::V3_10, Profile::V3_12, Profile::V3_13, Profile::V4_0, Profile::V4_1, Profile::V4_2, Profile::V4_3];

    /// The profile of plain `sim`.
    pub const NEWEST: Profile = Profile::V4_3;

    /// Returns which profile a text that names none may mean, and which there are.
    pub fn advice(text: &str) -> String {
        let names: Vec<String> = Profile::ALL.iter().map(Profile::to_string).collect();
        let listed = match names.as_slice() {
            [first @ .., last] if !first.is_empty() => format!("there are {} and {last}", first.join(", ")),
            _ => format!("there is {}", names.join("")),
        };
        let plain = text.trim().trim_start_matches(['v', 'V']);
        let of_major = |major: u16| Profile::ALL.into_iter().rev().find(|profile| profile.version().major == major);
        match (plain.parse::<Version>(), plain.parse::<u16>()) {
            (Ok(version), _) => match Profile::ALL.into_iter().find(|profile| profile.version() == version) {
                Some(same) => {
                    format!(
                        "a profile is a minor version, and {same} imitates {}: did you mean `{same}`?",
                        same.release()
                    )
                }
                None if version < Profile::ALL[0].version() => format!("{listed}; none is so old"),
                None => format!("{listed}; the nearest that is not newer is {}", Profile::nearest(version)),
            },
            (_, Ok(major)) => match of_major(major) {
                Some(newest) => format!("{listed}; the newest of {major} is {newest}"),
                None => listed,
            },
            _ => format!("{listed}; the newest is {}", Profile::NEWEST),
        }
    }

    /// Names profiles for a sentence, three neighbours or more as a range: `3.10, 4.0 to 4.3`; `and` stands before the last.
    pub fn listed(profiles: &[Profile], and: &str) -> String {
        let place = |profile: &Profile| *profile as usize;
        let mut names: Vec<String> = Vec::new();
        for run in profiles.chunk_by(|one, next| place(one) + 1 == place(next)) {
            match run {
                [first, _, .., last] => names.push(format!("{first} to {last}")),
                few => names.extend(few.iter().map(Profile::to_string)),
            }
        }
        match names.split_last() {
            Some((last, before)) if !before.is_empty() => format!("{}{and}{last}", before.join(", ")),
            _ => names.concat(),
        }
    }

    /// Returns the version that this profile imitates.
    pub fn version(self) -> Version {
        let (major, minor) = match self {
            Profile::V3_10 => (3, 10),
            Profile::V3_12 => (3, 12),
            Profile::V3_13 => (3, 13),
            Profile::V4_0 => (4, 0),
            Profile::V4_1 => (4, 1),
            Profile::V4_2 => (4, 2),
            Profile::V4_3 => (4, 3),
        };
        Version { major, minor }
    }

    /// Returns the patch of its version that this profile imitates: 6 of 4.3.6.
    pub fn patch(self) -> u16 {
        match self {
            Profile::V3_10 | Profile::V4_1 => 8,
            Profile::V3_12 => 14,
            Profile::V3_13 => 7,
            Profile::V4_0 => 5,
            Profile::V4_2 | Profile::V4_3 => 6,
        }
    }

    /// Returns the release that this profile imitates, `4.3.6`.
    pub fn release(self) -> String {
        format!("{self}.{}", self.patch())
    }

    /// Returns the newest profile that is not newer than `version`; before 3.10 it is 3.10.
    pub fn nearest(version: Version) -> Profile {
        let known = Profile::ALL.into_iter().rev().find(|profile| profile.version() <= version);
        known.unwrap_or(Profile::V3_10)
    }
}

impl std::str::FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Profile::ALL.into_iter().find(|profile| profile.to_string() == text);
        found.ok_or_else(|| format!("the simulator knows no RabbitMQ `{text}`: {}", Profile::advice(text)))
    }
}

impl std::str::FromStr for Version {
    type Err = String;

    /// Reads `4.3`, `4.3.6`, `4.3.6-1`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.trim().split('.');
        let mut number = || parts.next().and_then(|part| part.parse().ok());
        match (number(), number()) {
            (Some(major), Some(minor)) => Ok(Version { major, minor }),
            _ => Err(format!("`{text}` is not a version like 4.3")),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.version().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_profile_is_told_its_neighbour() {
        let why = |text: &str| text.parse::<Profile>().expect_err("no profile");
        assert!(why("4.1.2").ends_with("4.1 imitates 4.1.8: did you mean `4.1`?"));
        let all = "there are 3.10, 3.12, 3.13, 4.0, 4.1, 4.2 and 4.3";
        assert!(why("3.11").ends_with(&format!("{all}; the nearest that is not newer is 3.10")));
        assert_eq!("3.13".parse(), Ok(Profile::V3_13));
    }

    #[test]
    fn neighbours_are_listed_as_a_range() {
        use Profile::*;
        assert_eq!(Profile::listed(&Profile::ALL, ", "), "3.10 to 4.3");
        assert_eq!(Profile::listed(&[V3_10, V4_0, V4_1, V4_2], " and "), "3.10 and 4.0 to 4.2");
        assert_eq!(Profile::listed(&[V3_10, V3_12, V4_3], " and "), "3.10, 3.12 and 4.3");
        assert_eq!(Profile::listed(&[V4_3], ", "), "4.3");
    }
}
