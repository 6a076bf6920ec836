//! Plays shapes on the sim: one thread, virtual time, no insights.

use crate::bytes::held_by;
use crate::flow::{Flow, Shape};
use crate::tally::thread_time;
use rmqplay::model::{Moment, Profile, QueueKind};
use rmqplay::rules::Plugins;
use rmqplay::sim::Sim;
use rmqplay::simulate::{Ended, Limits, simulate};
use std::time::Duration;

/// Nothing here goes round: a million publishes at one moment are meant.
const LIMITS: Limits = Limits { events_at_one_moment_max: u64::MAX, moment_max: None };

/// Plays so many messages and gives how long they took by a clock.
pub fn play(shape: &Shape, profile: Profile, count: u64, clock: fn() -> Duration) -> Duration {
    let mut sim = Sim::new(profile).with_plugins(Plugins::ALL);
    let mut flow = Flow::new(shape, count, clock);
    let (_, ended) = simulate(&mut flow, &mut sim, Moment(0), &LIMITS);
    assert_eq!(ended, Ended::Done);
    flow.took()
}

/// Prints what the broker holds for each waiting message, beside the message itself, which is shared.
pub fn memory(kind: QueueKind) {
    const COUNT: u64 = 100_000;
    let shape = Shape::hoard(kind);
    for profile in Profile::ALL.into_iter().rev() {
        let fill = |count| {
            let mut sim = Sim::new(profile);
            let mut flow = Flow::new(&shape, count, thread_time);
            simulate(&mut flow, &mut sim, Moment(0), &LIMITS);
            sim
        };
        let (empty, _) = held_by(|| fill(0));
        let (full, _) = held_by(|| fill(COUNT));
        let name = format!("sim {profile}, {}", kind.as_str());
        println!("  {name:<28} {:>12}", (full - empty) / COUNT as isize);
    }
}
