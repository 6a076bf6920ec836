//! Steps a client and the sim together under virtual time, jumping from wake-up to wake-up.
//! At one moment the broker moves first. Never waits, knows nothing of what the client plays.

use crate::broker::{Client, Command, Event, Reply, RequestId};
use crate::model::{Moment, QueueName};
use crate::sim::Sim;
use std::fmt;

/// Bounds a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// More than this many events and commands at one moment are a loop.
    pub events_at_one_moment_max: u64,
    /// The run ends when nothing more happens before this.
    pub moment_max: Option<Moment>,
}

impl Default for Limits {
    /// A million events at one moment, any length of time.
    fn default() -> Self {
        Self { events_at_one_moment_max: 1_000_000, moment_max: None }
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The client is done.
    Done,
    /// The next thing would happen after `moment_max`.
    OutOfTime,
    /// Something goes round without time passing.
    Runaway {
        /// Where time stands.
        moment: Moment,
        /// Those that messages entered most at that moment, with how often.
        queues: Vec<(QueueName, u64)>,
    },
    /// Neither side will ever move again, and the client is not done.
    Stuck,
}

impl Ended {
    /// Names the queues of what goes round at a moment.
    pub(crate) fn runaway(moment: Moment, sim: &Sim) -> Self {
        let mut queues = sim.busiest_queues();
        // A loop enters its queues about equally often; what stands far behind only feeds it.
        let most = queues.first().map_or(0, |(_, n)| *n);
        queues.retain(|(_, n)| *n * 4 >= most);
        queues.truncate(NAMED_MAX);
        Self::Runaway { moment, queues }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Done => f.write_str("done"),
            Ended::OutOfTime => f.write_str("out of time"),
            Ended::Stuck => f.write_str("stuck: nothing will happen any more"),
            Ended::Runaway { moment, queues } => {
                let names: Vec<&str> = queues.iter().map(|(queue, _)| &*queue.name).collect();
                match names.as_slice() {
                    [] => write!(f, "commands go round without end at {moment}"),
                    [one] => write!(f, "messages go round in {one} without end at {moment}"),
                    [rest @ .., last] => {
                        write!(f, "messages go round between {} and {last} without end at {moment}", rest.join(", "))
                    }
                }
            }
        }
    }
}

/// How many queues a runaway names.
const NAMED_MAX: usize = 5;

/// Plays until the client is done, a limit is reached, or nothing can happen any more; gives the last moment.
pub fn simulate<C: Client + ?Sized>(client: &mut C, sim: &mut Sim, from: Moment, limits: &Limits) -> (Moment, Ended) {
    simulate_noting(client, sim, from, limits, &mut Vec::new())
}

/// The same; notes the moments at which something happened by itself, or was about to when quiet came.
pub(crate) fn simulate_noting<C: Client + ?Sized>(
    client: &mut C,
    sim: &mut Sim,
    from: Moment,
    limits: &Limits,
    timers: &mut Vec<Moment>,
) -> (Moment, Ended) {
    let mut run = SimulatedRun { now: from, events: 0, awaiting_quiet: Vec::new() };
    loop {
        if run.exhaust_moment(client, sim, limits.events_at_one_moment_max, timers) {
            return (run.now, Ended::runaway(run.now, sim));
        }
        if client.is_done() {
            return (run.now, Ended::Done);
        }
        let Some(next) = sim.wake_at().into_iter().chain(client.wake_at()).min() else {
            return (run.now, Ended::Stuck);
        };
        if limits.moment_max.is_some_and(|max| next > max) {
            return (limits.moment_max.unwrap_or(run.now).max(run.now), Ended::OutOfTime);
        }
        if next > run.now {
            run.now = next;
            run.events = 0;
            note(timers, next);
        }
    }
}

/// How many moments are noted.
const TIMERS_MAX: usize = 10_000;

/// Notes a moment among the timers of a run.
pub(super) fn note(timers: &mut Vec<Moment>, moment: Moment) {
    if timers.len() < TIMERS_MAX {
        timers.push(moment);
    }
}

struct SimulatedRun {
    now: Moment,
    /// Events and commands at this moment.
    events: u64,
    awaiting_quiet: Vec<RequestId>,
}

impl SimulatedRun {
    /// Does everything that is to be done at this moment; returns whether it was too much.
    fn exhaust_moment<C: Client + ?Sized>(
        &mut self,
        client: &mut C,
        sim: &mut Sim,
        max: u64,
        timers: &mut Vec<Moment>,
    ) -> bool {
        let mut settled = false;
        loop {
            sim.advance(self.now);
            self.events += 1;
            // What a settlement brings is still on its way when a cancel follows at once.
            let leaving = settled && client.is_leaving();
            if !leaving {
                self.events += sim.hand_events_to(client, self.now);
            }
            if self.events > max {
                return true;
            }
            let command = client.poll_command(self.now);
            settled = matches!(command, Some(Command::Settle { .. }));
            match command {
                Some(Command::AwaitQuiet { request }) => self.awaiting_quiet.push(request),
                Some(command) => sim.carry_out(command),
                None if sim.rest() || sim.is_due(self.now) => {}
                None if self.awaiting_quiet.is_empty() => return false,
                None => {
                    let request = self.awaiting_quiet.remove(0);
                    sim.wake_at().into_iter().chain(client.wake_at()).for_each(|moment| note(timers, moment));
                    let reply = Ok(Reply::Quiet { next: sim.next_motion().map(Box::new) });
                    client.handle_event(self.now, Event::Reply { request, reply });
                }
            }
        }
    }
}
