//! A session of real clients, written as a scenario: it plays, and the same messages die.

use crate::beside::{NoWorld, failures};
use crate::clients::{connect, run};
use futures_util::StreamExt;
use lapin::BasicProperties;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicGetOptions, BasicNackOptions, BasicPublishOptions,
    BasicQosOptions, BasicRejectOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use rmqplay::io::serve::{ListenAddress, bind, start_serving};
use rmqplay::language::{Settings, load_scenario};
use rmqplay::model::{Origins, Profile, Topology};
use rmqplay::serve::ServedBroker;
use rmqplay::simulate::rehearse;
use rmqplay::source::Sources;

#[test]
fn what_lapin_did_plays_and_the_same_messages_die() {
    let parts = ["expired", "rejected", "queue: dead", "id: bad", "attempt: 1", "{requeue: true}"];
    recorded_and_played(session, &parts);
}

#[test]
fn transactions_of_lapin_become_steps_that_play() {
    let parts = ["tx: select", "tx: commit", "tx: rollback", "as: tx.1", "as: tx.2", "id: second"];
    recorded_and_played(transactions, &parts);
}

#[test]
fn what_is_acked_after_a_cancel_is_acked_in_the_scenario() {
    recorded_and_played(cancelling, &["[cancel, ack]", "id: second"]);
}

/// Records a session, plays what is written of it, and looks for some of its parts.
fn recorded_and_played(session: impl AsyncFn(u16), parts: &[&str]) {
    run(async {
        for profile in [Profile::V3_10, Profile::NEWEST] {
            rmqplay::io::install_crypto();
            let listener = bind(&ListenAddress { host: "127.0.0.1".to_owned(), port: 0 }, false).expect("a free port");
            let port = listener.local_addr().expect("an address").port();
            let host = ServedBroker::new(profile.into(), &Topology::default(), &Origins::new(), 1_700_000_000);
            let (handle, _) = start_serving(host.with_recording(), vec![listener]).expect("a thread");
            session(port).await;
            while handle.ask(|host, _| host.server.socket_count()).await != Some(0) {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            let text = handle.ask(|host, _| host.recorded()).await.flatten().expect("a recording");
            let (mut sources, settings) = (Sources::default(), Settings::default());
            let (loaded, problems) = load_scenario(&mut sources, "recorded.yaml", text.as_bytes(), &NoWorld, &settings);
            let cell = loaded.unwrap_or_else(|| panic!("{problems:?}\n{text}")).cells.remove(0);
            let played = rehearse(&cell, profile, false);
            assert_eq!(failures(Some(played)), Vec::<String>::new(), "{text}");
            for part in parts {
                assert!(text.contains(part), "{part} is missing in:\n{text}");
            }
        }
    });
}

async fn session(port: u16) {
    let connection = connect(port, "guest:guest", "%2f").await.expect("a connection");
    let channel = connection.create_channel().await.expect("a channel");
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let mut arguments = FieldTable::default();
    arguments.insert("x-dead-letter-exchange".into(), AMQPValue::LongString("".into()));
    arguments.insert("x-dead-letter-routing-key".into(), AMQPValue::LongString("dead".into()));
    channel.queue_declare("work".into(), durable, arguments).await.expect("a queue");
    channel.queue_declare("dead".into(), durable, FieldTable::default()).await.expect("a queue");
    let kind = lapin::ExchangeKind::Topic;
    let declared = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare("orders".into(), kind, declared, FieldTable::default()).await.expect("an exchange");
    let bound = QueueBindOptions::default();
    channel
        .queue_bind("work".into(), "orders".into(), "order.#".into(), bound, FieldTable::default())
        .await
        .expect("bound");
    for id in ["good", "bad", "shaky"] {
        let properties = BasicProperties::default().with_message_id(id.into()).with_delivery_mode(2);
        let sent = channel.basic_publish(
            "orders".into(),
            "order.new".into(),
            BasicPublishOptions::default(),
            b"{{ body }}",
            properties,
        );
        sent.await.expect("sent").await.expect("confirmed");
    }
    let brief = BasicProperties::default().with_expiration("1".into());
    let sent = channel.basic_publish("".into(), "work".into(), BasicPublishOptions::default(), b"brief", brief);
    sent.await.expect("sent").await.expect("confirmed");
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    channel.basic_qos(1, BasicQosOptions::default()).await.expect("a prefetch");
    let options = BasicConsumeOptions::default();
    let consumer = channel.basic_consume("work".into(), "worker".into(), options, FieldTable::default()).await;
    let mut consumer = consumer.expect("consumes");
    let mut seen = 0;
    while seen < 4 {
        let delivery = consumer.next().await.expect("a delivery").expect("no error");
        let id = delivery.properties.message_id().clone().map(|id| id.to_string()).unwrap_or_default();
        seen += 1;
        let tag = delivery.delivery_tag;
        match (id.as_str(), delivery.redelivered) {
            ("bad", _) => channel.basic_reject(tag, BasicRejectOptions { requeue: false }).await.expect("rejected"),
            ("shaky", false) => {
                let requeue = BasicNackOptions { requeue: true, multiple: false };
                channel.basic_nack(tag, requeue).await.expect("nacked");
            }
            _ => channel.basic_ack(tag, BasicAckOptions::default()).await.expect("acked"),
        }
    }
    connection.close(200, "done".into()).await.expect("closed");
}

/// A job that is done at the second attempt, a worker whose settlement is rolled back once, and a channel that ends amid.
async fn transactions(port: u16) {
    let connection = connect(port, "guest:guest", "%2f").await.expect("a connection");
    let plain = connection.create_channel().await.expect("a channel");
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    for queue in ["jobs", "tasks", "results"] {
        plain.queue_declare(queue.into(), durable, FieldTable::default()).await.expect("a queue");
    }
    let publish = async |channel: &lapin::Channel, queue: &str, id: &str| {
        let properties = BasicProperties::default().with_message_id(id.into()).with_delivery_mode(2);
        let options = BasicPublishOptions::default();
        let sent = channel.basic_publish("".into(), queue.into(), options, id.as_bytes(), properties).await;
        sent.expect("sent").await.expect("not awaited");
    };
    plain.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
    publish(&plain, "jobs", "job").await;
    publish(&plain, "tasks", "task").await;
    let own = connection.create_channel().await.expect("a channel");
    own.tx_select().await.expect("transactions");
    let job = own.basic_get("jobs".into(), BasicGetOptions::default()).await.expect("an answer").expect("the job");
    publish(&own, "results", "first").await;
    own.basic_ack(job.delivery_tag, BasicAckOptions::default()).await.expect("acked");
    own.tx_rollback().await.expect("rolled back");
    publish(&own, "results", "second").await;
    own.basic_ack(job.delivery_tag, BasicAckOptions::default()).await.expect("acked");
    own.tx_commit().await.expect("committed");
    publish(&own, "results", "lost").await;
    own.close(200, "amid a transaction".into()).await.expect("closed");
    let worker = connection.create_channel().await.expect("a channel");
    worker.tx_select().await.expect("transactions");
    let options = BasicConsumeOptions::default();
    let consumer = worker.basic_consume("tasks".into(), "worker".into(), options, FieldTable::default()).await;
    // It goes on consuming until the end: one that is let go is cancelled.
    let mut consumer = consumer.expect("consumes");
    let delivery = consumer.next().await.expect("a delivery").expect("no error");
    for is_last in [false, true] {
        worker.basic_ack(delivery.delivery_tag, BasicAckOptions::default()).await.expect("acked");
        match is_last {
            false => worker.tx_rollback().await.expect("rolled back"),
            true => worker.tx_commit().await.expect("committed"),
        }
    }
    connection.close(200, "done".into()).await.expect("closed");
}

/// A worker that ends its subscription while it has a message in hand, and acks it then.
async fn cancelling(port: u16) {
    let connection = connect(port, "guest:guest", "%2f").await.expect("a connection");
    let channel = connection.create_channel().await.expect("a channel");
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare("work".into(), durable, FieldTable::default()).await.expect("a queue");
    for id in ["first", "second"] {
        let properties = BasicProperties::default().with_message_id(id.into()).with_delivery_mode(2);
        let options = BasicPublishOptions::default();
        let sent = channel.basic_publish("".into(), "work".into(), options, id.as_bytes(), properties).await;
        sent.expect("sent").await.expect("confirmed");
    }
    channel.basic_qos(1, BasicQosOptions::default()).await.expect("a prefetch");
    let options = BasicConsumeOptions::default();
    let consumer = channel.basic_consume("work".into(), "worker".into(), options, FieldTable::default()).await;
    let mut consumer = consumer.expect("consumes");
    let first = consumer.next().await.expect("a delivery").expect("no error");
    channel.basic_cancel("worker".into(), BasicCancelOptions::default()).await.expect("cancelled");
    channel.basic_ack(first.delivery_tag, BasicAckOptions::default()).await.expect("acked");
    connection.close(200, "done".into()).await.expect("closed");
}
