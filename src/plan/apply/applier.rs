//! Carries a plan out: a [`Client`] that asks for the management side first, then declares over AMQP, vhost by vhost.
//! Goes on after a refusal and gives all of them at the end. Never retries what was refused, but for a
//! queue that somebody else is just making; never deletes.
//!
//! Order holds only within one channel, so each group (exchanges, their topic permissions, queues, bindings) is awaited.

use crate::broker::{ChannelId, Client, Command, ConnectionId, Event, Ids, Refusal, Reply, RequestId, Scope};
use crate::model::{Millis, Moment, Object};
use crate::plan::Plan;
use crate::plan::apply::apply_queue::{
    ApplyQueue, Declare, Group, MANAGEMENT_IN_FLIGHT_MAX, ManagementRequest, ObjectProgress, VhostQueue,
};
use crate::rules::{RefusalMeaning, meaning_of_refusal};
use std::collections::{BTreeMap, VecDeque};

/// How many channels declare side by side, when there is enough to declare: with fewer a broker writes its logs more often,
/// with more its locks wait for each other (the benchmark shows both).
const CHANNELS_MAX: usize = 64;
/// From how many objects of a vhost on more than one channel pays.
const CHANNELS_FROM_OBJECTS: usize = 32;
/// How many objects of a vhost one of several channels is opened for.
const OBJECTS_OF_A_CHANNEL: usize = 4;
/// How often a connection or channel may break without any refusal to blame before its vhost is given up.
const BREAKS_MAX: u32 = 3;
/// How long an apply waits in one vhost, and between two looks, for queues that somebody else is just making.
const HALF_MADE_WAIT: Millis = Millis(3_000);
const HALF_MADE_PAUSE: Millis = Millis(100);

/// What came of a plan.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Applied {
    /// Objects of which every write was accepted, in the order of their last answers.
    pub done: Vec<Object>,
    /// Objects with the first refusal that each met.
    pub refused: Vec<(Object, Refusal)>,
}

/// Plays a plan against a broker.
#[derive(Debug)]
pub struct Applier {
    ids: Ids,
    objects: Vec<ObjectProgress>,
    /// Rows of management requests, in order; each is awaited whole.
    groups: VecDeque<Group>,
    /// Management requests under way, with the object of each.
    managing: BTreeMap<RequestId, usize>,
    /// The first one is at work.
    sites: VecDeque<VhostQueue>,
    link: Option<ApplyConnection>,
    /// How many channels a connection of this vhost is given: fewer once the broker or the user's limits refused one.
    lanes_max: usize,
    breaks: u32,
    /// When the vhost at work first met a queue that somebody else was just making.
    half_made_since: Option<Moment>,
    ready: VecDeque<Command>,
    applied: Applied,
}

/// The connection to the site at work.
#[derive(Debug)]
struct ApplyConnection {
    connection: ConnectionId,
    state: ApplyConnectionState,
    lanes: Vec<DeclareChannel>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ApplyConnectionState {
    Connecting(RequestId),
    Up,
    Leaving(RequestId),
}

/// One channel and what it is doing: opening, or one declare at a time.
#[derive(Debug)]
struct DeclareChannel {
    channel: ChannelId,
    request: Option<RequestId>,
    open: bool,
    declare: Option<Declare>,
}

impl Applied {
    /// Adds what came of another part.
    pub fn join(&mut self, other: Applied) {
        self.done.extend(other.done);
        self.refused.extend(other.refused);
    }
}

impl Applier {
    /// Prepares to write all of the plan's changes that can be written.
    pub fn new(plan: &Plan, ids: Ids) -> Self {
        let ApplyQueue { objects, groups, sites } = ApplyQueue::of(plan);
        Self {
            ids,
            objects,
            groups,
            managing: BTreeMap::new(),
            sites,
            link: None,
            lanes_max: CHANNELS_MAX,
            breaks: 0,
            half_made_since: None,
            ready: VecDeque::new(),
            applied: Applied::default(),
        }
    }

    /// Returns the counters back, for whoever speaks to the same broker next.
    pub fn into_ids(self) -> Ids {
        self.ids
    }

    /// Returns how many objects are made or refused.
    pub fn settled(&self) -> usize {
        self.applied.done.len() + self.applied.refused.len()
    }

    /// Returns what came of it.
    pub fn outcome(self) -> Applied {
        self.applied
    }

    /// Returns what came of it, and the counters.
    pub fn finish(self) -> (Applied, Ids) {
        (self.applied, self.ids)
    }

    fn settle(&mut self, object: usize, result: Result<(), Refusal>) {
        let progress = &mut self.objects[object];
        progress.writes_left = progress.writes_left.saturating_sub(1);
        match result {
            Ok(()) if progress.writes_left == 0 && !progress.refused => self.applied.done.push(progress.object.clone()),
            Err(refusal) if !progress.refused => {
                progress.refused = true;
                self.applied.refused.push((progress.object.clone(), refusal));
            }
            _ => {}
        }
    }

    /// Returns the next request of the group at work; a group that is answered whole gives way to the next.
    fn next_errand(&mut self) -> Option<Command> {
        if self.managing.is_empty() && self.groups.front().is_some_and(|group| group.errands.is_empty()) {
            self.groups.pop_front();
        }
        let group = self.groups.front_mut()?;
        if self.managing.len() >= group.in_flight_max {
            return None;
        }
        let errand = group.errands.pop_front()?;
        Some(self.manage(errand))
    }

    fn manage(&mut self, errand: ManagementRequest) -> Command {
        let request = self.ids.request();
        self.managing.insert(request, errand.object);
        Command::Manage { request, act: errand.act }
    }

    /// Connects to the site, gives its next request, or leaves it when all is answered.
    fn next_of_site(&mut self, now: Moment) -> Option<Command> {
        let site = self.sites.front_mut()?;
        site.wake(now);
        let Some(link) = &mut self.link else {
            let (request, connection) = (self.ids.request(), self.ids.connection());
            self.link = Some(ApplyConnection {
                connection,
                state: ApplyConnectionState::Connecting(request),
                lanes: Vec::new(),
            });
            return Some(Command::Connect {
                request,
                connection,
                user: None,
                vhost: site.vhost.clone(),
                heartbeat: None,
            });
        };
        if link.state != ApplyConnectionState::Up {
            return None;
        }
        let at_rest = self.managing.is_empty();
        if site.exchanges.is_empty() && !site.topic_permissions.is_empty() {
            if !link.is_idle() || self.managing.len() >= MANAGEMENT_IN_FLIGHT_MAX {
                return None;
            }
            let errand = site.topic_permissions.pop_front()?;
            return Some(self.manage(errand));
        }
        // Bindings wait for the queues that wait.
        let all_queues_asked = site.waiting.is_empty();
        let rows = [Some(&mut site.exchanges), Some(&mut site.queues), all_queues_asked.then_some(&mut site.bindings)];
        match rows.into_iter().flatten().find(|row| !row.is_empty()) {
            Some(_) if !at_rest => None,
            Some(row) => link.declare(row, &mut self.ids),
            None if at_rest && link.is_idle() && all_queues_asked => {
                let request = self.ids.request();
                link.state = ApplyConnectionState::Leaving(request);
                Some(Command::Disconnect { request, connection: link.connection })
            }
            None => None,
        }
    }

    fn open_lane(&mut self) {
        let Some(link) = &mut self.link else { return };
        let (request, channel) = (self.ids.request(), self.ids.channel());
        link.lanes.push(DeclareChannel { channel, request: Some(request), open: false, declare: None });
        self.ready.push_back(Command::OpenChannel { request, channel, connection: link.connection });
    }

    fn replied(&mut self, now: Moment, request: RequestId, reply: Result<Reply, Refusal>) {
        if let Some(object) = self.managing.remove(&request) {
            return self.settle(object, reply.map(drop));
        }
        let Some(link) = &mut self.link else { return };
        match link.state {
            ApplyConnectionState::Connecting(connecting) if connecting == request => match reply {
                Ok(_) => {
                    link.state = ApplyConnectionState::Up;
                    let declares = self.sites.front().map_or(0, VhostQueue::declares);
                    let lanes = if declares < CHANNELS_FROM_OBJECTS { 1 } else { declares / OBJECTS_OF_A_CHANNEL };
                    (0..lanes.min(self.lanes_max)).for_each(|_| self.open_lane());
                }
                Err(refusal) => self.give_up_site(&refusal),
            },
            ApplyConnectionState::Leaving(leaving) if leaving == request => self.leave_site(),
            _ => self.lane_replied(now, request, reply),
        }
    }

    fn lane_replied(&mut self, now: Moment, request: RequestId, reply: Result<Reply, Refusal>) {
        let Some(link) = &mut self.link else { return };
        let Some(at) = link.lanes.iter().position(|lane| lane.request == Some(request)) else { return };
        let lane = &mut link.lanes[at];
        lane.request = None;
        match (lane.declare.take(), reply) {
            (None, Ok(_)) => lane.open = true,
            (None, Err(refusal)) => self.lane_unopened(at, &refusal),
            (Some(declare), Ok(_)) => self.settle(declare.object, Ok(())),
            (Some(declare), Err(refusal)) => {
                match self.sites.front_mut().filter(|_| is_half_made(&refusal)) {
                    Some(site) if now - *self.half_made_since.get_or_insert(now) < HALF_MADE_WAIT => {
                        site.waiting.push((now + HALF_MADE_PAUSE, declare));
                    }
                    _ => self.settle(declare.object, Err(refusal.clone())),
                }
                match refusal.scope {
                    // The channel is gone with the refusal; the close that follows speaks of nobody any more.
                    Scope::Channel => self.replace_lane(at),
                    Scope::Connection => self.broken(&refusal, true),
                    Scope::Management => {}
                }
            }
        }
    }

    fn replace_lane(&mut self, at: usize) {
        if let Some(link) = &mut self.link {
            link.lanes.remove(at);
            self.open_lane();
        }
    }

    /// Does with fewer channels; without any there is no way on. A limit of the user's channels costs the connection: the
    /// next one is given fewer, until one channel is too much.
    fn lane_unopened(&mut self, at: usize, refusal: &Refusal) {
        let Some(link) = &mut self.link else { return };
        let asked = link.lanes.len();
        link.lanes.remove(at);
        if refusal.scope == Scope::Connection {
            let open = link.lanes.iter().filter(|lane| lane.open).count();
            let has_too_many = asked > 1;
            if has_too_many {
                self.lanes_max = open.max(asked / 2).min(asked - 1);
            }
            self.broken(refusal, has_too_many);
        } else if link.lanes.is_empty() {
            self.give_up_site(refusal);
        }
    }

    fn channel_closed(&mut self, channel: ChannelId, cause: Refusal) {
        let Some(link) = &mut self.link else { return };
        let Some(at) = link.lanes.iter().position(|lane| lane.channel == channel) else { return };
        match link.lanes[at].declare.take() {
            Some(declare) => self.settle(declare.object, Err(cause)),
            None if !link.lanes[at].open => return self.lane_unopened(at, &cause),
            None => {
                self.breaks += 1;
                if self.breaks >= BREAKS_MAX {
                    return self.give_up_site(&cause);
                }
            }
        }
        self.replace_lane(at);
    }

    /// Loses the connection. Declares under way are refused by its cause; when the refusal of another one was the
    /// cause, they are asked again.
    fn broken(&mut self, cause: &Refusal, by_refusal: bool) {
        let Some(link) = self.link.take() else { return };
        // What was to be asked over it is void; management goes its own way.
        self.ready.clear();
        if matches!(link.state, ApplyConnectionState::Leaving(_)) {
            return self.leave_site();
        }
        let mut blamed = by_refusal;
        for declare in link.lanes.into_iter().filter_map(|lane| lane.declare) {
            match self.sites.front_mut() {
                Some(site) if by_refusal => site.again(declare),
                _ => {
                    blamed = true;
                    self.settle(declare.object, Err(cause.clone()));
                }
            }
        }
        self.breaks += u32::from(!blamed);
        if self.breaks >= BREAKS_MAX {
            self.give_up_site(cause);
        }
    }

    /// Refuses all that is left of the vhost at work, and leaves it.
    fn give_up_site(&mut self, refusal: &Refusal) {
        let link = self.link.take();
        let mut left = self.sites.front_mut().map(VhostQueue::abandon).unwrap_or_default();
        let under_way = link.iter().flat_map(|link| &link.lanes).filter_map(|lane| lane.declare.as_ref());
        left.extend(under_way.map(|declare| declare.object));
        for object in left {
            self.settle(object, Err(refusal.clone()));
        }
        match link.filter(|link| link.state == ApplyConnectionState::Up) {
            Some(ApplyConnection { connection, .. }) => {
                let request = self.ids.request();
                self.link = Some(ApplyConnection {
                    connection,
                    state: ApplyConnectionState::Leaving(request),
                    lanes: Vec::new(),
                });
                self.ready.push_back(Command::Disconnect { request, connection });
            }
            None => self.leave_site(),
        }
    }

    fn leave_site(&mut self) {
        self.link = None;
        self.lanes_max = CHANNELS_MAX;
        self.breaks = 0;
        self.half_made_since = None;
        self.sites.pop_front();
    }
}

/// Tells whether it is refused only because somebody else is just making it.
fn is_half_made(refusal: &Refusal) -> bool {
    meaning_of_refusal(refusal.code, &refusal.text) == RefusalMeaning::QueueHalfMade
}

impl ApplyConnection {
    fn is_idle(&self) -> bool {
        self.lanes.iter().all(|lane| lane.request.is_none())
    }

    /// Returns the first of a row to a channel that is free, once nothing of another row is under way.
    fn declare(&mut self, row: &mut VecDeque<Declare>, ids: &mut Ids) -> Option<Command> {
        let kind = std::mem::discriminant(&row.front()?.method);
        let mut under_way = self.lanes.iter().filter_map(|lane| lane.declare.as_ref());
        if under_way.any(|declare| std::mem::discriminant(&declare.method) != kind) {
            return None;
        }
        let lane = self.lanes.iter_mut().find(|lane| lane.open && lane.request.is_none())?;
        let declare = row.pop_front()?;
        let request = ids.request();
        lane.request = Some(request);
        let method = declare.method.clone();
        lane.declare = Some(declare);
        Some(Command::Call { request, channel: lane.channel, method })
    }
}

impl Client for Applier {
    fn poll_command(&mut self, now: Moment) -> Option<Command> {
        if let Some(command) = self.ready.pop_front() {
            return Some(command);
        }
        if !self.groups.is_empty() {
            let command = self.next_errand();
            if command.is_some() || !self.groups.is_empty() {
                return command;
            }
        }
        self.next_of_site(now)
    }

    fn handle_event(&mut self, now: Moment, event: Event) {
        match event {
            Event::Reply { request, reply } => self.replied(now, request, reply.map_err(Refusal::without_entities)),
            Event::ChannelClosed { channel, cause } => self.channel_closed(channel, cause),
            Event::ConnectionClosed { connection, cause }
                if self.link.as_ref().is_some_and(|link| link.connection == connection) =>
            {
                self.broken(&cause, false);
            }
            // It neither publishes nor consumes nor watches.
            _ => {}
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        self.sites.front()?.waiting.iter().map(|(due, _)| *due).min()
    }

    fn is_done(&self) -> bool {
        let managed = self.managing.is_empty() && self.groups.iter().all(|group| group.errands.is_empty());
        managed && self.sites.is_empty() && self.link.is_none() && self.ready.is_empty()
    }
}
