//! The language as JSON Schema (draft-07), for editors: one table of words, and the writer that makes a schema of it.
//! Takes nothing, gives JSON. Whether the table is true to the language is a test's business.

mod kinds;
mod words;
mod writer;

pub use words::{Object, SCENARIO_OBJECTS, TOPOLOGY_OBJECTS, Word};
pub use writer::{SchemaOf, schema};
