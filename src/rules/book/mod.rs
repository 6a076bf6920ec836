//! The rule book: what RabbitMQ does, one section a rule, cited everywhere by its number (`[TTL-2]`).
//! `README.md` tells how a section is written. Never holds code that imitates RabbitMQ.

mod rule;
mod told;

pub use rule::{KnownFrom, PLAYED_RELEASES, RuleChapter, RuleSection, RuleSource, VersionNote, rule_chapters};
pub use told::TOLD_RULES;
