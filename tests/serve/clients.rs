//! Real clients against the served broker, over sockets.

use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicNackOptions, BasicPublishOptions, ConfirmSelectOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use rmqplay::io::serve::{ListenAddress, ServeHandle, bind, start_serving};
use rmqplay::model::{Origins, Profile, Topology};
use rmqplay::serve::ServedBroker;
use std::time::Duration;

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(20);

/// A served broker at a free port.
struct Running {
    handle: ServeHandle,
    port: u16,
}

fn serve(profile: Profile) -> Running {
    rmqplay::io::install_crypto();
    let listener = bind(&ListenAddress { host: "127.0.0.1".to_owned(), port: 0 }, false).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let host = ServedBroker::new(profile.into(), &Topology::default(), &Origins::new(), 1_700_000_000);
    let (handle, _) = start_serving(host, vec![listener]).expect("a thread");
    Running { handle, port }
}

fn run(test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(LIMIT, test).await.expect("in time") });
}

async fn connect(port: u16, login: &str, vhost: &str) -> Result<Connection, lapin::Error> {
    Connection::connect(&format!("amqp://{login}@127.0.0.1:{port}/{vhost}"), ConnectionProperties::default()).await
}

#[test]
fn lapin_declares_publishes_consumes_and_is_told_what_is_wrong() {
    run(async {
        for profile in [Profile::V3_10, Profile::NEWEST] {
            let served = serve(profile);
            let connection = connect(served.port, "guest:guest", "%2f").await.expect("a connection");
            let channel = connection.create_channel().await.expect("a channel");
            let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
            channel.queue_declare("q".into(), options, FieldTable::default()).await.expect("a queue");
            channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
            for n in 0..100_u32 {
                let body = vec![n as u8; (n as usize) * 3_000];
                let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
                let confirm = channel.basic_publish("".into(), "q".into(), options, &body, BasicProperties::default());
                let confirm = confirm.await.expect("sent").await.expect("confirmed");
                assert!(confirm.is_ack());
            }
            let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let returned = channel.basic_publish("".into(), "no".into(), options, b"x", BasicProperties::default());
            let returned = returned.await.expect("sent").await.expect("confirmed").take_message().expect("returned");
            assert_eq!((returned.reply_code, returned.reply_text.to_string().as_str()), (312, "NO_ROUTE"));
            let options = BasicConsumeOptions::default();
            let mut consumer =
                channel.basic_consume("q".into(), "c".into(), options, FieldTable::default()).await.expect("consumes");
            for n in 0..100_u32 {
                let delivery = consumer.next().await.expect("a delivery").expect("no error");
                assert_eq!((delivery.data.len(), delivery.delivery_tag), ((n as usize) * 3_000, u64::from(n) + 1));
                if n < 99 {
                    channel.basic_ack(delivery.delivery_tag, BasicAckOptions::default()).await.expect("acked");
                } else {
                    let options = BasicNackOptions { requeue: false, ..BasicNackOptions::default() };
                    channel.basic_nack(delivery.delivery_tag, options).await.expect("nacked");
                }
            }
            let got = channel.basic_get("q".into(), BasicGetOptions::default()).await.expect("an answer");
            assert!(got.is_none());
            let left = channel.queue_delete("q".into(), QueueDeleteOptions::default()).await.expect("deleted");
            assert_eq!(left, 0);
            let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let missing =
                channel.queue_declare("q".into(), options, FieldTable::default()).await.expect_err("no queue");
            assert!(missing.to_string().contains("NOT_FOUND - no queue 'q' in vhost '/'"), "{missing}");
            connection.close(200, "bye".into()).await.expect("closed");
        }
    });
}

#[test]
fn who_may_not_in_is_told_as_rabbitmq_tells() {
    run(async {
        let served = serve(Profile::NEWEST);
        let refused = connect(served.port, "guest:wrong", "%2f").await.expect_err("a wrong password").to_string();
        assert!(refused.contains("Login was refused using authentication mechanism PLAIN"), "{refused}");
        let refused = connect(served.port, "guest:guest", "missing").await.expect_err("no vhost").to_string();
        assert!(refused.contains("NOT_ALLOWED - vhost missing not found"), "{refused}");
    });
}

#[test]
fn a_broker_that_goes_says_so() {
    run(async {
        let served = serve(Profile::NEWEST);
        let connection = connect(served.port, "guest:guest", "%2f").await.expect("a connection");
        let channel = connection.create_channel().await.expect("a channel");
        let shut_down = |host: &mut ServedBroker, now_ms: u64| {
            host.server.shut_down("broker forced connection closure with reason 'shutdown'", now_ms);
        };
        served.handle.ask(shut_down).await.expect("the broker");
        let end = tokio::time::Instant::now() + LIMIT;
        while connection.status().connected() && tokio::time::Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(!connection.status().connected());
        drop(channel);
    });
}
