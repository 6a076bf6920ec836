//! The move of a queue on the simulator: order, bindings, properties, and an end at every command.

use crate::samples::vhost;
use rmqplay::broker::{Client, Command, Confirmation, Event, Ids, Method, PublishId, Reply, RequestId};
use rmqplay::model::{
    Binding, DestinationKind, Exchange, Message, Moment, Name, Profile, Properties, Queue, QueueKind, Table, Topology,
    Value,
};
use rmqplay::plan::{
    FreshCounts, Holding, MethodSequence, MoveAct, MoveFacts, MoveStop, MoveTally, Mover, Observed, Transfer,
};
use rmqplay::sim::Sim;
use rmqplay::simulate::{Ended, Limits, simulate};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

const MESSAGES: u64 = 9;

/// A simulated broker, and what its clients have declared on it.
struct Stage {
    sim: Sim,
    ids: Ids,
    profile: Profile,
    there: Topology,
}

/// A client that is killed after so many commands; what was answered is written down.
struct Killable<'a> {
    inner: &'a mut dyn Client,
    there: &'a mut Topology,
    commands_left: &'a mut Option<usize>,
    asked: BTreeMap<RequestId, Method>,
    connection: Option<rmqplay::broker::ConnectionId>,
    is_dead: bool,
    cut: Option<RequestId>,
    is_over: bool,
}

impl Client for Killable<'_> {
    fn poll_command(&mut self, now: Moment) -> Option<Command> {
        if self.is_dead {
            let connection = self.connection.take()?;
            let request = RequestId(u64::MAX - u64::from(connection.0));
            self.cut = Some(request);
            return Some(Command::Cut { request, connection });
        }
        let command = self.inner.poll_command(now)?;
        match &command {
            Command::Connect { connection, .. } => self.connection = Some(*connection),
            Command::Call { request, method, .. } => {
                self.asked.insert(*request, method.clone());
            }
            _ => {}
        }
        if let Some(left) = self.commands_left {
            *left -= 1;
            self.is_dead = *left == 0;
        }
        Some(command)
    }

    fn handle_event(&mut self, now: Moment, event: Event) {
        if let Event::Reply { request, reply } = &event {
            if self.cut == Some(*request) {
                self.is_over = true;
            }
            if let (Some(method), Ok(_)) = (self.asked.remove(request), reply) {
                note(self.there, method);
            }
        }
        if !self.is_dead {
            self.inner.handle_event(now, event);
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        self.inner.wake_at().filter(|_| !self.is_dead)
    }

    fn is_done(&self) -> bool {
        if self.is_dead { self.is_over } else { self.inner.is_done() }
    }
}

/// Keeps what an accepted method changed.
fn note(there: &mut Topology, method: Method) {
    match method {
        Method::DeclareQueue(queue) if there.queue(&queue.vhost, &queue.name).is_none() => there.queues.push(*queue),
        Method::DeclareExchange(exchange) => {
            there.exchanges.retain(|known| known.name != exchange.name);
            there.exchanges.push(*exchange);
        }
        Method::Bind(binding) if !there.bindings.contains(&binding) => there.bindings.push(*binding),
        Method::Unbind(binding) => there.bindings.retain(|known| *known != *binding),
        Method::DeleteQueue { queue, .. } => {
            there.queues.retain(|known| known.name != queue);
            there.bindings.retain(|known| known.destination != queue);
        }
        Method::DeleteExchange { exchange, .. } => {
            there.exchanges.retain(|known| known.name != exchange);
            there.bindings.retain(|known| known.source != exchange);
        }
        _ => {}
    }
}

/// Publishes a queue's messages.
struct Publisher {
    commands: VecDeque<Command>,
    open: u64,
}

impl Publisher {
    fn new(ids: &mut Ids, messages: Vec<(Name, Message)>) -> Self {
        let (connection, channel) = (ids.connection(), ids.channel());
        let mut commands = VecDeque::from([
            Command::Connect { request: ids.request(), connection, user: None, vhost: "/".into(), heartbeat: None },
            Command::OpenChannel { request: ids.request(), channel, connection, confirms: true },
        ]);
        let open = messages.len() as u64;
        for (routing_key, message) in messages {
            let (publish, exchange, message) = (ids.publish(), "shop".into(), Arc::new(message));
            commands.push_back(Command::Publish { channel, publish, exchange, routing_key, mandatory: true, message });
        }
        commands.push_back(Command::Disconnect { request: ids.request(), connection });
        Self { commands, open }
    }
}

impl Client for Publisher {
    fn poll_command(&mut self, _: Moment) -> Option<Command> {
        self.commands.pop_front()
    }

    fn handle_event(&mut self, _: Moment, event: Event) {
        if let Event::Confirmed { confirmation: Confirmation::Ack, publish: PublishId(_) } = event {
            self.open -= 1;
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        None
    }

    fn is_done(&self) -> bool {
        self.commands.is_empty() && self.open == 0
    }
}

fn message(number: u64) -> Message {
    let death: Table = [("reason", Value::from("rejected")), ("count", Value::I64(2))].into_iter().collect();
    let headers: Table =
        [("x-death", Value::Array(vec![Value::Table(death)])), ("CC", Value::Array(vec!["other".into()]))]
            .into_iter()
            .collect();
    let properties =
        Properties { headers: Some(headers), message_id: Some(number.to_string().into()), ..Properties::default() };
    Message { properties, body: number.to_string().into_bytes().into() }
}

fn old(kind: QueueKind) -> Queue {
    let arguments: Table = [("x-queue-type", Value::from(kind.as_str()))].into_iter().collect();
    let (vhost, name) = ("/".into(), "work".into());
    Queue { vhost, name, durable: true, auto_delete: false, exclusive: false, arguments }
}

fn new(kind: QueueKind) -> Queue {
    let mut queue = old(kind);
    queue.arguments.insert("x-max-length".into(), Value::I64(1_000));
    queue
}

fn binding(key: &str) -> Binding {
    Binding {
        vhost: "/".into(),
        source: "shop".into(),
        destination: "work".into(),
        destination_kind: DestinationKind::Queue,
        routing_key: key.into(),
        arguments: Table::default(),
    }
}

impl Stage {
    /// A queue with messages, bound twice, and one that a header CC could reach.
    fn new(profile: Profile, kind: QueueKind) -> Self {
        let there = Topology { vhosts: vec![vhost("/")], ..Topology::default() };
        let mut stage = Self { sim: Sim::new(profile), ids: Ids::default(), profile, there };
        let (vhost, name, topic) = ("/".into(), "shop".into(), "topic".into());
        let arguments = Table::default();
        let shop = Exchange { vhost, name, kind: topic, durable: true, auto_delete: false, internal: false, arguments };
        let other = Queue { name: "other".into(), ..old(QueueKind::Classic) };
        let methods = vec![
            Method::DeclareExchange(Box::new(shop)),
            Method::DeclareQueue(Box::new(old(kind))),
            Method::DeclareQueue(Box::new(other)),
            Method::Bind(Box::new(binding("order.#"))),
            Method::Bind(Box::new(binding("#.paid"))),
        ];
        stage.ask(methods, &mut None).expect("declared");
        let messages = (0..MESSAGES).map(|n| (format!("order.{n}.paid").into(), message(n))).collect();
        let mut publisher = Publisher::new(&mut stage.ids, messages);
        stage.play(&mut publisher, &mut None);
        stage
    }

    /// Plays a client to its end, or until it is killed.
    fn play(&mut self, client: &mut dyn Client, commands_left: &mut Option<usize>) -> bool {
        let mut killable = Killable {
            inner: client,
            there: &mut self.there,
            commands_left,
            asked: BTreeMap::new(),
            connection: None,
            is_dead: false,
            cut: None,
            is_over: false,
        };
        let now = self.sim.now();
        let (_, ended) = simulate(&mut killable, &mut self.sim, now, &Limits::default());
        assert_eq!(ended, Ended::Done);
        !killable.is_dead
    }

    /// Asks for methods; `None` when it was killed.
    fn ask(&mut self, methods: Vec<Method>, commands_left: &mut Option<usize>) -> Option<Vec<Reply>> {
        let mut sequence = MethodSequence::new("/".into(), methods, self.ids.clone());
        let lives = self.play(&mut sequence, commands_left);
        let (result, ids) = sequence.finish();
        self.ids = ids;
        lives.then(|| result.expect("accepted"))
    }

    fn observed(&self) -> Observed {
        Observed { topology: self.there.clone(), ..Observed::empty(self.profile) }
    }

    /// Counts a queue, without being killed.
    fn counts(&mut self, queue: &Name) -> FreshCounts {
        if self.there.queue("/", queue).is_none() {
            return FreshCounts::default();
        }
        let replies = self.ask(vec![Method::CheckQueue { queue: queue.clone() }], &mut None).expect("not killed");
        let [Reply::Declared { ready, consumers, .. }] = replies[..] else { panic!("{replies:?}") };
        FreshCounts { ready, consumers, total: ready, is_total_fresh: true }
    }

    /// Moves, as a program that is killed after so many commands would.
    fn run(&mut self, desired: &Queue, mut commands_left: Option<usize>) -> Option<Result<MoveTally, MoveStop>> {
        let topology = Topology { queues: vec![desired.clone()], ..Topology::default() };
        let mut mover = Mover::new(desired.clone(), false);
        loop {
            let mut facts = MoveFacts::of(&topology, desired, &self.observed());
            facts.counts = self.counts(&desired.name);
            facts.holding_counts = self.counts(&mover.holding().queue.clone());
            match mover.next(&facts) {
                Err(stop) => return Some(Err(stop)),
                Ok(MoveAct::Done) => return Some(Ok(mover.tally())),
                Ok(MoveAct::Wait) => panic!("there is nobody to wait for"),
                Ok(MoveAct::Methods { stage, methods }) => {
                    let replies = self.ask(methods, &mut commands_left)?;
                    mover.answered(stage, &replies);
                }
                Ok(MoveAct::Carry { stage, order }) => {
                    let mut transfer = Transfer::new(order, self.ids.clone());
                    let lives = self.play(&mut transfer, &mut commands_left);
                    let (outcome, ids) = transfer.finish();
                    self.ids = ids;
                    if !lives {
                        return None;
                    }
                    mover.carried(stage, &outcome).expect("carried");
                }
            }
        }
    }

    /// Takes all messages out: keys and messages.
    fn contents(&mut self, queue: &str) -> Vec<(Name, Message)> {
        let count = self.counts(&queue.into()).ready as usize;
        let get = Method::Get { queue: queue.into(), no_ack: true };
        let replies = self.ask(vec![get; count], &mut None).expect("not killed");
        let taken = replies.into_iter().filter_map(|reply| match reply {
            Reply::Got(Some(got)) => Some((got.delivery.routing_key.clone(), Message::clone(&got.delivery.message))),
            _ => None,
        });
        taken.collect()
    }
}

fn each_broker(mut test: impl FnMut(Profile, QueueKind)) {
    for profile in [Profile::V3_10, Profile::V4_0, Profile::V4_3] {
        for kind in [QueueKind::Classic, QueueKind::Quorum] {
            test(profile, kind);
        }
    }
}

/// Checks that the queue is bound as before and that nothing of the move is left.
fn assert_all_is_in_place(stage: &Stage, desired: &Queue) {
    let there = &stage.there;
    assert_eq!(there.queue("/", "work"), Some(desired));
    assert!(!there.queues.iter().any(|queue| Holding::moved_by_name(&queue.name).is_some()), "{:?}", there.queues);
    let exchanges: Vec<&str> = there.exchanges.iter().map(|exchange| &*exchange.name).collect();
    assert_eq!(exchanges, ["shop"]);
    let mut keys: Vec<&str> = there.bindings.iter().map(|binding| &*binding.routing_key).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["#.paid", "order.#"]);
}

#[test]
fn messages_come_back_in_order_as_they_were() {
    each_broker(|profile, kind| {
        let mut stage = Stage::new(profile, kind);
        let desired = new(kind);
        let tally = stage.run(&desired, None).expect("not killed").expect("moved");
        let expected =
            MoveTally { before: MESSAGES, out: MESSAGES, back: MESSAGES, after: MESSAGES, ..MoveTally::default() };
        assert_eq!(tally, expected, "{profile} {kind:?}");
        assert_all_is_in_place(&stage, &desired);
        let as_published: Vec<(Name, Message)> =
            (0..MESSAGES).map(|n| (format!("order.{n}.paid").into(), message(n))).collect();
        // Taking a message out of a quorum queue of 3.10 adds a counter (CO-12).
        let published_part = |(key, message): (Name, Message)| {
            let headers = ["x-death", "CC"].map(|name| message.header(name).cloned());
            (key, message.properties.message_id, headers, message.body)
        };
        let found: Vec<_> = stage.contents("work").into_iter().map(published_part).collect();
        let expected: Vec<_> = as_published.into_iter().map(published_part).collect();
        assert_eq!(found, expected, "{profile} {kind:?}");
        // The header CC led each message here once, when it was published: carrying it does not again.
        assert_eq!(stage.counts(&"other".into()).ready, 0, "{profile} {kind:?}");
    });
}

#[test]
fn whatever_ends_a_move_another_one_goes_on() {
    each_broker(|profile, kind| {
        let desired = new(kind);
        let (mut ends, mut doubled_ever) = (0, 0);
        for commands in 1.. {
            let mut stage = Stage::new(profile, kind);
            if stage.run(&desired, Some(commands)).is_some() {
                break;
            }
            ends += 1;
            let case = format!("{profile} {kind:?}, killed after {commands} commands");
            let tally =
                stage.run(&desired, None).expect("not killed").unwrap_or_else(|stop| panic!("{case}: {stop:?}"));
            assert_all_is_in_place(&stage, &desired);
            let mut copies: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
            for (_, message) in stage.contents("work") {
                *copies.entry(message.body.to_vec()).or_default() += 1;
            }
            assert_eq!(copies.len() as u64, MESSAGES, "{case}: {copies:?}");
            let doubled: u64 = copies.values().map(|count| count - 1).sum();
            doubled_ever += doubled;
            assert!(doubled <= tally.doubled_at_most(), "{case}: {doubled} stand twice, {tally:?}");
        }
        assert!(ends > 60 && doubled_ever > 0, "{profile} {kind:?}: {ends} ends, {doubled_ever} doubled");
    });
}

#[test]
fn consumers_hinder_a_move_and_nothing_is_changed() {
    let mut stage = Stage::new(Profile::NEWEST, QueueKind::Classic);
    let consume = Method::Consume {
        queue: "work".into(),
        consumer: "clerk".into(),
        no_ack: false,
        exclusive: false,
        arguments: Table::default(),
    };
    let (connection, channel) = (stage.ids.connection(), stage.ids.channel());
    let user = None;
    let commands = [
        Command::Connect { request: stage.ids.request(), connection, user, vhost: "/".into(), heartbeat: None },
        Command::OpenChannel { request: stage.ids.request(), channel, connection, confirms: true },
        Command::Call { request: stage.ids.request(), channel, method: consume },
    ];
    commands.into_iter().for_each(|command| stage.sim.handle(Moment(0), command));
    while stage.sim.poll_event().is_some() {}
    let before = stage.there.clone();
    let stopped = stage.run(&new(QueueKind::Classic), None).expect("not killed");
    assert_eq!(stopped, Err(MoveStop::Consumers { count: 1 }));
    assert_eq!(stage.there, before);
}

#[test]
fn what_cannot_be_moved_is_told_before_anything_is_made() {
    let mut stage = Stage::new(Profile::NEWEST, QueueKind::Classic);
    let before = stage.there.clone();
    let stop = |stage: &mut Stage, desired: Queue| stage.run(&desired, None).expect("not killed").expect_err("stops");
    assert_eq!(stop(&mut stage, new(QueueKind::Stream)), MoveStop::Stream);
    assert_eq!(stop(&mut stage, Queue { name: "nothing".into(), ..old(QueueKind::Classic) }), MoveStop::Nothing);
    let ttl = serde_json::json!(1000);
    let policy = rmqplay::model::Policy {
        vhost: "/".into(),
        name: "short".into(),
        pattern: ".*".into(),
        apply_to: rmqplay::model::ApplyTo::All,
        priority: 0,
        definition: [("message-ttl".to_owned(), ttl)].into_iter().collect(),
    };
    stage.there.policies.push(policy.clone());
    let expected = MoveStop::PolicyOnHolding { policy: Box::new(policy), operator: false, key: "message-ttl".into() };
    assert_eq!(stop(&mut stage, new(QueueKind::Classic)), expected);
    stage.there.policies.clear();
    assert_eq!(stage.there, before);
}
