//! A small, lenient client of RabbitMQ's management API: whole answers as JSON first, the few known fields after.
//! Every path segment is encoded, every request has a time limit, every refusal is data.

mod acts;
mod client;
mod health;
mod prometheus;
mod reading;
mod reasons;

pub(crate) use client::innermost;
pub use client::{ManagementClient, install_crypto};
pub use prometheus::PrometheusEndpoint;
pub use reading::{Inventory, Overview, QueueTotals, WhoAmI};
pub(crate) use reasons::{RefusalReason, reason_of_refusal};
