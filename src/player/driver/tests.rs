//! The driver alone: fed with answers by hand, without a consumer that acts and without a broker.

use crate::broker::{ChannelId, Command, Confirmation, ConnectionId, Refusal, Reply, Scope};
use crate::model::{Act, Millis, Moment, PublishOutcome, Refused, Scale, Scenario};
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::context::Context;
use crate::player::context::command_sequence::Ask;
use crate::player::context::owner::{Asker, Owner};
use crate::player::driver::publish_step::{PublishProgress, PublishStep};
use crate::player::driver::state::{ConsumerRequest, Driver, RunStage};
use crate::player::testing::{consumer, context, publish, request_of, scenario, sent};
use crate::source::Code;

/// A driver with all that it needs.
struct DriverRig {
    scenario: Scenario,
    context: Context,
    driver: Driver,
    consumers: ConsumerInstances,
}

impl DriverRig {
    fn new(scenario: Scenario) -> Self {
        let mut context = context(&scenario);
        let consumers = ConsumerInstances::new(&scenario, &mut context);
        Self { driver: Driver::new(&scenario, Scale::ONE), context, consumers, scenario }
    }

    fn step(&mut self) -> bool {
        self.driver.step(self.context.now(), &mut self.context, &self.scenario, &self.consumers)
    }

    /// Lets the driver go on until it waits, and says yes to what it asks; gives all that it sent.
    fn settle(&mut self) -> Vec<Command> {
        let mut all = Vec::new();
        for _ in 0..100 {
            let acted = self.step();
            let commands = sent(&mut self.context);
            if !acted && commands.is_empty() || self.driver.request.is_some() {
                break;
            }
            for request in commands.iter().filter_map(request_of) {
                if self.context.outbox.answered(request) == Some(Asker::Driver) {
                    self.driver.answered(request, Ok(Reply::Done));
                }
            }
            all.extend(commands);
        }
        all
    }

    /// Ends the only publish in flight.
    fn end_publish(&mut self, outcome: PublishOutcome, refusal: Option<&Refusal>) {
        let publish = *self.context.in_flight.keys().next().expect("a publish in flight");
        assert_eq!(self.context.publish_ended(publish, outcome, refusal), Some(Owner::Driver));
        self.driver.publish_ended(publish, outcome, refusal, &mut self.context, &self.scenario);
    }
}

fn is_publish(command: &Command) -> bool {
    matches!(command, Command::Publish { .. })
}

#[test]
fn a_publish_step_goes_on_only_when_it_is_confirmed() {
    let publish = Act::Publish(publish("order", 1, Millis(0)));
    let mut rig = DriverRig::new(scenario(Vec::new(), vec![publish, Act::Advance(Millis(1))]));
    let commands = rig.settle();
    let kinds = commands.iter().map(|command| match command {
        Command::Connect { .. } => "connect",
        Command::OpenChannel { .. } => "open",
        Command::Publish { .. } => "publish",
        _ => "other",
    });
    assert_eq!(kinds.collect::<Vec<_>>(), ["connect", "open", "publish"]);
    assert_eq!((rig.driver.stage, rig.settle()), (RunStage::Steps(0), vec![]));
    rig.end_publish(PublishOutcome::Confirmed, None);
    assert_eq!(rig.driver.stage, RunStage::Steps(1));
}

#[test]
fn a_publish_goes_out_in_the_turn_that_begins_its_step() {
    let again = || Act::Publish(publish("order", 1, Millis(0)));
    let mut rig = DriverRig::new(scenario(Vec::new(), vec![again(), again()]));
    rig.settle();
    rig.end_publish(PublishOutcome::Confirmed, None);
    assert!(rig.step());
    assert!(matches!(&sent(&mut rig.context)[..], [one] if is_publish(one)));
}

#[test]
fn a_refused_publish_fails_the_run_which_goes_on_at_finally() {
    let publish = Act::Publish(publish("order", 1, Millis(0)));
    let mut rig = DriverRig::new(scenario(Vec::new(), vec![publish, Act::Advance(Millis(1))]));
    rig.settle();
    let refusal = Refusal::new(Scope::Channel, 404, "NOT_FOUND - no exchange 'x' in vhost '/'");
    rig.end_publish(PublishOutcome::Refused, Some(&refusal));
    assert_eq!(rig.context.failures.iter().map(|failure| failure.code).collect::<Vec<_>>(), [Code::StepRefused]);
    rig.step();
    assert_eq!(rig.driver.stage, RunStage::Finally(0));
}

#[test]
fn a_publish_that_is_to_be_refused_must_be() {
    let mut scenario = scenario(Vec::new(), vec![Act::Publish(publish("order", 1, Millis(0)))]);
    scenario.steps[0].refused = Some(Refused { span: scenario.steps[0].span, code: Some(403), text: None });
    let end = |outcome, refusal: Option<Refusal>| {
        let mut rig = DriverRig::new(scenario.clone());
        rig.settle();
        rig.end_publish(outcome, refusal.as_ref());
        rig.context.failures.iter().map(|failure| failure.code).collect::<Vec<_>>()
    };
    let refused = |code| Some(Refusal::new(Scope::Channel, code, "no"));
    assert_eq!(end(PublishOutcome::Refused, refused(403)), []);
    assert_eq!(end(PublishOutcome::Refused, refused(404)), [Code::StepRefused]);
    assert_eq!(end(PublishOutcome::Confirmed, None), [Code::StepNotRefused]);
}

#[test]
fn a_consumer_is_started_by_request_and_its_commands_are_run() {
    let mut rig = DriverRig::new(scenario(vec![consumer("worker", vec![])], vec![]));
    rig.settle();
    assert_eq!(rig.driver.request.take(), Some(ConsumerRequest::Start(0)));
    rig.driver.start_instance(0, vec![Ask::Open { channel: ChannelId(9), connection: ConnectionId(9) }]);
    assert!(matches!(rig.settle()[..], [Command::OpenChannel { channel: ChannelId(9), .. }]));
    assert_eq!(rig.driver.request.take(), Some(ConsumerRequest::Started(0, None)));
    rig.driver.instance_started(0, None, &mut rig.context, &rig.scenario, &rig.consumers);
    assert_eq!(rig.driver.stage, RunStage::Subscribing(1));
}

#[test]
fn stop_waits_until_the_broker_has_answered_those_who_leave() {
    let mut rig = DriverRig::new(scenario(vec![], vec![Act::Stop("worker".into()), Act::Advance(Millis(1))]));
    rig.settle();
    assert_eq!(rig.driver.request.take(), Some(ConsumerRequest::Stop("worker".into())));
    let request = rig.context.ask(Asker::Leaving, |request| Command::AwaitQuiet { request });
    assert!(!rig.step());
    rig.context.outbox.answered(request);
    assert!(rig.step());
    assert_eq!(rig.driver.stage, RunStage::Steps(1));
}

#[test]
fn the_timeout_of_a_scenario_ends_it() {
    let mut scenario = scenario(vec![], vec![Act::Advance(Millis(60_000))]);
    scenario.timeout = Some(Millis(5_000));
    let mut rig = DriverRig::new(scenario);
    rig.settle();
    assert_eq!(rig.driver.wake_at(), Some(Moment(5_000)));
    rig.context.clock.set(Moment(5_000));
    assert!(rig.step());
    assert_eq!((rig.context.failures[0].code, rig.driver.stage), (Code::RunTimeout, RunStage::Finally(0)));
}

#[test]
fn a_publish_step_sends_a_window_and_each_outcome_lets_one_more_go() {
    let all = publish("burst", 1_002, Millis(0));
    let scenario = scenario(vec![], vec![Act::Publish(all.clone())]);
    let mut context = context(&scenario);
    let open = (Vec::new(), ChannelId(1));
    let (mut step, progress) = PublishStep::begin(&scenario.steps[0], &all, open, false, &mut context);
    assert!(matches!(progress, PublishProgress::Acts));
    assert_eq!((sent(&mut context).len(), step.is_amid_bulk()), (1_000, true));
    assert!(matches!(step.go_on(&scenario.steps[0], &all, &mut context), PublishProgress::Waits));
    let first = *context.in_flight.keys().next().expect("in flight");
    assert!(!step.ended(first, PublishOutcome::Confirmed, None));
    assert!(matches!(step.go_on(&scenario.steps[0], &all, &mut context), PublishProgress::Acts));
    assert_eq!(sent(&mut context).len(), 1);
}

#[test]
fn a_publish_step_sends_each_message_at_its_time_and_ends_with_the_last_outcome() {
    let two = publish("tick", 2, Millis(500));
    let scenario = scenario(vec![], vec![Act::Publish(two.clone())]);
    let mut context = context(&scenario);
    context.clock.begin(Moment(0));
    let open = (Vec::new(), ChannelId(1));
    let (mut step, mut progress) = PublishStep::begin(&scenario.steps[0], &two, open, false, &mut context);
    let mut ends = Vec::new();
    for moment in [Moment(0), Moment(500)] {
        context.clock.set(moment);
        if moment > Moment(0) {
            progress = step.go_on(&scenario.steps[0], &two, &mut context);
        }
        assert!(matches!(progress, PublishProgress::Acts));
        let [Command::Publish { publish, .. }] = sent(&mut context)[..] else { panic!("one publish at {moment}") };
        ends.push((step.wake_at(), step.ended(publish, PublishOutcome::Confirmed, None)));
    }
    assert_eq!(ends, [(Some(Moment(500)), false), (None, true)]);
}

#[test]
fn a_publish_step_ends_with_the_refusal_of_what_it_lacks() {
    let one = publish("order", 1, Millis(0));
    let scenario = scenario(vec![], vec![Act::Publish(one.clone())]);
    let mut context = context(&scenario);
    let open = Ask::Open { channel: ChannelId(1), connection: ConnectionId(1) };
    let (mut step, progress) =
        PublishStep::begin(&scenario.steps[0], &one, (vec![open], ChannelId(1)), false, &mut context);
    assert!(matches!(progress, PublishProgress::Acts));
    let [Command::OpenChannel { request, .. }] = sent(&mut context)[..] else { panic!("a channel is opened first") };
    assert!(matches!(step.go_on(&scenario.steps[0], &one, &mut context), PublishProgress::Waits));
    let refusal = Refusal::new(Scope::Connection, 530, "NOT_ALLOWED - vhost / is down");
    step.answered(request, Err(refusal.clone()));
    let progress = step.go_on(&scenario.steps[0], &one, &mut context);
    assert!(matches!(progress, PublishProgress::Ends(Some(found)) if found == refusal));
    assert_eq!(sent(&mut context), []);
}

#[test]
fn a_nack_ends_a_publish_as_a_confirm_does() {
    let mut rig = DriverRig::new(scenario(vec![], vec![Act::Publish(publish("order", 1, Millis(0)))]));
    rig.settle();
    let publish = *rig.context.in_flight.keys().next().expect("in flight");
    let (owner, outcome) = rig.context.publish_answered(publish, Confirmation::Nack).expect("its end");
    assert_eq!((owner, outcome), (Owner::Driver, PublishOutcome::Nacked));
    rig.driver.publish_ended(publish, outcome, None, &mut rig.context, &rig.scenario);
    assert_eq!((rig.driver.stage, rig.context.failures.len()), (RunStage::Steps(1), 0));
}
