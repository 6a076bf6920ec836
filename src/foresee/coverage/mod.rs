//! Which parts of topologies scenarios exercised, and which none did.
//! Takes topologies and what runs exercised; gives items with their places. Never plays, never counts what a scenario
//! declares for itself.

mod coverable;
mod exercise;
mod inventory;
mod ladders;
mod record;
#[cfg(test)]
mod tests;

pub use coverable::{Coverable, CoverableKind, QueueLimit};
pub use exercise::is_exercised;
pub use inventory::{Inventory, inventory};
pub use ladders::{RetryRung, retry_rungs};
pub use record::{CoverageCount, CoverageItem, CoverageRecord, FileCoverage};
