//! Carries a plan out: a [`Client`] that asks for the management side first, then declares over AMQP, vhost by vhost.
//! Goes on after a refusal and gives all of them at the end. Never retries what was refused, but for a
//! queue that somebody else is just making; never deletes.
//!
//! Order holds only within one channel, so each group (exchanges, their topic permissions, queues, bindings) is awaited.
//! Within a group each channel is given some declares at once, so that the broker never waits for us. A channel answers in
//! order: the first that it refuses is to blame, and those behind it, which it never looked at, are asked again.

use crate::broker::{ChannelId, Client, Command, ConnectionId, Event, Ids, Refusal, Reply, RequestId, Scope};
use crate::model::{Millis, Moment, Name, Object};
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
/// How many declares one of several channels is given before it has answered the first of them.
const DECLARES_IN_FLIGHT_MAX: usize = 4;
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
    /// How many declares are asked one at a time: they were under way together when something closed their connection, and
    /// nothing tells which of them it was.
    alone: usize,
    /// When the vhost at work first met a queue that somebody else was just making.
    half_made_since: Option<Moment>,
    ready: VecDeque<Command>,
    /// The objects that are made, and those that were refused, by their places.
    done: Vec<usize>,
    refused: Vec<(usize, Refusal)>,
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

/// One channel and what it is doing.
#[derive(Debug)]
struct DeclareChannel {
    channel: ChannelId,
    /// The request that opens it.
    opening: Option<RequestId>,
    /// What it was asked and has not answered, in the order in which it does.
    declares: VecDeque<(RequestId, Declare)>,
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
    pub fn new(plan: Plan, ids: Ids) -> Self {
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
            alone: 0,
            half_made_since: None,
            ready: VecDeque::new(),
            done: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// Returns the counters back, for whoever speaks to the same broker next.
    pub fn into_ids(self) -> Ids {
        self.ids
    }

    /// Returns how many objects are made or refused.
    pub fn settled(&self) -> usize {
        self.done.len() + self.refused.len()
    }

    /// Returns what came of it.
    pub fn outcome(self) -> Applied {
        self.finish().0
    }

    /// Returns what came of it, and the counters.
    pub fn finish(self) -> (Applied, Ids) {
        let mut objects: Vec<Object> = self.objects.into_iter().map(|progress| progress.object).collect();
        // Each settles once, so none is taken twice.
        let nothing = || Object::Vhost { name: Name::default() };
        let mut take = |at: usize| std::mem::replace(&mut objects[at], nothing());
        let done = self.done.into_iter().map(&mut take).collect();
        let refused = self.refused.into_iter().map(|(at, refusal)| (take(at), refusal)).collect();
        (Applied { done, refused }, self.ids)
    }

    /// Ends a declare that was asked.
    fn settle_declare(&mut self, declare: Declare, result: Result<(), Refusal>) {
        self.alone = self.alone.saturating_sub(1);
        self.settle(declare.object, result);
    }

    fn settle(&mut self, object: usize, result: Result<(), Refusal>) {
        let progress = &mut self.objects[object];
        progress.writes_left = progress.writes_left.saturating_sub(1);
        match result {
            Ok(()) if progress.writes_left == 0 && !progress.refused => self.done.push(object),
            Err(refusal) if !progress.refused => {
                progress.refused = true;
                self.refused.push((object, refusal));
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
        if site.exchanges.is_empty() && !site.permissions.is_empty() && at_rest {
            let errand = site.permissions.pop_front()?;
            return Some(self.manage(errand));
        }
        // Bindings wait for the queues that wait.
        let all_queues_asked = site.waiting.is_empty();
        let rows = [Some(&mut site.exchanges), Some(&mut site.queues), all_queues_asked.then_some(&mut site.bindings)];
        match rows.into_iter().flatten().find(|row| !row.is_empty()) {
            Some(_) if !at_rest => None,
            Some(row) => {
                let in_flight_max = match (self.alone, link.lanes.len()) {
                    (0, 2..) => DECLARES_IN_FLIGHT_MAX,
                    _ => 1,
                };
                if self.alone > 0 && !link.is_idle() { None } else { link.declare(row, in_flight_max, &mut self.ids) }
            }
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
        link.lanes.push(DeclareChannel { channel, opening: Some(request), declares: VecDeque::new() });
        self.ready.push_back(Command::OpenChannel { request, channel, connection: link.connection, confirms: true });
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
        if let Some(at) = link.lanes.iter().position(|lane| lane.opening == Some(request)) {
            return match reply {
                Ok(_) => link.lanes[at].opening = None,
                Err(refusal) => self.lane_unopened(at, &refusal),
            };
        }
        let asked = |lane: &DeclareChannel| lane.declares.iter().position(|(asked, _)| *asked == request);
        let found = link.lanes.iter().enumerate().find_map(|(at, lane)| Some((at, asked(lane)?)));
        let Some((at, place)) = found else { return };
        let refusal = match reply {
            Ok(_) => {
                if let Some((_, declare)) = link.lanes[at].declares.remove(place) {
                    self.settle_declare(declare, Ok(()));
                }
                return;
            }
            Err(refusal) => refusal,
        };
        // The connection closes for one of all that are under way.
        let under_way = link.under_way();
        if refusal.scope == Scope::Connection && under_way > 1 {
            self.alone = under_way;
            return self.broken(&refusal, true);
        }
        let Some((_, declare)) = link.lanes[at].declares.remove(place) else { return };
        match self.sites.front_mut().filter(|_| is_half_made(&refusal)) {
            Some(site) if now - *self.half_made_since.get_or_insert(now) < HALF_MADE_WAIT => {
                site.waiting.push((now + HALF_MADE_PAUSE, declare));
            }
            _ => self.settle_declare(declare, Err(refusal.clone())),
        }
        match refusal.scope {
            // The channel is gone with the refusal; the close that follows speaks of nobody any more.
            Scope::Channel => self.replace_lane(at),
            Scope::Connection => self.broken(&refusal, true),
            Scope::Management => {}
        }
    }

    /// Opens a channel for one that is gone, and asks again for what that one never looked at.
    fn replace_lane(&mut self, at: usize) {
        let Some(link) = &mut self.link else { return };
        let lane = link.lanes.remove(at);
        if let Some(site) = self.sites.front_mut() {
            lane.declares.into_iter().rev().for_each(|(_, declare)| site.again(declare));
        }
        self.open_lane();
    }

    /// Does with fewer channels; without any there is no way on. A limit of the user's channels costs the connection: the
    /// next one is given fewer, until one channel is too much.
    fn lane_unopened(&mut self, at: usize, refusal: &Refusal) {
        let Some(link) = &mut self.link else { return };
        let asked = link.lanes.len();
        link.lanes.remove(at);
        if refusal.scope == Scope::Connection {
            let open = link.lanes.iter().filter(|lane| lane.opening.is_none()).count();
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
        match link.lanes[at].declares.pop_front() {
            Some((_, declare)) => self.settle_declare(declare, Err(cause)),
            None if link.lanes[at].opening.is_some() => return self.lane_unopened(at, &cause),
            None => {
                self.breaks += 1;
                if self.breaks >= BREAKS_MAX {
                    return self.give_up_site(&cause);
                }
            }
        }
        self.replace_lane(at);
    }

    /// Loses the connection. One declare under way is refused by its cause, unless the refusal of another one was the
    /// cause; of several, none is to blame before each was asked alone.
    fn broken(&mut self, cause: &Refusal, by_refusal: bool) {
        let Some(link) = self.link.take() else { return };
        // What was to be asked over it is void; management goes its own way.
        self.ready.clear();
        if matches!(link.state, ApplyConnectionState::Leaving(_)) {
            return self.leave_site();
        }
        let count = link.under_way();
        for (_, declare) in link.lanes.into_iter().rev().flat_map(|lane| lane.declares.into_iter().rev()) {
            match self.sites.front_mut() {
                Some(site) if by_refusal || count > 1 => site.again(declare),
                _ => self.settle_declare(declare, Err(cause.clone())),
            }
        }
        if !by_refusal && count > 1 {
            self.alone = count;
        }
        self.breaks += u32::from(!by_refusal && count == 0);
        if self.breaks >= BREAKS_MAX {
            self.give_up_site(cause);
        }
    }

    /// Refuses all that is left of the vhost at work, and leaves it.
    fn give_up_site(&mut self, refusal: &Refusal) {
        let link = self.link.take();
        let mut left = self.sites.front_mut().map(VhostQueue::abandon).unwrap_or_default();
        let under_way = link.iter().flat_map(|link| &link.lanes).flat_map(|lane| &lane.declares);
        left.extend(under_way.map(|(_, declare)| declare.object));
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
        self.alone = 0;
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
        self.lanes.iter().all(|lane| lane.opening.is_none() && lane.declares.is_empty())
    }

    /// Counts the declares without an answer.
    fn under_way(&self) -> usize {
        self.lanes.iter().map(|lane| lane.declares.len()).sum()
    }

    /// Returns the first of a row to the channel that has least to do, once nothing of another row is under way.
    fn declare(&mut self, row: &mut VecDeque<Declare>, in_flight_max: usize, ids: &mut Ids) -> Option<Command> {
        let kind = std::mem::discriminant(&row.front()?.method);
        // What is under way is all of one row.
        let under_way = self.lanes.iter().find_map(|lane| lane.declares.front());
        if under_way.is_some_and(|(_, declare)| std::mem::discriminant(&declare.method) != kind) {
            return None;
        }
        let open = self.lanes.iter_mut().filter(|lane| lane.opening.is_none());
        let lane = open.min_by_key(|lane| lane.declares.len()).filter(|lane| lane.declares.len() < in_flight_max)?;
        let (request, declare) = (ids.request(), row.pop_front()?);
        let method = declare.method.clone();
        lane.declares.push_back((request, declare));
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
