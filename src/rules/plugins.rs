//! Plugins that bring exchange types, by the names that `rabbitmq-plugins` knows (PX-1 to PX-4, RT-17, RT-18).
//! Takes their names; gives which types a broker has with some of them. Never looks at a broker.

use crate::source::{Help, nearest_name};
use std::fmt;
use std::str::FromStr;

/// A plugin that the simulated broker can have enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plugin {
    /// PX-1.
    ConsistentHashExchange,
    /// RT-18: of the community, not shipped with RabbitMQ.
    DelayedMessageExchange,
    /// PX-4: brings no type, but the exchange `amq.rabbitmq.event`.
    EventExchange,
    /// PX-2: `x-random`.
    RandomExchange,
    /// PX-2: `x-modulus-hash`, which 4.3 has without it.
    Sharding,
    /// PX-3.
    RecentHistoryExchange,
}

impl Plugin {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::ConsistentHashExchange,
        Self::DelayedMessageExchange,
        Self::EventExchange,
        Self::RandomExchange,
        Self::RecentHistoryExchange,
        Self::Sharding,
    ];

    /// Returns RabbitMQ's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConsistentHashExchange => "rabbitmq_consistent_hash_exchange",
            Self::DelayedMessageExchange => "rabbitmq_delayed_message_exchange",
            Self::EventExchange => "rabbitmq_event_exchange",
            Self::RandomExchange => "rabbitmq_random_exchange",
            Self::Sharding => "rabbitmq_sharding",
            Self::RecentHistoryExchange => "rabbitmq_recent_history_exchange",
        }
    }

    /// Returns the exchange type that it brings, if it brings one.
    pub fn exchange_type(self) -> Option<&'static str> {
        Some(match self {
            Self::ConsistentHashExchange => "x-consistent-hash",
            Self::DelayedMessageExchange => "x-delayed-message",
            Self::RandomExchange => "x-random",
            Self::Sharding => "x-modulus-hash",
            Self::RecentHistoryExchange => "x-recent-history",
            Self::EventExchange => return None,
        })
    }

    /// Finds the plugin that brings an exchange type.
    pub fn of_type(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plugin| plugin.exchange_type() == Some(kind))
    }
}

impl fmt::Display for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Plugin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|plugin| plugin.as_str() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str);
            let of_type = Self::of_type(text).map(Self::as_str);
            let advice = match of_type.or_else(|| nearest_name(text, names)) {
                Some(near) => Help::did_you_mean(near),
                None => format!("there are {}", names.join(", ")).into(),
            };
            format!("the simulated broker has no plugin `{text}`: {advice}")
        })
    }
}

/// The plugins that a broker has enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Plugins(u8);

impl Plugins {
    /// None, as RabbitMQ is shipped.
    pub const NONE: Self = Self(0);

    /// Every one that the simulated broker can have.
    pub const ALL: Self = Self((1 << Plugin::ALL.len()) - 1);

    /// Returns whether a plugin is among them.
    pub const fn contains(self, plugin: Plugin) -> bool {
        self.0 & (1 << plugin as u8) != 0
    }

    /// Returns them with others.
    #[must_use]
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Returns the plugins in the order of their names.
    pub fn iter(self) -> impl Iterator<Item = Plugin> {
        Plugin::ALL.into_iter().filter(move |plugin| self.contains(*plugin))
    }

    /// Returns those of a list of names that the simulated broker can have.
    pub fn named<'n>(names: impl IntoIterator<Item = &'n String>) -> Self {
        names.into_iter().filter_map(|name| name.parse::<Plugin>().ok()).collect()
    }

    /// Returns those that bring some of these exchange types.
    pub fn of_types<'k>(kinds: impl IntoIterator<Item = &'k str>) -> Self {
        kinds.into_iter().filter_map(Plugin::of_type).collect()
    }

    /// Returns whether one of them brings an exchange type.
    pub fn bring(self, kind: &str) -> bool {
        Plugin::of_type(kind).is_some_and(|plugin| self.contains(plugin))
    }
}

impl FromIterator<Plugin> for Plugins {
    fn from_iter<I: IntoIterator<Item = Plugin>>(plugins: I) -> Self {
        Self(plugins.into_iter().fold(0, |bits, plugin| bits | 1 << plugin as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_plugin_is_told_the_right_name() {
        for (word, meant) in [
            ("rabbitmq_consistent_hash_exchnge", "rabbitmq_consistent_hash_exchange"),
            ("x-modulus-hash", "rabbitmq_sharding"),
        ] {
            let why = word.parse::<Plugin>().expect_err("a misspelt name");
            assert!(why.ends_with(&format!("did you mean `{meant}`?")), "{why}");
        }
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let some = Plugins::from_iter([Plugin::Sharding, Plugin::RandomExchange]);
        assert_eq!(some.iter().collect::<Vec<_>>(), [Plugin::RandomExchange, Plugin::Sharding]);
        assert!(some.bring("x-random") && !some.bring("x-recent-history") && !some.bring("direct"));
        assert_eq!(Plugins::ALL.iter().count(), Plugin::ALL.len());
    }
}
