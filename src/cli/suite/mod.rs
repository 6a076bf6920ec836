//! A suite at scale: shards of it, what failed last time, what is kept of each run for both, and profiles of flags;
//! cells on all cores and brokers at once, told in order.

mod at_once;
mod counted;
mod in_order;
mod kept;
mod lanes;
mod large;
mod metrics;
mod narrowed;
mod on_sim;
mod profile;
mod recorded;
mod replay;
mod shard;
mod stop;
mod watch;
mod watched;

pub(crate) use at_once::play_on_all;
pub(crate) use counted::CountingBroker;
pub(crate) use kept::{keep, plays_of};
pub(crate) use lanes::{OutputLane, OutputText};
pub(crate) use large::play_large;
pub(crate) use metrics::{why_no_metrics, write_metrics};
pub(crate) use narrowed::{CellKey, Narrowing, key_of};
pub(crate) use profile::{NotRead, command_line};
pub(crate) use recorded::{FileDigests, digests, record, why_no_record};
pub(crate) use replay::replay;
pub use shard::Shard;
pub(crate) use stop::StopFlag;
pub(crate) use watch::watch;
