//! Every wrong type at every key of a definitions file, imported into the served broker: what it takes and refuses, against what
//! RabbitMQ did (`language/definitions-taken.txt`).

use crate::management::{Asked, served};
use rmqplay::model::Profile;
use serde_json::{Value as Json, json};
use std::fmt::Write as _;
use std::path::Path;

/// The marks of a broker's own export, which the table is without.
const MARKS: [&str; 3] = ["rabbit_version", "rabbitmq_version", "rabbitmq_definition_format"];

const PROFILES: [Profile; 3] = [Profile::V3_10, Profile::V4_0, Profile::V4_3];

/// Returns what stands in the place of a value, by its column in the table.
fn value_of(kind: &str) -> Option<Json> {
    Some(match kind {
        "null" => Json::Null,
        "bool" => json!(true),
        "int" => json!(7),
        "neg" => json!(-7),
        "float" => json!(1.5),
        "text" => json!("text"),
        "empty" => json!(""),
        "list" => json!([]),
        "map" => json!({}),
        "nested" => json!([[1]]),
        _ => return None,
    })
}

/// Puts another value at a path, or takes the one there away.
fn put(document: &mut Json, path: &str, value: Option<Json>) {
    let (parent, key) = path.rsplit_once('/').expect("a path");
    match (document.pointer_mut(parent).expect("a parent"), value) {
        (Json::Object(fields), Some(value)) => {
            fields.insert(key.to_owned(), value);
        }
        (Json::Object(fields), None) => {
            fields.remove(key);
        }
        (Json::Array(items), value) => {
            let at: usize = key.parse().expect("a place");
            items.splice(at..=at, value);
        }
        (other, _) => panic!("{path}: {other} has no fields"),
    }
}

fn takes(profile: Profile, document: &Json) -> char {
    let line = format!("POST /definitions {document}");
    let told = Asked::read(&line, "guest:guest").answered_by(&mut served(profile));
    match told.status {
        200..=299 => 'y',
        400 | 500 => 'n',
        other => panic!("{other}: {}", told.body),
    }
}

#[test]
fn what_an_import_takes_rabbitmq_takes() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let read = |path: &str| std::fs::read_to_string(tests.join(path)).expect("a file");
    let mut whole: Json = serde_json::from_str(&read("language/full-definitions.json")).expect("JSON");
    MARKS.iter().for_each(|mark| put(&mut whole, &format!("/{mark}"), None));
    // The parameter of a plugin.
    put(&mut whole, "/parameters/2", None);
    for profile in PROFILES {
        assert_eq!(takes(profile, &whole), 'y', "{profile}");
    }
    let table = read("language/definitions-taken.txt");
    let mut lines = table.lines().skip_while(|line| !line.starts_with(' '));
    let kinds: Vec<&str> = lines.next().expect("a head").split_whitespace().collect();
    let lines: Vec<&str> = lines.collect();
    // One thread a version.
    let told = std::thread::scope(|scope| {
        let all: Vec<_> = (0..PROFILES.len())
            .map(|at| {
                let (whole, kinds, lines) = (&whole, &kinds, &lines);
                scope.spawn(move || play(whole, kinds, lines, at))
            })
            .collect();
        all.into_iter().map(|one| one.join().expect("no panic")).collect::<Vec<_>>()
    });
    let played: usize = told.iter().map(|(played, _)| played).sum();
    assert!(played > 3_000, "{played} were played");
    let apart: String = told.into_iter().map(|(_, apart)| apart).collect();
    assert!(apart.is_empty(), "\n{apart}");
}

/// Plays the table on a version; returns how many cells were played, and those where it parts from RabbitMQ.
fn play(whole: &Json, kinds: &[&str], lines: &[&str], at: usize) -> (usize, String) {
    let (mut apart, mut played, profile) = (String::new(), 0, PROFILES[at]);
    for line in lines {
        let mut words = line.split_whitespace();
        let path = words.next().expect("a path");
        for (kind, cell) in kinds.iter().zip(words) {
            let mut document = whole.clone();
            put(&mut document, path, value_of(kind));
            let real = cell.chars().nth(if cell.len() == 1 { 0 } else { at }).expect("a letter");
            // The table was played on one broker: cells before had made users and vhosts by these names.
            let may_be_left = path.ends_with("/user") || path.ends_with("/vhost");
            if real == '-' || may_be_left && real == 'y' {
                continue;
            }
            played += 1;
            let own = takes(profile, &document);
            if own != real {
                let _ = writeln!(apart, "{path} {kind}: {profile} says {real}, served {own}");
            }
        }
    }
    (played, apart)
}
