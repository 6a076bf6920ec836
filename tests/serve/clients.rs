//! lapin against the served broker and live ones, over sockets.

use crate::talk::{self, Link};
use crate::{brokers, golden, kept, program};
use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicNackOptions, BasicPublishOptions, ConfirmSelectOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::tcp::{OwnedIdentity, OwnedTLSConfig};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use rmqplay::io::serve::{
    AmqpListener, CertificateLogin, ListenAddress, ServeHandle, ServerTls, ServerTlsFiles, bind, start_serving,
};
use rmqplay::model::{Origins, Permission, Profile, Topology, User, Vhost};
use rmqplay::serve::ServedBroker;
use std::fmt::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(60);

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

pub fn run(test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(LIMIT, test).await.expect("in time") });
}

pub async fn connect(port: u16, login: &str, vhost: &str) -> Result<Connection, lapin::Error> {
    Connection::connect(&format!("amqp://{login}@127.0.0.1:{port}/{vhost}"), ConnectionProperties::default()).await
}

/// What lapin is told while it declares, publishes, consumes and does what is wrong; the same by every broker.
async fn session(port: u16, vhost: &str) -> String {
    let mut told = String::new();
    let connection = connect(port, "guest:guest", vhost).await.expect("a connection");
    let channel = connection.create_channel().await.expect("a channel");
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let mut limits = FieldTable::default();
    limits.insert("x-max-length".into(), 102.into());
    limits.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    let queue = channel.queue_declare("q".into(), durable, limits).await.expect("a queue");
    let _ = writeln!(told, "declared {} {}", queue.message_count(), queue.consumer_count());
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");

    let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let mut acked = 0;
    for n in 0..104_u32 {
        let body = vec![n as u8; (n as usize) * 3_000];
        let properties = BasicProperties::default().with_delivery_mode(2).with_message_id(n.to_string().into());
        let confirm = channel.basic_publish("".into(), "q".into(), mandatory, &body, properties).await.expect("sent");
        acked += u32::from(confirm.await.expect("an answer").is_ack());
    }
    let _ = writeln!(told, "acked {acked}, refused {}", 104 - acked);
    let returned = channel.basic_publish("".into(), "no".into(), mandatory, b"x", BasicProperties::default());
    let returned = returned.await.expect("sent").await.expect("confirmed").take_message().expect("returned");
    let _ = writeln!(told, "returned {} {}", returned.reply_code, returned.reply_text);

    let options = BasicConsumeOptions::default();
    let consumer = channel.basic_consume("q".into(), "c".into(), options, FieldTable::default());
    let mut consumer = consumer.await.expect("consumes");
    let mut bytes = 0;
    for n in 0..acked {
        let delivery = consumer.next().await.expect("a delivery").expect("no error");
        assert_eq!(delivery.delivery_tag, u64::from(n) + 1);
        assert!(delivery.data.iter().all(|byte| *byte == n as u8), "the body of {n}");
        bytes += delivery.data.len();
        if n + 1 < acked {
            channel.basic_ack(delivery.delivery_tag, BasicAckOptions::default()).await.expect("acked");
        } else {
            let options = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
            channel.basic_nack(delivery.delivery_tag, options).await.expect("nacked");
        }
    }
    let again = consumer.next().await.expect("a delivery").expect("no error");
    let _ = writeln!(told, "{bytes} bytes, again {} {:?}", again.redelivered, again.properties.message_id());
    channel.basic_ack(again.delivery_tag, BasicAckOptions::default()).await.expect("acked");
    let got = channel.basic_get("q".into(), BasicGetOptions::default()).await.expect("an answer");
    let _ = writeln!(told, "got {}", got.is_some());

    for (what, refused) in [
        ("other arguments", declare(&connection, "q", durable).await),
        ("missing", declare(&connection, "none", QueueDeclareOptions { passive: true, ..durable }).await),
        ("reserved", declare(&connection, "amq.mine", durable).await),
        ("exclusive", declare(&connection, "q", QueueDeclareOptions { exclusive: true, ..durable }).await),
    ] {
        let _ = writeln!(told, "{what}: {refused}");
    }
    let other = connection.create_channel().await.expect("a channel");
    other.queue_delete("q".into(), QueueDeleteOptions::default()).await.expect("deleted");
    let _ = writeln!(told, "the consumer's stream is over: {}", consumer.next().await.is_none());
    connection.close(200, "bye".into()).await.expect("closed");

    let refused = connect(port, "guest:wrong", vhost).await.expect_err("a wrong password");
    let _ = writeln!(told, "a wrong password: {refused}");
    let refused = connect(port, "guest:guest", "missing").await.expect_err("no vhost");
    let _ = writeln!(told, "a vhost that is not there: {refused}");
    told.replace(&format!("vhost '{}'", vhost.replace("%2f", "/")), "vhost 'V'")
}

/// Declares a queue on a channel of its own, and returns what is said against it.
async fn declare(connection: &Connection, name: &str, options: QueueDeclareOptions) -> String {
    let channel = connection.create_channel().await.expect("a channel");
    match channel.queue_declare(name.into(), options, FieldTable::default()).await {
        Ok(_) => "nothing".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn lapin_is_told_what_is_kept_by_every_version() {
    run(async {
        for profile in Profile::ALL {
            let said = session(serve(profile).port, "%2f").await;
            golden::check(&kept("lapin"), &said).unwrap_or_else(|difference| panic!("{profile}: {difference}"));
        }
    });
}

pub mod live {
    use super::*;

    #[test]
    fn lapin_is_told_what_is_kept_by_real_brokers() {
        for broker in brokers::brokers("lapin's session") {
            let place = broker.url.rsplit('@').next().expect("a place").trim_end_matches('/').to_owned();
            let port = place.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
            rmqplay::io::install_crypto();
            let stage = talk::Live::new(&place);
            let vhost = stage.vhost();
            run(async move {
                let said = session(port, &vhost).await;
                golden::check(&kept("lapin"), &said)
                    .unwrap_or_else(|difference| panic!("{}: {difference}", broker.version));
            });
        }
    }
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

/// The certificates that are served in tests.
fn certificate(name: &str) -> String {
    format!("{}/tests/commands/serve/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn lapin_speaks_tls_and_its_certificate_logs_it_in() {
    rmqplay::io::install_crypto();
    let files = ServerTlsFiles {
        cert: certificate("server.pem"),
        key: certificate("server.key"),
        ca: Some(certificate("ca.pem")),
        login_from: CertificateLogin::DistinguishedName,
    };
    let user = User {
        name: "CN=rmqplay-client".into(),
        credential: None,
        tags: Vec::new(),
        limits: std::collections::BTreeMap::new(),
    };
    let all = Permission {
        user: user.name.clone(),
        vhost: "/".into(),
        configure: ".*".into(),
        write: ".*".into(),
        read: ".*".into(),
    };
    let topology = Topology {
        vhosts: vec![Vhost { name: "/".into(), ..Vhost::default() }],
        users: vec![user],
        permissions: vec![all],
        ..Topology::default()
    };
    let socket = bind(&ListenAddress { host: "127.0.0.1".to_owned(), port: 0 }, false).expect("a free port");
    let port = socket.local_addr().expect("an address").port();
    let tls = ServerTls::read(&files).expect("certificates");
    let host = ServedBroker::new(Profile::NEWEST.into(), &topology, &Origins::new(), 1_700_000_000);
    let (_handle, _) = start_serving(host, vec![AmqpListener { socket, tls: Some(tls) }]).expect("a thread");
    run(async move {
        let read = |name: &str| std::fs::read(certificate(name)).expect("a file");
        let config = |shows: bool| OwnedTLSConfig {
            identity: shows.then(|| OwnedIdentity::PKCS8 { pem: read("client.pem"), key: read("client.key") }),
            cert_chain: Some(String::from_utf8(read("ca.pem")).expect("PEM")),
        };
        let connect = async |login: &str, mechanism: &str, shows: bool| {
            let url = format!("amqps://{login}localhost:{port}/%2f?auth_mechanism={mechanism}");
            let runtime = lapin::runtime::default_runtime().expect("a runtime");
            Connection::connect_with_config(&url, ConnectionProperties::default(), config(shows), runtime).await
        };
        let connection = connect("", "external", true).await.expect("a connection");
        let channel = connection.create_channel().await.expect("a channel");
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare("q".into(), options, FieldTable::default()).await.expect("a queue");
        channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
        for n in 0..40_u8 {
            let body = vec![n; usize::from(n) * 40_000];
            let sent = channel.basic_publish(
                "".into(),
                "q".into(),
                BasicPublishOptions::default(),
                &body,
                BasicProperties::default(),
            );
            assert!(sent.await.expect("sent").await.expect("confirmed").is_ack());
        }
        let consumer =
            channel.basic_consume("q".into(), "c".into(), BasicConsumeOptions::default(), FieldTable::default());
        let mut consumer = consumer.await.expect("consumes");
        for n in 0..40_u8 {
            let delivery = consumer.next().await.expect("a delivery").expect("no error");
            assert_eq!(
                (delivery.data.len(), delivery.data.iter().all(|byte| *byte == n)),
                (usize::from(n) * 40_000, true)
            );
            channel.basic_ack(delivery.delivery_tag, BasicAckOptions::default()).await.expect("acked");
        }
        connection.close(200, "bye".into()).await.expect("closed");
        let refused = connect("", "external", false).await.expect_err("no certificate").to_string();
        assert!(refused.contains("Login was refused using authentication mechanism EXTERNAL"), "{refused}");
        let refused = connect("guest:guest@", "plain", false).await.expect_err("no such user").to_string();
        assert!(refused.contains("Login was refused using authentication mechanism PLAIN"), "{refused}");
    });
}

#[test]
fn an_interrupt_closes_connections_with_320() {
    let folder = tempfile::tempdir().expect("a folder");
    let ready = folder.path().join("ready.json");
    let mut command = program::rmqplay();
    command.args(["serve", "--quiet", "--listen", "127.0.0.1:0", "--ready-file"]).arg(&ready).stdout(Stdio::null());
    let mut served = command.spawn().expect("rmqplay runs");
    let end = Instant::now() + LIMIT;
    let told = loop {
        match std::fs::read_to_string(&ready) {
            Ok(told) => break told,
            Err(_) => assert!(Instant::now() < end, "it does not come up"),
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    let place = told["amqp"][0].as_str().and_then(|url| url.strip_prefix("amqp://")).expect("an address").to_owned();
    let mut link = talk::Remote::new(&place);
    let mut talk = talk::Talk::new(&mut link);
    talk.open();
    talk.transcript.clear();
    let id = served.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().expect("kill runs").success());
    talk.bytes("Ctrl-C", &[]);
    let text = "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'";
    assert!(talk.transcript.contains(&format!("reply_code: 320, reply_text: {text:?}")), "{}", talk.transcript);
    assert_eq!(served.wait().expect("an end").code(), Some(130));
}
