//! What is kept of a session while it goes on: the timeline, and what an advance of the clock waits for.

use crate::broker::{Client, Command, Event, Explanation};
use crate::clock::{Advance, AdvanceRefused, ClockJob};
use crate::convert::{DraftDeath, DraftQueue, write_session};
use crate::model::{Moment, Name, QueueName, Table, Value};
use crate::player::{RunCounts, Timeline, TimelineEntry};
use crate::serve::served_broker::ServedBroker;
use crate::serve::session::goal::{AdvanceGoal, WantedMessages};
use crate::serve::session::{Hearers, Journal, Recording};
use crate::sim::QueueStatus;
use crate::source::nearest_name;

/// How many messages of a queue a written scenario names.
const LETTERS_TOLD_MAX: usize = 20;

fn text_of(death: &Table, key: &str) -> Name {
    death.get(key).and_then(Value::as_text).map(Name::from).unwrap_or_default()
}

impl ServedBroker {
    /// Keeps a timeline from now on, with the simulator's reasons: for the control port.
    pub fn with_timeline(mut self) -> Self {
        self.sim = self.sim.with_insights(true);
        self.journal = Some(Journal::default());
        self
    }

    /// Records all that clients do from now on, for [`ServedBroker::recorded`].
    pub fn with_recording(mut self) -> Self {
        self.recording = Some(Recording::default());
        self
    }

    /// Returns what was recorded as a scenario, where clients did anything, with what is in the queues now as what must be there at the end.
    pub fn recorded(&self) -> Option<String> {
        let recording = self.recording.as_ref().filter(|recording| !recording.is_empty())?;
        let at_end = self.sim.queue_views().into_iter().map(|queue| self.held_at_end(queue)).collect();
        Some(write_session(&recording.draft(&self.begun_with.0, at_end, self.sim.now())))
    }

    fn held_at_end(&self, queue: QueueStatus) -> DraftQueue {
        let letters = self.sim.letters_of(&queue.name);
        let told_apart = letters.len() <= LETTERS_TOLD_MAX;
        let messages = letters.iter().map(|letter| {
            let deaths = letter.deaths().map(|death| DraftDeath {
                queue: text_of(death, "queue"),
                reason: text_of(death, "reason"),
                count: death.get("count").and_then(Value::as_integer).unwrap_or(1),
            });
            (self.observer.known.of_delivery(letter).id(), deaths.collect())
        });
        let messages = told_apart.then(|| messages.collect());
        DraftQueue { queue: queue.name, ready: queue.ready, messages }
    }

    /// Makes the timeline of what is kept, if any is: of the latest ten thousand entries.
    pub fn timeline(&self) -> Option<Timeline> {
        self.journal.as_ref().map(Journal::timeline)
    }

    /// Returns how many entries the timeline had; `None` where none is kept.
    pub fn timeline_count(&self) -> Option<u64> {
        self.journal.as_ref().map(Journal::count)
    }

    /// Makes the entries of the timeline after one, oldest first, as far as they are kept.
    pub(crate) fn timeline_after(&self, since: u64) -> impl Iterator<Item = TimelineEntry> {
        self.journal.iter().flat_map(move |journal| journal.entries_after(since))
    }

    /// Returns what all entries of the timeline add up to, those included that are let go.
    pub(crate) fn counts(&self) -> Option<RunCounts> {
        self.journal.as_ref().map(Journal::counts)
    }

    /// Takes note of a command before it is carried out.
    pub(crate) fn observe_command(&mut self, now: Moment, command: &Command) {
        if self.journal.is_none() && self.recording.is_none() {
            return;
        }
        let server = &self.server;
        let who_is = |connection| server.client_name(connection).unwrap_or_else(|| "the scenario".into());
        let (journal, recording, goal) = (self.journal.as_mut(), self.recording.as_mut(), self.goal.as_mut());
        self.observer.command(command, who_is, &mut Hearers { moment: now, journal, recording, goal });
    }

    /// Takes note of an event before it is passed on.
    pub(crate) fn observe_event(&mut self, now: Moment, event: &Event) {
        if self.journal.is_none() && self.recording.is_none() {
            return;
        }
        let (journal, recording) = (self.journal.as_mut(), self.recording.as_mut());
        self.observer.event(event, &mut Hearers { moment: now, journal, recording, goal: None });
    }

    /// Takes a reason of the simulator, and passes it on to a scenario that plays here.
    pub(crate) fn hear_reason(&mut self, now: Moment, insight: Box<Explanation>) {
        if let Some(neighbours) = &mut self.neighbours {
            neighbours.player.handle_event(now, Event::Told(insight.clone()));
        }
        if let Some(goal) = &mut self.goal {
            goal.note(&insight);
        }
        if let Some(journal) = &mut self.journal {
            journal.explain(now, insight, &self.observer.known);
        }
    }

    /// Begins to advance the clock until a queue holds so many messages.
    ///
    /// # Errors
    /// As any advance.
    pub(crate) fn advance_until(
        &mut self,
        queue: QueueName,
        count: u64,
        wanted: WantedMessages,
    ) -> Result<ClockJob, AdvanceRefused> {
        let job = self.clock.advance(Advance::Until)?.clone();
        self.goal = Some(AdvanceGoal::new(queue, count, wanted, &self.sim, &self.observer.known));
        Ok(job)
    }

    /// Checks that there is a queue of that name.
    ///
    /// # Errors
    /// There is none; says which is near.
    pub(crate) fn knows_queue(&self, name: &QueueName) -> Result<(), String> {
        if self.sim.queue_view(name).is_some() {
            return Ok(());
        }
        let views = self.sim.queue_views();
        let near = nearest_name(&name.name, views.iter().map(|queue| queue.name.name.as_str()));
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        Err(format!("there is no {name}{near}"))
    }
}
