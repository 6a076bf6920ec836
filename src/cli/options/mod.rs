//! Flags that several commands share, and those of the commands that plan and that foresee.

mod applying;
mod broker;
mod coverage;
mod exploring;
mod foresee;
mod play;
mod playing;
mod reach;
mod report_file;
mod running;
mod serving;
mod suite;
mod variables;

pub use applying::{ApplyOptions, DestroyOptions, ExtrasMode, PlanOptions};
pub use broker::{CleanOptions, OneBroker, WaitOptions};
pub use coverage::{CoverageFormat, CoverageOptions, SuggestOptions};
pub use exploring::ExploreOptions;
pub use foresee::{
    AccessOptions, CheckOptions, Denied, EffectiveOptions, GraphFormat, GraphOptions, LookOptions, RouteOptions,
};
pub use play::PlayOptions;
pub use playing::{PaceOptions, Selection};
pub(crate) use playing::{USUAL_WAIT, at_least_one};
pub use reach::ReachOptions;
pub(crate) use report_file::report_file;
pub use running::{KeepVhost, RunOptions, Snapshots};
pub use serving::{
    AdvanceOptions, ClockAction, ClockOptions, ControlOptions, FaultAction, FaultOptions, QueuesOptions, ServeOptions,
    StoryOptions, TimelineOptions,
};
pub use suite::{ReplayOptions, SuiteOptions};
pub use variables::Vars;
