//! Which brokers a command means: `sim`, a profile, a URL, or what the environment says.

use crate::io::{Address, BROKERS_FILE, BadAddress, Disk, KnownBrokers};
use crate::model::Profile;

/// Is a broker to play on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Sim(Profile),
    Live(Box<LiveTarget>),
}

/// Is a live broker to play on.
#[derive(Debug, Clone)]
pub struct LiveTarget {
    pub address: Address,
    /// As `--broker` takes it: the word that was given, or a URL without its password.
    pub argument: String,
}

impl PartialEq for LiveTarget {
    /// Two words for one broker are one broker.
    fn eq(&self, other: &Self) -> bool {
        self.address == other.address
    }
}

impl Eq for LiveTarget {}

/// Is where commands go without `--broker` and `RABBITMQ_URL`.
const LOCAL: &str = "amqp://guest:guest@localhost:5672";

impl Target {
    /// Reads one `--broker`; an error says what it may be.
    pub fn parse(text: &str, management: Option<&str>) -> Result<Self, String> {
        if text == "sim" {
            return Ok(Target::Sim(Profile::NEWEST));
        }
        if let Some(profile) = text.strip_prefix("sim:") {
            return profile.parse().map(Target::Sim);
        }
        if text == "env" {
            let Ok(url) = std::env::var("RABBITMQ_URL") else {
                return Err("--broker env reads RABBITMQ_URL, and that is not set".to_owned());
            };
            return live(&url, management, Some(text));
        }
        if text.contains("://") {
            return live(text, management, None);
        }
        let (disk, known) = known_brokers()?;
        if let Some(address) = known.address(text, &disk) {
            return address
                .and_then(|address| managed(address, management))
                .map(|address| live_target(address, Some(text)));
        }
        // Whatever stands before an @ may be a password.
        let (login, shown) = text.rsplit_once('@').map_or((false, text), |(_, place)| (true, place));
        let near =
            ["sim", "env"].into_iter().chain(known.names()).find(|word| strsim::damerau_levenshtein(word, text) <= 2);
        let near = near.map_or(String::new(), |word| format!("; did you mean `{word}`?"));
        if login || text.contains(':') {
            let missing = "a URL begins with amqp:// or amqps://";
            return Err(format!("`{shown}` is no broker: {missing}, as in amqp://USER:PASSWORD@{shown}"));
        }
        Err(format!(
            "`{shown}` is no broker: give sim, sim:3.10, sim:4.0, sim:4.3, an amqp:// URL, env, or a name of {BROKERS_FILE}{near}"
        ))
    }
}

fn live(url: &str, management: Option<&str>, word: Option<&str>) -> Result<Target, String> {
    address(url, management).map(|address| live_target(address, word))
}

/// Takes an address as a broker to play on; what the environment says of its restart holds where nothing else does.
fn live_target(address: Address, word: Option<&str>) -> Target {
    let restart = address.restart.clone().or_else(|| std::env::var("RMQPLAY_RESTART").ok());
    let address = Address { restart: restart.filter(|command| !command.trim().is_empty()), ..address };
    let argument = word.map_or_else(|| address.argument(), str::to_owned);
    Target::Live(Box::new(LiveTarget { address, argument }))
}

fn known_brokers() -> Result<(Disk, KnownBrokers), String> {
    let disk = Disk::here();
    let known = KnownBrokers::read(&disk)?;
    Ok((disk, known))
}

fn address(url: &str, management: Option<&str>) -> Result<Address, String> {
    let address: Result<Address, BadAddress> = url.parse();
    address.map_err(in_words).and_then(|address| managed(address, management))
}

fn managed(address: Address, management: Option<&str>) -> Result<Address, String> {
    match management {
        Some(management) => address.with_management(management).map_err(in_words),
        None => Ok(address),
    }
}

fn in_words(bad: BadAddress) -> String {
    format!("{}\n  help: {}", bad.message, bad.help)
}

/// Finds the broker of `apply`, `wait` and `clean`: the flag, `RABBITMQ_URL`, or the local one.
pub fn one_broker(flag: Option<&str>, management: Option<&str>) -> Result<Address, String> {
    let environment = std::env::var("RABBITMQ_URL").ok();
    let url = match flag {
        Some("env") => environment.as_deref().ok_or("--broker env reads RABBITMQ_URL, and that is not set")?,
        Some(flag) => flag,
        None => environment.as_deref().unwrap_or(LOCAL),
    };
    if url.starts_with("sim") {
        return Err("this command works on a live broker: give an amqp:// URL".to_owned());
    }
    if !url.contains("://") {
        let (disk, known) = known_brokers()?;
        if let Some(address) = known.address(url, &disk) {
            return address.and_then(|address| managed(address, management));
        }
    }
    address(url, management)
}
