//! A session on a live broker: whoever steps the run there takes its player, and says which moment it is.

use crate::broker::Ids;
use crate::model::{Moment, Scale, Version};
use crate::play::session::PlaySession;
use crate::play::setting::PlayStage;
use crate::player::Player;

impl PlaySession {
    /// Begins the run that is stepped on a live broker, once its topology is declared there; ids go on from there.
    pub fn begin_live(&mut self, ids: Ids) {
        if let Some(live) = &self.setting.live {
            self.player = Player::new(&self.setting.cell, live.ground, ids).kept_open();
        }
    }

    /// Returns the player of a run on a live broker at a moment of that broker; `None` when this run is over, or another one.
    pub fn live_player(&mut self, run: u64, now: Option<Moment>) -> Option<&mut Player> {
        let PlayStage::Live(moment) = &mut self.stage else { return None };
        if self.run != run {
            return None;
        }
        *moment = now.unwrap_or(*moment);
        Some(&mut self.player)
    }

    /// Returns the version of the live broker, and how its time is scaled.
    pub fn live_version(&self) -> Option<(Version, Scale)> {
        self.setting.live.as_ref().map(|live| (live.ground.version, live.ground.scale))
    }

    /// Takes note of what a live broker did.
    pub fn looked(&mut self) {
        self.look();
        self.is_over();
    }

    /// Returns which run it is, from 1.
    pub fn run_number(&self) -> u64 {
        self.run
    }
}
