//! The live brokers that tests may use: the URLs of `RMQPLAY_TEST_BROKERS`, each asked for its version.
//! Without them a live test reports `NOT RUN`; with `RMQPLAY_REQUIRE_BROKERS` set that is a failure.

use super::program;
use std::io::Write as _;
use std::sync::OnceLock;

/// One live broker.
#[derive(Debug, Clone)]
pub struct Broker {
    /// AMQP URL with the login.
    pub url: String,
    /// `3.10.8`.
    pub version: String,
}

/// Returns the brokers for a test and reports on which versions it runs; none without `RMQPLAY_TEST_BROKERS`.
///
/// # Panics
/// A broker is missing and `RMQPLAY_REQUIRE_BROKERS` is set, or one that is listed does not answer.
pub fn brokers(what: &str) -> Vec<Broker> {
    let brokers = listed();
    match brokers.is_empty() {
        true => not_run(what, "RMQPLAY_TEST_BROKERS is not set"),
        false => say(&format!("{what}: on RabbitMQ {}", versions(brokers))),
    }
    brokers.to_vec()
}

/// Returns the brokers that are listed.
///
/// # Panics
/// One does not answer.
pub fn listed() -> &'static [Broker] {
    static ANSWERED: OnceLock<Vec<Broker>> = OnceLock::new();
    let urls = std::env::var("RMQPLAY_TEST_BROKERS").unwrap_or_default();
    let urls = urls.split(',').map(str::trim).filter(|url| !url.is_empty());
    ANSWERED.get_or_init(|| urls.map(answering).collect())
}

/// Reports that a live test is not run.
///
/// # Panics
/// `RMQPLAY_REQUIRE_BROKERS` is set.
pub fn not_run(what: &str, why: &str) {
    assert!(!are_required(), "{what}: RMQPLAY_REQUIRE_BROKERS is set, and {why}");
    say(&format!("{what}: NOT RUN on live brokers: {why}"));
}

/// Writes to the terminal also when the test passes.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn versions(brokers: &[Broker]) -> String {
    brokers.iter().map(|broker| broker.version.as_str()).collect::<Vec<_>>().join(", ")
}

/// `CI` alone requires nothing: a fork without brokers passes all that needs none.
fn are_required() -> bool {
    std::env::var("RMQPLAY_REQUIRE_BROKERS").is_ok_and(|value| !["", "0", "false"].contains(&value.as_str()))
}

/// Waits for a broker and asks for its version.
fn answering(url: &str) -> Broker {
    let (ready, said) = program::finish(program::rmqplay().args(["wait", "--timeout", "30s", "--broker", url]));
    assert!(ready, "a broker of RMQPLAY_TEST_BROKERS does not answer: {said}");
    let name = said.split(" is ready").next().unwrap_or_default();
    let version = name.rsplit(' ').next().unwrap_or_default();
    assert!(version.starts_with(|c: char| c.is_ascii_digit()), "no version in: {said}");
    Broker { url: url.to_owned(), version: version.to_owned() }
}
