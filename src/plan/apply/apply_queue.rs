//! What a plan asks for, sorted into groups that are awaited whole: management by RabbitMQ's import order, declares by
//! vhost. Holds what is left to do; never asks.

use crate::broker::{Management, Method};
use crate::model::{Moment, Name, Object};
use crate::plan::{Change, ChangeKind, Plan, Write};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many management requests of one group may be under way.
pub(crate) const MANAGEMENT_IN_FLIGHT_MAX: usize = 8;

/// One management request for the object at that index.
#[derive(Debug)]
pub(crate) struct ManagementRequest {
    pub object: usize,
    pub act: Management,
}

/// One declare for the object at that index.
#[derive(Debug, Clone)]
pub(crate) struct Declare {
    pub object: usize,
    pub method: Method,
}

/// A row of management requests without an order among them.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub errands: VecDeque<ManagementRequest>,
    pub in_flight_max: usize,
}

/// What one vhost gets over AMQP, and the access that waits for its exchanges.
#[derive(Debug)]
pub(crate) struct VhostQueue {
    pub vhost: Name,
    pub exchanges: VecDeque<Declare>,
    pub topic_permissions: VecDeque<ManagementRequest>,
    /// New permissions of users whose topic permissions are among these: they come after, so that nobody ever holds
    /// the wider right, also where an apply is ended in between.
    pub permissions: VecDeque<ManagementRequest>,
    pub queues: VecDeque<Declare>,
    pub bindings: VecDeque<Declare>,
    /// Declares of queues that somebody else is just making, each with the moment to ask again.
    pub waiting: Vec<(Moment, Declare)>,
}

/// Keeps how far one object is.
#[derive(Debug)]
pub(crate) struct ObjectProgress {
    pub object: Object,
    pub writes_left: usize,
    pub refused: bool,
}

/// A whole plan, sorted.
#[derive(Debug, Default)]
pub(crate) struct ApplyQueue {
    pub objects: Vec<ObjectProgress>,
    pub groups: VecDeque<Group>,
    pub sites: VecDeque<VhostQueue>,
}

impl ApplyQueue {
    /// Sorts all writes of a plan.
    pub fn of(plan: Plan) -> Self {
        let mut groups: BTreeMap<u8, Group> = BTreeMap::new();
        let mut errands = ApplyQueue::default();
        let objects = plan.changes.iter().map(|change| &change.object);
        let is_exchange = |object: &&Object| matches!(object, Object::Exchange { .. });
        let new_exchanges: BTreeSet<Object> = objects.filter(is_exchange).cloned().collect();
        let restricted = restricted_later(&plan, &new_exchanges);
        errands.objects.reserve_exact(plan.changes.len());
        for Change { object, writes, .. } in plan.changes.into_iter().filter(|change| !change.writes.is_empty()) {
            let at = errands.objects.len();
            let writes_left = writes.len();
            for write in writes {
                match write {
                    Write::Call(method) => errands.site(&object).push(Declare { object: at, method }),
                    Write::Manage(act) => {
                        let needs = exchange_of(&act);
                        let (rank, in_flight_max) = rank(&act);
                        let errand = ManagementRequest { object: at, act };
                        if needs.is_some_and(|exchange| new_exchanges.contains(&exchange)) {
                            errands.site(&object).topic_permissions.push_back(errand);
                            continue;
                        }
                        if restricted.contains(&object) {
                            errands.site(&object).permissions.push_back(errand);
                            continue;
                        }
                        let group = groups.entry(rank).or_default();
                        group.in_flight_max = in_flight_max;
                        group.errands.push_back(errand);
                    }
                }
            }
            errands.objects.push(ObjectProgress { object, writes_left, refused: false });
        }
        errands.groups = groups.into_values().collect();
        errands
    }

    fn site(&mut self, object: &Object) -> &mut VhostQueue {
        let vhost = object.vhost().cloned().unwrap_or_else(|| "/".into());
        let at = self.sites.iter().position(|site| site.vhost == vhost).unwrap_or_else(|| {
            self.sites.push_back(VhostQueue::new(vhost));
            self.sites.len() - 1
        });
        &mut self.sites[at]
    }
}

impl VhostQueue {
    fn new(vhost: Name) -> Self {
        Self {
            vhost,
            exchanges: VecDeque::new(),
            topic_permissions: VecDeque::new(),
            permissions: VecDeque::new(),
            queues: VecDeque::new(),
            bindings: VecDeque::new(),
            waiting: Vec::new(),
        }
    }

    /// Puts a declare at the end of its group.
    pub fn push(&mut self, declare: Declare) {
        self.group_of(&declare.method).push_back(declare);
    }

    /// Puts a declare back to the front of its group, to be asked again.
    pub fn again(&mut self, declare: Declare) {
        self.group_of(&declare.method).push_front(declare);
    }

    /// Puts what waited until now back into its group.
    pub fn wake(&mut self, now: Moment) {
        for (_, declare) in self.waiting.extract_if(.., |(due, _)| *due <= now).collect::<Vec<_>>() {
            self.again(declare);
        }
    }

    fn group_of(&mut self, method: &Method) -> &mut VecDeque<Declare> {
        match method {
            Method::DeclareExchange(_) => &mut self.exchanges,
            Method::Bind(_) => &mut self.bindings,
            _ => &mut self.queues,
        }
    }

    /// Counts what is declared here.
    pub fn declares(&self) -> usize {
        self.exchanges.len() + self.queues.len() + self.bindings.len() + self.waiting.len()
    }

    /// Empties the site and gives the objects that were left.
    pub fn abandon(&mut self) -> Vec<usize> {
        let declares = std::mem::take(&mut self.exchanges).into_iter();
        let declares = declares.chain(std::mem::take(&mut self.queues)).chain(std::mem::take(&mut self.bindings));
        let waiting = std::mem::take(&mut self.waiting).into_iter().map(|(_, declare)| declare);
        let declares = declares.chain(waiting);
        let errands =
            std::mem::take(&mut self.topic_permissions).into_iter().chain(std::mem::take(&mut self.permissions));
        let errands = errands.map(|errand| errand.object);
        declares.map(|declare| declare.object).chain(errands).collect()
    }
}

/// Returns the new permissions that wait until topic permissions on new exchanges narrow them. Not those of the account
/// in use, which makes the exchanges.
fn restricted_later(plan: &Plan, new_exchanges: &BTreeSet<Object>) -> BTreeSet<Object> {
    let permission_of = |change: &Change| match &change.object {
        Object::TopicPermission { user, vhost, exchange } if *user != plan.account => {
            let exchange = Object::Exchange { vhost: vhost.clone(), name: exchange.clone() };
            let permission = Object::Permission { user: user.clone(), vhost: vhost.clone() };
            new_exchanges.contains(&exchange).then_some(permission)
        }
        _ => None,
    };
    let restricted: BTreeSet<Object> = plan.changes.iter().filter_map(permission_of).collect();
    let is_new = |change: &&Change| matches!(change.kind, ChangeKind::Create { .. });
    let new = plan.changes.iter().filter(is_new).map(|change| &change.object);
    new.filter(|object| restricted.contains(object)).cloned().collect()
}

/// Returns the exchange that a topic permission needs: 4.3 refuses one whose exchange is not there yet.
fn exchange_of(act: &Management) -> Option<Object> {
    match act {
        Management::PutTopicPermission(row) => {
            Some(Object::Exchange { vhost: row.vhost.clone(), name: row.exchange.clone() })
        }
        _ => None,
    }
}

/// Returns the place of an act in RabbitMQ's import order, and how many of its group may be under way at once.
/// Policies go one by one: a broker does them one after another anyway, and many at once are slower.
fn rank(act: &Management) -> (u8, usize) {
    match act {
        // A half-made vhost, to be made anew.
        Management::DeleteVhost { .. } | Management::PutUser(_) => (0, MANAGEMENT_IN_FLIGHT_MAX),
        Management::PutVhost(_) | Management::ReplaceVhost(_) => (1, MANAGEMENT_IN_FLIGHT_MAX),
        Management::PutUserLimit { .. } | Management::PutVhostLimit { .. } => (2, MANAGEMENT_IN_FLIGHT_MAX),
        Management::PutTopicPermission(_) => (3, MANAGEMENT_IN_FLIGHT_MAX),
        Management::PutPermission(_) => (4, MANAGEMENT_IN_FLIGHT_MAX),
        Management::PutGlobalParameter { .. } => (5, 1),
        Management::PutPolicy { operator: false, .. } => (6, 1),
        Management::PutPolicy { operator: true, .. } => (7, 1),
        _ => (8, 1),
    }
}
