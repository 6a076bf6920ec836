//! Every wrong type at every key of a definitions file: each value of `full-definitions.json` is replaced by each kind of JSON, and
//! dropped. No reader panics; what RabbitMQ refuses is told at its place; what is taken stands in `wrong-types.txt`, with the
//! reason. `UPDATE_GOLDEN=1` writes the table anew.

use crate::Held;
use rmqplay::convert::{Wording, import_texts, write_proven};
use rmqplay::language::{LoadedTopology, Settings, TopologyFile, load_topology};
use rmqplay::model::Topology;
use rmqplay::plan::{Export, Observed, plan, read_export};
use rmqplay::source::{Level, Problem, Sources};
use serde_json::{Value as Json, json};
use std::fmt::Write as _;
use std::ops::Range;

/// What stands in the place of a value, until it is written.
const HERE: &str = "@@here@@";

/// The marks of a broker's own export.
const MARKS: [&str; 3] = ["rabbit_version", "rabbitmq_version", "rabbitmq_definition_format"];

/// Returns each kind of JSON, with its column in the table.
fn kinds() -> Vec<(&'static str, Option<Json>)> {
    vec![
        ("null", Some(Json::Null)),
        ("bool", Some(json!(true))),
        ("int", Some(json!(7))),
        ("neg", Some(json!(-7))),
        ("float", Some(json!(1.5))),
        ("text", Some(json!("text"))),
        ("empty", Some(json!(""))),
        ("list", Some(json!([]))),
        ("map", Some(json!({}))),
        ("nested", Some(json!([[1]]))),
        ("none", None),
    ]
}

/// What RabbitMQ refuses and a file may say all the same: beginnings of a path with its kind, and the reason.
const MEANT: [(&str, &str); 19] = [
    ("/users/0/tags none", "a user without tags has none"),
    ("/users/0/limits list", "an empty list stands for an empty map"),
    ("/vhosts list", "a vhost that objects are put into is made"),
    ("/vhosts none", "the same"),
    ("/vhosts/0 ", "the same, and a text is the name of a vhost"),
    ("/vhosts/0/name text", "the same"),
    ("/vhosts/0/metadata/default_queue_type empty", "an empty type is none"),
    ("/permissions/0/vhost", "a vhost that rights are given in is made, and one that is not named is the file's"),
    ("/topic_permissions/0/vhost", "the same"),
    ("/topic_permissions/0/exchange text", "the broker may hold the exchange"),
    ("/policies/0/vhost", "a vhost that objects are put into is made"),
    ("/parameters/0/vhost", "the same"),
    ("/parameters/1/vhost", "the same"),
    ("/parameters/0/component text", "a plugin may bring the component"),
    ("/parameters/1/component text", "the same"),
    ("/parameters/1/value/priority none", "a policy without a priority has 0"),
    ("/queues/0/durable none", "what names no flag gets the usual one: 3.10 asks for it, and a declare tells it"),
    ("/queues/0/auto_delete none", "the same"),
    ("/exchanges/0/durable none", "the same"),
];

/// What some version takes and a file may not say: beginnings of a path with its kind, and what RabbitMQ makes of it.
const REFUSED: [(&str, &str); 34] = [
    ("/users/0/password_hash list", "the same as no password"),
    ("/users/0/hashing_algorithm", "kept, and nobody can log in by it"),
    ("/users/0/tags", "kept, and no right comes with it"),
    ("/vhosts/0/description", "kept as it is"),
    ("/vhosts/0/tags", "kept as it is"),
    ("/vhosts/0/default_queue_type", "dropped: an import reads it in the metadata"),
    ("/vhosts/0/metadata ", "4.3 drops what is no map; 3.10 and 4.0 refuse it"),
    ("/vhosts/0/metadata/description", "kept as it is"),
    ("/vhosts/0/metadata/tags", "kept as it is"),
    ("/vhosts/0/metadata/default_queue_type", "4.3 takes null for none; 3.10 and 4.0 refuse it"),
    ("/vhosts/0/metadata/protected_from_deletion", "taken for no protection"),
    ("/vhosts/0/limits", "dropped: an import reads limits among the parameters"),
    ("/permissions nested", "skipped"),
    ("/permissions/0 ", "skipped"),
    ("/permissions/0/user", "3.10 keeps rights of a name that is no text; 4.0 and 4.3 refuse it"),
    ("/permissions/0/vhost", "the same"),
    ("/topic_permissions", "the same, also of the exchange on 3.10 and 4.0; an empty list is taken for a pattern"),
    ("/global_parameters nested", "skipped"),
    ("/global_parameters/0 ", "skipped"),
    ("/global_parameters/0/name", "kept by a name that no request can ask for"),
    ("/global_parameters/0/value none", "kept as a text"),
    ("/policies nested", "skipped"),
    ("/policies/0 ", "skipped"),
    ("/policies/0/vhost", "3.10 keeps a policy of a vhost that is no text"),
    ("/policies/0/name", "kept by a name that no request can ask for"),
    ("/policies/0/priority float", "kept, and compared as a number"),
    ("/parameters nested", "skipped"),
    ("/parameters/", "as with policies"),
    ("/queues", "3.10 does not look whether a binding leads anywhere; the type is read in the arguments"),
    ("/exchanges", "the same; 4.3 takes any `durable` for true, and all take any other flag for false"),
    ("/bindings nested", "skipped"),
    ("/bindings/0 ", "3.10 skips it"),
    ("/bindings/0/", "3.10 does not look whether a binding leads anywhere"),
    ("/vhosts/0/limits/max-queues", "dropped with the limits"),
];

/// A document, and where in its text the value that was replaced stands, with its key.
struct Mutated {
    text: String,
    place: Range<usize>,
}

/// Lists the paths of all values.
fn paths(json: &Json, here: &str, into: &mut Vec<String>) {
    match json {
        Json::Object(map) => {
            for (key, value) in map {
                let path = format!("{here}/{}", key.replace('~', "~0").replace('/', "~1"));
                into.push(path.clone());
                paths(value, &path, into);
            }
        }
        Json::Array(entries) => {
            for (at, value) in entries.iter().enumerate() {
                let path = format!("{here}/{at}");
                into.push(path.clone());
                paths(value, &path, into);
            }
        }
        _ => {}
    }
}

/// Replaces the value at a path, or drops it; a dropped one has its place in what held it.
fn mutated(whole: &Json, path: &str, value: Option<&Json>) -> Option<Mutated> {
    let mut json = whole.clone();
    let (holder, key) = path.rsplit_once('/')?;
    let Some(value) = value else {
        let holder = json.pointer_mut(holder)?;
        match holder {
            Json::Object(map) => drop(map.shift_remove(key)),
            Json::Array(entries) => drop(entries.remove(key.parse().ok()?)),
            _ => return None,
        }
        let left = std::mem::replace(holder, json!(HERE));
        return Some(with_value(&json, &left));
    };
    *json.pointer_mut(path)? = json!(HERE);
    Some(with_value(&json, value))
}

/// Writes a document with the value in its place; the key before it belongs to it.
fn with_value(json: &Json, value: &Json) -> Mutated {
    let (text, value, here) = (json.to_string(), value.to_string(), json!(HERE).to_string());
    let at = text.find(&here).unwrap_or(0);
    let start = match text[..at].strip_suffix("\":") {
        Some(before) => before.rfind('"').unwrap_or(at),
        None => at,
    };
    let text = if text == here { value.clone() } else { text.replacen(&here, &value, 1) };
    Mutated { place: start..at + value.len(), text }
}

/// What comes of reading a file.
type Read = (Option<LoadedTopology>, Vec<Problem>);

fn load(text: &str) -> Read {
    let mut sources = Sources::default();
    load_topology(&mut sources, "d.json", text.as_bytes(), &Held::default(), &Settings::default())
}

/// Hands a file that could be read to all that work on it: none may panic.
fn read_by_all(text: &str, loaded: &LoadedTopology, whole: &LoadedTopology) {
    let there = Observed::of_file(whole.topology.clone(), None, true);
    assert!(plan(&loaded.topology, &loaded.origins, &there).changes.len() < 100);
    let there = Observed::of_file(loaded.topology.clone(), None, true);
    assert!(plan(&whole.topology, &whole.origins, &there).changes.len() < 100);
    let mut sources = Sources::default();
    let file = TopologyFile { name: "d.json", text: text.as_bytes() };
    if let (Some(imported), _) = import_texts(&mut sources, &[file], &Held::default(), &Settings::default()) {
        let wording = Wording {
            head: Vec::new(),
            names_no_vhost: imported.names_no_vhost,
            declared: imported.declared.clone(),
            without_retry: false,
        };
        drop(write_proven(&imported.topology, &wording, &mut sources, "written.yaml"));
    }
}

/// Returns what a reader says of a value: `P` a problem at its place, `n` a note or warning there, `p` a problem elsewhere, `-`
/// taken and without effect, `+` taken, `m` taken with a new note elsewhere.
fn verdict(read: &Read, mutated: &Mutated, known: &[Problem], whole: &LoadedTopology) -> char {
    let (loaded, problems) = read;
    let is_new =
        |problem: &&Problem| !known.iter().any(|it| (it.code, &it.message) == (problem.code, &problem.message));
    let is_there = |problem: &Problem| {
        problem
            .labels
            .iter()
            .any(|it| (it.span.start as usize) <= mutated.place.end && mutated.place.start <= it.span.end as usize)
    };
    let new: Vec<&Problem> = problems.iter().filter(is_new).collect();
    let stops = |problem: &&&Problem| problem.level == Level::Problem;
    match () {
        () if new.iter().filter(stops).any(|problem| is_there(problem)) => 'P',
        () if new.iter().any(|problem| is_there(problem)) => 'n',
        () if new.iter().any(|problem| stops(&problem)) => 'p',
        () => match loaded {
            None => '!',
            Some(_) if !new.is_empty() => 'm',
            Some(loaded) if loaded.topology == whole.topology => '-',
            Some(_) => '+',
        },
    }
}

/// Writes the table of one form of a file.
fn table_of_file(whole: &Json, is_by_hand: bool) -> String {
    let (loaded, known) = load(&whole.to_string());
    let loaded = loaded.expect("the whole document is fine");
    assert!(known.iter().all(|problem| problem.level != Level::Problem));
    table(whole, &mut |mutated| {
        let read = load(&mutated.text);
        // An export is read alike from here on.
        if let Some(read) = read.0.as_ref().filter(|_| is_by_hand) {
            read_by_all(&mutated.text, read, &loaded);
        }
        verdict(&read, mutated, &known, &loaded)
    })
}

/// Writes a line for each path, with what comes of each kind there.
fn table(whole: &Json, verdict: &mut dyn FnMut(&Mutated) -> char) -> String {
    let mut all = Vec::new();
    paths(whole, "", &mut all);
    let kinds = kinds();
    let names: Vec<&str> = kinds.iter().map(|(name, _)| *name).collect();
    let mut table = format!("{:<52} {}\n", "", names.join(" "));
    for path in &all {
        let mut line = format!("{path:<52}");
        for (name, kind) in &kinds {
            let Some(mutated) = mutated(whole, path, kind.as_ref()) else { continue };
            let width = name.len();
            let _ = write!(line, " {:<width$}", verdict(&mutated));
        }
        let _ = writeln!(table, "{}", line.trim_end());
    }
    table
}

/// Returns what comes of an answer of a broker: `E` an error, `-` read and without effect, `+` read.
fn verdict_of_answer(text: &str, whole: &Topology) -> char {
    let read = read_export(text, &|vhost| vhost == "v").map_err(|error| error.to_string());
    match read.and_then(Export::into_topology) {
        Err(why) => {
            assert!(!why.is_empty() && why.len() < 200, "{why}");
            'E'
        }
        Ok(read) if read == *whole => '-',
        Ok(_) => '+',
    }
}

#[test]
fn every_wrong_type_that_a_broker_answers_is_an_error_or_harmless() {
    let whole: Json = serde_json::from_str(include_str!("full-definitions.json")).expect("JSON");
    let read = read_export(&whole.to_string(), &|vhost| vhost == "v").expect("definitions").into_topology();
    let read = read.expect("definitions");
    let mut verdict = |mutated: &Mutated| verdict_of_answer(&mutated.text, &read);
    kept("broker-answers.txt", &table(&whole, &mut verdict));
}

fn kept(name: &str, text: &str) {
    let path = format!("tests/language/{name}");
    if let Err(difference) = crate::golden::check(&crate::files::root(&path), text) {
        panic!("{difference}");
    }
}

/// Tells what some version refuses and the table takes in silence.
fn silently_taken(table: &str) -> Vec<String> {
    cells_where(table, |told, taken| taken.contains('n') && matches!(told, "-" | "+" | "!"))
}

/// Tells what some version takes and the table refuses.
fn refused_all_the_same(table: &str) -> Vec<String> {
    cells_where(table, |told, taken| taken.contains('y') && matches!(told, "P" | "p"))
}

/// Lists the cells of which the table says one thing, and RabbitMQ another.
fn cells_where(table: &str, is_meant: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let cells = |line: &str| line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<String>>();
    let of_path =
        |text: &str, path: &str| text.lines().find(|line| line.split_whitespace().next() == Some(path)).map(cells);
    let mut found = Vec::new();
    for line in include_str!("definitions-taken.txt").lines().filter(|line| line.starts_with('/')) {
        let path = line.split_whitespace().next().unwrap_or_default();
        let Some(told) = of_path(table, path) else { continue };
        for ((kind, _), (told, taken)) in kinds().iter().zip(told.iter().zip(cells(line))) {
            if is_meant(told, &taken) {
                found.push(format!("{path} {kind}"));
            }
        }
    }
    found
}

#[test]
fn every_wrong_type_at_every_key_is_told_or_is_what_rabbitmq_takes() {
    let mut plain: Json = serde_json::from_str(include_str!("full-definitions.json")).expect("JSON");
    for mark in MARKS {
        drop(plain.as_object_mut().expect("a map").shift_remove(mark));
    }
    let table = table_of_file(&plain, true);
    kept("wrong-types.txt", &table);
    let silent = silently_taken(&table);
    let unexpected: Vec<&String> =
        silent.iter().filter(|one| !MEANT.iter().any(|(meant, _)| one.starts_with(meant))).collect();
    assert!(unexpected.is_empty(), "RabbitMQ refuses these, and nothing tells of them: {unexpected:#?}");
    let refused = refused_all_the_same(&table);
    let unexpected: Vec<&String> =
        refused.iter().filter(|one| !REFUSED.iter().any(|(meant, _)| one.starts_with(meant))).collect();
    assert!(unexpected.is_empty(), "a version takes these, and they are refused without a reason: {unexpected:#?}");
    let unused: Vec<&str> = REFUSED
        .iter()
        .map(|(meant, _)| *meant)
        .filter(|meant| !refused.iter().any(|one| one.starts_with(meant)))
        .collect();
    assert!(unused.is_empty(), "no version takes these any more: {unused:#?}");
}

#[test]
fn what_is_played_again_stands_in_the_table() {
    let table = include_str!("definitions-taken.txt");
    for line in include_str!("../commands/live-definitions-taken/bodies.txt").lines() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let [path, kind, letters, _] = words[..] else { panic!("PATH KIND LETTERS BODY: {line}") };
        let row = table.lines().find(|row| row.split_whitespace().next() == Some(path)).expect("a row");
        let column = kinds().iter().position(|(name, _)| *name == kind).expect("a kind");
        let cell = row.split_whitespace().nth(column + 1).expect("a cell");
        let cell = if cell.len() == 1 { cell.repeat(3) } else { cell.to_owned() };
        assert_eq!(letters, cell, "{path} {kind}");
    }
}

#[test]
fn every_wrong_type_in_an_export_is_told_or_read_as_its_absence() {
    let export: Json = serde_json::from_str(include_str!("full-definitions.json")).expect("JSON");
    kept("wrong-types-of-exports.txt", &table_of_file(&export, false));
}
