//! Quiet on a live broker: no command unanswered, no publish unsettled, one method answered on each channel with
//! consumers, then no event and no changed count for as long as messages may be on their way unseen; where nothing can be,
//! one fresh look. Unrest that lasts is answered with what keeps changing.

use crate::broker::{Command, Event, OnTheWay, Refusal, Reply, RequestId, Scope};
use crate::io::live::adapter::Live;
use crate::io::live::amqp::channel::Item;
use crate::model::QueueName;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How many times the slowest answer of late must go by without an event.
const ANSWERS: u32 = 5;

/// How many times the slowest confirm of late must, where queues keep a log.
const CONFIRMS: u32 = 6;

/// Between two looks whether counts are read that wake nobody.
const LOOK: Duration = Duration::from_millis(20);

/// How many times something must happen before it counts as unrest: a broker that is slow to answer tells what was done late.
const STIRS: u32 = 10;

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
    /// How many times something happened since everything was answered.
    stirs: u32,
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
            stirs: 0,
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
        let elapsed = self.elapsed(now);
        let mut any_news = false;
        for event in events {
            let is_news = self.motion.heard(elapsed, event);
            let Some(quiet) = &mut self.quiet else { continue };
            quiet.progress.note(event, now);
            any_news |= is_news;
            if is_news {
                quiet.last = now;
                quiet.what = describe(event);
            }
        }
        if let Some(quiet) = self.quiet.as_mut().filter(|_| any_news) {
            quiet.stirs += u32::from(quiet.calm.is_some());
        }
    }

    /// Moves the wait on; answers it when it is over.
    pub(crate) fn check_quiet(&mut self, now: Instant) {
        let idle = self.is_idle();
        let (rest, still) = (self.rest(now), self.motion.on_the_way(self.elapsed(now)) == OnTheWay::Nothing);
        // What was just read and is not told yet ends the rest: the answer must not overtake it.
        let all_told = self.batch.is_empty();
        let Some(quiet) = self.quiet.as_mut() else { return };
        match quiet.phase {
            Phase::Settling if idle => {
                quiet.calm.get_or_insert(now);
                if still {
                    quiet.phase = Phase::Resting { since: now };
                    self.watches.hurry(now);
                    return;
                }
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
                // The counts must be read late in the rest: what is on its way shows until then.
                let late = from + rest * 3 / 4;
                if all_told && now >= from + rest && self.watches.all_read_since(late) {
                    self.motion.was_quiet();
                    return self.answer_quiet(Ok(Reply::Done));
                }
                if now >= late {
                    self.watches.hurry(late);
                }
            }
            Phase::Settling | Phase::Fencing => {}
        }
        self.give_up_on_quiet(now);
    }

    /// Returns how long nothing may happen before it counts as quiet. A broker that is slow to answer is slow in all it does.
    fn rest(&self, now: Instant) -> Duration {
        let on_the_way = self.motion.on_the_way(self.elapsed(now));
        let least = Duration::from_millis(on_the_way.rest().0);
        let answers = self.watches.slowest_answer() * ANSWERS;
        let rest = match on_the_way {
            OnTheWay::Nothing => return least,
            OnTheWay::ThroughLogs => least.max(self.motion.slowest_confirm() * CONFIRMS).max(answers),
            _ => least.max(answers),
        };
        rest.min(self.limits.rest)
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
        let borne = if quiet.stirs < STIRS { self.limits.answer } else { self.limits.unrest };
        if now < since + borne || !restless && !overdue {
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
            Phase::Resting { since } => {
                let (from, rest) = (since.max(quiet.last), self.rest(now));
                let late = from + rest * 3 / 4;
                let next = if now < late { late } else { from + rest };
                // Counts that are read wake us by themselves.
                if next > now { next } else { now + LOOK }
            }
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
