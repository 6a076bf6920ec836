//! The brokers that `rmqplay.yaml` names: a URL each, and what can be done with it.
//! `brokers: {staging: {url: "{{ env.STAGING_URL }}", restart: systemctl restart rabbitmq-server}}`. Never shows a URL.
//! `permit: [transient_nonexcl_queues]` names deprecated features that the simulated broker permits, `plugins` what it has
//! enabled. `profiles` is read by `run_profiles`.

use crate::io::address::{Address, BadAddress, PARAMETERS};
use crate::io::config_file::{BROKERS_FILE, rendered, sets};
use crate::io::files::Disk;
use crate::io::run_profiles::RunProfiles;
use crate::language::{Word, WordGroup, suggest};
use crate::model::Secret;
use crate::rules::{DeprecatedFeature, Permits, Plugin, Plugins};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;

/// What the file says, still to be read broker by broker.
#[derive(Debug, Clone, Default)]
pub struct KnownBrokers {
    brokers: BTreeMap<String, Json>,
    permits: Permits,
    plugins: Plugins,
    profiles: RunProfiles,
    text: String,
}

impl KnownBrokers {
    /// Reads the file; without one there are no names.
    ///
    /// # Errors
    /// It cannot be read, or is not of the right form.
    pub fn read(disk: &Disk) -> Result<Self, String> {
        if !disk.has(BROKERS_FILE) {
            return Ok(Self::default());
        }
        let bytes = disk.read(BROKERS_FILE).map_err(|error| format!("cannot read {BROKERS_FILE}: {error}"))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let whole: Json = serde_yaml::from_slice(&bytes).map_err(|error| format!("{BROKERS_FILE}: {error}"))?;
        let Json::Object(mut whole) = whole else { return Err(form(1, "it is a map with the key `brokers`")) };
        let brokers = whole.remove("brokers").unwrap_or(Json::Object(Default::default()));
        let permits =
            match whole.remove("permit").as_ref().map(|names| read_names::<DeprecatedFeature, _>("permit", names)) {
                None => Permits::NONE,
                Some(read) => read.map_err(|why| form(line_of(&text, "permit"), &why))?,
            };
        let plugins = match whole.remove("plugins").as_ref().map(|names| read_names::<Plugin, _>("plugins", names)) {
            None => Plugins::NONE,
            Some(read) => read.map_err(|why| form(line_of(&text, "plugins"), &why))?,
        };
        let profiles =
            RunProfiles::of(whole.remove("profiles"), &text).map_err(|why| form(line_of(&text, "profiles"), &why))?;
        if let Some(key) = whole.keys().next() {
            let known = WordGroup::named("config").map_or(&[][..], |group| group.words).iter().map(Word::key);
            let what = format!("it knows no key `{key}`; {}", suggest(key, known, "there are"));
            return Err(form(line_of(&text, key), &what));
        }
        match brokers {
            Json::Object(brokers) => {
                Ok(Self { brokers: brokers.into_iter().collect(), permits, plugins, profiles, text })
            }
            _ => Err(form(line_of(&text, "brokers"), "`brokers` is a map of names and brokers")),
        }
    }

    /// Returns the deprecated features that the simulated broker permits.
    pub fn permits(&self) -> Permits {
        self.permits
    }

    /// Returns the plugins that the simulated broker has enabled.
    pub fn plugins(&self) -> Plugins {
        self.plugins
    }

    /// Returns the profiles of `run`.
    pub fn profiles(&self) -> &RunProfiles {
        &self.profiles
    }

    /// Lists the names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.brokers.keys().map(String::as_str)
    }

    /// Returns the address of a broker; `None` when no broker has that name.
    ///
    /// # Errors
    /// Its entry says what cannot be.
    pub fn address(&self, name: &str, disk: &Disk) -> Option<Result<Address, String>> {
        let entry = self.brokers.get(name)?;
        Some(
            read_entry(entry, disk)
                .map_err(|why| form(line_of(&self.text, name), &format!("broker `{name}`: {why}")))
                .map(|address| Address { name: Some(name.to_owned()), ..address }),
        )
    }
}

/// Reads a list of names under a key: deprecated features, or plugins.
fn read_names<Named: FromStr<Err = String>, Set: FromIterator<Named>>(key: &str, names: &Json) -> Result<Set, String> {
    let what = if key == "permit" { "deprecated features" } else { "plugins" };
    let form = || format!("`{key}` is a list of {what}");
    let Json::Array(names) = names else { return Err(form()) };
    let read = |name: &Json| match name {
        Json::String(name) => name.parse::<Named>().map_err(|why| format!("`{key}`: {why}")),
        _ => Err(form()),
    };
    names.iter().map(read).collect()
}

fn form(line: usize, what: &str) -> String {
    format!("{BROKERS_FILE}:{line}: {what}")
}

/// Returns the first line that sets a key, counted from 1; where none does (it is written in a flow map), the first.
fn line_of(text: &str, key: &str) -> usize {
    text.lines().position(|line| sets(line, key)).map_or(1, |at| at + 1)
}

/// Lists the keys of a broker, the parameters of its URL among them.
fn keys() -> impl Iterator<Item = &'static str> + Clone {
    WordGroup::named("broker").map_or(&[][..], |group| group.words).iter().map(Word::key)
}

/// Reads a broker; of a map all that is wrong is told.
fn read_entry(entry: &Json, disk: &Disk) -> Result<Address, String> {
    let fields = match entry {
        Json::String(url) => return parsed(&rendered(url, disk)?),
        Json::Object(fields) => fields,
        _ => return Err("it is a URL, or a map with `url`".to_owned()),
    };
    let mut wrong = Vec::new();
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    for (key, value) in fields {
        if !keys().any(|known| known == key) {
            let known = keys();
            wrong.push(format!("it knows no key `{key}`; {}", suggest(key, known, "there are")));
            continue;
        }
        let text = match value {
            Json::String(text) => rendered(text, disk),
            Json::Number(number) => Ok(number.to_string()),
            _ => Err("takes a text".to_owned()),
        };
        match text {
            Ok(text) => drop(texts.insert(key, text)),
            Err(why) => wrong.push(format!("`{key}`: {why}")),
        }
    }
    let address = match texts.get("url") {
        Some(url) => parsed(url),
        None if fields.contains_key("url") => Ok(Address::default()),
        None => Err("it needs `url: amqp://USER:PASSWORD@HOST:PORT`".to_owned()),
    };
    let address = address.and_then(|address| completed(address, &texts)).map_err(|why| wrong.push(why));
    match address {
        Ok(address) if wrong.is_empty() => Ok(address),
        _ => Err(wrong.join("; ")),
    }
}

/// Sets what stands beside the URL.
fn completed(mut address: Address, texts: &BTreeMap<&str, String>) -> Result<Address, String> {
    let text = |key: &str| texts.get(key).cloned();
    let pairs = PARAMETERS.iter().filter_map(|key| Some((Cow::Borrowed(*key), Cow::Owned(text(key)?))));
    address.set_all(pairs).map_err(in_one_line)?;
    address.user = text("username").unwrap_or(address.user);
    address.password = text("password").map_or(address.password, Secret::new);
    address.vhost = text("vhost").or(address.vhost);
    address.restart = text("restart");
    address.node = text("node");
    match text("management") {
        Some(management) => address.with_management(&management).map_err(|bad| bad.message),
        None => Ok(address),
    }
}

fn parsed(url: &str) -> Result<Address, String> {
    url.parse().map_err(in_one_line)
}

fn in_one_line(bad: BadAddress) -> String {
    format!("{} ({})", bad.message, bad.help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_found_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |text: &str| crate::io::write_atomically(&folder.path().join(BROKERS_FILE), text).expect("written");
        let disk = Disk::at(folder.path(), BTreeMap::from([("SECRET".to_owned(), "s3".to_owned())]));
        write(
            "brokers:\n  a: amqp://localhost\n  b: {url: 'amqp://u:{{ env.SECRET }}@h:1', restart: 'true'}\n  c: {rul: x}\n",
        );
        let known = KnownBrokers::read(&disk).expect("a file");
        assert_eq!(known.names().collect::<Vec<_>>(), ["a", "b", "c"]);
        let b = known.address("b", &disk).expect("b").expect("an address");
        assert_eq!((b.password.expose(), b.restart.as_deref(), b.name.as_deref()), ("s3", Some("true"), Some("b")));
        let c = known.address("c", &disk).expect("c").expect_err("a misspelt key");
        assert!(c.starts_with("rmqplay.yaml:4: ") && c.contains("`rul`"), "{c}");
        assert!(known.address("d", &disk).is_none());
        write(
            "brokers:\n  a: {url: amqps://h, username: u, password: '{{ env.SECRET }}', vhost: v, heartbeat: 5, cacertfile: ca.pem}\n\
             \x20 b: {url: amqps://h, verfy: verify_none, heartbeat: x}\n",
        );
        let known = KnownBrokers::read(&disk).expect("a file");
        let a = known.address("a", &disk).expect("a").expect("an address");
        assert_eq!(
            (a.argument().as_str(), a.password.expose()),
            ("amqps://u@h:5671/v?cacertfile=ca.pem&heartbeat=5", "s3")
        );
        let b = known.address("b", &disk).expect("b").expect_err("two slips");
        assert!(b.contains("did you mean `verify`?") && b.contains("`heartbeat`"), "{b}");
        let missing: Vec<&str> =
            PARAMETERS.into_iter().filter(|parameter| !keys().any(|key| key == *parameter)).collect();
        assert!(missing.is_empty(), "not in the table of words: {missing:?}");
        write("permit: [transient_nonexcl_queues]\n");
        let permits = KnownBrokers::read(&disk).expect("a file").permits();
        assert!(permits.contains(DeprecatedFeature::TransientNonexclQueues));
        write("brokers: {}\npermit: [transient]\n");
        let why = KnownBrokers::read(&disk).expect_err("no such feature");
        assert!(why.starts_with("rmqplay.yaml:2: "), "{why}");
        write("brokers: []\n");
        assert!(KnownBrokers::read(&disk).is_err());
    }
}
