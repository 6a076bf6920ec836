//! Topologies as RabbitMQ's definitions: read from what a broker answers, written for saved plans and digests.
//! Lenient where a broker speaks: unknown fields are passed over, an entry without what names it is left out.

mod export;
mod export_entry;
mod read;
mod values;
mod write;

pub use export::{Export, read_export};
pub use read::{read_definitions, read_saved};
pub use write::{write_definitions, write_saved};
