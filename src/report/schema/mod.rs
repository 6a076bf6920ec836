//! The language as JSON Schema (draft-07), for editors: one table of words, and the writer that makes a schema of it.
//! Takes nothing, gives JSON. Whether the table is true to the language is a test's business.

mod kinds;
mod scenario_words;
mod topology_words;
mod words;
mod writer;

pub use scenario_words::SCENARIO_OBJECTS;
pub use topology_words::TOPOLOGY_OBJECTS;
pub use words::{Object, Word};
pub use writer::{SchemaOf, schema};
