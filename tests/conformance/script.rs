//! The language of the conformance files: steps at the line's start, what must follow indented with `<`.
//! Takes a file's text, gives steps with their expected lines. Never plays them. The words are explained in README.md.

use rmqplay::model::{Profile, Table, Value};
use rmqplay::rules::{DeprecatedFeature, Permits, Plugin, Plugins};
use std::str::FromStr;

/// One step with what must follow it.
#[derive(Debug, Clone)]
pub struct Step {
    /// From 1.
    pub line: usize,
    /// The text as it stands in the file, comments above it included.
    pub source: Vec<String>,
    pub profiles: Vec<Profile>,
    /// Channel (or connection) that it is for.
    pub channel: String,
    pub words: Vec<String>,
    pub expected: Vec<Expected>,
}

/// One line of the expected transcript.
#[derive(Debug, Clone)]
pub struct Expected {
    pub profiles: Vec<Profile>,
    pub text: String,
    /// Written with `~`: one of a group whose order RabbitMQ does not promise.
    pub unordered: bool,
}

/// Reads a file.
pub fn parse(text: &str) -> Result<Vec<Step>, String> {
    let mut steps: Vec<Step> = Vec::new();
    let mut above: Vec<String> = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let (profiles, rest) = profiles_of(line.trim()).map_err(|error| format!("line {}: {error}", i + 1))?;
        let mark = rest.chars().next();
        if let Some(mark @ ('<' | '~')) = mark {
            let step = steps.last_mut().ok_or_else(|| format!("line {}: nothing to follow", i + 1))?;
            let text = rest[1..].trim().to_owned();
            step.expected.push(Expected { profiles, text, unordered: mark == '~' });
            continue;
        }
        above.push(line.to_owned());
        if rest.is_empty() || rest.starts_with('#') {
            continue;
        }
        let mut words = split(rest).map_err(|error| format!("line {}: {error}", i + 1))?;
        let channel = match words.first().and_then(|word| word.strip_suffix(':')) {
            Some(name) => {
                let name = name.to_owned();
                words.remove(0);
                name
            }
            None => "ch1".to_owned(),
        };
        let source = std::mem::take(&mut above);
        steps.push(Step { line: i + 1, source, profiles, channel, words, expected: Vec::new() });
    }
    Ok(steps)
}

/// Takes `[3.10 4.0-4.2]` from the front; without it all profiles are meant.
pub fn profiles_of(line: &str) -> Result<(Vec<Profile>, &str), String> {
    let Some(rest) = line.strip_prefix('[') else { return Ok((Profile::ALL.to_vec(), line)) };
    let (names, rest) = rest.split_once(']').ok_or("`[` without `]`")?;
    let mut profiles = Vec::new();
    for name in names.split_whitespace() {
        let (first, last) = name.split_once('-').unwrap_or((name, name));
        let (first, last) = (first.parse::<Profile>()?, last.parse::<Profile>()?);
        profiles.extend(Profile::ALL.into_iter().filter(|profile| (first..=last).contains(profile)));
    }
    Ok((profiles, rest.trim_start()))
}

/// Writes profiles as the files name them, neighbours as a range: `3.10 4.0-4.2`.
pub fn profiles_text(profiles: &[Profile]) -> String {
    let place = |profile: &Profile| *profile as usize;
    let runs = profiles.chunk_by(|one, next| place(one) + 1 == place(next));
    let shown = runs.map(|run| match run {
        [only] => only.to_string(),
        _ => format!("{}-{}", run[0], run[run.len() - 1]),
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// Splits at spaces outside quotes and brackets.
fn split(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quoted, mut depth) = (Vec::new(), String::new(), false, 0);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth -= 1,
            _ => {}
        }
        if c == ' ' && !quoted && depth == 0 {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else {
            word.push(c);
        }
    }
    if quoted || depth != 0 {
        return Err(format!("open quote or bracket in `{text}`"));
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

/// The steps up to a `permit` or `plugins`, with what their broker permits and has enabled.
#[derive(Debug, Clone)]
pub struct Part {
    pub permits: Permits,
    pub plugins: Plugins,
    pub steps: Vec<Step>,
}

/// Divides steps at each `permit FEATURE…` and `plugins NAME…`, which begins a part on a broker of its own.
pub fn in_parts(steps: &[Step]) -> Vec<Part> {
    let mut parts = vec![Part { permits: Permits::NONE, plugins: Plugins::NONE, steps: Vec::new() }];
    for step in steps {
        let (mut permits, mut plugins) = (Permits::NONE, Plugins::NONE);
        match step.word(0).as_str() {
            "permit" => permits = named::<DeprecatedFeature, _>(step),
            "plugins" => plugins = named::<Plugin, _>(step),
            _ => {}
        }
        if permits != Permits::NONE || plugins != Plugins::NONE {
            parts.push(Part { permits, plugins, steps: Vec::new() });
        }
        if let Some(part) = parts.last_mut() {
            part.steps.push(step.clone());
        }
    }
    parts
}

fn named<Named: FromStr<Err = String>, Set: FromIterator<Named>>(step: &Step) -> Set {
    let named = step.words[1..].iter().map(|word| word.parse::<Named>()).collect::<Result<Set, String>>();
    named.unwrap_or_else(|why| panic!("line {}: {why}", step.line))
}

/// Removes the quotes around a word.
pub fn unquoted(word: &str) -> String {
    let inner = word.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(word).replace("\\n", "\n").replace("\\r", "\r")
}

/// Reads a typed value: `5` (signedint), `5l` (long), `1.5`, `true`, `void`, `t5` (timestamp), `[a, b]`, `{k: v}`, text.
pub fn value(word: &str) -> Value {
    let inner = |open: char, close: char| word.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    if let Some(list) = inner('[', ']') {
        return Value::Array(parts(list).iter().map(|part| value(part)).collect());
    }
    if let Some(table) = inner('{', '}') {
        let pairs = parts(table);
        let pairs = pairs.iter().filter_map(|pair| pair.split_once(':'));
        return Value::Table(pairs.map(|(key, item)| (unquoted(key.trim()), value(item.trim()))).collect::<Table>());
    }
    if word.starts_with('"') {
        return Value::Text(unquoted(word).into());
    }
    if let Ok(n) = word.parse::<i32>() {
        return Value::I32(n);
    }
    if let Ok(n) = word.strip_suffix('l').unwrap_or(word).parse::<i64>() {
        return Value::I64(n);
    }
    if let Some(n) = word.strip_prefix('t').and_then(|digits| digits.parse().ok()) {
        return Value::Timestamp(n);
    }
    match (word, word.parse::<f64>()) {
        ("true", _) => Value::Bool(true),
        ("false", _) => Value::Bool(false),
        ("void", _) => Value::Void,
        (_, Ok(n)) => Value::F64(n),
        _ => word.into(),
    }
}

/// Splits at commas outside of brackets.
fn parts(list: &str) -> Vec<String> {
    let (mut parts, mut part, mut depth) = (Vec::new(), String::new(), 0);
    for c in list.chars() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            parts.push(std::mem::take(&mut part).trim().to_owned());
        } else {
            part.push(c);
        }
    }
    if !part.trim().is_empty() {
        parts.push(part.trim().to_owned());
    }
    parts
}

impl Step {
    /// Returns the words that are neither a flag nor `name=value`, from the `n`-th on.
    pub fn word(&self, n: usize) -> String {
        self.words.get(n).map(|word| unquoted(word)).unwrap_or_default()
    }

    /// Returns whether the bare word is there.
    pub fn has(&self, flag: &str) -> bool {
        self.words.iter().any(|word| word == flag)
    }

    /// Returns the text of `name=value`.
    pub fn named(&self, name: &str) -> Option<&str> {
        self.words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    /// Returns all `PREFIXname=value` as a table, the prefix removed.
    pub fn table(&self, prefix: &str, keep_prefix: bool) -> Table {
        let pairs = self.words.iter().filter(|word| word.starts_with(prefix)).filter_map(|word| word.split_once('='));
        let key = |key: &str| if keep_prefix { key.to_owned() } else { key[prefix.len()..].to_owned() };
        pairs.map(|(name, word)| (key(name), value(word))).collect()
    }
}
