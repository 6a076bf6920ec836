//! Profiles of `rmqplay.yaml`: the flags of `run` that belong together, under a name.
//! `profiles: {ci: {brokers: [sim:3.13, sim:4.3], report: "junit:run.xml", fail_fast: true}}`. Reads one as flags and values.

use crate::io::config_file::{BROKERS_FILE, rendered, sets};
use crate::io::files::Disk;
use crate::language::{Word, WordGroup, suggest};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// The flag behind a key, without its dashes, where it is called otherwise.
const FLAGS: [(&str, &str); 4] = [("brokers", "broker"), ("tags", "tag"), ("vars", "var"), ("vars_files", "vars-file")];

/// All profiles of a file, still to be read one by one.
#[derive(Debug, Clone, Default)]
pub struct RunProfiles {
    profiles: BTreeMap<String, Json>,
    text: String,
}

/// One key of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileSetting {
    /// As the profile names it: `fail_fast`.
    pub key: String,
    /// As the command line names it, without dashes; `paths` has none.
    pub flag: Option<String>,
    /// Where it stands in the file, counted from 1.
    pub line: usize,
    /// What follows the flag, each time that it is given; empty for a flag that is off, `None` where nothing follows it.
    pub values: Vec<Option<String>>,
}

impl RunProfiles {
    /// Takes the map under `profiles`, and the whole text of the file.
    ///
    /// # Errors
    /// It is no map.
    pub(super) fn of(profiles: Option<Json>, text: &str) -> Result<Self, String> {
        let text = text.to_owned();
        match profiles {
            None => Ok(Self { profiles: BTreeMap::new(), text }),
            Some(Json::Object(profiles)) => Ok(Self { profiles: profiles.into_iter().collect(), text }),
            Some(_) => Err("`profiles` is a map of names and flags of `run`: {ci: {brokers: [sim]}}".to_owned()),
        }
    }

    /// Lists the names.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.profiles.keys().map(String::as_str)
    }

    /// Reads a profile; `None` when none has that name.
    ///
    /// # Errors
    /// All that is wrong with it, a line each.
    pub fn read(&self, name: &str, disk: &Disk) -> Option<Result<Vec<ProfileSetting>, String>> {
        let entry = self.profiles.get(name)?;
        let place = |key: Option<&str>| {
            let path = ["profiles", name].into_iter().chain(key);
            line_below(&self.text, path)
        };
        let wrong = |line: usize, why: &str| format!("{BROKERS_FILE}:{line}: profile `{name}`: {why}");
        let fields = match entry {
            Json::Object(fields) => fields.clone(),
            Json::Null => Map::new(),
            _ => return Some(Err(wrong(place(None), "it is a map of flags of `run`: {brokers: [sim], jobs: 4}"))),
        };
        let (mut settings, mut faults) = (Vec::new(), Vec::new());
        for (key, value) in &fields {
            let line = place(Some(key));
            let read = match word_of(key) {
                None => Err(format!("it knows no key `{key}`; {}", suggest(key, keys(), "there are"))),
                Some(word) => values(word, value, disk).map_err(|why| format!("`{key}`: {why}")),
            };
            match read {
                Ok(values) => settings.push(ProfileSetting { key: key.clone(), flag: flag_of(key), line, values }),
                Err(why) => faults.push(wrong(line, &why)),
            }
        }
        Some(if faults.is_empty() { Ok(settings) } else { Err(faults.join("\n")) })
    }
}

fn words() -> &'static [Word] {
    WordGroup::named("profile").map_or(&[][..], |group| group.words)
}

fn keys() -> impl Iterator<Item = &'static str> + Clone {
    words().iter().map(Word::key)
}

fn word_of(key: &str) -> Option<&'static Word> {
    words().iter().find(|word| word.key() == key)
}

/// Returns the flag of a key; the paths stand without one.
fn flag_of(key: &str) -> Option<String> {
    let other = FLAGS.iter().find(|(known, _)| *known == key).map(|(_, flag)| (*flag).to_owned());
    (key != "paths").then(|| other.unwrap_or_else(|| key.replace('_', "-")))
}

/// Writes what a key holds as the values of its flag.
fn values(word: &Word, value: &Json, disk: &Disk) -> Result<Vec<Option<String>>, String> {
    if word.kind == "bool" {
        let text = match value {
            Json::Bool(is_on) => is_on.to_string(),
            Json::String(text) => rendered(text, disk)?,
            _ => String::new(),
        };
        return match text.as_str() {
            "true" => Ok(vec![None]),
            "false" => Ok(Vec::new()),
            _ => Err("takes true or false".to_owned()),
        };
    }
    let (takes_map, takes_list) = (word.kind.contains('{'), word.kind.contains('['));
    match value {
        Json::Object(vars) if takes_map => vars
            .iter()
            .map(|(name, value)| match value {
                Json::String(text) => Ok(Some(format!("{name}={}", rendered(text, disk)?))),
                other => Ok(Some(format!("{name}={other}"))),
            })
            .collect(),
        _ if takes_map => Err("takes a map: {NAME: VALUE}".to_owned()),
        Json::Array(entries) if takes_list => entries.iter().map(|entry| scalar(entry, disk).map(Some)).collect(),
        Json::Array(_) => Err("takes one value, and no list".to_owned()),
        value => Ok(vec![Some(scalar(value, disk)?)]),
    }
}

fn scalar(value: &Json, disk: &Disk) -> Result<String, String> {
    match value {
        Json::String(text) => rendered(text, disk),
        Json::Number(number) => Ok(number.to_string()),
        _ => Err("takes a text or a number".to_owned()),
    }
}

/// Returns the line, counted from 1, of a key below others; where one is not found (it is written in a flow map), the last that is.
fn line_below<'k>(text: &str, path: impl Iterator<Item = &'k str>) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    for key in path {
        let found = lines.iter().skip(at).position(|line| sets(line, key));
        at += found.unwrap_or(0);
    }
    at + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles(text: &str) -> RunProfiles {
        let mut whole: Map<String, Json> = serde_yaml::from_str(text).expect("YAML");
        RunProfiles::of(whole.remove("profiles"), text).expect("a map")
    }

    #[test]
    fn a_profile_is_the_flags_that_it_stands_for() {
        let disk = Disk::at("", BTreeMap::from([("OUT".to_owned(), "out".to_owned())]));
        let text = "brokers: {}\nprofiles:\n  ci:\n    brokers: [sim:3.13, sim]\n    report: 'junit:{{ env.OUT }}.xml'\n    \
                    fail_fast: true\n    trace: false\n    vars: {n: 3, who: me}\n    paths: scenarios/a\n";
        let settings = profiles(text).read("ci", &disk).expect("ci").expect("readable");
        let told = settings.iter().map(|one| {
            let values: Vec<&str> = one.values.iter().map(|value| value.as_deref().unwrap_or("-")).collect();
            format!("{} {:?} {}", one.line, one.flag.as_deref(), values.join(" "))
        });
        let wanted = [
            "4 Some(\"broker\") sim:3.13 sim",
            "5 Some(\"report\") junit:out.xml",
            "6 Some(\"fail-fast\") -",
            "7 Some(\"trace\") ",
            "8 Some(\"var\") n=3 who=me",
            "9 None scenarios/a",
        ];
        assert_eq!(told.collect::<Vec<_>>(), wanted);
        assert!(profiles(text).read("none", &disk).is_none());
    }

    #[test]
    fn all_that_is_wrong_is_told_at_its_line() {
        let text = "profiles:\n  ci:\n    broker: sim\n    jobs: [1, 2]\n    fail_fast: perhaps\n    report: '{{ env.NONE }}'\n";
        let why = profiles(text).read("ci", &Disk::at("", BTreeMap::new())).expect("ci").expect_err("four faults");
        let lines: Vec<&str> = why.lines().collect();
        assert_eq!(lines.len(), 4, "{why}");
        assert_eq!(lines[0], "rmqplay.yaml:3: profile `ci`: it knows no key `broker`; did you mean `brokers`?");
        assert_eq!(lines[1], "rmqplay.yaml:4: profile `ci`: `jobs`: takes one value, and no list");
        assert_eq!(lines[2], "rmqplay.yaml:5: profile `ci`: `fail_fast`: takes true or false");
        assert!(lines[3].starts_with("rmqplay.yaml:6: profile `ci`: `report`: "), "{}", lines[3]);
    }
}
