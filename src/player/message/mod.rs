//! Messages as scenarios see them: composed, named, shown to templates.

pub(crate) mod anonymous_messages;
pub(crate) mod bad_value;
pub(crate) mod compose;
pub(crate) mod names;
pub(crate) mod view;
