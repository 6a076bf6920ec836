//! The clock itself: which moment it is, and when it may jump.
//! A jump goes to the next thing that happens and no further, and waits until every client did what came of the last one.

use crate::clock::debt::Debt;
use crate::clock::job::{ADVANCE_MAX, Advance, AdvanceRefused, ClockJob, ClockJobState, GoalMissed, JobId};
use crate::clock::mode::ClockMode;
use crate::model::{Millis, Moment};
use std::fmt;

/// How often a job jumps for what it waits for.
const JUMPS_MAX: u64 = 1_000_000;

/// How often an automatic clock jumps with nothing from a client.
const JUMPS_ALONE_MAX: u64 = 200_000;

/// Why an automatic clock does not jump on: what happens goes on without end, and without clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AutoRest {
    /// Where it was when a client last did something.
    pub from: Moment,
    /// Where it rests.
    pub at: Moment,
    /// How often it jumped between.
    pub jumps: u64,
}

impl fmt::Display for AutoRest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, at, jumps } = self;
        write!(
            f,
            "the clock rests at {at}: it jumped {jumps} times since {from} with nothing from a client, and goes on with the next byte of one"
        )
    }
}

/// What is under way around the clock.
#[derive(Debug, Clone, Default)]
pub struct ClockSurroundings {
    /// When the broker next does something by itself.
    pub wake_at: Option<Moment>,
    /// What clients owe, if any does.
    pub debt: Option<Debt>,
    /// What a job waits for has come.
    pub is_met: bool,
    /// When anything last came from a client or went to one, in real milliseconds.
    pub stirred_ms: u64,
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockStep {
    /// The broker goes to this moment.
    Go(Moment),
    /// Nothing before this real millisecond, unless something stirs.
    WaitUntil(u64),
    /// Nothing until something stirs.
    Rest,
}

/// The clock of a served broker.
#[derive(Debug, Clone)]
pub struct ServedClock {
    mode: ClockMode,
    moment: Moment,
    settle_ms: u64,
    owe_limit_ms: u64,
    job: Option<ClockJob>,
    jobs: u64,
    /// Since when somebody owes without a break, in real milliseconds.
    owed_since_ms: Option<u64>,
    /// When it last jumped: what came of it is waited for.
    jumped_ms: u64,
    /// Automatic: when a client last did something, at which moment, and how often it jumped since.
    alone: (u64, Moment, u64),
    /// Automatic: it jumps no further.
    rests: bool,
}

impl ServedClock {
    /// Makes a clock at moment 0. A client counts as idle when nothing stirred for `settle`; a job waits at most
    /// `owe_limit` for one that owes.
    pub fn new(mode: ClockMode, settle: Millis, owe_limit: Millis) -> Self {
        Self {
            mode,
            moment: Moment(0),
            settle_ms: settle.0,
            owe_limit_ms: owe_limit.0,
            job: None,
            jobs: 0,
            owed_since_ms: None,
            jumped_ms: 0,
            alone: (0, Moment(0), 0),
            rests: false,
        }
    }

    /// Returns what moves it.
    pub fn mode(&self) -> ClockMode {
        self.mode
    }

    /// Returns how long nothing has to stir before clients count as idle, in real milliseconds.
    pub fn settle_ms(&self) -> u64 {
        self.settle_ms
    }

    /// Returns how long a client that owes is waited for, in real milliseconds.
    pub fn owe_limit_ms(&self) -> u64 {
        self.owe_limit_ms
    }

    /// Returns which moment it is at a real millisecond.
    pub fn moment(&mut self, now_ms: u64) -> Moment {
        match self.mode {
            ClockMode::Real => self.moment = self.moment.max(Moment(now_ms)),
            ClockMode::Scaled(scale) => self.moment = self.moment.max(Moment((now_ms as f64 * scale) as u64)),
            ClockMode::Manual | ClockMode::Auto => {}
        }
        self.moment
    }

    /// Begins to advance it.
    ///
    /// # Errors
    /// Another job is under way, the length is out of range, or the clock follows real time.
    pub fn advance(&mut self, advance: Advance) -> Result<&ClockJob, AdvanceRefused> {
        if self.mode != ClockMode::Manual {
            return Err(AdvanceRefused::NotManual);
        }
        if let Some(job) = self.job.as_ref().filter(|job| job.state == ClockJobState::Running) {
            return Err(AdvanceRefused::Busy(job.id));
        }
        match advance {
            Advance::By(length) if length.0 == 0 || length > ADVANCE_MAX => return Err(AdvanceRefused::OutOfRange),
            Advance::Timers(0) => return Err(AdvanceRefused::OutOfRange),
            _ => {}
        }
        self.jobs += 1;
        self.owed_since_ms = None;
        let (id, from) = (JobId(self.jobs), self.moment);
        Ok(self.job.insert(ClockJob { id, advance, from, at: from, jumps: 0, state: ClockJobState::Running }))
    }

    /// Returns the job that is under way, or the last one.
    pub fn job(&self) -> Option<&ClockJob> {
        self.job.as_ref()
    }

    /// Returns what is to be done at a real millisecond.
    pub fn step(&mut self, now_ms: u64, around: &ClockSurroundings) -> ClockStep {
        match self.mode {
            ClockMode::Real | ClockMode::Scaled(_) => self.follow(now_ms, around),
            ClockMode::Manual => self.advance_job(now_ms, around),
            ClockMode::Auto => match around.wake_at {
                None => ClockStep::Rest,
                Some(at) => match self.wait(now_ms, around) {
                    Some(wait) => wait,
                    None => self.jump_alone(at, now_ms, around.stirred_ms),
                },
            },
        }
    }

    /// Jumps while nobody has anything to do, unless that goes on without end.
    fn jump_alone(&mut self, to: Moment, now_ms: u64, stirred_ms: u64) -> ClockStep {
        if self.alone.0 != stirred_ms {
            self.alone = (stirred_ms, self.moment, 0);
        }
        self.rests = self.alone.2 >= JUMPS_ALONE_MAX || to > self.alone.1 + ADVANCE_MAX;
        if self.rests {
            return ClockStep::Rest;
        }
        self.alone.2 += 1;
        self.jump(to, now_ms)
    }

    /// Returns why an automatic clock rests, if it has to.
    pub fn resting(&self) -> Option<AutoRest> {
        let (_, from, jumps) = self.alone;
        self.rests.then_some(AutoRest { from, at: self.moment, jumps })
    }

    fn follow(&mut self, now_ms: u64, around: &ClockSurroundings) -> ClockStep {
        let now = self.moment(now_ms);
        match around.wake_at {
            None => ClockStep::Rest,
            Some(at) if at <= now => ClockStep::Go(now),
            Some(at) => ClockStep::WaitUntil(match self.mode {
                ClockMode::Scaled(scale) => (at.0 as f64 / scale).ceil() as u64,
                _ => at.0,
            }),
        }
    }

    fn advance_job(&mut self, now_ms: u64, around: &ClockSurroundings) -> ClockStep {
        let Some(job) = self.job.as_ref().filter(|job| job.state == ClockJobState::Running) else {
            return ClockStep::Rest;
        };
        let (advance, from, jumps) = (job.advance, job.from, job.jumps);
        if let Some(debt) = &around.debt {
            let since = *self.owed_since_ms.get_or_insert(now_ms);
            if now_ms >= since + self.owe_limit_ms {
                self.end(ClockJobState::Stuck(debt.clone()));
                return ClockStep::Rest;
            }
            return ClockStep::WaitUntil(since + self.owe_limit_ms);
        }
        self.owed_since_ms = None;
        if let Some(wait) = self.wait(now_ms, around) {
            return wait;
        }
        let next = match advance {
            Advance::By(length) => {
                let end = from + length;
                if self.moment >= end {
                    self.end(ClockJobState::Done);
                    return ClockStep::Rest;
                }
                around.wake_at.map_or(end, |at| at.min(end))
            }
            Advance::Until if around.is_met => {
                self.end(ClockJobState::Done);
                return ClockStep::Rest;
            }
            Advance::Until => match around.wake_at {
                Some(at) if at <= from + ADVANCE_MAX && jumps < JUMPS_MAX => at,
                missed => {
                    self.end(ClockJobState::Missed(match missed {
                        None => GoalMissed::NothingHappens,
                        Some(_) if jumps >= JUMPS_MAX => GoalMissed::TooOften,
                        Some(_) => GoalMissed::TooLong,
                    }));
                    return ClockStep::Rest;
                }
            },
            Advance::Timers(count) => match around.wake_at.filter(|_| jumps < count) {
                Some(at) => at,
                None => {
                    self.end(ClockJobState::Done);
                    return ClockStep::Rest;
                }
            },
        };
        if let Some(job) = &mut self.job {
            job.jumps += 1;
            job.at = next.max(self.moment);
        }
        self.jump(next, now_ms)
    }

    /// Returns how long to wait for what clients still do: what stirred since the last jump has to settle.
    fn wait(&self, now_ms: u64, around: &ClockSurroundings) -> Option<ClockStep> {
        if around.debt.is_some() {
            return Some(ClockStep::Rest);
        }
        let settled = around.stirred_ms + self.settle_ms;
        // A jump of which no client heard has nothing to settle.
        (around.stirred_ms >= self.jumped_ms && now_ms < settled).then_some(ClockStep::WaitUntil(settled))
    }

    fn jump(&mut self, to: Moment, now_ms: u64) -> ClockStep {
        self.moment = self.moment.max(to);
        self.jumped_ms = now_ms;
        ClockStep::Go(self.moment)
    }

    fn end(&mut self, state: ClockJobState) {
        if let Some(job) = &mut self.job {
            job.state = state;
            job.at = self.moment;
        }
    }
}
