//! The context alone: what goes out, how publishes end, how a run fails.

use crate::broker::{ChannelId, Command, Confirmation, ConnectionId, Refusal, Scope};
use crate::model::{Millis, Moment, Name, PublishOutcome, Scenario};
use crate::player::context::Context;
use crate::player::context::in_flight::Sender;
use crate::player::context::owner::{Asker, Owner};
use crate::player::context::publishing::outcome_of_loss;
use crate::player::message::compose::compose;
use crate::player::record::failure::FailureSubject;
use crate::player::testing::{context, place, publish, scenario, sent};
use crate::source::Code;

const CHANNEL: ChannelId = ChannelId(7);

fn empty() -> Scenario {
    scenario(Vec::new(), Vec::new())
}

fn send(context: &mut Context, id: &str, mandatory: bool) -> (crate::broker::PublishId, Name) {
    let mut composed = compose(&publish(id, 1, Millis(0)), 1, &mut Default::default()).expect("no template");
    composed.mandatory = mandatory;
    let vhost = "/".into();
    let sender = Sender { owner: Owner::Driver, by: "driver".into(), consumer: None, vhost: &vhost, channel: CHANNEL };
    context.publish(composed, sender)
}

#[test]
fn a_publish_goes_out_and_ends_once() {
    let mut context = context(&empty());
    let (publish, name) = send(&mut context, "order", false);
    assert_eq!(name, "order");
    assert!(matches!(sent(&mut context)[..], [Command::Publish { channel: CHANNEL, .. }]));
    let ended = context.publish_answered(publish, Confirmation::Ack);
    assert_eq!(ended, Some((Owner::Driver, PublishOutcome::Confirmed)));
    assert_eq!(context.publish_answered(publish, Confirmation::Ack), None);
    assert_eq!(context.ledger.ended[&PublishOutcome::Confirmed], 1);
}

#[test]
fn the_same_id_published_again_has_a_name_of_its_own() {
    let mut context = context(&empty());
    let names = [send(&mut context, "order", false).1, send(&mut context, "order", false).1];
    assert_eq!(names, ["order", "order#2"]);
}

#[test]
fn a_return_is_an_outcome_where_it_was_asked_for() {
    let mut context = context(&empty());
    for (mandatory, outcome) in [(true, PublishOutcome::Returned), (false, PublishOutcome::Confirmed)] {
        let (publish, _) = send(&mut context, "order", mandatory);
        context.publish_returned(publish);
        assert_eq!(context.publish_answered(publish, Confirmation::Ack), Some((Owner::Driver, outcome)));
    }
    assert_eq!(context.ledger.unroutable, 2);
}

#[test]
fn publishes_are_lost_with_their_channel_or_refused_by_its_cause() {
    let mut context = context(&empty());
    let (publish, _) = send(&mut context, "order", false);
    assert_eq!(context.publishes_on(|channel| channel == ChannelId(8)), []);
    assert_eq!(context.publishes_on(|channel| channel == CHANNEL), [publish]);
    let ends_by = |code| outcome_of_loss(&Refusal::new(Scope::Channel, code, "")).0;
    assert_eq!([ends_by(0), ends_by(404)], [PublishOutcome::Lost, PublishOutcome::Refused]);
}

#[test]
fn the_channels_of_a_connection_go_with_it() {
    let mut context = context(&empty());
    let (first, second) = (ConnectionId(1), ConnectionId(2));
    context.channels.open(ChannelId(1), first, Owner::Driver);
    context.channels.open(ChannelId(2), second, Owner::Driver);
    context.channels.open(ChannelId(3), first, Owner::Instance(0));
    let gone = context.channels.close_connection(first);
    assert_eq!(gone, [(ChannelId(1), Owner::Driver), (ChannelId(3), Owner::Instance(0))]);
    assert_eq!(context.channels.owner(ChannelId(2)), Some(Owner::Driver));
    assert_eq!(context.channels.owner(ChannelId(3)), None);
}

#[test]
fn an_answer_finds_who_asked_and_is_awaited_until_then() {
    let mut context = context(&empty());
    let request = context.ask(Asker::Leaving, |request| Command::AwaitQuiet { request });
    assert!(context.outbox.awaits(Asker::Leaving) && !context.outbox.awaits(Asker::Driver));
    assert_eq!(context.outbox.answered(request), Some(Asker::Leaving));
    assert!(!context.outbox.awaits(Asker::Leaving));
    assert_eq!(context.outbox.answered(request), None);
}

#[test]
fn a_failure_has_the_moment_of_the_run_and_what_is_added_to_it() {
    let mut context = context(&empty());
    context.clock.set(Moment(900));
    assert_eq!(context.now(), Moment(0), "before the beginning all time is the first moment");
    context.clock.begin(Moment(1_000));
    context.clock.set(Moment(1_250));
    let about = FailureSubject::Message("order".into());
    context.failed(Code::StepReply, "no".to_owned(), place(), vec![]).about(about.clone()).help("ask again");
    let failure = &context.failures[0];
    assert_eq!((failure.moment, context.took), (Moment(250), Moment(250)));
    assert_eq!((&failure.subjects[..], failure.help.as_deref()), (&[about][..], Some("ask again")));
}
