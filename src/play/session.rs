//! A session: a run that is held in the hand, from its beginning to its end, and again.
//! Takes real milliseconds and requests; lets the run go on bit by bit, and keeps what it has to say.

use crate::broker::Ids;
use crate::model::{Cell, Moment};
use crate::play::log::{JudgedAtLine, PlayLog, Tone};
use crate::play::pace::PlayClock;
use crate::play::part::{JoinedPart, join};
use crate::play::request::PlayRequest;
use crate::play::setting::{PlaySetting, PlayStage};
use crate::play::simulated::SimulatedPlay;
use crate::player::{Player, RunPosition, TimelineEvent};
use crate::report::is_on_page;
use crate::simulate::Ended;
use crate::source::{Code, FileId, Sources};
use std::collections::BTreeMap;

/// How much is done before others have their turn.
const BITS_OF_A_TURN_MAX: u64 = 1_000;

/// How much may pass without an event that a page shows.
const BITS_OF_A_STEP_MAX: u64 = 2_000_000;

/// How much is done at once for what is done by hand while the run is held.
pub(super) const BITS_BY_HAND_MAX: u64 = 100_000;

/// How often a run that goes as fast as it can jumps before it is held.
const JUMPS_MAX: u64 = 1_000_000;

/// Why a live broker is not held.
const OWN_PACE: &str = "a live broker goes at its own pace: only the simulated one can be held";

/// A run that somebody holds.
#[derive(Clone)]
pub struct PlaySession {
    pub(crate) setting: PlaySetting,
    pub(crate) player: Player,
    /// The simulated broker; on a live one whoever steps it says which moment it is there.
    pub(crate) stage: PlayStage,
    pub(crate) clock: PlayClock,
    pub(crate) log: PlayLog,
    /// Counts the runs from 1: one begins anew when it is restarted.
    pub(crate) run: u64,
    /// Counts what a page has to fetch anew: text, topology, parts.
    pub(crate) scene: u64,
    /// The texts of the run, with those of parts that joined.
    pub(crate) sources: Sources,
    /// By the lines of the scenario's own file.
    pub(crate) judged: BTreeMap<usize, JudgedAtLine>,
    /// The last entry of the timeline that was looked at.
    looked_at: u64,
    /// How many of them a page shows.
    shown: u64,
    jumps: u64,
    failures_told: usize,
    /// The end of a run on a live broker was told.
    is_over_told: bool,
    /// The scenario's file, or one that it reads, is not what is played any more.
    pub(crate) is_changed: bool,
    /// How many pages follow the run.
    pub watchers: usize,
}

impl PlaySession {
    /// Begins a run, held before its first step.
    pub fn new(setting: PlaySetting) -> Self {
        let (stage, player) = match &setting.live {
            None => {
                let (stage, player) = SimulatedPlay::begin(&setting.cell, setting.edition);
                (PlayStage::Simulated(Box::new(stage)), player)
            }
            Some(live) => {
                let player = Player::new(&setting.cell, live.ground, Ids::default());
                (PlayStage::Live(Moment(0)), player.kept_open())
            }
        };
        let sources = setting.sources.clone();
        let mut session = Self {
            setting,
            player,
            stage,
            clock: PlayClock::held(),
            log: PlayLog::default(),
            run: 1,
            scene: 1,
            sources,
            judged: BTreeMap::new(),
            looked_at: 0,
            shown: 0,
            jumps: 0,
            failures_told: 0,
            is_over_told: false,
            is_changed: false,
            watchers: 0,
        };
        session.prepare();
        session
    }

    /// Lets consumers subscribe, which takes no time.
    fn prepare(&mut self) {
        for _ in 0..BITS_BY_HAND_MAX {
            if self.player.position() != RunPosition::Preparing || !self.bit() {
                break;
            }
        }
        self.look();
    }

    /// Begins anew with what was loaded.
    pub fn reload(&mut self, setting: PlaySetting) {
        self.setting = setting;
        self.is_changed = false;
        self.begin_again("the files are read again, and the run begins anew");
    }

    /// Does the next bit that is to be done at this moment; returns whether there was any. A live broker does its own.
    pub(super) fn bit(&mut self) -> bool {
        match &mut self.stage {
            PlayStage::Simulated(stage) => stage.bit(&mut self.player),
            PlayStage::Live(_) => false,
        }
    }

    /// Returns when something next happens by itself, as far as that is known.
    pub(crate) fn next(&self) -> Option<Moment> {
        match &self.stage {
            PlayStage::Simulated(stage) => stage.next(&self.player),
            PlayStage::Live(_) => None,
        }
    }

    fn go_to(&mut self, moment: Moment) {
        if let PlayStage::Simulated(stage) = &mut self.stage {
            stage.go_to(moment);
        }
    }

    /// Returns the broker's moment.
    pub(crate) fn now(&self) -> Moment {
        match &self.stage {
            PlayStage::Simulated(stage) => stage.now(),
            PlayStage::Live(now) => *now,
        }
    }

    fn take_loop(&mut self) -> Option<Ended> {
        match &mut self.stage {
            PlayStage::Simulated(stage) => stage.take_loop(),
            PlayStage::Live(_) => None,
        }
    }

    fn begin_again(&mut self, text: &str) {
        let again = Self::new(self.setting.clone());
        let (run, scene, watchers, speed) = (self.run + 1, self.scene + 1, self.watchers, self.clock.speed);
        let (log, is_changed) = (std::mem::take(&mut self.log), self.is_changed);
        *self = Self { run, scene, watchers, log, is_changed, ..again };
        self.clock.speed = speed;
        self.say(Tone::News, text);
    }

    /// Returns the run itself.
    pub fn run(&self) -> &Player {
        &self.player
    }

    /// Returns what is played.
    pub fn cell(&self) -> &Cell {
        &self.setting.cell
    }

    /// Takes note of whether the files are still those that are played.
    pub fn files_changed(&mut self, changed: bool) {
        if changed && !self.is_changed {
            self.say(
                Tone::News,
                "a file of this run has changed on disk: what plays is as it was read; Reload begins anew",
            );
        }
        self.is_changed = changed;
    }

    /// Says that something was not done.
    pub fn complain(&mut self, text: impl Into<String>) {
        self.say(Tone::Fault, text);
    }

    /// Returns the run's own moment.
    pub(crate) fn moment(&self) -> Moment {
        self.player.own_moment(self.now())
    }

    pub(crate) fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.log.say(self.moment(), tone, text);
    }

    /// Lets the run go on as far as its clock allows; returns whether more is to be done at once.
    pub fn turn(&mut self, now_ms: u64) -> bool {
        let Some(limit) = self.clock.reach(now_ms) else { return false };
        let more = self.go_on(limit);
        self.look();
        more
    }

    fn go_on(&mut self, limit: Moment) -> bool {
        for _ in 0..BITS_OF_A_TURN_MAX {
            if self.bit() {
                if self.goes_round() {
                    return false;
                }
                continue;
            }
            if self.is_over() {
                return false;
            }
            match self.next().filter(|next| *next <= limit) {
                Some(next) => {
                    self.go_to(next);
                    self.jumps += 1;
                    if self.jumps > JUMPS_MAX && self.clock.is_fastest() {
                        self.hold_with("held: time jumped a million times, and this goes on");
                        return false;
                    }
                }
                None => {
                    self.rest(limit);
                    return false;
                }
            }
        }
        true
    }

    /// Nothing happens up to a limit.
    fn rest(&mut self, limit: Moment) {
        let until = self.clock.until;
        if let Some(until) = until {
            self.go_to(limit);
            if limit >= until {
                self.hold_with("");
            }
        } else if !self.clock.is_fastest() {
            self.go_to(limit);
        } else if self.next().is_none() {
            self.hold_with("held: nothing more happens by itself");
        }
    }

    /// Returns whether the run is at its end; it is held then.
    pub(super) fn is_over(&mut self) -> bool {
        let is_over = self.player.position() == RunPosition::Done;
        let is_news = match self.stage {
            PlayStage::Simulated(_) => !self.clock.is_held(),
            PlayStage::Live(_) => !std::mem::replace(&mut self.is_over_told, is_over),
        };
        if is_over && is_news {
            self.hold_with(match self.player.failures().len() {
                0 => "the run is over, and all that was expected came true",
                _ => "the run is over, and it failed",
            });
        }
        is_over
    }

    fn goes_round(&mut self) -> bool {
        let Some(ended) = self.take_loop() else { return false };
        self.hold_with(&format!("held: {ended}"));
        true
    }

    fn hold_with(&mut self, text: &str) {
        self.clock.hold();
        if !text.is_empty() {
            self.say(Tone::News, text);
        }
    }

    /// Goes on to the next event that a page shows, or to the end of the steps.
    fn step(&mut self) {
        self.clock.hold();
        let (before, began) = (self.shown, self.player.position());
        for _ in 0..BITS_OF_A_STEP_MAX {
            let goes_on = self.bit();
            self.look();
            let is_through = began != RunPosition::Through && self.player.position() == RunPosition::Through;
            if is_through {
                self.say(Tone::News, "the steps are done: End judges the end, Step goes on to what happens by itself");
            }
            if is_through || self.shown > before || self.goes_round() {
                return;
            }
            if goes_on {
                continue;
            }
            if self.player.position() == RunPosition::Done {
                return self.say(Tone::News, "the run is over");
            }
            let Some(next) = self.next() else {
                return self.say(Tone::News, "nothing more happens by itself");
            };
            self.go_to(next);
        }
    }

    /// Does what is left of this moment, and all of the next at which something happens.
    fn step_moment(&mut self) {
        self.clock.hold();
        self.end_moment();
        match self.next() {
            None => self.say(Tone::News, "nothing more happens by itself"),
            Some(next) => {
                self.go_to(next);
                self.end_moment();
            }
        }
    }

    fn end_moment(&mut self) {
        while self.bit() {
            if self.goes_round() {
                break;
            }
        }
        self.look();
    }

    /// Does what a request asks for; what takes files is for the owner.
    ///
    /// # Errors
    /// It cannot be done now: why.
    pub(crate) fn take(&mut self, request: PlayRequest, now_ms: u64) -> Result<(), String> {
        self.turn(now_ms);
        let is_over = self.player.position() == RunPosition::Done;
        let is_live = matches!(self.stage, PlayStage::Live(_));
        match request {
            PlayRequest::Hold
            | PlayRequest::Run
            | PlayRequest::Step
            | PlayRequest::Next
            | PlayRequest::Speed(_)
            | PlayRequest::Until(_)
                if is_live =>
            {
                return Err(OWN_PACE.to_owned());
            }
            PlayRequest::Hold => self.clock.hold(),
            PlayRequest::Restart => self.begin_again("the run begins anew"),
            PlayRequest::Speed(speed) => {
                self.jumps = 0;
                self.clock.set_speed(speed, now_ms, self.now());
            }
            _ if is_over => return Err("the run is over: Restart begins anew".to_owned()),
            PlayRequest::Run => {
                self.jumps = 0;
                self.clock.until = None;
                self.clock.run(now_ms, self.now());
            }
            PlayRequest::Step => self.step(),
            PlayRequest::Next => self.step_moment(),
            PlayRequest::Until(until) => {
                let until = Moment(0) + until;
                if until <= self.moment() {
                    return Err(format!("it is {} already", self.moment()));
                }
                self.jumps = 0;
                // The run's own moments begin when it is set up.
                let behind = self.now() - self.moment();
                self.clock.hurry(now_ms, self.now(), Some(until + behind));
            }
            PlayRequest::End => {
                self.jumps = 0;
                self.player.release(self.now());
                if !is_live {
                    self.clock.hurry(now_ms, self.now(), None);
                }
            }
            PlayRequest::Act { act, vhost } => self.act(*act, vhost)?,
            PlayRequest::Reload | PlayRequest::Join { .. } => {}
        }
        Ok(())
    }

    /// Lets a part join.
    ///
    /// # Errors
    /// The run is over, or has no room for it: why.
    pub fn join(&mut self, joined: JoinedPart) -> Result<(), String> {
        let part = &joined.cell.scenario;
        if self.player.position() == RunPosition::Done {
            return Err("the run is over: Restart begins anew".to_owned());
        }
        if part.needs.plays_alone() && matches!(self.stage, PlayStage::Live(_)) {
            return Err(format!("{}: a live broker is not restarted from here: others may use it", part.title));
        }
        join(part, &mut self.player).map_err(|why| format!("{}: {why}", part.title))?;
        self.sources = joined.sources;
        self.scene += 1;
        self.say(Tone::News, format!("joined: {}", joined.cell.scenario.title));
        self.carry_out();
        Ok(())
    }

    /// Returns when the run goes on by itself, in real milliseconds.
    pub fn next_ms(&self) -> Option<u64> {
        self.clock.due_ms(self.next()?)
    }

    /// Returns the file that is played.
    pub(crate) fn own_file(&self) -> Option<FileId> {
        self.sources.ids().find(|id| self.sources.get(*id).name == self.setting.cell.scenario.file)
    }

    /// Takes note of what came to the timeline since it last looked.
    pub(super) fn look(&mut self) {
        for failure in self.player.take_failures_by_hand() {
            // What a step of a file could say is of no use to who did it by hand.
            let help = failure.help.filter(|_| failure.code != Code::StepRefused);
            let help = help.map_or_else(String::new, |help| format!("; {help}"));
            self.log.say(failure.moment, Tone::Fault, format!("{}{help}", failure.message));
        }
        for at in self.failures_told..self.player.failures().len() {
            let failure = &self.player.failures()[at];
            let (moment, text) =
                (failure.moment, format!("line {}: {}", self.sources.position(failure.span).line, failure.message));
            self.log.say(moment, Tone::Fault, text);
        }
        self.failures_told = self.player.failures().len();
        let timeline = self.player.timeline();
        let new = usize::try_from(timeline.count() - self.looked_at).unwrap_or(usize::MAX);
        let own = self.own_file();
        let new: Vec<_> = timeline.entries().rev().take(new).collect();
        let mut shown = 0;
        let mut judged = Vec::new();
        for entry in new.into_iter().rev() {
            shown += u64::from(is_on_page(entry));
            if let TimelineEvent::Judged { span, holds } = entry.what
                && Some(span.file) == own
            {
                judged.push((self.sources.position(span).line, holds, entry.moment));
            }
        }
        self.looked_at = timeline.count();
        self.shown += shown;
        for (line, holds, last) in judged {
            let known = self.judged.entry(line).or_default();
            *if holds { &mut known.holds } else { &mut known.fails } += 1;
            known.last = last;
        }
    }
}
