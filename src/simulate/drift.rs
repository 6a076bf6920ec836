//! Drift: on a live broker each step takes a little time, so later ones come later than the scenario says. Where that alone
//! changes what a run comes to, it is told: the simulated broker plays the cell with the times of the live run.

use crate::model::{Cell, Millis, Moment};
use crate::rules::Edition;
use crate::simulate::rehearse::{TRIED_AGAIN_MAX, is_same, play_paced};
use crate::source::Span;

/// What comes less late than this is not looked at.
const LEAST: Millis = Millis(10);

/// Returns the place and a note where a run's steps, which began at these moments of its own time, came so late that this
/// changes what it comes to on a simulated broker, by the rules of a version.
pub fn drift(cell: &Cell, edition: impl Into<Edition>, begun: &[Moment]) -> Option<(Span, String)> {
    let edition = edition.into();
    let steps = &cell.scenario.steps;
    let plain = play_paced(cell, edition, &[]);
    let late: Vec<Millis> = begun.iter().zip(&plain.begun).map(|(late, own)| *late - *own).collect();
    let most = late.iter().max().copied().filter(|most| *most >= LEAST)?;
    if !plain.failures.is_empty() || plain.deliveries.max(cell.scenario.publishes_at_most()) > TRIED_AGAIN_MAX {
        return None;
    }
    let paced = play_paced(cell, edition, begun);
    if is_same(&plain, &paced) {
        return None;
    }
    // Where it shows, or else where it is most.
    let shows = paced.failures.first().and_then(|failure| {
        steps.iter().position(|step| step.span.start <= failure.span.start && failure.span.end <= step.span.end)
    });
    let at = shows.filter(|at| late.get(*at).is_some_and(|late| *late >= LEAST));
    let at = at.or_else(|| late.iter().position(|late| *late == most))?;
    let span = steps.get(at).or(steps.last())?.span;
    let (came, own) = (begun.get(at)?, plain.begun.get(at)?);
    let what = if at < steps.len() { "this step began" } else { "the steps were over" };
    let note = format!(
        "{what} at {came} instead of {own}, for each step takes a live broker some time: on the simulated broker that alone \
         changes the run; make times to live and what waits for them longer, or the steps between them fewer"
    );
    Some((span, note))
}
