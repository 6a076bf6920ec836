//! Which brokers a command means: `sim`, a profile, a URL, or what the environment says.

use crate::cli::ExitCode;
use crate::cli::terminal::Terminal;
use crate::io::{Address, BROKERS_FILE, BadAddress, Disk, KnownBrokers};
use crate::model::Profile;
use crate::rules::{DeprecatedFeature, Edition, Permits};

/// A broker to play on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlayedOn {
    Sim(Edition),
    Live(Box<LiveTarget>),
}

/// A live broker to play on.
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

/// Why no broker is meant: a slip in the arguments, or a bad file.
#[derive(Debug)]
pub struct NoBroker {
    message: String,
    code: ExitCode,
}

impl NoBroker {
    /// Complains, and gives the exit code.
    pub fn emit(&self, terminal: &Terminal) -> ExitCode {
        terminal.usage(&self.message);
        self.code
    }

    fn bad_file(message: String) -> Self {
        Self { message, code: ExitCode::BadFile }
    }
}

impl From<String> for NoBroker {
    fn from(message: String) -> Self {
        Self { message, code: ExitCode::Usage }
    }
}

/// The variable that `env` stands for.
const VARIABLE: &str = "RABBITMQ_URL";

/// Reads the variable; an empty one is not set.
fn environment() -> Option<String> {
    std::env::var(VARIABLE).ok().filter(|url| !url.trim().is_empty())
}

fn not_set() -> NoBroker {
    format!("--broker env reads {VARIABLE}, and that is not set").into()
}

/// Where commands go without `--broker` and `RABBITMQ_URL`.
const LOCAL: &str = "amqp://guest:guest@localhost:5672";

impl PlayedOn {
    /// Reads one `--broker`; an error says what it may be.
    pub fn parse(text: &str, management: Option<&str>) -> Result<Self, NoBroker> {
        if text == "sim" {
            return Ok(PlayedOn::Sim(Profile::NEWEST.into()));
        }
        if let Some(profile) = text.strip_prefix("sim:") {
            return Ok(PlayedOn::Sim(profile.parse::<Profile>()?.into()));
        }
        if text == "env" {
            let url = environment().ok_or_else(not_set)?;
            let address = of_environment(&url, management)?;
            return Ok(live_target(address, Some(text)));
        }
        if text.contains("://") {
            return Ok(live_target(address(text, management)?, None));
        }
        let (disk, known) = known_brokers()?;
        if let Some(address) = known.address(text, &disk) {
            let address = managed(address.map_err(NoBroker::bad_file)?, management)?;
            return Ok(live_target(address, Some(text)));
        }
        // Whatever stands before an @ may be a password.
        let (login, shown) = text.rsplit_once('@').map_or((false, text), |(_, place)| (true, place));
        let near =
            ["sim", "env"].into_iter().chain(known.names()).find(|word| strsim::damerau_levenshtein(word, text) <= 2);
        let near = near.map_or(String::new(), |word| format!("; did you mean `{word}`?"));
        if login || text.contains(':') {
            let missing = "a URL begins with amqp:// or amqps://";
            return Err(format!("`{shown}` is no broker: {missing}, as in amqp://USER:PASSWORD@{shown}").into());
        }
        Err(format!(
            "`{shown}` is no broker: give sim, sim:3.10, sim:4.0, sim:4.3, an amqp:// URL, env, or a name of {BROKERS_FILE}{near}"
        )
        .into())
    }
}

/// Reads which deprecated features the simulated broker permits: those of --permit and those of `rmqplay.yaml`.
pub fn permits(flags: &[String]) -> Result<Permits, NoBroker> {
    let of_file = known_brokers()?.1.permits();
    let of_flags = flags.iter().map(|name| name.parse::<DeprecatedFeature>()).collect::<Result<Permits, String>>();
    Ok(of_file.iter().chain(of_flags.map_err(|why| format!("--permit: {why}"))?.iter()).collect())
}

/// Takes an address as a broker to play on; what the environment says of its restart holds where nothing else does.
fn live_target(address: Address, word: Option<&str>) -> PlayedOn {
    let restart = address.restart.clone().or_else(|| std::env::var("RMQPLAY_RESTART").ok());
    let address = Address { restart: restart.filter(|command| !command.trim().is_empty()), ..address };
    let argument = word.map_or_else(|| address.argument(), str::to_owned);
    PlayedOn::Live(Box::new(LiveTarget { address, argument }))
}

fn known_brokers() -> Result<(Disk, KnownBrokers), NoBroker> {
    let disk = Disk::here();
    let known = KnownBrokers::read(&disk).map_err(NoBroker::bad_file)?;
    Ok((disk, known))
}

fn address(url: &str, management: Option<&str>) -> Result<Address, String> {
    let address: Result<Address, BadAddress> = url.parse();
    address.map_err(in_words).and_then(|address| managed(address, management))
}

/// Reads the URL of the environment, and names the variable when it is none.
fn of_environment(url: &str, management: Option<&str>) -> Result<Address, NoBroker> {
    let address: Result<Address, BadAddress> = url.parse();
    let address = address.map_err(|bad| format!("{VARIABLE}: {}", in_words(bad)))?;
    Ok(managed(address, management)?)
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
pub fn one_broker(flag: Option<&str>, management: Option<&str>) -> Result<Address, NoBroker> {
    let url = match (flag, environment()) {
        (Some("env"), None) => return Err(not_set()),
        (Some("env") | None, Some(url)) => return of_environment(&url, management),
        (Some(flag), _) => flag,
        (None, None) => LOCAL,
    };
    if url.starts_with("sim") {
        return Err("this command works on a live broker: give an amqp:// URL".to_owned().into());
    }
    if !url.contains("://") {
        let (disk, known) = known_brokers()?;
        if let Some(address) = known.address(url, &disk) {
            return Ok(managed(address.map_err(NoBroker::bad_file)?, management)?);
        }
    }
    Ok(address(url, management)?)
}
