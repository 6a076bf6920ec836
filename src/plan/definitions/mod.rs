//! Topologies as RabbitMQ's definitions: read from what a broker answers, written for saved plans and digests.
//! Lenient where a newer broker speaks: unknown fields are passed over. What no RabbitMQ writes is refused.

mod export;
mod export_entry;
mod read;
mod shape;
mod values;
mod write;

pub use export::{Export, read_export};
pub use read::{read_definitions, read_saved};
pub use write::{write_definitions, write_saved};
