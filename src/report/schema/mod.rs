//! The language as JSON Schema (draft-07), for editors: the table of words that `language` holds, written as a schema.
//! Takes nothing, returns JSON. The table itself is `language::words`.

mod kinds;
mod writer;

pub use writer::{SchemaOf, schema};
