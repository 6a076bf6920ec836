//! Keeps a sim beside the live broker, on the live side's clock: each operation is played on it at the moment at which it
//! really begins, and what the sim shows is what the broker must show. So a slow machine changes what is compared, not
//! whether. Operations wait for timers that are near; a timer that comes while one is under way is waited for and
//! belongs to it. Never talks to a broker.

use super::player::{Delays, Phase, Player, Stop};
use super::rehearsal::{Rehearsal, Unfit, expected};
use super::seen::Seen;
use super::sequence::Op;
use rmqplay::model::{Millis, Moment};
use rmqplay::rules::Differences;

/// What an operation needs at most on an idle machine; on a slow one, as much more as operations were seen to take.
const BEFORE: Millis = Millis(150);
/// How long after a timer its effects are all there: dead letters and counts take their time (SIM-6).
const AFTER: Millis = Millis(200);
/// How near before a timer a look may be.
const CALM: Millis = Millis(60);
/// How long a difference must last before it is one: a broker may be starved for seconds.
pub const LINGER: Millis = Millis(12_000);
/// The same where the difference is known already.
pub const LINGER_AGAIN: Millis = Millis(2_500);
/// How long it must last without a timer of before: so many times the longest that an operation took, or this.
const SLACKS: u64 = 6;
const LINGER_MIN: Millis = Millis(600);
/// When it is enough, though timers never cease.
const LINGER_END: Millis = Millis(30_000);
/// Between the first two looks; it doubles.
const BETWEEN_LOOKS: Millis = Millis(20);

/// The sim beside a live broker, with what must be seen at the present operation.
pub struct Shadow {
    rules: &'static Differences,
    /// How long a difference must last.
    linger: Millis,
    sim: Rehearsal,
    wanted: Seen,
    /// The timer that was next when the operation began.
    next_timer: Option<Moment>,
    /// No operation begins before: a timer's effects are on their way.
    not_before: Moment,
    began: Moment,
    /// When the operation that waits for timers was first ready to begin.
    ready: Option<Moment>,
    /// The last timer that belongs to the operation, or its beginning.
    since: Moment,
    looks: u32,
    /// The longest that an operation took.
    slack: Millis,
    /// A timer of before came while the operation was under way: which of the two was first, nobody knows.
    overtaken: bool,
    /// The difference was there for long enough before that; and whether dead letters had raced by then.
    stood: Option<bool>,
    /// What was played, with the real times between.
    ops: Vec<Op>,
    /// Some queue may expire: looking at it puts that off (EXP-2).
    refreshing: bool,
}

impl Shadow {
    pub fn new(rules: &'static Differences, linger: Millis) -> Self {
        Self {
            rules,
            linger,
            sim: Rehearsal::new(rules, false),
            wanted: Seen::default(),
            next_timer: None,
            not_before: Moment(0),
            began: Moment(0),
            ready: None,
            since: Moment(0),
            looks: 0,
            slack: Millis(0),
            overtaken: false,
            stood: None,
            ops: Vec::new(),
            refreshing: false,
        }
    }

    /// Returns what must be seen at the present operation.
    pub fn wanted(&self) -> &Seen {
        &self.wanted
    }

    fn before(&self) -> Millis {
        Millis(BEFORE.0 + self.slack.0)
    }

    fn after(&self) -> Millis {
        Millis(AFTER.0 + self.slack.0)
    }

    /// Plays an operation on the sim as well, or gives the moment until which it must wait.
    fn begin(&mut self, op: &str, now: Moment) -> Result<Option<Moment>, Unfit> {
        while let Some(timer) = self.sim.next_timer().filter(|timer| *timer < now + self.before()) {
            self.sim.pass(timer)?;
            self.not_before = self.not_before.max(timer + self.after());
        }
        // A cycle of TTLs shorter than a slow machine's pauses would be waited for without end.
        if now > *self.ready.get_or_insert(now) + LINGER_END {
            return Err("timers without a pause");
        }
        if now < self.not_before {
            return Ok(Some(self.not_before));
        }
        self.ready = None;
        self.next_timer = self.sim.next_timer();
        self.refreshing |= op.contains("expires=");
        self.ops.push(Op { gap: now - self.began, text: op.to_owned() });
        (self.began, self.since, self.looks) = (now, now, 0);
        (self.overtaken, self.stood) = (false, None);
        self.wanted = self.sim.follow(op, now)?;
        Ok(None)
    }

    /// Takes timers that came meanwhile into what must be seen; gives the moment at which their effects are there.
    fn catch_up(&mut self, now: Moment) -> Result<Option<Moment>, Unfit> {
        if now > self.began + LINGER_END + LINGER_END {
            return Err("timers without a pause");
        }
        while let Some(timer) = self.sim.next_timer().filter(|timer| *timer <= now + CALM) {
            if now < timer + self.after() {
                return Ok(Some(timer + self.after()));
            }
            self.overtaken |= self.next_timer.is_some_and(|next| next <= timer);
            self.since = timer;
            self.wanted.append(self.sim.follow("", now)?);
        }
        Ok(None)
    }

    /// Compares; gives the moment of the next look, or says how it ended.
    fn look(&mut self, seen: &Seen, now: Moment) -> Result<Look, Unfit> {
        if self.looks == 0 {
            self.slack = self.slack.max(now - self.began);
        }
        self.looks += 1;
        if let Some(until) = self.catch_up(now)? {
            return Ok(Look::Again(until));
        }
        let same = self.wanted == *seen;
        if self.refreshing {
            self.wanted.append(self.sim.follow("", now)?);
        }
        if same {
            return Ok(Look::Same);
        }
        let least = Millis(LINGER_MIN.0.max(SLACKS * self.slack.0).min(self.linger.0));
        // What is different for so long is no delay, even if a timer blurs it afterwards.
        if now >= self.since + least && !self.overtaken && self.stood.is_none() {
            self.stood = Some(self.sim.has_raced());
        }
        let end = (self.began + self.linger).max(self.since + least).min(self.began + LINGER_END);
        if now < end {
            let again = now + Millis(BETWEEN_LOOKS.0 << self.looks.min(4));
            return Ok(Look::Again(self.sim.next_timer().map_or(again, |timer| again.min(timer))));
        }
        Ok(if self.overtaken && self.stood.is_none() {
            Look::Unclear("a timer came while an operation was under way")
        } else if self.stood.unwrap_or_else(|| self.sim.has_raced()) {
            Look::Unclear("dead letters of two queues raced")
        } else if !self.is_steady()? {
            Look::Unclear("the real times are too near to each other")
        } else {
            Look::Different
        })
    }

    /// Returns whether delays as long as those that were seen leave the sim's outcome as it is.
    fn is_steady(&self) -> Result<bool, Unfit> {
        let plain = expected(self.rules, &self.ops, None)?;
        for delays in Delays::all(self.slack) {
            if expected(self.rules, &self.ops, Some(delays))? != plain {
                return Ok(false);
            }
        }
        // This operation alone against all before it, which delays of them all hold together: what expires unseen,
        // behind others or with a consumer, may do so while it is under way, or a late publish has put that off.
        let slack = self.slack.0;
        for shifted in [|gap: u64, slack: u64| gap + slack, |gap: u64, slack: u64| gap.saturating_sub(slack).max(1)] {
            let mut ops = self.ops.clone();
            if let Some(last) = ops.last_mut() {
                last.gap = Millis(shifted(last.gap.0, slack));
            }
            if expected(self.rules, &ops, None)? != plain {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What came of a look.
enum Look {
    Same,
    Again(Moment),
    Different,
    Unclear(Unfit),
}

impl Player {
    /// Says until when the operation must wait; none: it begins, on the sim too.
    pub(super) fn held_up(&mut self, now: Moment) -> Option<Moment> {
        let shadow = self.shadow.as_mut()?;
        match shadow.begin(&self.text, now) {
            Ok(Some(until)) => Some(until),
            Ok(None) => {
                self.scheduled = now;
                None
            }
            Err(unfit) => {
                self.stop(Stop::Unclear(self.transcript.len(), unfit));
                None
            }
        }
    }

    /// Ends the operation, or looks again later when it is not what it should be.
    pub(super) fn judge(&mut self, now: Moment) {
        if let Some(shadow) = self.shadow.as_mut() {
            let at = self.transcript.len();
            match shadow.look(&self.seen, now) {
                Ok(Look::Same) => {}
                Ok(Look::Again(until)) => {
                    self.phase = Phase::Lingering(until);
                    return;
                }
                Ok(Look::Different) => self.stop(Stop::Different(at)),
                Ok(Look::Unclear(unfit)) | Err(unfit) => self.stop(Stop::Unclear(at, unfit)),
            }
        }
        self.transcript.push(std::mem::take(&mut self.seen));
        if self.stopped.is_none() {
            self.phase = Phase::Next;
        }
    }

    fn stop(&mut self, why: Stop) {
        self.stopped = Some(why);
        self.phase = Phase::Over;
    }
}
