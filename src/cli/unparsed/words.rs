//! Words of the command line that are no command, or that a command does not take.

use crate::language::reference_of;
use crate::source::{Help, nearest_name, without_passwords_in_urls};

/// Words of other tools, and the command here that does what they do.
const OTHER_COMMANDS: &[(&[&str], &str)] = &[
    (&["dev", "serve-tests", "monitor"], "`rmqplay watch` plays what changes until Ctrl-C"),
    (&["test", "exec", "execute", "start", "rehearse", "play", "bench"], "`rmqplay run` plays scenarios"),
    (&["validate", "verify", "lint"], "`rmqplay check` reports all problems of files and plays nothing"),
    (&["deploy", "declare", "create", "sync", "up", "push"], "`rmqplay apply` declares a topology on a broker"),
    (&["delete", "remove", "undeploy", "teardown", "down", "purge"], "`rmqplay destroy` deletes what a topology names"),
    (&["prune"], "`rmqplay apply --prune` deletes what the files do not name"),
    (&["format"], "`rmqplay fmt` lays YAML files out"),
    (&["ls", "show"], "`rmqplay list` lists cells with their tags and snapshots"),
    (&["update", "bless", "approve"], "`rmqplay accept` makes pending outcomes the snapshots"),
    (
        &["convert", "pull", "dump"],
        "`rmqplay import` writes a topology of a broker or another tool's file, `rmqplay export` a definitions file",
    ),
    (&["new", "scaffold", "generate"], "`rmqplay init` writes a first topology and scenario"),
    (&["status", "ping", "health", "info"], "`rmqplay doctor` shows what works with a broker"),
    (&["permissions", "rights", "who"], "`rmqplay access` shows who may do what"),
    (
        &["trace", "publish", "send"],
        "`rmqplay route` shows where a message goes, `rmqplay run --trace` what happened in a run",
    ),
    (&["preview", "dry-run"], "`rmqplay plan` shows what `apply` would change"),
    (&["version"], "`rmqplay --version` prints it"),
    (&["cleanup", "gc"], "`rmqplay clean` deletes throw-away vhosts that an ended run left"),
];

/// Returns which command was likely meant: of another tool, by its letters, or a file for `run` or `apply`.
pub(crate) fn of_command(word: &str, own: &clap::Command) -> Option<String> {
    if let Some((_, help)) = OTHER_COMMANDS.iter().find(|(words, _)| words.contains(&word)) {
        return Some((*help).to_owned());
    }
    if word.ends_with(".yaml") || word.ends_with(".yml") || word.ends_with(".json") || word.contains('/') {
        return Some(format!(
            "a command comes first: `rmqplay run {word}` plays a scenario, `rmqplay check {word}` checks a file"
        ));
    }
    let shown = own.get_subcommands().filter(|command| !command.is_hide_set());
    let names: Vec<&str> = shown.map(clap::Command::get_name).collect();
    if let Some(near) = nearest_name(word, names.iter().copied()) {
        return Some(Help::did_you_mean(near).to_string());
    }
    let of_language = match reference_of(word) {
        Ok(_) => Some(word.to_owned()),
        Err(near) => near,
    };
    of_language
        .map(|known| format!("it is no command; `rmqplay help language {known}` tells of the language's `{known}`"))
}

/// Returns what to do with a word that a command does not take.
pub(crate) fn of_further(word: &str, command: Option<&str>) -> Option<String> {
    let command = command?;
    let names_broker = word.contains("://") || word.starts_with("sim");
    Some(match command {
        "wait" | "clean" | "doctor" => {
            format!("the broker stands behind a flag: `rmqplay {command} --broker {}`", without_password(word))
        }
        _ if names_broker => format!("a broker stands behind a flag: `--broker {}`", without_password(word)),
        "effective" => "it takes a file and the name of one queue or exchange".to_owned(),
        "route" => "it takes a file, an exchange and a routing key; quote what holds spaces".to_owned(),
        "access" => "it takes one file; `--user NAME` shows one user".to_owned(),
        _ => format!("`rmqplay {command} --help` shows what it takes"),
    })
}

/// Writes a broker's URL without its passwords.
pub(crate) fn without_password(word: &str) -> String {
    let shown = without_passwords_in_urls(word);
    match shown.rsplit_once('@') {
        Some((login, place)) if !shown.contains("://") && login.contains(':') => format!("***@{place}"),
        _ => shown,
    }
}

/// Returns an example of a command that lacks what it must have.
pub(crate) fn of_missing(command: &str) -> Option<String> {
    Some(match command {
        "plan" | "apply" | "destroy" => format!("name the files that declare: `rmqplay {command} topologies/orders.yaml`"),
        "import" => "name a source: `rmqplay import definitions.json`, or a broker: `rmqplay import --broker amqp://localhost`".to_owned(),
        "export" => "name files: `rmqplay export topologies/orders.yaml`, or a broker: `rmqplay export --broker amqp://localhost`".to_owned(),
        "schema" => "`rmqplay schema scenario` or `rmqplay schema topology`".to_owned(),
        "completions" => "name a shell: `rmqplay completions bash`".to_owned(),
        _ => return None,
    })
}
