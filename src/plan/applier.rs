//! Carries a plan out: a [`Client`] that asks for the management side first, then declares over AMQP, vhost by vhost.
//! Goes on after a refusal and gives all of them at the end. Never retries what was refused, never deletes.
//!
//! Order holds only within one channel, so each group (exchanges, then queues, then bindings) is awaited whole.

use super::{Change, Plan, Write};
use crate::broker::{
    ChannelId, Client, Command, ConnectionId, Event, Ids, Management, Method, Refusal, Reply, RequestId, Scope,
};
use crate::model::{Moment, Name, Object};
use std::collections::{BTreeMap, VecDeque};

/// How many management requests may be under way within one group.
const MANAGEMENT_IN_FLIGHT_MAX: usize = 8;
/// How many channels declare side by side, when there is enough to declare.
const CHANNELS_MAX: usize = 8;
/// From how many objects of a vhost on more than one channel pays.
const CHANNELS_FROM_OBJECTS: usize = 32;
/// How often a connection or channel may break without any refusal to blame before its vhost is given up.
const BREAKS_MAX: u32 = 3;

/// Is what came of a plan.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Applied {
    /// Objects of which every write was accepted, in the order of their last answers.
    pub done: Vec<Object>,
    /// Objects with the first refusal that each met.
    pub refused: Vec<(Object, Refusal)>,
}

/// Is one request on behalf of the object at that index.
#[derive(Debug, Clone)]
struct Job {
    object: usize,
    write: Write,
}

/// Keeps how far one object is.
#[derive(Debug)]
struct Progress {
    object: Object,
    writes_left: usize,
    refused: bool,
}

/// Holds what one vhost gets over AMQP.
#[derive(Debug)]
struct Site {
    vhost: Name,
    /// Exchanges, queues, bindings; the first group that is not empty is at work.
    groups: [VecDeque<Job>; 3],
}

/// Is one channel and what it is doing.
#[derive(Debug)]
struct Lane {
    channel: ChannelId,
    /// Opening, or a call.
    request: Option<RequestId>,
    open: bool,
    job: Option<Job>,
}

/// Is the connection to the site at work.
#[derive(Debug)]
struct Link {
    connection: ConnectionId,
    state: LinkState,
    lanes: Vec<Lane>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkState {
    Connecting(RequestId),
    Up,
    Leaving(RequestId),
}

/// Plays a plan against a broker.
#[derive(Debug)]
pub struct Applier {
    ids: Ids,
    progress: Vec<Progress>,
    /// Groups of management requests, in order; each is awaited whole.
    groups: VecDeque<Group>,
    managing: BTreeMap<RequestId, usize>,
    sites: VecDeque<Site>,
    link: Option<Link>,
    breaks: u32,
    ready: VecDeque<Command>,
    applied: Applied,
}

#[derive(Debug, Default)]
struct Group {
    jobs: VecDeque<Job>,
    in_flight_max: usize,
}

impl Applier {
    /// Prepares to write all of the plan's changes that can be written.
    pub fn new(plan: &Plan, ids: Ids) -> Self {
        let mut groups: BTreeMap<u8, Group> = BTreeMap::new();
        let mut sites: VecDeque<Site> = VecDeque::new();
        let mut progress = Vec::new();
        for change in plan.changes.iter().filter(|change| !change.writes.is_empty()) {
            let object = progress.len();
            let writes_left = change.writes.len();
            progress.push(Progress { object: change.object.clone(), writes_left, refused: false });
            for write in &change.writes {
                let job = Job { object, write: write.clone() };
                match write {
                    Write::Manage(act) => {
                        let (rank, in_flight_max) = rank(act);
                        let group = groups.entry(rank).or_default();
                        group.in_flight_max = in_flight_max;
                        group.jobs.push_back(job);
                    }
                    Write::Call(method) => site(&mut sites, change).groups[group_of(method)].push_back(job),
                }
            }
        }
        let groups = groups.into_values().collect();
        Self {
            ids,
            progress,
            groups,
            managing: BTreeMap::new(),
            sites,
            link: None,
            breaks: 0,
            ready: VecDeque::new(),
            applied: Applied::default(),
        }
    }

    /// Gives the counters back, for whoever speaks to the same broker next.
    pub fn into_ids(self) -> Ids {
        self.ids
    }

    /// Gives what came of it, and the counters.
    pub fn finish(self) -> (Applied, Ids) {
        (self.applied, self.ids)
    }

    /// Gives what came of it.
    pub fn outcome(self) -> Applied {
        self.applied
    }

    fn settle(&mut self, object: usize, result: Result<(), Refusal>) {
        let progress = &mut self.progress[object];
        progress.writes_left = progress.writes_left.saturating_sub(1);
        match result {
            Ok(()) if progress.writes_left == 0 && !progress.refused => self.applied.done.push(progress.object.clone()),
            Ok(()) => {}
            Err(refusal) if !progress.refused => {
                progress.refused = true;
                self.applied.refused.push((progress.object.clone(), refusal));
            }
            Err(_) => {}
        }
    }

    fn next_management(&mut self) -> Option<Command> {
        if self.managing.is_empty() && self.groups.front().is_some_and(|group| group.jobs.is_empty()) {
            self.groups.pop_front();
        }
        let group = self.groups.front_mut()?;
        if self.managing.len() >= group.in_flight_max {
            return None;
        }
        let job = group.jobs.pop_front()?;
        let request = self.ids.request();
        self.managing.insert(request, job.object);
        match job.write {
            Write::Manage(act) => Some(Command::Manage { request, act }),
            Write::Call(_) => None,
        }
    }

    /// Connects to the next vhost, or gives the next declare to a channel that is free.
    fn next_call(&mut self) -> Option<Command> {
        let Some(link) = &mut self.link else {
            let site = self.sites.front()?;
            let (request, connection) = (self.ids.request(), self.ids.connection());
            self.link = Some(Link { connection, state: LinkState::Connecting(request), lanes: Vec::new() });
            return Some(Command::Connect { request, connection, user: None, vhost: site.vhost.clone() });
        };
        if link.state != LinkState::Up {
            return None;
        }
        let jobs = self.sites.front_mut().and_then(Site::group_at_work);
        let busy = link.lanes.iter().any(|lane| lane.job.is_some());
        match jobs {
            Some((group, jobs)) => {
                // A group begins only when no call of an earlier one is under way.
                if link.lanes.iter().filter_map(|lane| lane.job.as_ref()).any(|job| group_of_job(job) != group) {
                    return None;
                }
                let lane = link.lanes.iter_mut().find(|lane| lane.open && lane.request.is_none())?;
                let job = jobs.pop_front()?;
                let request = self.ids.request();
                lane.request = Some(request);
                lane.job = Some(job.clone());
                match job.write {
                    Write::Call(method) => Some(Command::Call { request, channel: lane.channel, method }),
                    Write::Manage(_) => None,
                }
            }
            None if busy => None,
            None => {
                let request = self.ids.request();
                link.state = LinkState::Leaving(request);
                Some(Command::Disconnect { request, connection: link.connection })
            }
        }
    }

    fn open_lane(&mut self) {
        let Some(link) = &mut self.link else { return };
        let (request, channel) = (self.ids.request(), self.ids.channel());
        link.lanes.push(Lane { channel, request: Some(request), open: false, job: None });
        self.ready.push_back(Command::OpenChannel { request, channel, connection: link.connection });
    }

    fn replied(&mut self, request: RequestId, reply: Result<Reply, Refusal>) {
        if let Some(object) = self.managing.remove(&request) {
            return self.settle(object, reply.map(drop));
        }
        let Some(link) = &mut self.link else { return };
        match link.state {
            LinkState::Connecting(connecting) if connecting == request => match reply {
                Ok(_) => {
                    link.state = LinkState::Up;
                    let objects = self.sites.front().map_or(0, Site::len);
                    let lanes = if objects >= CHANNELS_FROM_OBJECTS { CHANNELS_MAX } else { 1 };
                    (0..lanes).for_each(|_| self.open_lane());
                }
                Err(refusal) => self.give_up_site(&refusal),
            },
            LinkState::Leaving(leaving) if leaving == request => self.leave_site(),
            _ => self.lane_replied(request, reply),
        }
    }

    fn lane_replied(&mut self, request: RequestId, reply: Result<Reply, Refusal>) {
        let Some(link) = &mut self.link else { return };
        let Some(at) = link.lanes.iter().position(|lane| lane.request == Some(request)) else { return };
        let lane = &mut link.lanes[at];
        lane.request = None;
        match (lane.job.take(), reply) {
            (Some(job), Ok(_)) => self.settle(job.object, Ok(())),
            (Some(job), Err(refusal)) => {
                let scope = refusal.scope;
                self.settle(job.object, Err(refusal.clone()));
                match scope {
                    // The channel is gone with the refusal; the close that follows speaks of nobody any more.
                    Scope::Channel => self.replace_lane(at),
                    Scope::Connection => self.broken(&refusal, true),
                    Scope::Management => {}
                }
            }
            (None, Ok(_)) => lane.open = true,
            (None, Err(refusal)) => self.lane_unopened(at, &refusal),
        }
    }

    fn replace_lane(&mut self, at: usize) {
        if let Some(link) = &mut self.link {
            link.lanes.remove(at);
            self.open_lane();
        }
    }

    /// Does with fewer channels; without any there is no way on.
    fn lane_unopened(&mut self, at: usize, refusal: &Refusal) {
        let Some(link) = &mut self.link else { return };
        link.lanes.remove(at);
        if refusal.scope == Scope::Connection {
            self.broken(refusal, false);
        } else if link.lanes.is_empty() {
            self.give_up_site(refusal);
        }
    }

    fn channel_closed(&mut self, channel: ChannelId, cause: Refusal) {
        let Some(link) = &mut self.link else { return };
        let Some(at) = link.lanes.iter().position(|lane| lane.channel == channel) else { return };
        match link.lanes[at].job.take() {
            Some(job) => self.settle(job.object, Err(cause)),
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

    /// Loses the connection. Calls under way are refused by its cause, unless a refusal of one of them was the cause.
    fn broken(&mut self, cause: &Refusal, by_refusal: bool) {
        let Some(link) = self.link.take() else { return };
        if matches!(link.state, LinkState::Leaving(_)) {
            self.sites.pop_front();
            return;
        }
        let mut blamed = by_refusal;
        for job in link.lanes.into_iter().filter_map(|lane| lane.job) {
            if by_refusal {
                // It was another call that broke the connection: this one is asked again.
                if let Some(site) = self.sites.front_mut() {
                    site.groups[group_of_job(&job)].push_front(job);
                }
            } else {
                blamed = true;
                self.settle(job.object, Err(cause.clone()));
            }
        }
        self.breaks += u32::from(!blamed);
        if self.breaks >= BREAKS_MAX {
            self.give_up_site(cause);
        }
    }

    /// Refuses all that is left of the vhost at work.
    fn give_up_site(&mut self, refusal: &Refusal) {
        let connection = self.link.take().filter(|link| link.state == LinkState::Up).map(|link| link.connection);
        let Some(site) = self.sites.front_mut() else { return };
        let left: Vec<Job> = site.groups.iter_mut().flat_map(std::mem::take).collect();
        for job in left {
            self.settle(job.object, Err(refusal.clone()));
        }
        match connection {
            Some(connection) => {
                let request = self.ids.request();
                self.link = Some(Link { connection, state: LinkState::Leaving(request), lanes: Vec::new() });
                self.ready.push_back(Command::Disconnect { request, connection });
            }
            None => self.leave_site(),
        }
    }

    fn leave_site(&mut self) {
        self.link = None;
        self.breaks = 0;
        self.sites.pop_front();
    }
}

impl Client for Applier {
    fn poll_command(&mut self, _now: Moment) -> Option<Command> {
        if let Some(command) = self.ready.pop_front() {
            return Some(command);
        }
        if !self.groups.is_empty() || !self.managing.is_empty() {
            if let Some(command) = self.next_management() {
                return Some(command);
            }
            if !self.groups.is_empty() || !self.managing.is_empty() {
                return None;
            }
        }
        self.next_call()
    }

    fn handle_event(&mut self, _now: Moment, event: Event) {
        match event {
            Event::Reply { request, reply } => self.replied(request, reply),
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
        None
    }

    fn is_done(&self) -> bool {
        let managed = self.managing.is_empty() && self.groups.iter().all(|group| group.jobs.is_empty());
        managed && self.sites.is_empty() && self.link.is_none() && self.ready.is_empty()
    }
}

impl Site {
    fn group_at_work(&mut self) -> Option<(usize, &mut VecDeque<Job>)> {
        self.groups.iter_mut().enumerate().find(|(_, jobs)| !jobs.is_empty())
    }

    fn len(&self) -> usize {
        self.groups.iter().map(VecDeque::len).sum()
    }
}

fn site<'a>(sites: &'a mut VecDeque<Site>, change: &Change) -> &'a mut Site {
    let vhost = change.object.vhost().cloned().unwrap_or_else(|| "/".into());
    let at = sites.iter().position(|site| site.vhost == vhost).unwrap_or_else(|| {
        sites.push_back(Site { vhost, groups: Default::default() });
        sites.len() - 1
    });
    &mut sites[at]
}

fn group_of(method: &Method) -> usize {
    match method {
        Method::DeclareExchange(_) => 0,
        Method::Bind(_) => 2,
        _ => 1,
    }
}

fn group_of_job(job: &Job) -> usize {
    match &job.write {
        Write::Call(method) => group_of(method),
        Write::Manage(_) => 0,
    }
}

/// Gives the place of an act in RabbitMQ's import order, and how many of its group may be under way at once.
/// Policies go one by one: a broker does them one after another anyway, and many at once are slower.
fn rank(act: &Management) -> (u8, usize) {
    match act {
        Management::PutUser(_) => (0, MANAGEMENT_IN_FLIGHT_MAX),
        Management::PutVhost(_) => (1, MANAGEMENT_IN_FLIGHT_MAX),
        Management::PutUserLimit { .. } | Management::PutVhostLimit { .. } => (2, MANAGEMENT_IN_FLIGHT_MAX),
        Management::PutPermission(_) => (3, MANAGEMENT_IN_FLIGHT_MAX),
        Management::PutTopicPermission(_) => (4, MANAGEMENT_IN_FLIGHT_MAX),
        Management::PutGlobalParameter { .. } => (5, 1),
        Management::PutPolicy { operator: false, .. } => (6, 1),
        Management::PutPolicy { operator: true, .. } => (7, 1),
        _ => (8, 1),
    }
}
