//! What a session plays, and where: the cell, its broker, what can join.

use crate::model::{Cell, Moment};
use crate::play::part::PlayPart;
use crate::play::simulated::SimulatedPlay;
use crate::player::BrokerTraits;
use crate::rules::Edition;
use crate::source::Sources;

/// What is played, and what can join.
#[derive(Debug, Clone)]
pub struct PlaySetting {
    /// The cell.
    pub cell: Cell,
    /// The cell's name, as `run` prints it.
    pub name: String,
    /// By which rules.
    pub edition: Edition,
    /// The live broker; absent is the simulated one.
    pub live: Option<LiveSetting>,
    /// All texts that were read.
    pub sources: Sources,
    /// What can join.
    pub parts: Vec<PlayPart>,
}

/// The live broker of a run.
#[derive(Debug, Clone)]
pub struct LiveSetting {
    /// What it is called: release and place.
    pub shown: String,
    /// What a run has to know of it.
    pub ground: BrokerTraits,
}

/// Where a run is played.
#[derive(Clone)]
pub(crate) enum PlayStage {
    Simulated(Box<SimulatedPlay>),
    /// The broker's moment.
    Live(Moment),
}
