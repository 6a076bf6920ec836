//! The live adapter against real brokers: every command of the seam, every way to end, what failures say.
//! Brokers are the URLs of RMQPLAY_TEST_BROKERS; without them nothing runs, which is reported.

#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

#[path = "support/brokers.rs"]
mod brokers;
#[path = "live/consuming.rs"]
mod consuming;
#[path = "live/counting.rs"]
mod counting;
#[path = "live/ending.rs"]
mod ending;
#[path = "live/failing.rs"]
mod failing;
#[path = "live/naming.rs"]
mod naming;
#[path = "support/program.rs"]
mod program;
#[path = "live/proxy.rs"]
mod proxy;
#[path = "live/publishing.rs"]
mod publishing;
#[path = "live/script.rs"]
mod script;
#[path = "live/stage.rs"]
mod stage;
