//! A consumer instance alone, and what concerns those that share a channel: fed with deliveries by hand, without a driver
//! and without a broker.

use crate::broker::{ChannelId, Command, ConnectionId, DeliveryTag, Method, Refusal, Scope, Settlement};
use crate::model::{Action, Consumer, Millis, Moment, Name, PublishOutcome, Reconnect, Scenario};
use crate::player::consumer::instance::ConsumerInstance;
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::consumer::others::Others;
use crate::player::consumer::working::SharedAct;
use crate::player::context::Context;
use crate::player::context::command_sequence::Ask;
use crate::player::context::owner::Owner;
use crate::player::testing::{consumer, context, delivery, publish, scenario, sent};

const CHANNEL: ChannelId = ChannelId(1);

/// An instance with all that it needs.
struct InstanceRig {
    scenario: Scenario,
    context: Context,
    instance: ConsumerInstance,
}

impl InstanceRig {
    /// Makes an instance that consumes already.
    fn new(consumer: Consumer) -> Self {
        let scenario = scenario(vec![consumer], vec![]);
        let mut context = context(&scenario);
        context.clock.begin(Moment(0));
        let mut instance = ConsumerInstance::all(&scenario, &mut context).remove(0);
        (instance.connection, instance.channel) = (Some(ConnectionId(1)), Some(CHANNEL));
        (instance.publishing, instance.running) = (Some(ChannelId(2)), true);
        Self { scenario, context, instance }
    }

    fn deliver(&mut self, tag: u64, id: &str) {
        self.instance.deliver(&mut self.context, &self.scenario, (id.into(), None), delivery(tag, id));
    }

    /// Polls it at a moment; returns what it sent and what it asks of all on its channel.
    fn turn(&mut self, moment: u64) -> (Vec<Command>, Option<SharedAct>) {
        self.context.clock.set(Moment(moment));
        let mut turn = self.instance.begin_turn(&mut self.context, &self.scenario, Others::default());
        let asks = self.instance.go_on(&mut turn, &mut self.context, &self.scenario, Others::default());
        (sent(&mut self.context), asks)
    }
}

fn ack(tag: u64) -> Command {
    settle(tag, false)
}

fn settle(tag: u64, multiple: bool) -> Command {
    Command::Settle { channel: CHANNEL, tag: DeliveryTag(tag), multiple, settlement: Settlement::Ack }
}

#[test]
fn it_acks_what_its_rule_says_and_has_nothing_in_hand_then() {
    let mut rig = InstanceRig::new(consumer("worker", vec![Action::Ack { multiple: false }]));
    rig.deliver(1, "order");
    assert_eq!(rig.instance.in_hand.len(), 1);
    assert_eq!(rig.turn(0), (vec![ack(1)], None));
    assert_eq!((rig.instance.in_hand.len(), rig.instance.jobs.len()), (0, 0));
}

#[test]
fn a_message_that_no_rule_matches_stays_in_hand() {
    let mut rig = InstanceRig::new(Consumer { rules: vec![], ..consumer("worker", vec![]) });
    rig.deliver(1, "order");
    assert_eq!(rig.turn(0), (vec![], None));
    assert_eq!(rig.instance.in_hand.len(), 1);
}

#[test]
fn it_works_on_as_many_at_once_as_it_may() {
    let actions = vec![Action::Delay(Millis(100)), Action::Ack { multiple: false }];
    let mut rig = InstanceRig::new(Consumer { concurrency: 2, ..consumer("worker", actions) });
    (1..=3).for_each(|tag| rig.deliver(tag, &format!("order.{tag}")));
    assert_eq!(rig.turn(0), (vec![], None));
    assert_eq!(rig.instance.wake_at(&rig.scenario), Some(Moment(100)));
    assert_eq!(rig.turn(99), (vec![], None));
    assert_eq!(rig.turn(100), (vec![ack(1), ack(2)], None));
    assert_eq!(rig.turn(100), (vec![], None));
    assert_eq!(rig.turn(200), (vec![ack(3)], None));
}

#[test]
fn it_goes_on_after_a_publish_only_when_that_is_confirmed() {
    let actions = vec![Action::Publish(publish("done", 1, Millis(0))), Action::Ack { multiple: false }];
    let mut rig = InstanceRig::new(consumer("worker", actions));
    rig.deliver(1, "order");
    let (commands, _) = rig.turn(0);
    let [Command::Publish { channel: ChannelId(2), publish, .. }] = commands[..] else { panic!("{commands:?}") };
    assert_eq!(rig.turn(0), (vec![], None));
    let outcome = PublishOutcome::Confirmed;
    assert_eq!(rig.context.publish_ended(publish, outcome, None), Some(Owner::Instance(0)));
    rig.instance.publish_ended(publish, outcome, None, &mut rig.context, &rig.scenario);
    assert_eq!(rig.turn(0), (vec![ack(1)], None));
}

#[test]
fn it_asks_for_what_concerns_all_on_its_channel() {
    for (action, act) in [
        (Action::Ack { multiple: true }, SharedAct::SettleUpTo(DeliveryTag(1), Settlement::Ack)),
        (Action::Crash, SharedAct::Crash),
        (Action::CloseChannel, SharedAct::CloseChannel),
    ] {
        let mut rig = InstanceRig::new(consumer("worker", vec![action]));
        rig.deliver(1, "order");
        assert_eq!(rig.turn(0), (vec![], Some(act)));
    }
}

#[test]
fn it_asks_for_its_prefetch_before_it_consumes() {
    let mut rig = InstanceRig::new(Consumer { prefetch: 5, ..consumer("worker", vec![]) });
    (rig.instance.connection, rig.instance.channel) = (None, None);
    let asks = rig.instance.subscribe(&mut rig.context, &rig.scenario, Others::default());
    let [Ask::Connect { .. }, Ask::Open { .. }, Ask::Call { method: qos, .. }, Ask::Call { method: consume, .. }] =
        &asks[..]
    else {
        panic!("{asks:?}")
    };
    assert_eq!(*qos, Method::Qos { prefetch: 5, global: false });
    assert!(matches!(consume, Method::Consume { queue, .. } if queue == "work"));
}

#[test]
fn it_connects_again_after_its_pause_as_often_as_it_may() {
    let reconnect = Some(Reconnect { after: Millis(2_000), attempts: Some(1) });
    let mut rig = InstanceRig::new(Consumer { reconnect, ..consumer("worker", vec![]) });
    rig.instance.connection = None;
    rig.instance.plan_reconnect(&rig.context, &rig.scenario);
    assert_eq!(rig.instance.wake_at(&rig.scenario), Some(Moment(2_000)));
    assert_eq!(rig.turn(1_999), (vec![], None));
    assert_eq!(rig.turn(2_000), (vec![], None));
    let (commands, _) = rig.turn(2_000);
    let [Command::Connect { request, .. }] = commands[..] else { panic!("{commands:?}") };
    assert!(rig.instance.is_connecting());
    rig.instance.answered(request, Err(Refusal::new(Scope::Connection, 0, "connection refused")));
    rig.turn(2_000);
    assert!(rig.instance.absence.is_none(), "its only attempt is used up");
}

/// Two consumers on one channel: the first acks all up to its delivery, the second keeps its own, which came before.
fn partners() -> (Scenario, Context, ConsumerInstances) {
    let one = |name, action| Consumer { channel: Some("shared".into()), ..consumer(name, vec![action]) };
    let all = Action::Ack { multiple: true };
    let scenario = scenario(vec![one("left", all), one("right", Action::Hold)], vec![]);
    let mut context = context(&scenario);
    let mut consumers = ConsumerInstances::new(&scenario, &mut context);
    for (number, name) in ["left", "right"].into_iter().enumerate() {
        consumers.start(number, &mut context, &scenario);
        consumers.started(number, true, &mut context, &scenario);
        let (tag, name) = (2 - number as u64, Name::from(name));
        let found = consumers.find(&context, CHANNEL, &name);
        assert_eq!(found, Some(number), "both consume over the channel that the first opened");
        consumers.deliver(number, (name.clone(), None), delivery(tag, &name), &mut context, &scenario);
    }
    sent(&mut context);
    (scenario, context, consumers)
}

#[test]
fn an_ack_of_all_settles_what_others_have_in_hand_on_the_channel() {
    let (scenario, mut context, mut consumers) = partners();
    assert!(consumers.step(&mut context, &scenario));
    assert_eq!(sent(&mut context), [settle(2, true)]);
    assert_eq!(consumers.unfinished().count(), 0);
}

#[test]
fn a_crash_takes_those_along_that_share_the_connection() {
    let (scenario, mut context, mut consumers) = partners();
    assert_eq!(consumers.open_connections(&scenario).len(), 1);
    consumers.crash_all(&"left".into(), &mut context, &scenario);
    assert!(matches!(sent(&mut context)[..], [Command::Cut { .. }]));
    assert_eq!(consumers.open_connections(&scenario).len(), 0);
    assert_eq!(context.channels.owner(CHANNEL), None);
}
