//! Plays a cell on the sim: set-up by the applier, then the player, both on one fresh simulated broker.
//! A run that a timer close by would change gets a note: it is played again with that point shifted.

use super::stepping::simulate_noting;
use super::{Ended, Limits, simulate};
use crate::broker::Ids;
use crate::model::{Cell, Millis, Moment, Profile, Scale};
use crate::plan::{Applier, Observed, plan};
use crate::play::{Ground, Played, Player, Point, RACE, Shift};
use crate::sim::Sim;

/// How many events one publish of the driver may bring about at one moment before a run is called a loop.
const EVENTS_OF_A_PUBLISH: u64 = 50;

/// How many points of a run are tried a little earlier or later.
const SHIFTS_MAX: usize = 20;

/// Runs with more deliveries or publishes are not tried again: it would take too long.
const TRIED_AGAIN_MAX: u64 = 5_000;

/// Plays a cell by the rules of a profile; `insights` adds the sim's reasons to the timeline.
pub fn rehearse(cell: &Cell, profile: Profile, insights: bool) -> Played {
    let mut timers = Vec::new();
    let mut played = play(cell, profile, insights, None, &mut timers);
    if played.failures.is_empty() && played.deliveries.max(cell.scenario.publishes_at_most()) <= TRIED_AGAIN_MAX {
        note_races(cell, profile, &mut played, &timers);
    }
    played
}

/// Finds the points that a timer close by would change.
fn note_races(cell: &Cell, profile: Profile, played: &mut Played, timers: &[Moment]) {
    let suspects = played.points.iter().enumerate().flat_map(|(number, point)| {
        let later = after(point, timers).map(|gap| (Shift { point: number, earlier: false }, gap, point.span));
        let earlier = before(point, timers).map(|gap| (Shift { point: number, earlier: true }, gap, point.span));
        later.into_iter().chain(earlier)
    });
    let mut notes = Vec::new();
    for (shift, gap, span) in suspects.take(SHIFTS_MAX) {
        let other = play(cell, profile, false, Some(shift), &mut Vec::new());
        let same = match (&played.outcome, &other.outcome) {
            (Some(outcome), Some(other_outcome)) => other.failures.is_empty() && outcome.is_same_story(other_outcome),
            _ => false,
        };
        if !same && !notes.iter().any(|(known, _)| *known == span) {
            let place = match (shift.earlier, gap.0) {
                (_, 0) => "a timer at this very moment".to_owned(),
                (true, _) => format!("a timer {gap} before this"),
                (false, _) => format!("a timer {gap} after this"),
            };
            notes.push((span, format!("{place} would change the run: on a live broker it races")));
        }
    }
    played.notes.extend(notes);
}

/// Gives how long after a point the next timer fires, if it is close.
fn after(point: &Point, timers: &[Moment]) -> Option<Millis> {
    let gaps = timers.iter().filter(|timer| **timer > point.moment).map(|timer| *timer - point.moment);
    gaps.min().filter(|gap| *gap < RACE)
}

/// Gives how long before a point that was meant for its very moment a timer fired, if it was close.
fn before(point: &Point, timers: &[Moment]) -> Option<Millis> {
    let gaps = timers.iter().filter(|timer| **timer <= point.moment).map(|timer| point.moment - *timer);
    gaps.min().filter(|gap| point.exact && *gap < RACE)
}

fn play(cell: &Cell, profile: Profile, insights: bool, shift: Option<Shift>, timers: &mut Vec<Moment>) -> Played {
    let usual = Limits::default();
    let published = cell.scenario.publishes_at_most();
    let events_at_one_moment_max = usual.events_at_one_moment_max + EVENTS_OF_A_PUBLISH * published;
    let limits = Limits { events_at_one_moment_max, ..usual };
    let mut sim = Sim::new(profile).with_insights(insights || cell.scenario.asks_for_reasons());
    let planned = plan(&cell.scenario.topology, &cell.scenario.origins, &Observed::empty(profile));
    let mut applier = Applier::new(&planned, Ids::default());
    let (moment, _) = simulate(&mut applier, &mut sim, Moment(0), &limits);
    let (applied, ids) = applier.finish();
    let ground = Ground { live: false, version: profile.version(), scale: Scale::ONE };
    let mut player = Player::new(cell, ground, ids);
    if let Some(shift) = shift {
        player = player.shifted(shift);
    }
    if !applied.refused.is_empty() {
        player.set_up_refused(&applied.refused);
        return player.finish();
    }
    let (_, ended) = simulate_noting(&mut player, &mut sim, moment, &limits, timers);
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
