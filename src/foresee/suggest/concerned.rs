//! The part of a topology that a draft can come to, so that a play declares no more than that.
//! Takes a cell and a version's view, whose broker tells the ways; gives the cell with what it concerns. Never guesses: where a
//! way cannot be told beforehand, all that it may lead to stays.

use crate::foresee::topology_view::TopologyView;
use crate::model::{
    Act, Action, Binding, Cell, Consumer, DestinationKind, Name, Object, Origins, Publish, Queue, QueueName, Scenario,
    Step, Subject, Topology,
};
use std::collections::{BTreeMap, BTreeSet};

/// The types of exchanges whose ways the key alone decides.
const BY_KEY: [&str; 3] = ["direct", "fanout", "topic"];

/// Headers that lead a message to further keys.
const FURTHER_KEYS: [&str; 2] = ["CC", "BCC"];

/// A cell apart from the topology that it is played on, so that a part is made without a copy of the whole.
pub(crate) struct DraftCell {
    bare: Cell,
    /// All but queues and bindings, which may be many.
    rest: Topology,
    queues: Vec<Queue>,
    bindings: Vec<Binding>,
    origins: Origins,
}

impl DraftCell {
    pub(crate) fn new(mut cell: Cell) -> Self {
        let mut rest = std::mem::take(&mut cell.scenario.topology);
        let origins = std::mem::take(&mut cell.scenario.origins);
        let (queues, bindings) = (std::mem::take(&mut rest.queues), std::mem::take(&mut rest.bindings));
        Self { bare: cell, rest, queues, bindings, origins }
    }

    /// Returns the cell as it was.
    pub(crate) fn whole(self) -> Cell {
        let mut cell = self.bare;
        cell.scenario.topology = Topology { queues: self.queues, bindings: self.bindings, ..self.rest };
        cell.scenario.origins = self.origins;
        cell
    }

    /// Returns the cell without the queues that none of its messages can come to on a version, and without their bindings.
    pub(crate) fn part(&self, view: &TopologyView<'_>) -> Cell {
        let mut part = self.bare.clone();
        let reached = self.queues_reached(view);
        let stays = |vhost: &Name, name: &Name| {
            let named = || QueueName { vhost: vhost.clone(), name: name.clone() };
            reached.as_ref().is_none_or(|reached| reached.contains(&named()))
        };
        let binds = |kind: DestinationKind, vhost: &Name, name: &Name| match kind {
            DestinationKind::Exchange => true,
            DestinationKind::Queue => stays(vhost, name),
        };
        let queues = self.queues.iter().filter(|queue| stays(&queue.vhost, &queue.name)).cloned();
        let bindings = self.bindings.iter().filter(|it| binds(it.destination_kind, &it.vhost, &it.destination));
        part.scenario.topology =
            Topology { queues: queues.collect(), bindings: bindings.cloned().collect(), ..self.rest.clone() };
        let origins = self.origins.iter().filter(|(object, _)| match object {
            Object::Queue { vhost, name } => stays(vhost, name),
            Object::Binding { vhost, kind, destination, .. } => binds(*kind, vhost, destination),
            _ => true,
        });
        part.scenario.origins = origins.map(|(object, origin)| (object.clone(), origin.clone())).collect();
        part
    }

    /// Lists the queues that the cell names or that its messages may come to; `None` where that cannot be told.
    fn queues_reached(&self, view: &TopologyView<'_>) -> Option<BTreeSet<QueueName>> {
        let scenario = &self.bare.scenario;
        let mut reach = DraftReach { view, queues: BTreeSet::new(), known: BTreeSet::new(), after: BTreeMap::new() };
        for step in scenario.all_steps() {
            reach.step(step, scenario, self.has_limits())?;
        }
        scenario.consumers.iter().try_for_each(|consumer| reach.consumer(consumer))?;
        Some(reach.queues)
    }

    /// Returns whether a vhost may hold so many queues only: which is then refused depends on all of them.
    fn has_limits(&self) -> bool {
        self.rest.parameters.iter().any(|parameter| parameter.component == "vhost-limits")
    }
}

struct DraftReach<'v> {
    view: &'v TopologyView<'v>,
    queues: BTreeSet<QueueName>,
    /// Queues with the key by which a message came there.
    known: BTreeSet<(QueueName, Name)>,
    /// By vhost and exchange: what `odd_ways` says.
    after: BTreeMap<(Name, Name), Option<BTreeSet<Name>>>,
}

impl DraftReach<'_> {
    fn step(&mut self, step: &Step, scenario: &Scenario, has_limits: bool) -> Option<()> {
        match &step.act {
            Act::Publish(publish) => self.publish(&step.vhost, publish)?,
            Act::Expect(expectation) => {
                if let Subject::Queue(of) = &expectation.subject {
                    self.queues.insert(of.queue.clone());
                }
            }
            Act::Get { queue, held_as: None, .. } => _ = self.queues.insert(queue.clone()),
            Act::DeclareQueue(queue) if !has_limits => _ = self.queues.insert(queue.id()),
            Act::Bind(binding) => self.bind(binding, scenario)?,
            Act::Advance(_) | Act::WaitUntilQuiet(_) => {}
            _ => return None,
        }
        Some(())
    }

    fn consumer(&mut self, consumer: &Consumer) -> Option<()> {
        let vhost = &consumer.queue.vhost;
        for action in consumer.actions() {
            match action {
                Action::Ack { .. } | Action::Nack { .. } | Action::Reject { .. } | Action::Delay(_) => {}
                Action::Retry => {
                    let ladder = consumer.ladder.as_ref()?;
                    for key in ladder.rungs.iter().chain(&ladder.parked) {
                        self.follow(vhost, &ladder.exchange, key);
                    }
                }
                _ => return None,
            }
        }
        self.queues.insert(consumer.queue.clone());
        consumer.own_queue.is_none().then_some(())
    }

    fn publish(&mut self, vhost: &Name, publish: &Publish) -> Option<()> {
        let (exchange, key) = (publish.exchange.fixed()?, publish.routing_key.fixed()?);
        let leads_further = |(name, _): &(String, _)| FURTHER_KEYS.contains(&name.as_str());
        if publish.headers.iter().any(leads_further) {
            return None;
        }
        self.follow(vhost, exchange, key);
        Some(())
    }

    /// Takes a binding that a step makes: each message of the scenario may come by it.
    fn bind(&mut self, binding: &Binding, scenario: &Scenario) -> Option<()> {
        if binding.destination_kind == DestinationKind::Exchange {
            return None;
        }
        let queue = QueueName { vhost: binding.vhost.clone(), name: binding.destination.clone() };
        self.queues.insert(queue.clone());
        for step in scenario.all_steps() {
            if let Act::Publish(publish) = &step.act {
                let key = publish.routing_key.fixed()?;
                let dead = self.arrive(&queue, key);
                dead.iter().for_each(|(exchange, key)| self.follow(&binding.vhost, exchange, key));
            }
        }
        Some(())
    }

    /// Follows a message, and what becomes of it when it dies.
    fn follow(&mut self, vhost: &Name, exchange: &str, key: &str) {
        let mut waiting: Vec<(Name, Name)> = vec![(exchange.into(), key.into())];
        while let Some((exchange, key)) = waiting.pop() {
            for name in self.ways(vhost, &exchange, &key) {
                waiting.extend(self.arrive(&QueueName { vhost: vhost.clone(), name }, &key));
            }
        }
    }

    /// Notes that a message comes to a queue; returns where it goes when it dies there, with its key.
    fn arrive(&mut self, queue: &QueueName, key: &Name) -> Option<(Name, Name)> {
        if !self.known.insert((queue.clone(), key.clone())) {
            return None;
        }
        self.queues.insert(queue.clone());
        let settings = &self.view.queue(&queue.vhost, &queue.name)?.settings;
        let exchange = settings.dead_letter_exchange.clone()?;
        Some((exchange, settings.dead_letter_routing_key.clone().unwrap_or_else(|| key.clone())))
    }

    /// Lists the queues that an exchange leads to by a key, or may lead to.
    fn ways(&mut self, vhost: &Name, exchange: &Name, key: &str) -> Vec<Name> {
        let view = self.view;
        let after =
            self.after.entry((vhost.clone(), exchange.clone())).or_insert_with(|| odd_ways(view, vhost, exchange));
        match after {
            Some(all) => all.iter().cloned().collect(),
            None => view.broker.queues_reached(vhost, exchange, key, None),
        }
    }
}

/// Lists all queues behind an exchange, where headers or chance decide on the way; `None` where keys alone do.
fn odd_ways(view: &TopologyView<'_>, vhost: &Name, exchange: &Name) -> Option<BTreeSet<Name>> {
    let (mut is_odd, mut queues) = (false, BTreeSet::new());
    let (mut seen, mut waiting) = (BTreeSet::from([exchange.clone()]), vec![exchange.clone()]);
    while let Some(name) = waiting.pop() {
        is_odd |= view.exchange_kind(vhost, &name).is_some_and(|kind| !BY_KEY.contains(&kind));
        let alternate = view.exchanges.get(&(&**vhost, &*name)).and_then(|declared| view.alternate_of(declared));
        let bindings = view.bindings_from(vhost, &name).iter();
        let (to_queues, to_exchanges): (Vec<&Binding>, Vec<&Binding>) =
            bindings.partition(|it| it.destination_kind == DestinationKind::Queue);
        queues.extend(to_queues.into_iter().map(|it| it.destination.clone()));
        let next = to_exchanges.into_iter().map(|it| it.destination.clone()).chain(alternate);
        waiting.extend(next.filter(|it| seen.insert(it.clone())));
    }
    is_odd.then_some(queues)
}
