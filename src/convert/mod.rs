//! Files of other tools to topologies, and topologies to files: the YAML that a person would have written, and the
//! definitions file that RabbitMQ's own import takes.
//!
//! `read/` takes a text with its name and gives an [`Imported`] topology, with a note at each line that has no counterpart;
//! `write/` takes a topology and gives text. [`prove`] reads what was written and compares. Never reads or writes a file.

mod defaults;
mod definitions;
mod proof;
mod read;
mod secrets;
mod without;
mod write;

pub use defaults::{objects_that_differ, without_defaults};
pub use definitions::{DefinitionsForm, definitions};
pub use proof::{Written, write_proven};
pub use read::{Imported, import_texts, of_broker, only_vhost};
pub use secrets::SecretVariables;
pub use without::without_objects;
pub use write::{
    DraftConsumer, DraftDeath, DraftQueue, DraftRule, DraftStep, DraftedStep, SessionDraft, Wording, write_session,
    write_yaml,
};
