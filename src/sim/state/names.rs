//! Maps by name with a fixed hasher: quick, and the same in every run.

use crate::model::Name;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

/// Maps names to values; iterates in order of arrival as long as nothing is removed.
pub(crate) type NameMap<V> = IndexMap<Name, V, FxBuildHasher>;

/// Removes CR and LF, as declare does (ER-9).
pub(crate) fn stripped(name: &Name) -> Name {
    if name.contains(['\r', '\n']) { name.replace(['\r', '\n'], "").into() } else { name.clone() }
}

/// The name that stands for a channel's own replies.
pub(crate) const REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// What the keys of such channels begin with.
pub(crate) const REPLY_TO_KEY: &str = "amq.rabbitmq.reply-to.";
