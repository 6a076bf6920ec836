//! Plays a cell on the sim: set-up by the applier, then the player, both on one fresh simulated broker.
//! A run that a timer close by would change gets a note: it is played again with that point shifted.

use crate::broker::{Exercised, Ids, Refusal};
use crate::model::{Cell, Millis, Moment, Object, Origins, Scale, Topology};
use crate::plan::{Applier, Observed, plan};
use crate::player::{BrokerTraits, DecisionPoint, Direction, Perturbation, Player, RACE, RunResult};
use crate::rules::{Differences, Edition, Plugins, differences_of};
use crate::sim::Sim;
use crate::simulate::stepping::simulate_noting;
use crate::simulate::{Ended, Limits, simulate};
use crate::source::{Code, Span};

/// How many events one publish of the driver may bring about at one moment before a run is called a loop.
const EVENTS_OF_A_PUBLISH: u64 = 50;

/// How many points of a run are tried a little earlier or later.
const SHIFTS_MAX: usize = 20;

/// Runs with more deliveries or publishes are not tried again: it would take too long.
pub(super) const TRIED_AGAIN_MAX: u64 = 5_000;

/// What a run tells beside its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Telling {
    Outcome,
    /// The sim's reasons, in the timeline.
    Reasons,
    /// The same, and what it adds up to.
    Numbers,
}

impl Telling {
    fn of(insights: bool) -> Self {
        if insights { Self::Reasons } else { Self::Outcome }
    }
}

/// Plays a cell by the rules of a version; `insights` adds the sim's reasons to the timeline.
pub fn rehearse(cell: &Cell, edition: impl Into<Edition>, insights: bool) -> RunResult {
    rehearse_covering(cell, edition, insights, None)
}

/// The same; adds what the run exercised to a record.
pub fn rehearse_covering(
    cell: &Cell,
    edition: impl Into<Edition>,
    insights: bool,
    covered: Option<&mut Exercised>,
) -> RunResult {
    rehearse_telling(cell, edition.into(), Telling::of(insights), covered)
}

/// The same with the sim's reasons; the timeline adds up the numbers of the run.
pub fn rehearse_counting(cell: &Cell, edition: impl Into<Edition>, covered: Option<&mut Exercised>) -> RunResult {
    rehearse_telling(cell, edition.into(), Telling::Numbers, covered)
}

fn rehearse_telling(cell: &Cell, edition: Edition, telling: Telling, covered: Option<&mut Exercised>) -> RunResult {
    let mut timers = Vec::new();
    let mut played = play(cell, edition, telling, covered, None, &mut timers);
    if played.failures.is_empty() && played.deliveries.max(cell.scenario.publishes_at_most()) <= TRIED_AGAIN_MAX {
        note_races(cell, edition, &mut played, &timers);
    }
    explain_unrest(cell, edition, &mut played, &timers);
    played
}

/// Plays a cell once and adds what it exercised to a record; looks for no races.
pub fn rehearse_once(cell: &Cell, edition: impl Into<Edition>, covered: &mut Exercised) -> RunResult {
    play(cell, edition.into(), Telling::Outcome, Some(covered), None, &mut Vec::new())
}

/// Plays a cell once on a broker that calls itself the edition and follows a table of its own; looks for no races.
pub fn rehearse_by(rules: &'static Differences, cell: &Cell, edition: Edition, insights: bool) -> RunResult {
    play_by(rules, cell, edition, Telling::of(insights), None, None, &mut Vec::new())
}

/// Lists what a broker by the rules of a version refuses of a topology.
pub fn refused_objects(topology: &Topology, origins: &Origins, edition: Edition) -> Vec<(Object, Refusal)> {
    let mut sim = Sim::following(differences_of(edition)).with_plugins(edition.plugins);
    let planned = plan(topology, origins, &Observed::empty(edition.profile));
    let mut applier = Applier::new(planned, Ids::default());
    simulate(&mut applier, &mut sim, Moment(0), &Limits::default());
    applier.finish().0.refused
}

/// Says of an expectation that fails when quiet that a live broker, which waits for work to rest, would find it true.
fn explain_unrest(cell: &Cell, edition: Edition, played: &mut RunResult, timers: &[Moment]) {
    let Some(failure) = played.failures.first_mut() else { return };
    let Some((number, point)) = played.points.iter().enumerate().next_back() else { return };
    let is_its = point.span.start <= failure.span.start && failure.span.end <= point.span.end && !point.exact;
    if !is_its || failure.help.is_some() || after(point, timers).is_none() {
        return;
    }
    let shift = Perturbation { point: number, way: Direction::Rest };
    let other = play(cell, edition, Telling::Outcome, None, Some(shift), &mut Vec::new());
    if other.failures.iter().all(|other| other.span != failure.span && other.code != Code::RunNeverQuiet) {
        failure.help = Some(HOLDS_AT_REST.to_owned());
    }
}

const HOLDS_AT_REST: &str = "work goes on beside this, and it holds once that rests, which is when a live broker looks; say \
                             when to look: `within: 5s`";

/// Finds the points that a timer close by would change.
fn note_races(cell: &Cell, edition: Edition, played: &mut RunResult, timers: &[Moment]) {
    let mut notes: Vec<(Span, String)> = Vec::new();
    for (shift, gap) in suspects(&played.points, timers).take(SHIFTS_MAX) {
        let point = &played.points[shift.point];
        if notes.iter().any(|(known, _)| *known == point.span) {
            continue;
        }
        let mut timers = Vec::new();
        let other = play(cell, edition, Telling::Outcome, None, Some(shift), &mut timers);
        let race = (!is_same(played, &other)).then(|| {
            let place = match (shift.way, gap.0) {
                (_, 0) => "a timer at this very moment".to_owned(),
                (Direction::Earlier, _) => format!("a timer {gap} before this"),
                _ => format!("a timer {gap} after this"),
            };
            format!("{place} would change the run: on a live broker it races")
        });
        // The wait itself is no work.
        timers.retain(|timer| *timer != point.moment + Millis(RACE.0 - 1));
        let first = DecisionPoint { moment: point.moment + gap, ..point.clone() };
        let goes_on = shift.way == Direction::Later && after(&first, &timers).is_some();
        let unrest = goes_on.then(|| unrest(cell, edition, played, shift.point)).flatten();
        let note = match unrest {
            Some(UnrestEnd::WithoutEnd) => Some(without_end(point)),
            Some(UnrestEnd::UntilRest) if race.is_none() => Some(until_rest(point)),
            _ => race,
        };
        notes.extend(note.map(|note| (point.span, note)));
    }
    played.notes.extend(notes);
}

/// Lists the points of a run that are close to a timer, how they may be shifted across it, and how close they are.
pub(super) fn suspects(points: &[DecisionPoint], timers: &[Moment]) -> impl Iterator<Item = (Perturbation, Millis)> {
    points.iter().enumerate().flat_map(|(number, point)| {
        let later = after(point, timers).map(|gap| (Perturbation { point: number, way: Direction::Later }, gap));
        let earlier = before(point, timers).map(|gap| (Perturbation { point: number, way: Direction::Earlier }, gap));
        later.into_iter().chain(earlier)
    })
}

fn without_end(point: &DecisionPoint) -> String {
    match &point.restless {
        Some(consumer) => format!(
            "{consumer} works on without rest when the steps are over: a live broker is never quiet then; end with the step \
             `stop: {consumer}`"
        ),
        None => "work goes on beside this without rest: a live broker is never quiet here; say when to look: `within:`, `at:`"
            .to_owned(),
    }
}

fn until_rest(point: &DecisionPoint) -> String {
    match &point.restless {
        Some(consumer) => format!(
            "{consumer} works on when the steps are over: a live broker waits until it rests, which would change the run; end \
             with the step `stop: {consumer}`, or wait for what it does: `within:`"
        ),
        None => "work goes on beside this: a live broker waits until it rests, which would change the run; say when to look: \
                 `within:`, `at:`"
            .to_owned(),
    }
}

/// How work that goes on after a quiet would turn out on a live broker, whose quiet is a while without any event.
enum UnrestEnd {
    WithoutEnd,
    /// It rests, and the run is another one then.
    UntilRest,
}

fn unrest(cell: &Cell, edition: Edition, played: &RunResult, point: usize) -> Option<UnrestEnd> {
    let shift = Perturbation { point, way: Direction::Rest };
    let other = play(cell, edition, Telling::Outcome, None, Some(shift), &mut Vec::new());
    if other.failures.iter().any(|failure| failure.code == Code::RunNeverQuiet) {
        return Some(UnrestEnd::WithoutEnd);
    }
    (!is_same(played, &other)).then_some(UnrestEnd::UntilRest)
}

/// Returns whether two runs came to the same, times aside, and the other held.
pub(super) fn is_same(played: &RunResult, other: &RunResult) -> bool {
    match (&played.outcome, &other.outcome) {
        (Some(outcome), Some(other_outcome)) => other.failures.is_empty() && outcome.is_same_story(other_outcome),
        _ => false,
    }
}

/// Returns how long after a point the next timer fires, if it is close.
fn after(point: &DecisionPoint, timers: &[Moment]) -> Option<Millis> {
    let gaps = timers.iter().filter(|timer| **timer > point.moment).map(|timer| *timer - point.moment);
    gaps.min().filter(|gap| *gap < RACE)
}

/// Returns how long before a point that was meant for its very moment a timer fired, if it was close.
fn before(point: &DecisionPoint, timers: &[Moment]) -> Option<Millis> {
    let gaps = timers.iter().filter(|timer| **timer <= point.moment).map(|timer| point.moment - *timer);
    gaps.min().filter(|gap| point.exact && *gap < RACE)
}

fn play(
    cell: &Cell,
    edition: Edition,
    telling: Telling,
    covered: Option<&mut Exercised>,
    shift: Option<Perturbation>,
    timers: &mut Vec<Moment>,
) -> RunResult {
    play_by(differences_of(edition), cell, edition, telling, covered, shift, timers)
}

/// The same by a table of its own, on a broker that calls itself the edition.
fn play_by(
    rules: &'static Differences,
    cell: &Cell,
    edition: Edition,
    telling: Telling,
    covered: Option<&mut Exercised>,
    shift: Option<Perturbation>,
    timers: &mut Vec<Moment>,
) -> RunResult {
    let Prepared { sim, mut player, moment, limits, refused } = prepare_telling(rules, cell, edition, telling);
    if let Some(shift) = shift {
        player = player.shifted(shift);
    }
    if refused {
        return player.finish();
    }
    // What the set-up does is no exercise.
    let mut sim = sim.with_coverage(covered.is_some());
    let (_, ended) = simulate_noting(&mut player, &mut sim, moment, &limits, timers);
    if let Some(covered) = covered {
        covered.merge(sim.take_exercised());
    }
    fail_unless_done(&mut player, &ended);
    player.finish()
}

/// Plays a cell once with its steps no earlier than at these moments.
pub(super) fn play_paced(cell: &Cell, edition: Edition, begun: &[Moment]) -> RunResult {
    let Prepared { mut sim, player, moment, limits, refused } = prepare(differences_of(edition), cell, edition, false);
    let mut player = player.paced(begun);
    if !refused {
        let (_, ended) = simulate(&mut player, &mut sim, moment, &limits);
        fail_unless_done(&mut player, &ended);
    }
    player.finish()
}

/// A cell that is set up and not played yet.
pub(crate) struct Prepared {
    pub sim: Sim,
    pub player: Player,
    /// The broker's, after the set-up.
    pub moment: Moment,
    pub limits: Limits,
    /// The broker refuses parts of the topology: there is nothing to play.
    pub refused: bool,
}

/// Declares the topology of a cell on a fresh broker, and makes the player; with `insights` it adds up numbers, too.
pub(crate) fn prepare(rules: &'static Differences, cell: &Cell, edition: Edition, insights: bool) -> Prepared {
    prepare_telling(rules, cell, edition, if insights { Telling::Numbers } else { Telling::Outcome })
}

fn prepare_telling(rules: &'static Differences, cell: &Cell, edition: Edition, telling: Telling) -> Prepared {
    let insights = telling != Telling::Outcome;
    let usual = Limits::default();
    let published = cell.scenario.publishes_at_most();
    let events_at_one_moment_max = usual.events_at_one_moment_max + EVENTS_OF_A_PUBLISH * published;
    let limits = Limits { events_at_one_moment_max, ..usual };
    let plugins = edition.plugins.with(Plugins::named(&cell.scenario.needs.plugins));
    let sim = Sim::following(rules).with_plugins(plugins);
    let mut sim = sim.with_insights(insights || cell.scenario.asks_for_reasons());
    let planned = plan(&cell.scenario.topology, &cell.scenario.origins, &Observed::empty(edition.profile));
    let mut applier = Applier::new(planned, Ids::default());
    let (moment, _) = simulate(&mut applier, &mut sim, Moment(0), &limits);
    let (applied, ids) = applier.finish();
    let ground = BrokerTraits { live: false, version: edition.profile.version(), scale: Scale::ONE };
    let player = Player::new(cell, ground, ids);
    let mut player = if telling == Telling::Numbers { player.counting() } else { player };
    let refused = !applied.refused.is_empty();
    if refused {
        player.set_up_refused(&applied.refused);
    }
    Prepared { sim, player, moment, limits, refused }
}

/// Fails a run that did not come to its end.
pub(crate) fn fail_unless_done(player: &mut Player, ended: &Ended) {
    let help = match ended {
        Ended::Done => return,
        Ended::Runaway { .. } => "let time pass between (a TTL, a delay), or end it by `attempt` or `x_death`",
        Ended::OutOfTime => "give the scenario an end: `within`, `for` or `timeout`",
        Ended::Stuck => "this is a bug of rmqplay: please report the scenario",
    };
    player.fail(Code::RunNoEnd, ended.to_string(), Some(help.to_owned()));
}
