//! Which brokers a command means: `sim`, a profile, a URL, a name of a file, or what the environment says.

use crate::cli::ExitCode;
use crate::cli::arguments::OneBroker;
use crate::cli::terminal::Terminal;
use crate::io::{Address, BROKERS_FILE, BadAddress, Disk, KnownBrokers, node, of_environment};
use crate::model::Profile;
use crate::rules::{DeprecatedFeature, Edition, Permits, Plugin, Plugins};
use crate::source::{Help, nearest_name, without_passwords_in_urls};
use std::path::Path;

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
    messages: Vec<String>,
    code: ExitCode,
}

impl NoBroker {
    /// Complains, and gives the exit code.
    pub fn emit(&self, terminal: &Terminal) -> ExitCode {
        self.messages.iter().for_each(|message| {
            terminal.usage(message);
        });
        self.code
    }

    /// Makes one of several; a bad file counts more than a slip, and what is said twice is said once.
    fn all(several: Vec<Self>) -> Option<Self> {
        let code = several.iter().map(|one| one.code).find(|code| *code == ExitCode::BadFile);
        let code = code.or_else(|| several.first().map(|one| one.code))?;
        let mut messages: Vec<String> = Vec::new();
        for message in several.into_iter().flat_map(|one| one.messages) {
            if !messages.contains(&message) {
                messages.push(message);
            }
        }
        Some(Self { messages, code })
    }

    fn bad_file(message: String) -> Self {
        Self { messages: vec![message], code: ExitCode::BadFile }
    }
}

impl From<String> for NoBroker {
    fn from(message: String) -> Self {
        Self { messages: vec![message], code: ExitCode::Usage }
    }
}

/// What stands before the name of a node of rabbitmqadmin's file.
const NODE: &str = "node:";

fn not_set() -> NoBroker {
    "--broker env reads RABBITMQ_URL, or RABBITMQ_HOST, _PORT, _USER, _PASSWORD and _VHOST, and none is set"
        .to_owned()
        .into()
}

impl PlayedOn {
    /// Reads one `--broker` and warns of what is not safe; an error says what it may be.
    pub fn parse(text: &str, management: Option<&str>, terminal: &Terminal) -> Result<Self, NoBroker> {
        let played_on = Self::read(text, management)?;
        if let PlayedOn::Live(target) = &played_on {
            warn(&target.address, terminal);
        }
        Ok(played_on)
    }

    fn read(text: &str, management: Option<&str>) -> Result<Self, NoBroker> {
        if text == "sim" {
            return Ok(PlayedOn::Sim(Profile::NEWEST.into()));
        }
        if let Some(profile) = text.strip_prefix("sim:") {
            return Ok(PlayedOn::Sim(profile.parse::<Profile>()?.into()));
        }
        let (disk, known) = known_brokers()?;
        if let Some(address) = live_address(text, management, &disk, &known)? {
            let word = (!text.contains("://")).then_some(text);
            return Ok(live_target(address, word));
        }
        if let Some(meant) = simulated(text) {
            return Err(format!("`{text}` is no broker; {}", Help::did_you_mean(meant)).into());
        }
        let profiles: String = Profile::ALL.iter().map(|profile| format!("sim:{profile}, ")).collect();
        Err(unknown(text, &["sim", "env"], &known, &format!("sim, {profiles}")))
    }
}

/// Reads several `--broker`, each once, and warns of what is not safe; an error says all that is wrong with them.
pub fn brokers(words: &[String], management: Option<&str>, terminal: &Terminal) -> Result<Vec<PlayedOn>, NoBroker> {
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for word in words {
        match PlayedOn::parse(word, management, terminal) {
            Ok(broker) if found.contains(&broker) => {}
            Ok(broker) => found.push(broker),
            Err(why) => wrong.push(why),
        }
    }
    NoBroker::all(wrong).map_or(Ok(found), Err)
}

/// Returns why a word names no broker.
pub fn why_no_broker(word: &str) -> Option<String> {
    PlayedOn::read(word, None).err().map(|why| why.messages.join("; "))
}

/// Returns the simulated broker that a word may mean: a version alone, or `sim` with another sign before it.
fn simulated(text: &str) -> Option<String> {
    let plain = text.trim().to_lowercase();
    let of_profile = |version: &str| version.parse::<Profile>().ok().map(|profile| format!("sim:{profile}"));
    if let Some(meant) = of_profile(plain.trim_start_matches('v')) {
        return Some(meant);
    }
    let words = ["simulator", "simulated", "simulation", "sim", "rabbitmq", "local-sim", "memory", "mock"];
    let rest = words.iter().find_map(|word| plain.strip_prefix(word))?;
    match rest.trim_start_matches(['-', '@', '/', '=', ':', ' ', '_', 'v']) {
        // A host may have this name.
        "" if plain == "rabbitmq" => None,
        "" => Some("sim".to_owned()),
        version => of_profile(version),
    }
}

/// Returns why a word names no broker; it knows the nearest that does.
fn unknown(text: &str, words: &[&str], known: &KnownBrokers, others: &str) -> NoBroker {
    // Whatever stands before an @ may be a password.
    let (login, shown) = text.rsplit_once('@').map_or((false, text), |(_, place)| (true, place));
    let is_host = text.eq_ignore_ascii_case("localhost") || shown.parse::<std::net::IpAddr>().is_ok();
    if login || is_host || text.contains(':') {
        let missing = "a URL begins with amqp:// or amqps://";
        return format!("`{shown}` is no broker: {missing}, as in amqp://USER:PASSWORD@{shown}").into();
    }
    let near = nearest_name(text, words.iter().copied().chain(known.names()));
    let near = near.map_or(String::new(), |word| format!("; {}", Help::did_you_mean(word)));
    let give = format!("give {others}an amqp:// URL, env, node:NAME, or a name of {BROKERS_FILE}");
    format!("`{shown}` is no broker: {give}{near}").into()
}

/// Returns what stands where a file should and names a broker, without its password: a URL, or a name of `rmqplay.yaml`
/// that no file has.
pub fn broker_for_a_file(word: &Path) -> Option<String> {
    let text = word.to_str()?;
    if text.contains("://") {
        let shown = text.parse::<Address>().map(|address| address.argument());
        return Some(shown.unwrap_or_else(|_| without_passwords_in_urls(text)));
    }
    let is_known = || known_brokers().is_ok_and(|(_, known)| known.names().any(|name| name == text));
    (!word.exists() && is_known()).then(|| text.to_owned())
}

/// Reads which deprecated features the simulated broker permits: those of --permit and those of `rmqplay.yaml`.
pub fn permits(flags: &[String]) -> Result<Permits, NoBroker> {
    let of_file = known_brokers()?.1.permits();
    let of_flags = flags.iter().map(|name| name.parse::<DeprecatedFeature>()).collect::<Result<Permits, String>>();
    Ok(of_file.iter().chain(of_flags.map_err(|why| format!("--permit: {why}"))?.iter()).collect())
}

/// Reads which plugins the simulated broker has enabled: those of --plugins and those of `rmqplay.yaml`.
pub fn plugins(flags: &[String]) -> Result<Plugins, NoBroker> {
    let of_file = known_brokers()?.1.plugins();
    let of_flags = flags.iter().map(|name| name.parse::<Plugin>()).collect::<Result<Plugins, String>>();
    Ok(of_file.with(of_flags.map_err(|why| format!("--plugins: {why}"))?))
}

/// Takes an address as a broker to play on; what the environment says of its restart and its nodes holds where nothing
/// else does.
fn live_target(address: Address, word: Option<&str>) -> PlayedOn {
    let command = |of_file: &Option<String>, variable: &str| {
        let command = of_file.clone().or_else(|| std::env::var(variable).ok());
        command.filter(|command| !command.trim().is_empty())
    };
    let (restart, node) = (command(&address.restart, "RMQPLAY_RESTART"), command(&address.node, "RMQPLAY_NODE"));
    let address = Address { restart, node, ..address };
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

fn managed(address: Address, management: Option<&str>) -> Result<Address, String> {
    match management {
        Some(management) => address.with_management(management).map_err(in_words),
        None => Ok(address),
    }
}

fn in_words(bad: BadAddress) -> String {
    format!("{}\n  help: {}", bad.message, bad.help)
}

/// Finds the broker of a command that works on one, and warns of what is not safe.
pub fn one_broker(named: &OneBroker, terminal: &Terminal) -> Result<Address, NoBroker> {
    let management = named.management.as_deref();
    let word = match (&named.node, &named.broker) {
        (Some(name), _) => Some(format!("{NODE}{name}")),
        (None, word) => word.clone(),
    };
    let address = match word.as_deref() {
        None => of_environment(&Disk::here()).unwrap_or_else(|| Ok(Address::default())),
        Some(word) if word.starts_with("sim") && !word.contains("://") => {
            return Err(
                "this command works on a live broker: give an amqp:// URL; `rmqplay run` plays on the simulated one"
                    .to_owned()
                    .into(),
            );
        }
        Some(word) => {
            let (disk, known) = known_brokers()?;
            let found = live_address(word, management, &disk, &known)?;
            let found = found.ok_or_else(|| unknown(word, &["env"], &known, ""))?;
            warn(&found, terminal);
            return Ok(found);
        }
    };
    let found = checked(managed(address.map_err(in_words)?, management)?)?;
    warn(&found, terminal);
    Ok(found)
}

/// Finds a live broker by the word that names it; `None` when the word is none.
fn live_address(
    word: &str,
    management: Option<&str>,
    disk: &Disk,
    known: &KnownBrokers,
) -> Result<Option<Address>, NoBroker> {
    let found = if word == "env" {
        of_environment(disk).ok_or_else(not_set)?.map_err(in_words)?
    } else if let Some(name) = word.strip_prefix(NODE) {
        node(name, disk).map_err(|bad| NoBroker::bad_file(bad.to_string()))?
    } else if word.contains("://") {
        address(word, None)?
    } else {
        match known.address(word, disk) {
            None => return Ok(None),
            Some(found) => found.map_err(NoBroker::bad_file)?,
        }
    };
    Ok(Some(checked(managed(found, management)?)?))
}

/// Refuses what is set for TLS where there is none.
fn checked(address: Address) -> Result<Address, String> {
    match address.tls_in_vain() {
        Some(bad) => Err(in_words(bad)),
        None => Ok(address),
    }
}

/// Warns, each time, of a broker that anybody can pass for.
fn warn(address: &Address, terminal: &Terminal) {
    if address.tls_options.unchecked && (address.tls || address.has_management_tls()) {
        terminal.warning(&format!(
            "verify=verify_none: nobody checks that {} is the broker; whoever answers there is sent the password",
            address.place()
        ));
    }
}
