//! Our tree says what serde_yaml says, on every example and on a sheet of awkward scalars.

use super::files;
use rmqplay::language::plain_value;
use serde_yaml::Value;

const AWKWARD: &str = r#"
a: [1, -1, +1, 0x1F, 0o17, 0b11, 017, 1_000, 1.5, -.5, 1e3, .inf, 18446744073709551615, 9223372036854775808]
b: [yes, no, on, off, true, True, TRUE, null, Null, ~, "", '', "true", 'a''b', "\u00e9\n"]
c: {nested: {deep: [[], {}, [{}]]}, "quoted key": 1, 5: five, true: yes}
d: |
  block
    text
e: >-
  folded
  text
f: plain text with, commas and 'quotes'
g:
- indentless
- list
h: &anchor {x: 1}
i: *anchor
j: {<<: *anchor, y: 2}
k:
l: 2024-01-01
m: !!str 5
"#;

fn agrees(name: &str, text: &str) {
    let mut theirs: Value = serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    theirs.apply_merge().unwrap_or_else(|error| panic!("{name}: {error}"));
    let ours = plain_value(text).unwrap_or_else(|| panic!("{name}: no tree"));
    let theirs = json(&theirs);
    assert_eq!(ours, theirs, "{name}");
}

/// Maps to JSON with every key as text.
fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Mapping(map) => {
            let key = |key: &Value| match key {
                Value::String(text) => text.clone(),
                other => serde_json::to_value(other).expect("a plain key").to_string(),
            };
            serde_json::Value::Object(map.iter().map(|(name, value)| (key(name), json(value))).collect())
        }
        Value::Sequence(entries) => entries.iter().map(json).collect(),
        other => serde_json::to_value(other).unwrap_or(serde_json::Value::Null),
    }
}

#[test]
fn awkward_scalars_mean_the_same() {
    agrees("awkward", AWKWARD);
}

#[test]
fn every_shipped_file_means_the_same() {
    use super::examples::{PARKING, SCENARIO, TOPOLOGY};
    for (name, text) in [("topology", TOPOLOGY), ("scenario", SCENARIO), ("parking", PARKING)] {
        agrees(name, text);
    }
    for (folder, least) in [("topologies", 15), ("scenarios", 40)] {
        for path in files::below(folder, "yaml", least) {
            agrees(&path.display().to_string(), &std::fs::read_to_string(&path).expect("readable"));
        }
    }
}
