//! Ends: a queue gone under its consumer, a crash, a close by the broker, polite closes.

use crate::stage::{Stage, delivered, on_each, settle};
use rmqplay::broker::{Command, Event, Management, Method, Reply, Scope, Settlement};
use rmqplay::model::Millis;

#[test]
fn a_deleted_queue_cancels_its_consumer() {
    on_each("a deleted queue cancels its consumer", |stage| Box::pin(cancelled(stage)));
}

async fn cancelled(stage: &mut Stage) {
    let (_, driver) = stage.open().await;
    let (_, channel) = stage.open().await;
    for kind in ["classic", "quorum"] {
        stage.queue(driver, kind, kind).await;
        stage.consume(channel, kind, 1).await;
        let request = stage.ids.request();
        let method = Method::DeleteQueue { queue: kind.into(), if_unused: false, if_empty: false };
        let delete = Command::Call { request, channel: driver, method };
        let is_cancel = |(_, event): &(_, Event)| matches!(event, Event::Cancelled { .. });
        let enough = move |heard: &[_]| heard.iter().any(is_cancel) && crate::stage::answer(heard, request).is_some();
        let heard = stage.play(vec![delete], Box::new(enough)).await;
        let cancels: Vec<_> = heard.iter().filter(|event| is_cancel(event)).map(|(_, event)| event.clone()).collect();
        assert_eq!(cancels, [Event::Cancelled { channel, consumer: "c".into() }]);
        let later = stage.listen(Millis(100)).await;
        assert!(later.is_empty(), "once only: {later:?}");
    }
}

#[test]
fn a_crash_brings_messages_back() {
    on_each("a crash brings messages back", |stage| Box::pin(crashed(stage)));
}

async fn crashed(stage: &mut Stage) {
    let (_, driver) = stage.open().await;
    for kind in ["classic", "quorum"] {
        stage.queue(driver, kind, kind).await;
        stage.fill(driver, kind, 3).await;
        let (connection, channel) = stage.open().await;
        stage.consume(channel, kind, 2).await;
        let heard = stage.play(Vec::new(), Box::new(|heard| delivered(heard).len() == 2)).await;
        let first = delivered(&heard)[0].0;
        // The ack was said before the crash, so it counts.
        let request = stage.ids.request();
        let commands = vec![settle(channel, first, false, Settlement::Ack), Command::Cut { request, connection }];
        let heard = stage.play(commands, Box::new(move |heard| crate::stage::answer(heard, request).is_some())).await;
        assert_eq!(heard.len(), 1, "nothing but the answer: {heard:?}");
        stage.await_ready(driver, kind, 2).await;
        let Ok(Reply::Got(Some(got))) = stage.call(driver, Method::Get { queue: kind.into(), no_ack: true }).await
        else {
            panic!("no message")
        };
        let id = got.delivery.message.properties.message_id.clone();
        assert_eq!((id.as_deref(), got.delivery.redelivered), (Some("m2"), true));
        let later = stage.listen(Millis(200)).await;
        assert!(later.is_empty(), "{later:?}");
    }
}

#[test]
fn the_broker_closes_a_connection() {
    on_each("the broker closes a connection", |stage| Box::pin(closed_by_broker(stage)));
}

async fn closed_by_broker(stage: &mut Stage) {
    let (_, driver) = stage.open().await;
    stage.queue(driver, "q", "classic").await;
    let grant = rmqplay::model::Permission {
        user: "alice".into(),
        vhost: "/".into(),
        configure: ".*".into(),
        write: ".*".into(),
        read: ".*".into(),
    };
    assert_eq!(stage.manage(Management::PutPermission(Box::new(grant))).await, Ok(Reply::Done));
    let connection = stage.connect(Some("alice")).await;
    let channel = stage.channel(connection).await;
    stage.consume(channel, "q", 1).await;
    let request = stage.ids.request();
    let close = Command::Manage { request, act: Management::CloseConnection { connection } };
    let is_closed = |(_, event): &(_, Event)| matches!(event, Event::ConnectionClosed { .. });
    let heard = stage.play(vec![close], Box::new(move |heard| heard.iter().any(is_closed))).await;
    let closes: Vec<_> = heard.iter().filter(|event| is_closed(event)).collect();
    let [(_, Event::ConnectionClosed { connection: which, cause })] = closes[..] else { panic!("{heard:?}") };
    assert_eq!((*which, cause.scope, cause.code), (connection, Scope::Connection, 320));
    assert_eq!(cause.text, "CONNECTION_FORCED - Closed via management plugin");
    let rest = heard.iter().filter(|event| !is_closed(event)).all(|(_, event)| matches!(event, Event::Reply { .. }));
    assert!(rest, "channels and consumers close silently: {heard:?}");
    let refused = stage.call(channel, Method::CheckQueue { queue: "q".into() }).await;
    assert_eq!(refused.map_err(|refusal| refusal.code), Err(320));
}

#[test]
fn a_deleted_vhost_says_goodbye() {
    on_each("a deleted vhost says goodbye", |stage| Box::pin(vhost_gone(stage)));
}

/// CO-27: the reset of the socket follows the reason at once.
async fn vhost_gone(stage: &mut Stage) {
    let (connection, _) = stage.open().await;
    let request = stage.ids.request();
    let delete = Command::Manage { request, act: Management::DeleteVhost { vhost: "/".into() } };
    let is_closed = |(_, event): &(_, Event)| matches!(event, Event::ConnectionClosed { .. });
    let heard = stage.play(vec![delete], Box::new(move |heard| heard.iter().any(is_closed))).await;
    let Some((_, Event::ConnectionClosed { connection: which, cause })) = heard.iter().find(|event| is_closed(event))
    else {
        panic!("{heard:?}")
    };
    assert_eq!((*which, cause.code), (connection, 320), "{cause}");
    // Which of the two it says is a race inside of RabbitMQ 4.
    let texts = ["CONNECTION_FORCED - vhost '/' is deleted", "CONNECTION_FORCED - vhost '/' is down"];
    assert!(texts.contains(&cause.text.as_str()), "{cause}");
}

#[test]
fn closes_are_silent() {
    on_each("closes are silent", |stage| Box::pin(polite(stage)));
}

async fn polite(stage: &mut Stage) {
    let (connection, channel) = stage.open().await;
    stage.queue(channel, "q", "classic").await;
    stage.fill(channel, "q", 2).await;
    stage.consume(channel, "q", 1).await;
    stage.play(Vec::new(), Box::new(|heard| delivered(heard).len() == 1)).await;
    assert_eq!(stage.ask(|request| Command::CloseChannel { request, channel }).await, Ok(Reply::Done));
    let other = stage.channel(connection).await;
    stage.await_ready(other, "q", 2).await;
    // A publish that was said before the goodbye arrives.
    let (_, publish) = stage.publish(other, "", "q", "late");
    let request = stage.ids.request();
    let commands = vec![publish, Command::Disconnect { request, connection }];
    let heard = stage.play(commands, Box::new(move |heard| crate::stage::answer(heard, request).is_some())).await;
    assert!(heard.iter().all(|(_, event)| matches!(event, Event::Reply { .. } | Event::Confirmed { .. })), "{heard:?}");
    let (_, third) = stage.open().await;
    stage.await_ready(third, "q", 3).await;
    assert!(stage.listen(Millis(200)).await.is_empty());
    // The clock begins anew, and nothing of the first client is left.
    stage.live.restart_clock();
    assert!(stage.live.now().0 < 50);
    let (_, fresh) = stage.open().await;
    stage.await_ready(fresh, "q", 3).await;
}
