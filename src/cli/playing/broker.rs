//! The broker that a run is played on, and how a cell fits it.

use crate::cli::live_settings;
use crate::cli::live_settings::NeededAbilities;
use crate::cli::options::PaceOptions;
use crate::io::Address;
use crate::model::{Cell, Millis, Version};
use crate::play::LiveSetting;
use crate::rules::Edition;

/// The longest that a run may be meant to take on a live broker: somebody is there to end it.
const LONGEST: Millis = Millis(366 * 86_400_000);

/// The broker that is played on.
#[derive(Clone)]
pub(crate) enum PlayedOnBroker {
    Simulated(Edition),
    Live { edition: Edition, version: Version, address: Box<Address>, shown: String },
}

impl PlayedOnBroker {
    /// Returns by which rules a cell plays, and how on a live broker.
    pub(super) fn fit(&self, cell: &Cell) -> Result<(Edition, Option<LiveSetting>), String> {
        match self {
            Self::Simulated(edition) => match live_settings::why_not_on_sim(cell, edition.profile) {
                None => Ok((*edition, None)),
                Some(why) => Err(why),
            },
            Self::Live { edition, version, address, shown } => {
                Ok((*edition, Some(live_setting(cell, address, (*version, *edition), shown)?)))
            }
        }
    }
}

/// Returns how a cell is played on a live broker, or why it is not.
fn live_setting(
    cell: &Cell,
    address: &Address,
    (version, edition): (Version, Edition),
    shown: &str,
) -> Result<LiveSetting, String> {
    if cell.scenario.needs.plays_alone() {
        return Err("it takes the broker, or a part of it, away: others may use it".to_owned());
    }
    let pace = PaceOptions { time_scale: None, max_wait: LONGEST };
    let abilities = NeededAbilities { plugins: cell.scenario.needs.plugins.clone(), nodes: 0 };
    let ground = live_settings::live_ground(cell, address, version, edition, &abilities, &pace)?;
    Ok(LiveSetting { shown: shown.to_owned(), ground })
}
