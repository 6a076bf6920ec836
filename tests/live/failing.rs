//! Failures of the environment: each names the place, says what happened, and what to try. None of them hangs.

use crate::proxy::Proxy;
use crate::script::Script;
use crate::stage::{Stage, brokers, queue_name, run};
use futures_util::FutureExt;
use rmqplay::broker::Command;
use rmqplay::io::live::{Live, LiveLimits, NameMapping, TestVhosts, check_login};
use rmqplay::io::management::ManagementClient;
use rmqplay::io::{Address, BrokerFailure, BrokerFailureKind, wait_until_ready};
use rmqplay::model::{Credential, Millis, Secret, User};
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(3);

#[test]
fn failures_say_what_is_wrong() {
    for address in brokers("failures say what is wrong") {
        run(async {
            logins(&address).await;
            let guard = TestVhosts::set_up(&address, &[], &["carol".into()]).await.expect("a user");
            let result = AssertUnwindSafe(rights(&address, &guard)).catch_unwind().await;
            guard.sweep().await.expect("swept");
            result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        });
    }
    if !brokers("closed ports").is_empty() {
        run(closed_ports());
    }
}

async fn logins(address: &Address) {
    let wrong = Address { password: Secret::new("wr0ng"), ..address.clone() };
    let login = BrokerFailureKind::BadLogin { user: address.user.clone() };
    let amqp = check_login(&wrong, Some("/"), SOON).await.expect_err("refused");
    assert_eq!(amqp.kind, login);
    assert_eq!(amqp.to_string(), format!("{wrong} refuses the login of '{}'", address.user));
    let http = Live::open(&wrong, NameMapping::identity(), &LiveLimits::default()).await.err().expect("refused");
    assert_eq!(http.kind, login);
    assert!(!format!("{http} {http:?} {amqp} {amqp:?}").contains("wr0ng"));
    let began = Instant::now();
    let waited = wait_until_ready(&wrong, Duration::from_secs(30)).await.expect_err("refused");
    assert!(waited.kind == login && began.elapsed() < SOON, "a wrong login is not waited for");

    let missing = check_login(address, Some("no such vhost"), SOON).await.expect_err("refused");
    assert_eq!(missing.kind, BrokerFailureKind::NotFound { what: "there is no vhost 'no such vhost'".into() });
    check_login(address, Some("/"), SOON).await.unwrap_or_else(|failure| panic!("{failure}"));
}

/// A user that may log in but has no tag, and no right in any vhost.
async fn rights(address: &Address, guard: &TestVhosts) {
    let name = guard.names().user(&"carol".into());
    let password = guard.names().password(&"carol".into()).expect("a password");
    let carol = Address { user: name.to_string(), password: password.clone(), ..address.clone() };
    let untagged = Live::open(&carol, NameMapping::identity(), &LiveLimits::default()).await.err().expect("refused");
    let BrokerFailureKind::NoRight { needed, to } = &untagged.kind else { panic!("{untagged:?}") };
    assert_eq!(needed, &format!("the tag `management` for user '{name}'"));
    assert_eq!(to, "read /overview");
    let door = check_login(&carol, Some("/"), SOON).await.expect_err("refused");
    assert!(matches!(door.kind, BrokerFailureKind::NoRight { .. }), "{door:?}");
    let tagged = User {
        name: name.clone(),
        credential: Some(Credential::Password(password)),
        tags: vec!["management".into()],
        limits: Default::default(),
    };
    let admin = ManagementClient::new(address).expect("a client");
    admin.put_user(&tagged).await.expect("tagged");
    let client = ManagementClient::new(&carol).expect("a client");
    client.overview().await.unwrap_or_else(|failure| panic!("{failure}"));
    let users = client.users().await.expect_err("refused");
    assert!(
        matches!(&users.kind, BrokerFailureKind::NoRight { needed, .. } if needed.contains("administrator")),
        "{users:?}"
    );
}

async fn closed_ports() {
    let closed: Address = "amqp://guest:guest@127.0.0.1:1".parse().expect("a URL");
    let began = Instant::now();
    let amqp = check_login(&closed, None, SOON).await.expect_err("closed");
    assert!(matches!(&amqp.kind, BrokerFailureKind::Unreachable { why } if why.contains("refused")), "{amqp:?}");
    assert!(amqp.to_string().starts_with("cannot reach amqp://guest@127.0.0.1:1: "), "{amqp}");
    let http = Live::open(&closed, NameMapping::identity(), &LiveLimits::default()).await.err().expect("closed");
    assert!(matches!(&http.kind, BrokerFailureKind::NoManagement { why } if why.contains("refused")), "{http:?}");
    assert_eq!(http.address, "http://127.0.0.1:10001");
    assert!(began.elapsed() < SOON);
    let waited = wait_until_ready(&closed, Duration::from_millis(600)).await.expect_err("closed");
    let text = waited.to_string();
    assert!(text.contains("AMQP: Connection refused") && text.contains("10001: Connection refused"), "{text}");
    let address = brokers("a port that is not the management API's").remove(0);
    let other = address.clone().with_management(&format!("http://{}", address.place())).expect("a URL");
    let strange = Live::open(&other, NameMapping::identity(), &LiveLimits::default()).await.err().expect("not HTTP");
    assert!(!strange.hint.is_empty(), "{strange:?}");
    let waited = wait_until_ready(&other, Duration::from_millis(900)).await.expect_err("not HTTP");
    assert!(waited.to_string().contains("AMQP answers, management does not"), "{waited}");
}

#[test]
fn a_broker_that_dies_ends_the_run() {
    for address in brokers("a broker that dies ends the run") {
        run(async {
            for doing in ["waiting", "publishing", "watching", "calling"] {
                dies(&address, doing).await;
            }
        });
    }
}

async fn dies(address: &Address, doing: &str) {
    let proxy = Proxy::before(address).await;
    let mut stage = Stage::set_up(&proxy.address).await;
    let (_, channel) = stage.open().await;
    stage.queue(channel, "q", "classic").await;
    stage.consume(channel, "q", 1).await;
    let mut commands = Vec::new();
    match doing {
        "publishing" => commands.extend((0..50_000).map(|n| stage.publish(channel, "", "q", &format!("m{n}")).1)),
        "watching" => commands.push(Command::Watch { queue: queue_name("q"), undisturbed: false }),
        "calling" => {
            let act = rmqplay::broker::Method::CheckQueue { queue: "q".into() };
            commands.extend((0..200_000).map(|_| {
                let request = stage.ids.request();
                Command::Call { request, channel, method: act.clone() }
            }));
        }
        _ => {}
    }
    let mut script = Script::new(stage.live.now(), commands, Millis(20_000), Box::new(|_| false));
    let began = Instant::now();
    let death = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        proxy.die();
    };
    let (ended, ()) = tokio::join!(stage.try_play(&mut script), death);
    let took = began.elapsed();
    stage.guard.sweep().await.unwrap_or_else(|failure| panic!("clean-up needs no AMQP: {failure}"));
    let failure: BrokerFailure = ended.expect_err("the broker is dead");
    let text = failure.to_string();
    assert!(took < SOON, "{doing}: {took:?}: {text}");
    assert!(text.contains(&proxy.address.place()), "{doing}: {text}");
    assert!(
        matches!(failure.kind, BrokerFailureKind::Broken { .. } | BrokerFailureKind::Unreachable { .. }),
        "{failure:?}"
    );
}
