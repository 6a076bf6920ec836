//! Quiet on a live broker: no command unanswered, no publish unsettled, one method answered on each channel with
//! consumers, then no event and no changed count for a while. Unrest that lasts is answered with what keeps changing.

use crate::broker::{Command, Event, Refusal, Reply, RequestId, Scope};
use crate::io::live::adapter::Live;
use crate::io::live::amqp::channel::Item;
use crate::model::QueueName;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Waits for quiet.
pub(crate) struct Quiet {
    pub(crate) requests: Vec<RequestId>,
    began: Instant,
    /// When everything was answered for the first time: unrest is counted from here.
    calm: Option<Instant>,
    phase: Phase,
    /// The last event, and what it was.
    last: Instant,
    what: String,
    progress: Progress,
}

/// Tells a long drain from going round: what is emptied comes to an end.
struct Progress {
    /// The fewest ready messages that each queue was seen with.
    lows: BTreeMap<QueueName, u64>,
    /// Something was published meanwhile: a new message need not be one message less.
    published: bool,
    /// When the end last came nearer.
    made: Option<Instant>,
}

impl Progress {
    fn note(&mut self, event: &Event, now: Instant) {
        let nearer = match event {
            Event::Counted { queue, counts: Some(counts) } => {
                let low = self.lows.entry(queue.clone()).or_insert(counts.ready);
                std::mem::replace(low, counts.ready.min(*low)) > counts.ready
            }
            Event::Delivered { delivery, .. } => !self.published && delivery.is_fresh(),
            Event::Confirmed { .. } => {
                self.published = true;
                false
            }
            _ => false,
        };
        if nearer {
            self.made = Some(now);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Something is unanswered.
    Settling,
    /// One method is under way on each channel with consumers.
    Fencing,
    Resting {
        since: Instant,
    },
}

impl Live {
    pub(crate) fn await_quiet(&mut self, request: RequestId) {
        self.await_answer(request, "waiting for quiet".into(), true);
        let now = Instant::now();
        let quiet = self.quiet.get_or_insert_with(|| Quiet {
            requests: Vec::new(),
            began: now,
            calm: None,
            phase: Phase::Settling,
            last: now,
            what: "commands are unanswered".into(),
            progress: Progress { lows: BTreeMap::new(), published: false, made: None },
        });
        quiet.requests.push(request);
        self.check_quiet(now);
    }

    /// A command ends a rest.
    pub(crate) fn disturb_quiet(&mut self, command: &Command) {
        let harmless = matches!(command, Command::Watch { .. } | Command::Unwatch { .. } | Command::AwaitQuiet { .. });
        if let Some(quiet) = self.quiet.as_mut().filter(|_| !harmless) {
            quiet.phase = Phase::Settling;
        }
    }

    /// Events end a rest.
    pub(crate) fn note_events(&mut self, events: &[Event], now: Instant) {
        if let (Some(quiet), Some(last)) = (self.quiet.as_mut(), events.last()) {
            events.iter().for_each(|event| quiet.progress.note(event, now));
            quiet.last = now;
            quiet.what = describe(last);
        }
    }

    /// Moves the wait on; answers it when it is over.
    pub(crate) fn check_quiet(&mut self, now: Instant) {
        let idle = self.is_idle();
        let rest = self.limits.rest;
        // What was just read and is not told yet ends the rest: the answer must not overtake it.
        let all_told = self.batch.is_empty();
        let Some(quiet) = self.quiet.as_mut() else { return };
        match quiet.phase {
            Phase::Settling if idle => {
                quiet.calm.get_or_insert(now);
                quiet.phase = Phase::Fencing;
                for line in self.lines.values_mut().filter(|line| line.is_open() && !line.feeds.is_empty()) {
                    line.backlog.push_back(Item::Fence);
                }
                self.start_lines();
            }
            Phase::Fencing if idle => quiet.phase = Phase::Resting { since: now },
            Phase::Resting { .. } if !idle => quiet.phase = Phase::Settling,
            Phase::Resting { since } => {
                let from = since.max(quiet.last);
                // The counts must be read late in the rest: what is on its way shows within some milliseconds.
                if all_told && now >= from + rest && self.watches.all_read_since(from + rest / 2) {
                    return self.answer_quiet(Ok(Reply::Done));
                }
            }
            Phase::Settling | Phase::Fencing => {}
        }
        self.give_up_on_quiet(now);
    }

    fn give_up_on_quiet(&mut self, now: Instant) {
        let Some(quiet) = &self.quiet else { return };
        // Work that is never done counts as unrest once nobody would wait longer for an answer.
        let since = quiet.calm.unwrap_or(quiet.began + self.limits.answer);
        // A drain, however long, is no unrest: every message that leaves is one less.
        let since = quiet.progress.made.map_or(since, |made| made.max(since));
        // Nor is a broker that is slow to answer while nothing happens: its answers have a limit of their own.
        let restless = now < quiet.last + self.limits.unrest;
        let overdue = now > quiet.last + self.limits.answer;
        if now < since + self.limits.unrest || !restless && !overdue {
            return;
        }
        let text = format!("never quiet: {}", quiet.what);
        self.answer_quiet(Err(Refusal::new(Scope::Management, 0, text)));
    }

    fn answer_quiet(&mut self, answer: Result<Reply, Refusal>) {
        for request in self.quiet.take().map(|quiet| quiet.requests).unwrap_or_default() {
            self.reply(request, answer.clone());
        }
    }

    /// Returns the instant at which the wait may be over.
    pub(crate) fn quiet_duty(&self, now: Instant) -> Option<Instant> {
        let quiet = self.quiet.as_ref()?;
        Some(match quiet.phase {
            Phase::Resting { since } => (since.max(quiet.last) + self.limits.rest).max(now + Duration::from_millis(5)),
            // Answers wake us by themselves; giving up needs the clock.
            Phase::Settling | Phase::Fencing => now + Duration::from_millis(100),
        })
    }
}

/// Returns what keeps changing.
fn describe(event: &Event) -> String {
    match event {
        Event::Reply { .. } => "commands are still being answered".into(),
        Event::Delivered { consumer, .. } => format!("consumer '{consumer}' is still sent messages"),
        Event::Returned { .. } | Event::Confirmed { .. } => "publishes are still being confirmed".into(),
        Event::ChannelClosed { .. } | Event::ConnectionClosed { .. } => "channels are still being closed".into(),
        Event::Cancelled { consumer, .. } => format!("consumer '{consumer}' was just cancelled"),
        Event::Counted { queue, .. } => format!("the counts of {queue} keep changing"),
        Event::Told(_) => "something still happens".into(),
    }
}
