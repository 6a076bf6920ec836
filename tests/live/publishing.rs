//! Publishes: confirms of many, returns paired exactly, publishes that no exchange takes.

use crate::stage::{Stage, message, on_each, say};
use rmqplay::broker::{ChannelId, Command, Confirmation, ConnectionId, Event, Reply, Scope};
use rmqplay::model::{Moment, Value};
use std::collections::BTreeSet;

#[test]
fn a_thousand_publishes_are_confirmed() {
    on_each("a thousand publishes are confirmed", |stage| Box::pin(a_thousand(stage)));
}

async fn a_thousand(stage: &mut Stage) {
    let (_, channel) = stage.open().await;
    for kind in ["classic", "quorum"] {
        stage.queue(channel, kind, kind).await;
        stage.fill(channel, kind, 1_000).await;
        assert_eq!(stage.ready(channel, kind).await, 1_000);
        // More than the window at once.
        stage.fill(channel, kind, 3_500).await;
        assert_eq!(stage.ready(channel, kind).await, 4_500);
    }
}

#[test]
fn returns_are_paired_exactly() {
    on_each("returns are paired exactly", |stage| Box::pin(returns(stage)));
}

/// Mixes routed and unroutable, mandatory and not, equal and different bodies, without waiting between.
async fn returns(stage: &mut Stage) {
    let (_, channel) = stage.open().await;
    stage.queue(channel, "there", "classic").await;
    for round in 0..4 {
        let mut commands = Vec::new();
        let (mut all, mut unroutable) = (BTreeSet::new(), BTreeSet::new());
        for n in 0..500 {
            let (publish, mut command) = stage.publish(channel, "", "there", &format!("{round}.{}", n / 3));
            if let Command::Publish { routing_key, mandatory, message: content, .. } = &mut command {
                let lost = n % 3 == 1 || n % 7 == 2;
                *mandatory = n % 5 != 0;
                if lost {
                    *routing_key = "nowhere".into();
                }
                if lost && *mandatory {
                    unroutable.insert(publish);
                }
                let mut with_headers = (*message(&format!("{round}.{}", n / 3), &[b'x'; 10])).clone();
                let headers = [("n", Value::I64(n)), ("t", Value::Timestamp(7))];
                with_headers.properties.headers = Some(headers.into_iter().collect());
                *content = with_headers.into();
            }
            all.insert(publish);
            commands.push(command);
        }
        let heard = stage.play(commands, Box::new(|heard| confirmed(heard).len() == 500)).await;
        assert_eq!(confirmed(&heard), all);
        let returned = heard.iter().filter_map(|(_, event)| match event {
            Event::Returned { publish, code: 312, text } if text == "NO_ROUTE" => Some(*publish),
            _ => None,
        });
        assert_eq!(returned.collect::<BTreeSet<_>>(), unroutable, "round {round}");
        let place = |wanted: &dyn Fn(&Event) -> bool| heard.iter().position(|(_, event)| wanted(event));
        for publish in unroutable {
            let back = place(&|event| matches!(event, Event::Returned { publish: it, .. } if *it == publish));
            let confirm = place(&|event| matches!(event, Event::Confirmed { publish: it, .. } if *it == publish));
            assert!(back < confirm, "the return of {publish:?} comes before its confirm");
        }
    }
}

fn confirmed(heard: &[(Moment, Event)]) -> BTreeSet<rmqplay::broker::PublishId> {
    let acks = heard.iter().filter_map(|(_, event)| match event {
        Event::Confirmed { publish, confirmation: Confirmation::Ack } => Some(*publish),
        _ => None,
    });
    acks.collect()
}

#[test]
fn pending_confirms_end_with_their_channel() {
    on_each("pending confirms end with their channel", |stage| Box::pin(pending(stage)));
}

/// What the broker has not confirmed when it closes the channel stays without a word, and never counts as confirmed.
/// On a loaded machine lapin 4.12 may write publishes that wait in its queue behind its own close-ok: RabbitMQ then closes
/// the connection, too (504 "expected 'channel.open'"), which is told, and the next round takes another one.
async fn pending(stage: &mut Stage) {
    let (mut connection, _) = stage.open().await;
    for round in 0..20 {
        let queue = format!("q{round}");
        let channel = channel_or_anew(stage, &mut connection).await;
        stage.queue(channel, &queue, if round % 2 == 0 { "quorum" } else { "classic" }).await;
        let mut publish = |to: &str, id: usize| stage.publish(channel, to, &queue, &format!("m{id}"));
        let good: Vec<_> = (0..60).map(|n| publish("", n)).collect();
        let bad: Vec<_> = (60..100).map(|n| publish("nope", n)).collect();
        let late: BTreeSet<_> = bad.iter().map(|(publish, _)| *publish).collect();
        let request = stage.ids.request();
        let method = rmqplay::broker::Method::Cancel { consumer: "nobody".into() };
        let mut commands: Vec<Command> = good.into_iter().chain(bad).map(|(_, command)| command).collect();
        commands.push(Command::Call { request, channel, method });
        let closed = |heard: &[(Moment, Event)]| {
            heard.iter().any(|(_, event)| matches!(event, Event::ChannelClosed { .. } | Event::ConnectionClosed { .. }))
        };
        let mut heard = stage.play(commands, Box::new(closed)).await;
        heard.extend(stage.listen(rmqplay::model::Millis(20)).await);
        let confirmed = confirmed(&heard);
        assert!(confirmed.is_disjoint(&late), "{round}: {heard:?}");
        // lapin takes the end of a channel for the answer to a cancel.
        let answer = crate::stage::answer(&heard, request).expect("an answer");
        assert!(matches!(answer.map_err(|refusal| refusal.code), Err(404 | 504)), "{round}: {heard:?}");
        let other = channel_or_anew(stage, &mut connection).await;
        assert!(stage.ready(other, &queue).await >= confirmed.len() as u64, "{round}");
    }
}

/// Opens a channel; where the connection ended with 504, on a new one.
async fn channel_or_anew(stage: &mut Stage, connection: &mut ConnectionId) -> ChannelId {
    let (channel, on) = (stage.ids.channel(), *connection);
    match stage.ask(|request| Command::OpenChannel { request, channel, connection: on, confirms: true }).await {
        Err(refusal) if refusal.code == 504 => {
            say("the broker closed a connection on which publishes came behind a close-ok");
            let (anew, channel) = stage.open().await;
            *connection = anew;
            channel
        }
        reply => {
            assert_eq!(reply, Ok(Reply::Done));
            channel
        }
    }
}

#[test]
fn direct_replies_are_refused_as_the_broker_refuses_them() {
    on_each("direct replies are refused", |stage| Box::pin(direct_replies(stage)));
}

/// RT-22, on channels that consume nothing else.
async fn direct_replies(stage: &mut Stage) {
    let (connection, channel) = stage.open().await;
    stage.queue(channel, "q", "classic").await;
    let (_, mut command) = stage.publish(channel, "", "q", "ask");
    if let Command::Publish { message: content, .. } = &mut command {
        let mut asking = (**content).clone();
        asking.properties.reply_to = Some("amq.rabbitmq.reply-to".into());
        *content = asking.into();
    }
    let heard = stage.play(vec![command.clone()], Box::new(|heard| !heard.is_empty())).await;
    let [(_, Event::ChannelClosed { cause, .. })] = heard.as_slice() else { panic!("{heard:?}") };
    assert_eq!(cause.text, "PRECONDITION_FAILED - fast reply consumer does not exist");
    let other = stage.channel(connection).await;
    let consume = |consumer: &str| rmqplay::broker::Method::Consume {
        queue: "amq.rabbitmq.reply-to".into(),
        consumer: consumer.into(),
        no_ack: true,
        exclusive: false,
        arguments: Default::default(),
    };
    assert_eq!(stage.call(other, consume("r")).await, Ok(rmqplay::broker::Reply::Done));
    if let Command::Publish { channel, .. } = &mut command {
        *channel = other;
    }
    let heard = stage.play(vec![command], Box::new(|heard| !heard.is_empty())).await;
    assert_eq!(confirmed(&heard).len(), 1, "{heard:?}");
    let refused = stage.call(other, consume("s")).await.expect_err("one reply consumer a channel");
    assert_eq!(refused.text, "PRECONDITION_FAILED - reply consumer already set");
}

#[test]
fn a_channel_at_rest_says_why_it_ended() {
    on_each("a channel at rest says why it ended", |stage| Box::pin(at_rest(stage)));
}

/// Nothing is under way on them that could be told the reason: their connection tells it.
async fn at_rest(stage: &mut Stage) {
    let (connection, first) = stage.open().await;
    let second = stage.channel(connection).await;
    for (channel, tag) in [(second, 7), (first, 9)] {
        let ack = crate::stage::settle(channel, tag, false, rmqplay::broker::Settlement::Ack);
        let heard = stage.play(vec![ack], Box::new(|heard| !heard.is_empty())).await;
        let [(_, Event::ChannelClosed { channel: which, cause })] = heard.as_slice() else { panic!("{heard:?}") };
        assert_eq!((*which, cause.code), (channel, 406));
        assert_eq!(cause.text, format!("PRECONDITION_FAILED - unknown delivery tag {tag}"));
    }
}

#[test]
fn a_missing_exchange_closes_the_channel() {
    on_each("a missing exchange closes the channel", |stage| Box::pin(missing_exchange(stage)));
}

async fn missing_exchange(stage: &mut Stage) {
    let (connection, channel) = stage.open().await;
    let (_, command) = stage.publish(channel, "nope", "k", "lost");
    let closed =
        |heard: &[(Moment, Event)]| heard.iter().any(|(_, event)| matches!(event, Event::ChannelClosed { .. }));
    let heard = stage.play(vec![command], Box::new(closed)).await;
    let Some((_, Event::ChannelClosed { channel: which, cause })) = heard.last() else { panic!("{heard:?}") };
    assert_eq!((*which, cause.scope, cause.code), (channel, Scope::Channel, 404));
    assert_eq!(cause.text, "NOT_FOUND - no exchange 'nope' in vhost '/'");
    assert_eq!(heard.len(), 1, "the publish itself gets no word: {heard:?}");
    // The connection lives on, the dead channel answers with the reason of its end.
    let again = stage.channel(connection).await;
    stage.queue(again, "q", "").await;
    assert_eq!(
        stage.call(channel, rmqplay::broker::Method::CheckQueue { queue: "q".into() }).await,
        Err(cause.clone())
    );
}
