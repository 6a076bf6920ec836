//! Watched queues: read again and again, told when a count changed.
//! By passive declare on a channel of the runner per vhost, which a missing queue costs; or over HTTP, where that would
//! disturb: a classic queue that can expire (EXP-2), one that is exclusive.

use crate::broker::{Counts, Event, code};
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::live::adapter::Live;
use crate::io::live::amqp::dial::{DialError, Dialed, Target, dial};
use crate::io::live::amqp::translate::{Cause, cause_of, short};
use crate::io::live::job::Done;
use crate::io::management::{ManagementClient, QueueTotals};
use crate::model::{Name, QueueName};
use crate::rules::{RefusalMeaning, meaning_of_refusal};
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How many channels a probe opens before it starts over: ids of closed channels cannot be used again.
const PROBE_CHANNELS_MAX: u32 = 1_500;

/// Holds all watches.
#[derive(Default)]
pub(crate) struct Watches {
    vhosts: BTreeMap<Name, VhostWatch>,
}

#[derive(Default)]
struct VhostWatch {
    queues: BTreeMap<Name, Watch>,
    passive: Rounds,
    totals: Rounds,
    probe: Option<Probe>,
    /// Queues that no passive declare disturbs: the totals call them quorum queues or streams (EXP-3).
    undisturbable: BTreeSet<Name>,
}

struct Watch {
    undisturbed: bool,
    /// A round that began before this may have read before what the client did last: it does not answer the watch.
    since: Instant,
    /// What the client was told last.
    told: Option<Option<Counts>>,
}

/// The rhythm of one way of reading.
#[derive(Default)]
struct Rounds {
    running: bool,
    next: Option<Instant>,
    /// When the last completed round began.
    complete_from: Option<Instant>,
    /// How long one queue took of the slowest round of late.
    answer: Duration,
}

/// The runner's expendable connection in one vhost.
pub(crate) struct Probe {
    dialed: Dialed,
    channel: Option<lapin::Channel>,
    opened: u32,
}

/// What a passive declare showed.
enum PassiveCount {
    Counts(Counts),
    Missing,
    /// Exclusive to another connection.
    Hidden,
}

/// One round of passive declares.
pub(crate) struct PassiveRound {
    vhost: Name,
    began: Instant,
    /// The connection was there before.
    was_dialed: bool,
    probe: Option<Probe>,
    /// In the order of the queues; the rest is missing when the connection ended on the way.
    seen: Result<Vec<(Name, PassiveCount)>, BrokerFailure>,
}

/// Holds a vhost's queues; `None` when the vhost is not there.
type Totals = Option<Vec<QueueTotals>>;

/// One reading over HTTP.
pub(crate) struct TotalsRound {
    vhost: Name,
    began: Instant,
    totals: Result<Totals, BrokerFailure>,
}

impl Watches {
    /// Watches a queue; its present counts are told first.
    pub(crate) fn add(&mut self, queue: QueueName, undisturbed: bool) {
        let vhost = self.vhosts.entry(queue.vhost).or_default();
        let watch = Watch { undisturbed, since: Instant::now(), told: None };
        let rounds = match vhost.is_over_http(&queue.name, &watch) {
            true => &mut vhost.totals,
            false => &mut vhost.passive,
        };
        rounds.next = None;
        vhost.queues.insert(queue.name, watch);
    }

    pub(crate) fn remove(&mut self, queue: &QueueName) {
        if let Some(vhost) = self.vhosts.get_mut(&queue.vhost) {
            vhost.queues.remove(&queue.name);
        }
    }

    /// Returns the moment of the next round that is not running.
    pub(crate) fn next_round(&self, now: Instant) -> Option<Instant> {
        let due = |rounds: &Rounds, used: bool| (used && !rounds.running).then(|| rounds.next.unwrap_or(now));
        let vhosts = self.vhosts.values();
        vhosts
            .flat_map(|vhost| [due(&vhost.passive, vhost.uses(false)), due(&vhost.totals, vhost.uses(true))])
            .flatten()
            .min()
    }

    /// Has all queues read again that were not since then, as soon as may be.
    pub(crate) fn hurry(&mut self, since: Instant) {
        let rounds = self.vhosts.values_mut().flat_map(|vhost| [&mut vhost.passive, &mut vhost.totals]);
        for rounds in rounds.filter(|rounds| !rounds.running && rounds.complete_from.is_none_or(|from| from < since)) {
            rounds.next = None;
        }
    }

    /// Returns how long a passive declare took of late, the slower ones among them.
    pub(crate) fn slowest_answer(&self) -> Duration {
        self.vhosts.values().map(|vhost| vhost.passive.answer).max().unwrap_or_default()
    }

    /// Returns whether each watched queue was read by a round that began at that instant or later.
    pub(crate) fn all_read_since(&self, since: Instant) -> bool {
        let read = |rounds: &Rounds| rounds.complete_from.is_some_and(|from| from >= since);
        self.vhosts
            .values()
            .all(|vhost| (!vhost.uses(false) || read(&vhost.passive)) && (!vhost.uses(true) || read(&vhost.totals)))
    }

    /// Forgets of which type a queue was that is gone: it may come again as one of another.
    fn forget_type(&mut self, vhost: &Name, queue: &Name) {
        if let Some(vhost) = self.vhosts.get_mut(vhost)
            && vhost.undisturbable.remove(queue)
        {
            vhost.totals.complete_from = None;
            vhost.totals.next = None;
        }
    }

    /// Notes counts; gives the event if they are news.
    fn tell(&mut self, vhost: &Name, queue: &Name, began: Instant, counts: Option<Counts>) -> Option<Event> {
        let watch = self.vhosts.get_mut(vhost)?.queues.get_mut(queue)?;
        if watch.told == Some(counts) || began < watch.since {
            return None;
        }
        watch.told = Some(counts);
        Some(Event::Counted { queue: QueueName { vhost: vhost.clone(), name: queue.clone() }, counts })
    }
}

impl VhostWatch {
    fn is_over_http(&self, queue: &Name, watch: &Watch) -> bool {
        watch.undisturbed && !self.undisturbable.contains(queue)
    }

    fn uses(&self, over_http: bool) -> bool {
        self.queues.iter().any(|(name, watch)| self.is_over_http(name, watch) == over_http)
    }

    fn names(&self, over_http: bool) -> Vec<Name> {
        let watches = self.queues.iter().filter(|(name, watch)| self.is_over_http(name, watch) == over_http);
        watches.map(|(name, _)| name.clone()).collect()
    }

    /// Notes a queue that is read by passive declare from now on: the totals of its type are seconds old (MG-13).
    fn note_undisturbable(&mut self, queue: &Name) {
        if self.undisturbable.insert(queue.clone()) {
            self.passive.complete_from = None;
            self.passive.next = None;
        }
    }
}

impl Live {
    /// Starts the rounds that are due.
    pub(crate) fn start_rounds(&mut self, now: Instant) {
        if self.restarting {
            return;
        }
        let vhosts: Vec<Name> = self.watches.vhosts.keys().cloned().collect();
        for vhost in vhosts {
            self.start_passive(&vhost, now);
            self.start_totals(&vhost, now);
        }
    }

    fn start_passive(&mut self, vhost: &Name, now: Instant) {
        let (label, pause) = (self.label(), self.limits.poll);
        let target = self.target(vhost, None, label);
        let Some(watch) = self.watches.vhosts.get_mut(vhost).filter(|watch| watch.uses(false)) else { return };
        if !watch.passive.start(now, pause) {
            return;
        }
        let (queues, probe, limit, vhost) = (watch.names(false), watch.probe.take(), target.limit, vhost.clone());
        self.start(Box::pin(async move {
            let late = || {
                let doing = "reading queue counts".to_owned();
                (None, Err(BrokerFailure::new(BrokerFailureKind::NoAnswer { doing, after: limit }, &target.address)))
            };
            let was_dialed = probe.is_some();
            let read = timeout(limit, read_passively(&target, probe, &queues)).await;
            let (probe, seen) = read.unwrap_or_else(|_| late());
            Done::Read(PassiveRound { vhost, began: now, was_dialed, probe, seen })
        }));
    }

    fn start_totals(&mut self, vhost: &Name, now: Instant) {
        let pause = self.limits.totals;
        let Some(watch) = self.watches.vhosts.get_mut(vhost).filter(|watch| watch.uses(true)) else { return };
        if !watch.totals.start(now, pause) {
            return;
        }
        let (management, mapped, vhost) = (self.management.clone(), self.names.vhost(vhost), vhost.clone());
        self.start(Box::pin(async move {
            let totals = read_totals(&management, &mapped).await;
            Done::Totalled(TotalsRound { vhost, began: now, totals })
        }));
    }

    pub(crate) fn take_passive(&mut self, round: PassiveRound) {
        let Some(watch) = self.watches.vhosts.get_mut(&round.vhost) else { return };
        watch.passive.running = false;
        // What dialling took says nothing of answers.
        let is_dialed = round.was_dialed;
        watch.probe = round.probe;
        let seen = match round.seen {
            Ok(seen) => seen,
            Err(_) if self.restarting => return,
            Err(failure) => return self.fail(failure),
        };
        if let Ok(queues) = u32::try_from(seen.len())
            && queues > 0
            && is_dialed
        {
            let took = round.began.elapsed() / queues;
            watch.passive.answer = took.max(watch.passive.answer * 3 / 4);
        }
        // One that was added meanwhile was not read.
        let is_read = |name: &Name| seen.iter().any(|(read, _)| read == name);
        if watch.names(false).iter().all(is_read) {
            watch.passive.complete_from = Some(round.began);
        }
        for (queue, seen) in seen {
            let counts = match seen {
                PassiveCount::Counts(counts) => Some(counts),
                PassiveCount::Missing => {
                    self.watches.forget_type(&round.vhost, &queue);
                    None
                }
                PassiveCount::Hidden => continue,
            };
            self.batch.counted.extend(self.watches.tell(&round.vhost, &queue, round.began, counts));
        }
    }

    pub(crate) fn take_totals(&mut self, round: TotalsRound) {
        let Some(watch) = self.watches.vhosts.get_mut(&round.vhost) else { return };
        watch.totals.running = false;
        let totals = match round.totals {
            Ok(totals) => totals.unwrap_or_default(),
            Err(_) if self.restarting => return,
            Err(failure) => return self.fail(failure),
        };
        watch.totals.complete_from = Some(round.began);
        // The management API lists consumers seconds late, and all of a throw-away vhost are ours.
        let (links, lines) = (&self.links, &self.lines);
        let consumers = |queue: &Name| {
            let ours =
                lines.values().filter(|line| links.get(&line.connection).is_some_and(|link| link.vhost == round.vhost));
            let feeds = ours.flat_map(|line| line.feeds.values()).filter(|feed| feed.is_subscribed());
            feeds.filter(|feed| feed.stream.queue().as_str() == &**queue).count() as u64
        };
        for name in watch.names(true) {
            if totals.iter().any(|totals| *totals.name == *name && matches!(&*totals.kind, "quorum" | "stream")) {
                watch.note_undisturbable(&name);
            }
        }
        for name in watch.names(true) {
            let found = totals.iter().find(|totals| *totals.name == *name);
            let counts = found.map(|found| Counts { ready: found.ready, consumers: consumers(&name) });
            self.batch.counted.extend(self.watches.tell(&round.vhost, &name, round.began, counts));
        }
    }
}

impl Rounds {
    /// Starts a round if one is due.
    fn start(&mut self, now: Instant, pause: Duration) -> bool {
        if self.running || self.next.is_some_and(|next| next > now) {
            return false;
        }
        self.running = true;
        self.next = Some(now + pause);
        true
    }
}

type Passive = (Option<Probe>, Result<Vec<(Name, PassiveCount)>, BrokerFailure>);

async fn read_passively(target: &Target, probe: Option<Probe>, queues: &[Name]) -> Passive {
    let mut probe = match probe.filter(|probe| probe.opened < PROBE_CHANNELS_MAX) {
        Some(probe) => probe,
        None => match dial(target.clone()).await {
            Ok(dialed) => Probe { dialed, channel: None, opened: 0 },
            // Without its vhost no queue is there.
            Err(DialError::Refused(refusal)) if refusal.code == code::NOT_ALLOWED => {
                return (None, Ok(queues.iter().map(|queue| (queue.clone(), PassiveCount::Missing)).collect()));
            }
            Err(error) => {
                return (None, Err(crate::io::live::amqp::dial::failure_of(error, &target.address, &target.vhost)));
            }
        },
    };
    let mut seen = Vec::with_capacity(queues.len());
    for queue in queues {
        match probe.read(queue).await {
            Ok(what) => seen.push((queue.clone(), what)),
            Err(Cause::Broken(_) | Cause::Unclear | Cause::Connection(_)) => {
                // Closed with its vhost, or broken with its broker: the next round's dialling tells which.
                return (None, Ok(seen));
            }
            Err(Cause::Channel(refusal)) => {
                let kind = BrokerFailureKind::Refused { status: refusal.code, reason: refusal.text };
                return (None, Err(BrokerFailure::new(kind, &target.address)));
            }
        }
    }
    (Some(probe), Ok(seen))
}

impl Probe {
    async fn read(&mut self, queue: &Name) -> Result<PassiveCount, Cause> {
        let channel = match self.channel.take() {
            Some(channel) => channel,
            None => {
                self.opened += 1;
                self.dialed.connection.create_channel().await.map_err(|error| cause_of(&error))?
            }
        };
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let Ok(name) = short(queue) else { return Ok(PassiveCount::Missing) };
        match channel.queue_declare(name, options, FieldTable::default()).await {
            Ok(declared) => {
                self.channel = Some(channel);
                let (ready, consumers) = (declared.message_count().into(), declared.consumer_count().into());
                Ok(PassiveCount::Counts(Counts { ready, consumers }))
            }
            Err(error) => match cause_of(&error) {
                Cause::Channel(refusal) => match meaning_of_refusal(refusal.code, &refusal.text) {
                    RefusalMeaning::QueueTimedOut => Err(Cause::Unclear),
                    RefusalMeaning::NotFound | RefusalMeaning::QueueHalfMade => Ok(PassiveCount::Missing),
                    RefusalMeaning::Locked => Ok(PassiveCount::Hidden),
                    _ => Err(Cause::Channel(refusal)),
                },
                cause => Err(cause),
            },
        }
    }
}

async fn read_totals(management: &ManagementClient, vhost: &str) -> Result<Totals, BrokerFailure> {
    match management.queue_totals(vhost).await {
        Ok(totals) => Ok(Some(totals)),
        Err(failure) if failure.refusal().is_some_and(|refusal| matches!(refusal.code, 401 | 404)) => Ok(None),
        Err(failure) => Err(failure),
    }
}
