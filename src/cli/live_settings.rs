//! Which cells fit a broker, and at which pace they play there: what the arguments wish, what the scenario pins, what
//! the broker can do.

use crate::cli::options::PaceOptions;
use crate::io::Address;
use crate::io::management::Overview;
use crate::model::{Cell, Profile, Version};
use crate::player;
use crate::player::{BrokerTraits, Host, RunResult, TimeScale, choose_scale, why_not};
use crate::report::Simulated;
use crate::rules::{Edition, Permits, Plugins};
use crate::simulate::{drift, rehearse};
use crate::source::Span;

/// What the scenarios of a run need to know of a live broker.
#[derive(Debug, Default)]
pub(crate) struct NeededAbilities {
    /// The enabled ones; none where no scenario asks.
    pub plugins: Vec<String>,
    /// How many run; 0 where no scenario asks.
    pub nodes: usize,
}

/// Returns why a cell is not played on the sim.
pub(crate) fn why_not_on_sim(cell: &Cell, profile: Profile) -> Option<String> {
    player::why_not_on_sim(&cell.scenario, profile)
}

/// Returns the rules of a live broker: those of its minor version, by its own patch. A broker that denies what the
/// simulated one takes here ends a cell early.
pub(crate) fn edition_of(overview: &Overview) -> Edition {
    Edition::of_release(Profile::nearest(overview.version), &overview.full_version, Permits::ALL)
        .with_plugins(Plugins::ALL)
}

/// Plays a cell that failed on a live broker by the rules of its release, as the simulator tells why.
pub(crate) fn simulated(cell: &Cell, edition: Edition) -> Option<Simulated> {
    if why_not_on_sim(cell, edition.profile).is_some() {
        return None;
    }
    Some(Simulated { broker: edition.sim_name(), played: rehearse(cell, edition, true) })
}

/// Returns the place and a note where a live run's steps came so late that this alone changes it, as the simulator tells.
pub(crate) fn drifted(cell: &Cell, edition: Edition, played: &RunResult) -> Option<(Span, String)> {
    why_not_on_sim(cell, edition.profile).is_none().then(|| drift(cell, edition, &played.begun))?
}

/// Returns the ground that a cell plays on, or says why it is not played. Its length is taken from a run on the sim.
pub(crate) fn live_ground(
    cell: &Cell,
    address: &Address,
    version: Version,
    edition: Edition,
    abilities: &NeededAbilities,
    pace: &PaceOptions,
) -> Result<BrokerTraits, String> {
    let scenario = &cell.scenario;
    let host = Host {
        version,
        sim: None,
        name: address.name.as_deref(),
        plugins: &abilities.plugins,
        may_restart: address.restart.is_some(),
        nodes: abilities.nodes,
        may_stop_nodes: address.node.is_some(),
    };
    if let Some(reason) = why_not(scenario, &host) {
        return Err(reason);
    }
    let played = rehearse(cell, edition, false);
    // One that fails on the sim may go on longer on a broker: as long as its own words say.
    let length = if played.failures.is_empty() { played.took } else { scenario.own_length() };
    let scale =
        choose_scale(scenario, version, length, pace.time_scale.unwrap_or(TimeScale::UNCHANGED), pace.max_wait)?;
    Ok(BrokerTraits { live: true, version, scale })
}
