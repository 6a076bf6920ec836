//! Flags that several commands share, and those of the commands that plan and that foresee.

mod applying;
mod broker;
mod foresee;
mod reach;
mod variables;

pub use applying::{ApplyOptions, DestroyOptions, ExtrasMode, PlanOptions};
pub use broker::{CleanOptions, OneBroker, WaitOptions};
pub use foresee::{AccessOptions, CheckOptions, Denied, EffectiveOptions, LookOptions, RouteOptions};
pub use reach::ReachOptions;
pub use variables::Vars;
