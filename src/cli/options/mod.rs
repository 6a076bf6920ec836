//! Flags that several commands share, and those of the commands that plan.

mod applying;
mod broker;
mod reach;

pub use applying::{ApplyOptions, DestroyOptions, ExtrasMode, PlanOptions};
pub use broker::OneBroker;
pub use reach::ReachOptions;
