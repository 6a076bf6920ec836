//! What `check` writes for machines: JSON and SARIF by a schema of what is written, SARIF by the public schema too where that is at
//! hand (`install-sarif` fetches it), annotations by their form. Every file that the tests hold a report of is reported here.

use fancy_regex::Regex;
use rmqplay::source::Code;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The folders with files that are wrong in many ways.
const FOLDERS: [&str; 6] = [
    "tests/problems",
    "tests/commands/lints",
    "tests/commands/errors",
    "tests/commands/graph",
    "scenarios",
    "topologies",
];

/// Returns what `check` writes about a folder.
fn written(folder: &str, format: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rmqplay"));
    command.args(["check", "--format", format, folder]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.output().expect("rmqplay runs");
    String::from_utf8(output.stdout).expect("text")
}

fn json(folder: &str, format: &str) -> Json {
    let text = written(folder, format);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{folder}: {error}"))
}

/// Lists what a schema says against a value.
fn faults(validator: &jsonschema::Validator, value: &Json) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).take(20).collect()
}

fn as_written(text: &str) -> jsonschema::Validator {
    let schema = serde_json::from_str(text).expect("JSON");
    jsonschema::draft7::new(&schema).expect("a schema")
}

#[test]
fn sarif_is_as_it_is_said_to_be() {
    let validator = as_written(include_str!("sarif-as-written.schema.json"));
    let mut levels = BTreeSet::new();
    for folder in FOLDERS {
        let log = json(folder, "sarif");
        assert_eq!(faults(&validator, &log), Vec::<String>::new(), "{folder}");
        let run = &log["runs"][0];
        let rules: Vec<&str> = each(&run["tool"]["driver"]["rules"]).map(|rule| text(&rule["id"])).collect();
        let results: Vec<&str> = each(&run["results"]).map(|result| text(&result["ruleId"])).collect();
        assert!(rules.is_sorted_by(|a, b| known(a) < known(b)), "{folder}: each rule once");
        assert_eq!(BTreeSet::from_iter(rules), BTreeSet::from_iter(results), "{folder}: the rules of its results");
        levels.extend(each(&run["results"]).map(|result| text(&result["level"]).to_owned()));
        let places = each(&run["results"]).flat_map(|it| each(&it["locations"]).chain(each(&it["relatedLocations"])));
        for place in places {
            let place = &place["physicalLocation"];
            let file = text(&place["artifactLocation"]["uri"]).replace("%20", " ").replace("%23", "#");
            let file = file.replace("%25", "%").replace("%3A", ":");
            assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file).is_file(), "{file}");
            let number = |key: &str| place["region"][key].as_u64();
            let start = (number("startLine"), number("startColumn"));
            assert!(start <= (number("endLine"), number("endColumn")), "{place}");
        }
    }
    assert_eq!(levels.len(), 3, "errors, warnings and notes: {levels:?}");
}

#[test]
fn sarif_is_valid_by_the_public_schema() {
    let Ok(path) = std::env::var("RMQPLAY_SARIF_SCHEMA") else {
        eprintln!("NOT RUN: RMQPLAY_SARIF_SCHEMA=$(tests/schema/install-sarif) names the public schema");
        return;
    };
    let schema = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut schema: Json = serde_json::from_str(&schema).expect("JSON");
    // The pattern of languages, which no log of ours has, closes a bracket that it never opens: ECMAScript takes that, others do not.
    for place in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][place]["properties"]["language"];
        language.as_object_mut().expect("a property").remove("pattern");
    }
    let validator = jsonschema::draft4::new(&schema).expect("a schema");
    for folder in FOLDERS {
        assert_eq!(faults(&validator, &json(folder, "sarif")), Vec::<String>::new(), "{folder}");
    }
    let mut wrong = json("tests/commands/lints", "sarif");
    wrong["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0.into();
    assert_eq!(faults(&validator, &wrong).len(), 1, "a line 0 is refused");
}

#[test]
fn json_is_as_it_is_said_to_be() {
    let validator = as_written(include_str!("check-as-written.schema.json"));
    for folder in FOLDERS {
        let all = json(folder, "json");
        assert_eq!(faults(&validator, &all), Vec::<String>::new(), "{folder}");
        for one in each(&all) {
            assert!(known(text(&one["code"])) < Code::ALL.len(), "{one}");
            let ends = each(&one["labels"]).all(|label| label["start"].as_u64() <= label["end"].as_u64());
            assert!(ends, "{one}");
        }
    }
}

#[test]
fn annotations_are_commands_of_a_workflow() {
    let form = Regex::new(
        r"^::(error|warning|notice) (file=[^,:\r\n]+,line=[1-9][0-9]*,col=[1-9][0-9]*,endLine=[1-9][0-9]*,endColumn=[1-9][0-9]*,)?title=[a-z]+%3A%3A[a-z0-9_]+::[^\r\n]+$",
    )
    .expect("a pattern");
    // A sign of percent is the beginning of an escape, or is one.
    let escape = Regex::new(r"%(?!25|0A|0D|2C|3A)").expect("a pattern");
    for folder in FOLDERS {
        let all = written(folder, "github");
        for line in all.lines() {
            assert!(form.is_match(line).expect("a match"), "{line}");
            assert!(!escape.is_match(line).expect("a match"), "{line}");
        }
        assert_eq!(all.lines().count(), each(&json(folder, "json")).count(), "{folder}: one for each problem");
    }
}

fn each(list: &Json) -> impl Iterator<Item = &Json> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

/// Returns the place of a code among all.
fn known(code: &str) -> usize {
    Code::ALL.iter().position(|known| known.text() == code).unwrap_or(usize::MAX)
}
