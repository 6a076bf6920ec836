//! The simulator's versions against each other: the same random sequences on all of them, and each difference between two
//! neighbours put down to rules that changed between them. `versions.txt` says which rules those are, and a seed that shows each.
//! Takes seeds; gives the rules that were seen to differ, and what no rule accounts for. Never touches a live broker.

use super::generator;
use super::known::Known;
use super::rehearsal::{Unfit, expected};
use super::seen::Seen;
use super::sequence::{Op, Sequence};
use rmqplay::model::Profile;
use rmqplay::rules::{ChangedRule, Edition, changed_rules, with_undone};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Two neighbours, the older one first.
pub type Pair = (Profile, Profile);

/// Lists the neighbours, oldest first.
pub fn pairs() -> Vec<Pair> {
    Profile::ALL.windows(2).map(|two| (two[0], two[1])).collect()
}

/// Lists the rules that the simulator's table says changed between two versions.
pub fn changed((older, newer): Pair) -> Vec<ChangedRule> {
    changed_rules(newer.into(), older.into())
}

/// What some seeds showed.
#[derive(Debug, Default)]
pub struct Shown {
    /// How many sequences were played on every version.
    pub sequences: usize,
    /// Operations of these, on one version.
    pub operations: usize,
    /// In how many sequences a rule made two versions differ, and the first such seed.
    pub rules: BTreeMap<(Pair, &'static str), (usize, u64)>,
    /// Differences that no rule accounts for, each with its sequence, shortened.
    pub faults: Vec<String>,
}

impl Shown {
    fn add(&mut self, other: Self) {
        self.sequences += other.sequences;
        self.operations += other.operations;
        self.faults.extend(other.faults);
        for (key, (times, seed)) in other.rules {
            let kept = self.rules.entry(key).or_insert((0, seed));
            *kept = (kept.0 + times, kept.1.min(seed));
        }
    }
}

/// How many think at once.
const THREADS: usize = 2;

/// Plays seeds on every version, and compares neighbours. `until`: no seed is begun once it says so.
pub fn play(seeds: std::ops::Range<u64>, until: impl Fn() -> bool + Sync) -> Shown {
    let (next, shown) = (AtomicU64::new(seeds.start), Mutex::new(Shown::default()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut own = Shown::default();
                while !until() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    own.add(play_seed(seed, &pairs()));
                }
                shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner).add(own);
            });
        }
    });
    shown.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Plays one seed, and compares these neighbours.
pub fn play_seed(seed: u64, pairs: &[Pair]) -> Shown {
    let mut shown = Shown::default();
    // Each version in turn is the one that the sequence is thought of for: what it holds is what is settled.
    let edition = Edition::from(Profile::ALL[seed as usize % Profile::ALL.len()]);
    let Ok(sequence) = generator::thought_of(seed, edition, &Known::none()) else { return shown };
    shown.sequences = 1;
    shown.operations = sequence.ops.len() - sequence.closing;
    for pair in pairs {
        match causes(*pair, &sequence.ops) {
            Ok(rules) => shown.rules.extend(rules.into_iter().map(|rule| ((*pair, rule.id()), (1, seed)))),
            Err(at) => shown.faults.push(unexplained(*pair, &sequence, at)),
        }
    }
    shown
}

type Transcript = Result<Vec<Seen>, Unfit>;

/// Finds the rules of the table that make all the differences between two versions in a sequence, each with one that it is
/// needed for. Fails with the operation whose difference stays though every rule of the table is as on the older one.
fn causes(pair: Pair, ops: &[Op]) -> Result<BTreeSet<ChangedRule>, usize> {
    let (older, newer): (Edition, Edition) = (pair.0.into(), pair.1.into());
    let wanted = expected(with_undone(older, newer, &[]), ops, None);
    let changed = changed(pair);
    let mut causes = BTreeSet::new();
    loop {
        let with = |more: &[ChangedRule], ops: &[Op]| {
            let undone: BTreeSet<ChangedRule> = causes.iter().chain(more).copied().collect();
            expected(with_undone(newer, older, &Vec::from_iter(undone)), ops, None)
        };
        let Some(at) = first_difference(&wanted, &with(&[], ops)) else { return Ok(causes) };
        // What an operation shows ends with the beginning of the next one.
        let (begun, wanted) = (&ops[..ops.len().min(at + 2)], cut(wanted.clone(), at));
        let left: Vec<ChangedRule> = changed.iter().filter(|rule| !causes.contains(rule)).copied().collect();
        let needed = least(left, |rules| cut(with(rules, begun), at) == wanted).ok_or(at)?;
        causes.extend(needed);
    }
}

/// Returns the operation at which two runs part; the last one where one of them goes round without end.
fn first_difference(one: &Transcript, other: &Transcript) -> Option<usize> {
    match (one, other) {
        (Ok(one), Ok(other)) => one.iter().zip(other).position(|(one, other)| one != other),
        (Err(_), Err(_)) => None,
        (Ok(seen), Err(_)) | (Err(_), Ok(seen)) => seen.len().checked_sub(1),
    }
}

/// Takes what was seen up to an operation.
fn cut(transcript: Transcript, at: usize) -> Transcript {
    transcript.map(|mut seen| {
        seen.truncate(at + 1);
        seen
    })
}

/// Finds rules that are enough, none of which could be left out; `None` where not even all of them are.
fn least(mut rules: Vec<ChangedRule>, is_enough: impl Fn(&[ChangedRule]) -> bool) -> Option<Vec<ChangedRule>> {
    if !is_enough(&rules) {
        return None;
    }
    // One rule does it mostly: then one half of them is always enough.
    while let (one, other) = rules.split_at(rules.len() / 2)
        && !one.is_empty()
    {
        rules = match is_enough(one) {
            true => one.to_vec(),
            false if is_enough(other) => other.to_vec(),
            false => break,
        };
    }
    let mut at = 0;
    while rules.len() > 1 && at < rules.len() {
        let without = [&rules[..at], &rules[at + 1..]].concat();
        if is_enough(&without) { rules = without } else { at += 1 }
    }
    Some(rules)
}

/// Writes a sequence whose difference no rule accounts for, without what it does not need.
fn unexplained(pair: Pair, sequence: &Sequence, at: usize) -> String {
    let ops = shortest(&sequence.ops[..sequence.ops.len().min(at + 2)], |ops| causes(pair, ops).is_err());
    let what = format!("no rule that changed between {} and {} accounts for the last step", pair.0, pair.1);
    written(pair, &Sequence { ops, ..sequence.clone() }, &what)
}

/// Writes the sequence of a seed in which a rule makes two versions differ, without what it does not need.
pub fn example(seed: u64, pair: Pair, rule: &str) -> String {
    let edition = Edition::from(Profile::ALL[seed as usize % Profile::ALL.len()]);
    let Ok(sequence) = generator::thought_of(seed, edition, &Known::none()) else { return String::new() };
    let shows = |ops: &[Op]| causes(pair, ops).is_ok_and(|causes| causes.iter().any(|cause| cause.id() == rule));
    let ops = shortest(&sequence.ops, shows);
    written(pair, &Sequence { ops, ..sequence }, &format!("{rule} makes {} and {} differ", pair.0, pair.1))
}

/// How many shorter sequences are tried.
const TRIES_MAX: usize = 120;

/// Leaves operations out as long as the rest still does what it should.
fn shortest(ops: &[Op], is_so: impl Fn(&[Op]) -> bool) -> Vec<Op> {
    let (mut ops, mut tries) = (ops.to_vec(), 0);
    for size in [8, 4, 2, 1, 1] {
        let mut at = 0;
        while at + size <= ops.len() && tries < TRIES_MAX {
            tries += 1;
            let left = [&ops[..at], &ops[at + size..]].concat();
            if !left.is_empty() && is_so(&left) { ops = left } else { at += size }
        }
    }
    ops
}

fn written((older, newer): Pair, sequence: &Sequence, what: &str) -> String {
    let play = |profile: Profile| expected(with_undone(profile.into(), profile.into(), &[]), &sequence.ops, None);
    let mut text = format!("==== {what}\n{}", sequence.text(1));
    if let (Ok(one), Ok(other)) = (play(older), play(newer)) {
        for (one, other) in one.iter().zip(&other).filter(|(one, other)| one != other) {
            let named =
                |line: String| line.replacen("sim   ", &older.to_string(), 1).replacen("broker", &newer.to_string(), 1);
            one.differences(other).into_iter().for_each(|line| text.push_str(&format!("#   {}\n", named(line))));
        }
    }
    text
}

/// What `versions.txt` says of a rule that changed between two versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A sequence of this seed shows it; in so many of so many it was seen.
    Seed { seed: u64, seen: String },
    /// No sequence shows it, for a reason.
    NotReached(String),
}

/// Reads `RULE | OLDER to NEWER | seed N, seen M of K` and `RULE | OLDER to NEWER | not reached: reason`.
///
/// # Errors
/// A line of another form.
pub fn read(text: &str) -> Result<BTreeMap<(Pair, String), Said>, String> {
    let mut said = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let [rule, versions, what] = parts[..] else { return Err(format!("not `RULE | VERSIONS | …`: {line}")) };
        let pair = pairs().into_iter().find(|(older, newer)| format!("{older} to {newer}") == versions);
        let pair = pair.ok_or_else(|| format!("no neighbours: {line}"))?;
        let what = match (what.strip_prefix("seed "), what.strip_prefix("not reached: ")) {
            (Some(rest), _) => {
                let (seed, seen) = rest.split_once(", seen ").unwrap_or((rest, ""));
                let seed = seed.parse().map_err(|_| format!("no seed: {line}"))?;
                Said::Seed { seed, seen: seen.to_owned() }
            }
            (_, Some(why)) if !why.is_empty() => Said::NotReached(why.to_owned()),
            _ => return Err(format!("neither a seed nor a reason: {line}")),
        };
        if said.insert((pair, rule.to_owned()), what).is_some() {
            return Err(format!("twice: {line}"));
        }
    }
    Ok(said)
}

/// Lists where the file and the simulator's table do not name the same rules.
pub fn table_faults(said: &BTreeMap<(Pair, String), Said>) -> Vec<String> {
    let mut faults = Vec::new();
    for pair in pairs() {
        let (older, newer) = pair;
        let changed: BTreeSet<&str> = changed(pair).into_iter().map(ChangedRule::id).collect();
        let listed: BTreeSet<&str> = said.keys().filter(|(of, _)| *of == pair).map(|(_, rule)| rule.as_str()).collect();
        let more = changed.difference(&listed);
        faults.extend(
            more.map(|rule| format!("{rule} differs between {older} and {newer}, which versions.txt does not say")),
        );
        let less = listed.difference(&changed);
        faults.extend(
            less.map(|rule| format!("{rule} does not differ between {older} and {newer}, as versions.txt says")),
        );
    }
    faults
}

/// Writes the file anew: its comments, each rule that it lists with the first seed that showed it.
pub fn rewritten(text: &str, said: &BTreeMap<(Pair, String), Said>, shown: &Shown) -> String {
    let mut lines: Vec<String> = text.lines().filter(|line| line.starts_with('#')).map(str::to_owned).collect();
    for ((pair, rule), what) in said {
        let found = shown.rules.iter().find(|((of, id), _)| of == pair && id == rule).map(|(_, found)| *found);
        let what = match (found, what) {
            (Some((times, seed)), _) => format!("seed {seed}, seen {times} of {}", shown.sequences),
            (None, Said::NotReached(why)) => format!("not reached: {why}"),
            (None, Said::Seed { seed, seen }) => format!("seed {seed}, seen {seen}"),
        };
        lines.push(format!("{rule} | {} to {} | {what}", pair.0, pair.1));
    }
    lines.join("\n") + "\n"
}
