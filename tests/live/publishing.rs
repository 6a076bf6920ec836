//! Publishes: confirms of many, returns paired exactly, publishes that no exchange takes.

use crate::stage::{Stage, message, on_each};
use rmqplay::broker::{Command, Confirmation, Event, Scope};
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
