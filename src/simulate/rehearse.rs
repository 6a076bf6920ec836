//! Plays a cell on the sim: set-up by the applier, then the player, both on one fresh simulated broker.

use super::{Ended, Limits, simulate};
use crate::broker::Ids;
use crate::model::{Cell, Moment, Profile};
use crate::plan::{Applier, Observed, plan};
use crate::play::{Ground, Played, Player};
use crate::sim::Sim;

/// How many events one publish of the driver may bring about at one moment before a run is called a loop.
const EVENTS_OF_A_PUBLISH: u64 = 50;

/// Plays a cell by the rules of a profile; `insights` adds the sim's reasons to the timeline.
pub fn rehearse(cell: &Cell, profile: Profile, insights: bool) -> Played {
    let usual = Limits::default();
    let published = cell.scenario.publishes_at_most();
    let events_at_one_moment_max = usual.events_at_one_moment_max + EVENTS_OF_A_PUBLISH * published;
    let limits = Limits { events_at_one_moment_max, ..usual };
    let mut sim = Sim::new(profile).with_insights(insights || cell.scenario.asks_for_reasons());
    let planned = plan(&cell.scenario.topology, &cell.scenario.origins, &Observed::empty(profile));
    let mut applier = Applier::new(&planned, Ids::default());
    let (moment, _) = simulate(&mut applier, &mut sim, Moment(0), &limits);
    let (applied, ids) = applier.finish();
    let mut player = Player::new(cell, Ground { live: false, version: profile.version() }, ids);
    if !applied.refused.is_empty() {
        player.set_up_refused(&applied.refused);
        return player.finish();
    }
    let (_, ended) = simulate(&mut player, &mut sim, moment, &limits);
    if ended != Ended::Done {
        let help = match ended {
            Ended::Runaway { .. } => "let time pass between (a TTL, a delay), or end it by `attempt` or `x_death`",
            Ended::OutOfTime => "give the scenario an end: `within`, `for` or `timeout`",
            Ended::Done | Ended::Stuck => "this is a bug of rmqplay: please report the scenario",
        };
        player.fail("run::no_end", ended.to_string(), Some(help.to_owned()));
    }
    player.finish()
}
