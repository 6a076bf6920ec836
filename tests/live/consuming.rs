//! Deliveries: prefetch, ack, nack, reject, "all", get, recover, cancel, direct replies.

use crate::stage::{Stage, consume, delivered, message, on_each, settle};
use rmqplay::broker::{Command, Event, Got, Method, Reply, Settlement};
use rmqplay::model::{Millis, Name, Properties, Table, Value};
use std::sync::Arc;

#[test]
fn deliveries_are_settled_each_way() {
    on_each("deliveries are settled each way", |stage| Box::pin(settling(stage)));
}

async fn settling(stage: &mut Stage) {
    let (_, driver) = stage.open().await;
    let (_, channel) = stage.open().await;
    for kind in ["classic", "quorum"] {
        stage.queue(driver, kind, kind).await;
        stage.fill(driver, kind, 4).await;
        stage.consume(channel, kind, 3).await;
        let three = stage.listen(Millis(300)).await;
        let base = delivered(&three).first().expect("a delivery").0;
        let plain = |offset: u64, id: &str| (base + offset, id.to_owned(), false);
        assert_eq!(delivered(&three), [plain(0, "m1"), plain(1, "m2"), plain(2, "m3")], "the prefetch is three");
        let commands = vec![
            settle(channel, base, false, Settlement::Ack),
            settle(channel, base + 1, false, Settlement::Nack { requeue: false }),
        ];
        let heard = stage.play(commands, Box::new(|heard| delivered(heard).len() == 1)).await;
        assert_eq!(delivered(&heard), [plain(3, "m4")]);
        let back = vec![settle(channel, base + 2, false, Settlement::Reject { requeue: true })];
        let heard = stage.play(back, Box::new(|heard| delivered(heard).len() == 1)).await;
        assert_eq!(delivered(&heard), [(base + 4, "m3".to_owned(), true)]);
        // "All" is tag 0 and means those that we were told of; it makes room for as many.
        stage.fill(driver, kind, 5).await;
        while stage.ready(driver, kind).await > 0 {
            stage.play(vec![settle(channel, 0, true, Settlement::Ack)], Box::new(|_| true)).await;
            stage.listen(Millis(25)).await;
        }
        let last = vec![settle(channel, 0, true, Settlement::Ack), settle(channel, 0, true, Settlement::Ack)];
        stage.play(last, Box::new(|_| true)).await;
        assert_eq!(stage.call(channel, Method::Cancel { consumer: "c".into() }).await, Ok(Reply::Done));
        assert_eq!(stage.ready(driver, kind).await, 0);
    }
}

fn ids(heard: &crate::stage::Heard) -> Vec<String> {
    delivered(heard).into_iter().map(|(_, id, _)| id).collect()
}

#[test]
fn a_bad_tag_closes_the_channel() {
    on_each("a bad tag closes the channel", |stage| Box::pin(bad_tag(stage)));
}

async fn bad_tag(stage: &mut Stage) {
    let (_, channel) = stage.open().await;
    let closed = |(_, event): &(_, Event)| matches!(event, Event::ChannelClosed { .. });
    let command = settle(channel, 7, false, Settlement::Ack);
    let heard = stage.play(vec![command], Box::new(move |heard| heard.iter().any(closed))).await;
    let Some((_, Event::ChannelClosed { cause, .. })) = heard.last() else { panic!("{heard:?}") };
    assert_eq!((cause.code, &*cause.text), (406, "PRECONDITION_FAILED - unknown delivery tag 7"));
}

#[test]
fn messages_are_gotten_and_recovered() {
    on_each("messages are gotten and recovered", |stage| Box::pin(getting(stage)));
}

async fn getting(stage: &mut Stage) {
    let (_, channel) = stage.open().await;
    stage.queue(channel, "q", "classic").await;
    let content = typed_message();
    let publish = stage.ids.publish();
    let (exchange, routing_key) = (Name::from(""), Name::from("q"));
    let command =
        Command::Publish { channel, publish, exchange, routing_key, mandatory: true, message: content.clone() };
    stage.play(vec![command], Box::new(|heard| heard.len() == 1)).await;
    stage.fill(channel, "q", 1).await;
    let first = get(stage, channel, false).await.expect("a message");
    assert_eq!((first.remaining, first.delivery.tag.0, first.delivery.redelivered), (1, 1, false));
    assert_eq!((&*first.delivery.exchange, &*first.delivery.routing_key), ("", "q"));
    assert_eq!(*first.delivery.message, content, "all properties and typed headers come back as they were sent");
    assert_eq!(get(stage, channel, true).await.expect("a message").remaining, 0);
    assert_eq!(get(stage, channel, false).await, None);
    assert_eq!(stage.call(channel, Method::Recover { requeue: true }).await, Ok(Reply::Done));
    stage.await_ready(channel, "q", 1).await;
    let again = get(stage, channel, false).await.expect("a message");
    assert!(again.delivery.redelivered);
    let nack = settle(channel, again.delivery.tag.0, false, Settlement::Nack { requeue: true });
    stage.play(vec![nack], Box::new(|_| true)).await;
    stage.await_ready(channel, "q", 1).await;
    assert_eq!(stage.call(channel, Method::Purge { queue: "q".into() }).await, Ok(Reply::Counted { messages: 1 }));
}

async fn get(stage: &mut Stage, channel: rmqplay::broker::ChannelId, no_ack: bool) -> Option<Box<Got>> {
    match stage.call(channel, Method::Get { queue: "q".into(), no_ack }).await {
        Ok(Reply::Got(got)) => got,
        other => panic!("{other:?}"),
    }
}

fn typed_message() -> Arc<rmqplay::model::Message> {
    let inner: Table = [("deep", Value::Bool(true))].into_iter().collect();
    let headers: Table = [
        ("i8", Value::I8(-5)),
        ("i16", Value::I16(-300)),
        ("i32", Value::I32(70_000)),
        ("i64", Value::I64(1 << 40)),
        ("f32", Value::F32(1.5)),
        ("f64", Value::F64(0.1)),
        ("text", "grün".into()),
        ("bytes", Value::Bytes(vec![0, 255])),
        ("time", Value::Timestamp(1_700_000_000)),
        ("list", Value::Array(vec![Value::I64(1), Value::Void, "x".into()])),
        ("table", Value::Table(inner)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    let mut content = (*message("typed", b"{\"n\": 1}")).clone();
    content.properties = Properties {
        content_type: Some("application/json".into()),
        content_encoding: Some("utf-8".into()),
        headers: Some(headers),
        priority: Some(3),
        correlation_id: Some("c1".into()),
        reply_to: Some("r".into()),
        expiration: Some("60000".into()),
        timestamp: Some(1_700_000_001),
        kind: Some("order".into()),
        app_id: Some("app".into()),
        cluster_id: Some("cl".into()),
        ..content.properties
    };
    Arc::new(content)
}

#[test]
fn a_cancel_comes_after_what_is_under_way() {
    on_each("a cancel comes after what is under way", |stage| Box::pin(cancelling(stage)));
}

async fn cancelling(stage: &mut Stage) {
    let (_, driver) = stage.open().await;
    let (_, channel) = stage.open().await;
    stage.queue(driver, "q", "classic").await;
    stage.fill(driver, "q", 50).await;
    // Consume and cancel follow each other at once: the reply to cancel closes the row of deliveries.
    let (begin, end) = (stage.ids.request(), stage.ids.request());
    let commands = vec![
        Command::Call { request: begin, channel, method: consume("q") },
        Command::Call { request: end, channel, method: Method::Cancel { consumer: "c".into() } },
    ];
    let heard = stage.play(commands, Box::new(move |heard| crate::stage::answer(heard, end).is_some())).await;
    assert!(matches!(heard.first(), Some((_, Event::Reply { request, .. })) if *request == begin), "{heard:?}");
    assert!(matches!(heard.last(), Some((_, Event::Reply { request, .. })) if *request == end));
    let later = stage.listen(Millis(200)).await;
    assert!(later.is_empty(), "{later:?}");
    let held = delivered(&heard).len() as u64;
    assert_eq!(stage.ready(driver, "q").await, 50 - held);
    // What is held can still be settled, and the tag is free again.
    stage.play(vec![settle(channel, 0, true, Settlement::Nack { requeue: true })], Box::new(|_| true)).await;
    stage.await_ready(driver, "q", 50).await;
    assert_eq!(stage.call(channel, consume("q")).await, Ok(Reply::Done));
}

#[test]
fn direct_replies_arrive() {
    on_each("direct replies arrive", |stage| Box::pin(direct_reply(stage)));
}

async fn direct_reply(stage: &mut Stage) {
    let (_, asking) = stage.open().await;
    let (_, answering) = stage.open().await;
    stage.queue(asking, "rpc", "classic").await;
    let Method::Consume { consumer, arguments, .. } = consume("") else { panic!("consume") };
    let queue = Name::from("amq.rabbitmq.reply-to");
    let method = Method::Consume { queue, consumer, no_ack: true, exclusive: false, arguments };
    assert_eq!(stage.call(asking, method).await, Ok(Reply::Done));
    let (_, mut command) = stage.publish(asking, "", "rpc", "question");
    if let Command::Publish { message, .. } = &mut command {
        Arc::make_mut(message).properties.reply_to = Some("amq.rabbitmq.reply-to".into());
    }
    stage.play(vec![command], Box::new(|heard| heard.len() == 1)).await;
    let got = match stage.call(answering, Method::Get { queue: "rpc".into(), no_ack: true }).await {
        Ok(Reply::Got(Some(got))) => got,
        other => panic!("{other:?}"),
    };
    let reply_to = got.delivery.message.properties.reply_to.clone().expect("an address");
    let (_, command) = stage.publish(answering, "", &reply_to, "answer");
    let heard = stage.play(vec![command], Box::new(|heard| delivered(heard).len() == 1)).await;
    assert_eq!(ids(&heard), ["answer"]);
}
