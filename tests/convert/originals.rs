//! Definitions that a real broker imports: what RabbitMQ exports afterwards is what `import` and `export` make of the
//! original, and what RabbitMQ exports after importing that. The few differences are listed here, each with its reason.

use crate::brokers::Broker;
use crate::harness::{stem, test};
use crate::{import, written};
use libtest_mimic::Trial;
use rmqplay::convert::{DefinitionsForm, definitions};
use rmqplay::language::{ReadError, Settings, World, load_topology};
use rmqplay::model::{Profile, Version};
use rmqplay::source::Sources;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What every vhost, user and global parameter of an original begins with.
const PREFIX: &str = "convert.";

/// Returns a test per original on one broker.
pub fn tests(broker: &Broker, originals: &[PathBuf]) -> Vec<Trial> {
    let one = |path: &PathBuf| {
        let (path, broker) = (path.clone(), broker.clone());
        test(format!("live::{}::{}", broker.version, stem(&path)), move || {
            exports_what_rabbitmq_exports(&path, &broker)
        })
    };
    originals.iter().map(one).collect()
}

fn exports_what_rabbitmq_exports(path: &Path, broker: &Broker) -> Result<(), String> {
    let version: Version = broker.version.parse().expect("a version");
    let profile = Profile::nearest(version);
    let api = Api::of(broker);
    let original: Json = serde_json::from_slice(&std::fs::read(path).expect("readable")).expect("JSON");
    let guard = Guard::new(&api, &original);
    api.post("/definitions", &original)?;
    let theirs = own_part(&api.get("/definitions")?, &original);
    drop(guard);
    let ours = converted(path, profile)?;
    let guard = Guard::new(&api, &original);
    api.post("/definitions", &ours)?;
    let again = own_part(&api.get("/definitions")?, &original);
    drop(guard);
    let (said, wanted) = (canonical(own_part(&ours, &original), profile), canonical(theirs.clone(), profile));
    if said != wanted {
        return Err(format!("export differs\n--- RabbitMQ\n{wanted:#}\n--- ours\n{said:#}"));
    }
    // Imported by RabbitMQ, both make the same, without any exception; but for the internal exchanges of 4.3, which its
    // export never shows.
    if sorted(again.clone()) != sorted(theirs.clone()) {
        return Err(format!("imports differ\n--- of the original\n{theirs:#}\n--- of ours\n{again:#}"));
    }
    Ok(())
}

/// Imports a file as `import` does, and exports what was written as `export` does.
fn converted(path: &Path, profile: Profile) -> Result<Json, String> {
    let (imported, said) = import(path);
    let (written, _) = written(&imported.ok_or(said)?);
    struct Held(Vec<(String, String)>);
    impl World for Held {
        fn read(&self, _path: &str) -> Result<Vec<u8>, ReadError> {
            Err(ReadError::NoFiles)
        }
        fn variable(&self, name: &str) -> Option<String> {
            self.0.iter().find(|(held, _)| held == name).map(|(_, value)| value.clone())
        }
    }
    let secrets = written.secrets.file();
    let held = secrets.lines().filter_map(|line| {
        let (name, value) = line.split_once("='")?;
        Some((name.to_owned(), value.strip_suffix('\'')?.to_owned()))
    });
    let held = Held(held.collect());
    let mut sources = Sources::default();
    let settings = Settings { judged_for: vec![profile], ..Settings::default() };
    let (loaded, problems) = load_topology(&mut sources, "written.yaml", written.text.as_bytes(), &held, &settings);
    let loaded = loaded.ok_or_else(|| format!("{problems:?}"))?;
    Ok(definitions(&loaded.topology, profile, &DefinitionsForm::Cluster, &mut || [1, 2, 3, 4]))
}

/// The lists of a definitions file that are compared.
const LISTS: [&str; 9] = [
    "users",
    "vhosts",
    "permissions",
    "topic_permissions",
    "parameters",
    "policies",
    "queues",
    "exchanges",
    "bindings",
];

/// Takes what belongs to the test: other tests use the broker too.
fn own_part(whole: &Json, original: &Json) -> Json {
    let names: Vec<&Json> = ["vhosts", "users"]
        .iter()
        .filter_map(|list| original[*list].as_array())
        .flatten()
        .map(|entry| &entry["name"])
        .collect();
    let mut part = serde_json::Map::new();
    for list in LISTS {
        let key = if matches!(list, "users" | "vhosts") { "name" } else { "vhost" };
        let entries = whole[list].as_array().cloned().unwrap_or_default();
        let own = entries.into_iter().filter(|entry| names.contains(&&entry[key]));
        // The importer gets rights in vhosts that it makes.
        let own = own.filter(|entry| entry.get("user").is_none_or(|user| names.contains(&user)));
        part.insert(list.to_owned(), own.collect());
    }
    Json::Object(part)
}

/// Leaves out the accepted differences, and sorts the lists.
fn canonical(mut part: Json, profile: Profile) -> Json {
    for vhost in part["vhosts"].as_array_mut().into_iter().flatten() {
        let vhost = vhost.as_object_mut().expect("an object");
        // 3.10 does not export what a vhost is described by; we do, so that it is not lost.
        if profile == Profile::V3_10 {
            vhost.retain(|key, _| key == "name");
        }
        // An empty description, no tags and the type classic are what every vhost has: nobody writes them.
        let is_usual = |key: &str, value: &Json| match key {
            "description" => value == "",
            "tags" => *value == json!([]),
            "default_queue_type" => value == "classic",
            "metadata" => *value == json!({}),
            _ => false,
        };
        if let Some(metadata) = vhost.get_mut("metadata").and_then(Json::as_object_mut) {
            metadata.retain(|key, value| !is_usual(key, value));
        }
        vhost.retain(|key, value| !is_usual(key, value));
    }
    // 4.3 exports neither internal exchanges nor the flag; its import takes both, and a plan needs them.
    if profile == Profile::V4_3 {
        let exchanges = part["exchanges"].as_array_mut().expect("a list");
        exchanges.retain(|exchange| exchange["internal"] != true);
        exchanges.iter_mut().for_each(|exchange| {
            exchange.as_object_mut().expect("an object").shift_remove("internal");
        });
    }
    sorted(part)
}

fn sorted(mut part: Json) -> Json {
    for list in LISTS {
        // Objects compare by value: each is written with its keys in order.
        let entries = part[list].as_array_mut().expect("a list");
        entries.sort_by_key(|entry| in_order(entry).to_string());
    }
    in_order(&part)
}

/// Writes an object with its keys in order.
fn in_order(json: &Json) -> Json {
    match json {
        Json::Object(map) => {
            let mut entries: Vec<(&String, &Json)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            Json::Object(entries.into_iter().map(|(key, value)| (key.clone(), in_order(value))).collect())
        }
        Json::Array(entries) => Json::Array(entries.iter().map(in_order).collect()),
        plain => plain.clone(),
    }
}

/// The management API of a test broker, by curl.
struct Api {
    base: String,
}

impl Api {
    /// The AMQP port + 10000, with the same login.
    fn of(broker: &Broker) -> Self {
        let (head, port) = broker.url.rsplit_once(':').expect("a port");
        let port: u32 = port.trim_end_matches('/').parse().expect("a number");
        Self { base: format!("{}:{}/api", head.replacen("amqp", "http", 1), port + 10_000) }
    }

    fn get(&self, path: &str) -> Result<Json, String> {
        let text = self.curl(&["-sf"], path, None)?;
        serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"))
    }

    fn post(&self, path: &str, body: &Json) -> Result<(), String> {
        let status = self.curl(&["-s", "-X", "POST", "-w", "\n%{http_code}"], path, Some(body))?;
        match status.rsplit_once('\n') {
            Some((_, "204" | "201" | "200")) => Ok(()),
            _ => Err(format!("POST {path}: {status}\n{body:#}")),
        }
    }

    fn delete(&self, path: &str) {
        let _ = self.curl(&["-s", "-X", "DELETE"], path, None);
    }

    fn curl(&self, options: &[&str], path: &str, body: Option<&Json>) -> Result<String, String> {
        let mut curl = Command::new("curl");
        curl.args(options).arg(format!("{}{path}", self.base)).args(["-H", "content-type: application/json"]);
        let file = body.map(|body| {
            let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
            std::io::Write::write_all(&mut file, body.to_string().as_bytes()).expect("writable");
            file
        });
        if let Some(file) = &file {
            curl.arg("--data-binary").arg(format!("@{}", file.path().display()));
        }
        let output = curl.output().map_err(|error| format!("curl: {error}"))?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(format!("{path}: {output:?}")),
        }
    }
}

/// Deletes what an original made, before and after.
struct Guard<'a> {
    api: &'a Api,
    paths: Vec<String>,
}

impl<'a> Guard<'a> {
    fn new(api: &'a Api, original: &Json) -> Self {
        let mut paths = Vec::new();
        for list in ["vhosts", "users"] {
            for entry in original[list].as_array().into_iter().flatten() {
                let name = entry["name"].as_str().expect("a name");
                assert!(name.starts_with(PREFIX), "`{name}` does not begin with {PREFIX}");
                let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
                paths.push(format!("/{list}/{encoded}"));
            }
        }
        let guard = Self { api, paths };
        guard.clean();
        guard
    }

    fn clean(&self) {
        self.paths.iter().for_each(|path| self.api.delete(path));
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.clean();
    }
}
