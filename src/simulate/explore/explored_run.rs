//! One run under way, broker and player together, that stops wherever something is open: it says what may happen, is told
//! which of it does, and goes on. With the first alternative throughout it does what a plain run does.

use crate::broker::{Client, Command, Event, Reply, RequestId};
use crate::model::Moment;
use crate::player::{Direction, Player, RunResult};
use crate::sim::{Sim, Touched};
use crate::simulate::explore::choice::{Alternative, Choice, ChoiceKind, Deviation};
use crate::simulate::explore::facts::digest_of_facts;
use crate::simulate::explore::lane::{Asleep, Lane, LateLane, lane_of};
use crate::simulate::explore::race::Races;
use crate::simulate::stepping::note;
use crate::simulate::{Ended, Limits};
use std::cell::Cell;
use std::sync::Arc;

/// Of how many ready commands is kept what they touch.
pub(super) const KNOWN_MAX: usize = 4;

/// How many choices a schedule may make: more are not offered.
const CHOICES_MAX: u32 = 20_000;

/// The place of the choice that is made before all others.
pub(super) const TIE: u32 = u32::MAX;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Something is open.
    Open,
    /// It is at rest: a quiet is about to be answered, and it was to stop there.
    AtRest,
    /// The run is over, however it ended.
    Over,
    /// Another schedule is the same.
    Same,
}

/// What one step came to.
pub(super) enum Next {
    GoOn,
    Open(Choice),
    AtRest,
    Over(Ended),
    Same,
}

/// One run under way.
#[derive(Clone)]
pub(super) struct ExploredRun {
    pub(super) sim: Sim,
    pub(super) player: Player,
    pub(super) now: Moment,
    limits: Limits,
    /// Events and commands at this moment, and before it.
    pub(super) events: u64,
    past_events: u64,
    /// The last command was a settlement.
    pub(super) settled: bool,
    pub(super) awaiting_quiet: Vec<RequestId>,
    /// Who is first at this moment, a timer or a client, was asked.
    pub(super) moment_asked: bool,
    pub(super) timers_held: bool,
    /// The command that is late.
    pub(super) late: Option<LateLane>,
    /// What late dead letters touch, and whether something came before them by now.
    pub(super) late_letters: Option<(Touched, bool)>,
    /// A change that has reached its queues only in part: whose command it is of, what it touches, and whether something came
    /// before the rest of it.
    pub(super) lagging: Option<(LateLane, bool)>,
    /// Whether consumers act on what they have heard by now was asked.
    pub(super) act_asked: bool,
    /// Lanes whose first command is known to come later in another schedule that is the same.
    pub(super) asleep: Vec<Asleep>,
    /// Whose series of publishes is under way, and whether its first refusal was chosen.
    pub(super) series: Option<(Lane, bool)>,
    /// The first ready command was looked at for what it leaves open itself.
    pub(super) fate_asked: bool,
    /// The order of many single returns of this moment was asked for.
    pub(super) returns_asked: bool,
    /// Until which point looks were asked for.
    pub(super) looks_asked: usize,
    pub(super) looks: Arc<[Vec<Direction>]>,
    open: Option<Choice>,
    pub(super) choices: u32,
    /// Where it did not do what a plain run does.
    pub(super) taken: Vec<Deviation>,
    pub(super) kinds: Vec<ChoiceKind>,
    ended: Option<Ended>,
    /// What could be late, and what it is known to be worth.
    pub(super) races: Races,
    /// It closes up at its end, for a timeline that is told; else it is over once all is judged.
    closes_up: bool,
    /// What is open while it closes up is offered, too.
    pub(super) explores_closing: bool,
    /// The first choice of its closing up, and the digest of all facts before it.
    pub(super) closing_from: Option<(u32, u64)>,
    /// It stops before each quiet, and whether it did before the one at hand.
    pub(super) rests: bool,
    rested: bool,
    /// A command of management came: what that changes is not looked at where runs are compared.
    pub(super) is_managed: bool,
    /// When something happened by itself, where that is noted.
    timers: Option<Vec<Moment>>,
    /// What the first ready commands touch, as far as this step asked for it.
    pub(super) known_touched: Cell<[Option<Touched>; KNOWN_MAX]>,
}

impl ExploredRun {
    /// Begins a run: the set-up is done.
    pub fn new(sim: Sim, player: Player, now: Moment, limits: Limits) -> Self {
        Self {
            sim: sim.with_openings(),
            player: player.hesitating(),
            now,
            limits,
            events: 0,
            past_events: 0,
            settled: false,
            awaiting_quiet: Vec::new(),
            moment_asked: false,
            timers_held: false,
            late: None,
            late_letters: None,
            lagging: None,
            act_asked: false,
            asleep: Vec::new(),
            series: None,
            fate_asked: false,
            returns_asked: false,
            looks_asked: 0,
            looks: Arc::default(),
            open: None,
            choices: 0,
            taken: Vec::new(),
            kinds: Vec::new(),
            ended: None,
            races: Races::default(),
            closes_up: false,
            explores_closing: false,
            closing_from: None,
            rests: false,
            rested: false,
            is_managed: false,
            timers: None,
            known_touched: Cell::default(),
        }
    }

    /// Notes the moments at which something happens by itself, or is about to when quiet comes.
    pub fn noting_timers(mut self) -> Self {
        self.timers = Some(Vec::new());
        self
    }

    /// Returns what was noted.
    pub fn take_timers(&mut self) -> Vec<Moment> {
        self.timers.take().unwrap_or_default()
    }

    /// Lets these looks be shifted.
    pub fn set_looks(&mut self, looks: &Arc<[Vec<Direction>]>) {
        self.looks = Arc::clone(looks);
    }

    /// Lets it close up at its end.
    pub fn closing_up(mut self) -> Self {
        self.closes_up = true;
        self
    }

    /// Lets it close up in each order that is open.
    pub fn exploring_closing(mut self) -> Self {
        self.explores_closing = true;
        self.closing_up()
    }

    /// Notes by which of the tables it goes that policies of equal priority leave open.
    pub fn of_tie(mut self, tie: u16) -> Self {
        if tie > 0 {
            self.taken.push((TIE, tie));
            self.kinds.push(ChoiceKind::PolicyTie);
        }
        self
    }

    /// Goes on until something is open, or the run is over.
    pub fn run(&mut self) -> Stop {
        if self.open.is_some() {
            return Stop::Open;
        }
        if self.ended.is_some() {
            return Stop::Over;
        }
        loop {
            match self.step() {
                Next::GoOn => {}
                // What only closes up changes nothing that is judged.
                Next::Open(choice) if self.choices >= CHOICES_MAX || self.is_as_usual() => {
                    self.act(choice.actions[0], &choice);
                }
                Next::Open(choice) => {
                    self.open = Some(choice);
                    return Stop::Open;
                }
                Next::Over(ended) => {
                    self.ended = Some(ended);
                    return Stop::Over;
                }
                Next::AtRest => return Stop::AtRest,
                Next::Same => return Stop::Same,
            }
        }
    }

    /// Returns whether nothing that is left counts: it only closes up.
    fn is_as_usual(&self) -> bool {
        self.player.is_closing() && !self.explores_closing
    }

    /// Counts the events and commands of the whole run.
    pub fn all_events(&self) -> u64 {
        self.past_events + self.events
    }

    /// Returns the number of the choice at hand, counted from 0.
    pub fn choice_number(&self) -> u32 {
        self.choices
    }

    /// Returns how many alternatives are open.
    pub fn alternatives(&self) -> usize {
        self.open.as_ref().map_or(0, |choice| choice.actions.len())
    }

    /// Returns whether an alternative lets something be late, which may turn out to be the same as if it were not.
    pub fn is_delay(&self, alternative: usize) -> bool {
        let action = self.open.as_ref().and_then(|choice| choice.actions.get(alternative));
        matches!(action, Some(Alternative::Delay | Alternative::DelayLetters))
    }

    /// Takes one of the alternatives; the first is the usual one.
    pub fn take(&mut self, alternative: usize) {
        let Some(choice) = self.open.take() else { return };
        let Some(&action) = choice.actions.get(alternative) else { return };
        let number = self.choices;
        self.choices += 1;
        if alternative > 0 {
            self.taken.push((number, alternative as u16));
            self.kinds.push(choice.kind);
            return self.act(action, &choice);
        }
        let noted = self.noted(&choice, number);
        self.act(action, &choice);
        if let Some(race) = noted {
            self.races.watch(race);
        }
    }

    /// Ends the run and gives what there is, and how the stepping ended.
    pub fn finish(self) -> (RunResult, Ended) {
        let Self { mut player, ended, .. } = self;
        let ended = ended.unwrap_or(Ended::Done);
        crate::simulate::rehearse::fail_unless_done(&mut player, &ended);
        (player.finish(), ended)
    }

    fn step(&mut self) -> Next {
        if self.player.is_closing() {
            if !self.closes_up {
                return Next::Over(Ended::Done);
            }
            if self.explores_closing && self.closing_from.is_none() {
                self.closing_from = Some((self.choices, digest_of_facts(&self.player.clone().finish())));
            }
        }
        self.forget_touched();
        self.events += 1;
        if self.events > self.limits.events_at_one_moment_max {
            return Next::Over(Ended::runaway(self.now, &self.sim));
        }
        if let Some(choice) = self.open_look() {
            return Next::Open(choice);
        }
        if self.lagging.is_some_and(|(_, overtaken)| overtaken) {
            self.lagging = None;
            self.sim.catch_up_with_late();
            return Next::GoOn;
        }
        if self.late_letters.is_none()
            && let Some((touched, by_worker)) = self.sim.waiting_letters()
        {
            return self.step_letters(touched, by_worker);
        }
        if self.sim.timer_due(self.now).is_some() {
            return self.step_timers();
        }
        self.sim.advance(self.now);
        let leaving = self.settled && self.player.is_leaving();
        while let Some(event) = if leaving { None } else { self.sim.poll_event() } {
            self.events += 1;
            self.act_asked = false;
            self.spread(&event);
            self.player.handle_event(self.now, event);
        }
        if self.player.hesitates_now() {
            let actions = vec![Alternative::EndNow, Alternative::ActFirst];
            return Next::Open(Choice { kind: ChoiceKind::LastWork, actions });
        }
        self.step_commands()
    }

    fn step_commands(&mut self) -> Next {
        if self.late.is_none() && self.player.ready_commands().next().is_none() {
            if !std::mem::replace(&mut self.act_asked, true) && self.player.may_act_late() {
                let actions = vec![Alternative::ActNow, Alternative::ActLate];
                return Next::Open(Choice { kind: ChoiceKind::LateAct, actions });
            }
            if !self.player.go_on_until_ready(self.now) {
                return if self.player.hesitates_now() { Next::GoOn } else { self.step_without_command() };
            }
        }
        match self.first_enabled() {
            Some(first) => self.step_arrivals(first),
            // Only what is late is ready: others may go on meanwhile.
            None => self.step_late(),
        }
    }

    fn step_arrivals(&mut self, first: usize) -> Next {
        let quiet = self.player.ready_commands().nth(first).and_then(|command| match command {
            Command::AwaitQuiet { request } => Some(*request),
            _ => None,
        });
        if let Some(request) = quiet {
            self.player.take_command(first);
            self.forget_touched();
            self.awaiting_quiet.push(request);
            self.settled = false;
            return Next::GoOn;
        }
        if !std::mem::replace(&mut self.fate_asked, true)
            && let Some(choice) = self.open_fate(first)
        {
            return Next::Open(choice);
        }
        match self.open_arrivals() {
            Some(choice) => Next::Open(choice),
            None if self.all_asleep() => Next::Same,
            None => {
                let awake = self.awake(first);
                self.arrive(awake);
                Next::GoOn
            }
        }
    }

    /// Nothing is ready: what was late comes now, then quiet is answered, then time passes.
    fn step_without_command(&mut self) -> Next {
        self.settled = false;
        match self.player.let_consumers_go_on() {
            Some(true) => return Next::GoOn,
            Some(false) => return Next::Same,
            None => {}
        }
        self.races.pending.clear();
        if self.lagging.take().is_some() {
            return Next::Same;
        }
        if let Some((_, overtaken)) = self.late_letters.take() {
            self.sim.send_waiting_letters();
            return if overtaken { Next::GoOn } else { Next::Same };
        }
        if self.sim.rest() {
            return Next::GoOn;
        }
        if std::mem::take(&mut self.timers_held) {
            self.sim.hold_timers(false);
            return Next::GoOn;
        }
        if self.sim.is_due(self.now) {
            return Next::GoOn;
        }
        if !self.awaiting_quiet.is_empty() {
            self.rested = self.rests && !self.rested;
            if self.rested {
                self.events -= 1;
                return Next::AtRest;
            }
            let request = self.awaiting_quiet.remove(0);
            if let Some(timers) = &mut self.timers {
                let next = self.sim.wake_at().into_iter().chain(self.player.wake_at());
                next.for_each(|moment| note(timers, moment));
            }
            let reply = Ok(Reply::Quiet { next: self.sim.next_motion().map(Box::new) });
            self.player.handle_event(self.now, Event::Reply { request, reply });
            return Next::GoOn;
        }
        if self.player.is_done() {
            return Next::Over(Ended::Done);
        }
        let Some(next) = self.sim.wake_at().into_iter().chain(self.player.wake_at()).min() else {
            return Next::Over(Ended::Stuck);
        };
        if next > self.now {
            self.now = next;
            if let Some(timers) = &mut self.timers {
                note(timers, next);
            }
            self.past_events += std::mem::take(&mut self.events);
            (self.moment_asked, self.returns_asked) = (false, false);
            self.asleep.clear();
            self.series = None;
        }
        Next::GoOn
    }

    fn act(&mut self, action: Alternative, choice: &Choice) {
        match action {
            Alternative::Arrive(at) => {
                self.put_to_sleep(at, choice);
                self.arrive(at);
            }
            Alternative::Delay => self.delay(choice),
            Alternative::SendLetters => self.send_letters(),
            Alternative::DelayLetters => {
                let touched = self.sim.waiting_letters().map_or(Touched::NOTHING, |(touched, _)| touched);
                self.late_letters = Some((touched, false));
                self.sim.delay_letters();
            }
            Alternative::Fire(which) => {
                self.races.forget_causes();
                self.sim.prefer_timer(which);
                self.sim.fire_next(self.now);
            }
            Alternative::TimersFirst | Alternative::Look | Alternative::Hear => {}
            Alternative::RequeueFirst | Alternative::KeepsUp | Alternative::AtOnce | Alternative::ActNow => {}
            Alternative::RoomFirst => self.sim.let_room_come_first(true),
            Alternative::FallsBehind | Alternative::PolicyWaits => self.lag(),
            Alternative::ActLate => self.player.let_consumers_wait(),
            Alternative::ClientsFirst => {
                self.timers_held = true;
                self.sim.hold_timers(true);
            }
            Alternative::Shift(shift) => self.player.shift(shift),
            Alternative::HearAfter(more) => {
                let channel = self.first_enabled().and_then(|first| self.player.ready_commands().nth(first));
                if let Some(Command::Publish { channel, .. }) = channel {
                    self.sim.let_in_unheard(*channel, more);
                }
            }
            Alternative::KeepOrder => {}
            Alternative::Order(order) => self.shuffle_returns(order),
            Alternative::EndNow => self.player.end_consumers(self.now, false),
            Alternative::ActFirst => self.player.end_consumers(self.now, true),
        }
    }

    /// A ready command reaches the broker.
    pub(super) fn arrive(&mut self, at: usize) {
        let touched = self.touched_at(at);
        let Some(command) = self.player.take_command(at) else { return };
        self.forget_touched();
        self.wake(&command, touched);
        self.meet_races(&command, touched);
        if let Some((letters, overtaken)) = &mut self.late_letters
            && letters.meets(touched)
        {
            *overtaken = true;
        }
        self.settled = matches!(command, Command::Settle { .. });
        self.is_managed |= matches!(command, Command::Manage { .. });
        self.fate_asked = false;
        let lane = lane_of(&command);
        let follows = |other: &Command| matches!(other, Command::Publish { .. }) && lane_of(other) == lane;
        let in_series = matches!(command, Command::Publish { .. }) && self.player.ready_commands().any(follows);
        self.series = match self.series {
            Some((series, chosen)) if series == lane => in_series.then_some((lane, chosen)),
            other if !in_series => other,
            _ => Some((lane, false)),
        };
        if let Some((late, overtaken)) = &mut self.lagging
            && late.lane != lane
            && late.touched.meets(touched)
        {
            *overtaken = true;
        }
        self.sim.handle(self.now, command);
        self.sim.shuffle_returns(None);
        self.sim.let_room_come_first(false);
        // Late dead letters that were overtaken go on, unless they are late again.
        if self.late_letters.is_some_and(|(_, overtaken)| overtaken) {
            self.late_letters = None;
        }
    }
}
