//! Plays many sequences on all versions at once, some in parallel on each, and tells the tally.
//! Gives the faults: differences as conformance files, failures of the environment, too much that could not be played.

use super::following::{LINGER, LINGER_AGAIN};
use super::generator::{self, TRANSACTIONS_FROM};
use super::known::Known;
use super::live_side::{Played, Version};
use super::rehearsal::{Unfit, steady};
use super::say;
use super::seen::Seen;
use super::sequence::Sequence;
use super::shrinking::{Difference, shrink};
use rmqplay::io::Address;
use rmqplay::rules::Edition;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const FIXED_SEEDS: u64 = 260;
/// How many of those that draw transactions are the same in each run.
const FIXED_TRANSACTIONS: u64 = 30;
/// The same of those that draw streams.
const FIXED_STREAMS: u64 = 20;
const FRESH_SEEDS: u64 = 100;
/// No sequence is begun after this in the plain run.
const BEGUN_WITHIN: Duration = Duration::from_secs(130);
/// What the plain run must play of each version at least, however slow the machine is.
const PLAYED_MIN: usize = 60;
/// How many of a hundred sequences may have an outcome that nobody can foretell.
const UNCLEAR_MAX: usize = 3;
/// How many think at once: more would starve those who play, until the management API hangs up on them.
static THINKING: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(1);
/// How many differences of fresh seeds a plain run tells without failing: what chance finds today is work, not the fault
/// of the change at hand. Fixed seeds, and all that were asked for, fail at the first.
const FRESH_TOLD: usize = 2;
/// How many differences of one version are shrunk.
const SHRUNK_MAX: usize = 4;

/// What one version's run came to.
#[derive(Default)]
struct Tally {
    sequences: usize,
    operations: usize,
    closing: usize,
    discarded: BTreeMap<&'static str, usize>,
    /// Seed, operation, why nobody can say what it should show, and what it showed.
    unclear: Vec<(u64, String, Unfit, Vec<String>)>,
    faults: Vec<String>,
    different: Vec<(Sequence, usize, Seen, Seen)>,
}

struct Plan {
    seeds: Box<dyn Iterator<Item = u64> + Send>,
    /// Ends when so many operations were played.
    operations: usize,
    until: Option<Instant>,
    /// How many sequences must have been played.
    least: usize,
    /// A few differences of fresh seeds are told only.
    fresh_told: bool,
}

/// Hands out seeds to those who play timed sequences and to those who play the others.
struct Seeds {
    more: Box<dyn Iterator<Item = u64> + Send>,
    put_by: [VecDeque<u64>; 2],
}

impl Seeds {
    fn next(&mut self, timed: bool) -> Option<u64> {
        loop {
            if let Some(seed) = self.put_by[usize::from(timed)].pop_front() {
                return Some(seed);
            }
            let seed = self.more.next()?;
            self.put_by[usize::from(generator::is_timed(seed))].push_back(seed);
        }
    }
}

/// Reads the accepted differences for a release.
pub fn known(edition: impl Into<Edition>) -> Known {
    let text = include_str!("known-differences.txt");
    Known::read(text, edition.into()).unwrap_or_else(|error| panic!("known-differences.txt: {error}"))
}

/// Plays on all brokers; gives the faults.
pub async fn all(brokers: Vec<Address>) -> Vec<String> {
    let mut runs = Vec::new();
    let fresh = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_millis() as u64) << 8;
    for address in brokers {
        let version = Version::ask(address).await.unwrap_or_else(|failure| panic!("{failure}"));
        runs.push(tokio::spawn(one(version, fresh)));
    }
    let mut faults = Vec::new();
    for run in runs {
        faults.extend(run.await.unwrap_or_else(|error| vec![error.to_string()]));
    }
    faults
}

fn plan(fresh: u64) -> Plan {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("RMQPLAY_SEED") {
        let count = number("RMQPLAY_SEEDS").unwrap_or(1);
        return Plan {
            seeds: Box::new(seed..seed + count),
            operations: usize::MAX,
            until: None,
            least: 1,
            fresh_told: false,
        };
    }
    match number("RMQPLAY_DIFFERENTIAL") {
        Some(operations) => Plan {
            seeds: Box::new(fresh..),
            operations: operations as usize,
            until: number("RMQPLAY_MINUTES").map(|minutes| Instant::now() + Duration::from_secs(60 * minutes)),
            least: 1,
            fresh_told: false,
        },
        None => Plan {
            // Mixed, so that a slow machine plays some of both.
            seeds: Box::new((1..=FIXED_SEEDS.max(FRESH_SEEDS)).flat_map(move |n| {
                let fixed = (n <= FIXED_SEEDS).then_some(n);
                let transacting = (n <= FIXED_TRANSACTIONS).then_some(TRANSACTIONS_FROM + 4 * n);
                let streaming = (n <= FIXED_STREAMS).then_some(TRANSACTIONS_FROM + 4 * n + 1);
                fixed.into_iter().chain(transacting).chain(streaming).chain((n <= FRESH_SEEDS).then_some(fresh + n))
            })),
            operations: usize::MAX,
            until: Some(Instant::now() + BEGUN_WITHIN),
            least: PLAYED_MIN,
            fresh_told: true,
        },
    }
}

/// Plays the operations of a file on one version.
async fn play_file(version: Version, path: &str) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let sequence = Sequence::read(&text, version.edition);
    if let Err(unfit) = steady(version.rules(), &sequence.ops, &known(version.edition)) {
        return vec![format!("{path} on {}: {unfit}", version.full)];
    }
    match version.play(&sequence.ops, LINGER_AGAIN).await {
        Played::Same => Vec::new(),
        Played::Different { at, wanted, seen } => {
            vec![written(&version, &sequence, at, &wanted, &seen, "played once")]
        }
        other => vec![format!("{path} on {}: {other:?}", version.full)],
    }
}

async fn one(version: Version, fresh: u64) -> Vec<String> {
    if let Ok(path) = std::env::var("RMQPLAY_SCRIPT") {
        return play_file(version, &path).await;
    }
    let began = Instant::now();
    let tasks = |name: &str, plain| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(plain);
    let (busy, waiting): (usize, usize) = (tasks("RMQPLAY_TASKS", 5), tasks("RMQPLAY_WAITING_TASKS", 40));
    let known = Arc::new(known(version.edition));
    let plan = plan(fresh);
    let seeds = Arc::new(Mutex::new(Seeds { more: plan.seeds, put_by: Default::default() }));
    let tally = Arc::new(Mutex::new(Tally::default()));
    let played = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..busy + waiting)
        .map(|n| {
            let (version, known, seeds, tally, played) =
                (version.clone(), known.clone(), seeds.clone(), tally.clone(), played.clone());
            let (most, until) = (plan.operations, plan.until);
            tokio::spawn(async move {
                while played.load(Ordering::Relaxed) < most && until.is_none_or(|until| Instant::now() < until) {
                    let Some(seed) = lock(&seeds).next(n >= busy) else { break };
                    let operations = play_seed(&version, seed, &known, &tally).await;
                    played.fetch_add(operations, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for worker in workers {
        if let Err(error) = worker.await {
            lock(&tally).faults.push(error.to_string());
        }
    }
    let mut tally = std::mem::take(&mut *lock(&tally));
    tell(&version, &tally, fresh, began);
    for rule in known.unused() {
        say(&format!("differential: RabbitMQ {}: known difference {rule} was not needed", version.full));
    }
    let mut faults = std::mem::take(&mut tally.faults);
    if tally.sequences < plan.least {
        let (played, least) = (tally.sequences, plan.least);
        faults.push(format!("{}: only {played} sequences were played, of {least} that must be", version.full));
    }
    if tally.unclear.len() * 100 > tally.sequences.max(100) * UNCLEAR_MAX {
        faults.push(format!("{}: {} sequences were unclear", version.full, tally.unclear.len()));
    }
    let transacting = TRANSACTIONS_FROM..=TRANSACTIONS_FROM + 4 * FIXED_TRANSACTIONS;
    let told_only = |seed: u64| plan.fresh_told && seed > FIXED_SEEDS && !transacting.contains(&seed);
    let fresh_found = tally.different.iter().filter(|(sequence, ..)| told_only(sequence.seed)).count();
    let mut take = |seed: u64, text: String| match told_only(seed) && fresh_found <= FRESH_TOLD {
        true => say(&format!("differential: NEW DIFFERENCE, to be looked into and not held against this run:\n{text}")),
        false => faults.push(text),
    };
    for (sequence, at, expected, seen) in tally.different.iter().skip(SHRUNK_MAX) {
        take(sequence.seed, written(&version, sequence, *at, expected, seen, "not shrunk"));
    }
    let few: Vec<_> = tally.different.into_iter().take(SHRUNK_MAX).collect();
    let shrinks = few.iter().map(|(sequence, at, expected, seen)| {
        shrink(&version, sequence, (*at, expected.clone(), seen.clone()), &known)
    });
    for small in futures_util::future::join_all(shrinks).await {
        let Difference { sequence, at, expected, seen, again, tries, .. } = small;
        let how = if again { format!("shrunk in {tries} plays") } else { "seen once, not again".to_owned() };
        take(sequence.seed, written(&version, &sequence, at, &expected, &seen, &how));
    }
    faults
}

async fn play_seed(version: &Version, seed: u64, known: &Arc<Known>, tally: &Mutex<Tally>) -> usize {
    let (edition, own) = (version.edition, known.clone());
    let turn = THINKING.acquire().await;
    let thought = tokio::task::spawn_blocking(move || generator::sequence(seed, edition, &own)).await;
    drop(turn);
    let sequence = match thought {
        Ok(Ok(made)) => made,
        Err(panic) => {
            lock(tally).faults.push(format!("seed {seed} on {}: {panic}", version.full));
            return 0;
        }
        Ok(Err(unfit)) => {
            *lock(tally).discarded.entry(unfit).or_default() += 1;
            return 0;
        }
    };
    let played = version.play(&sequence.ops, LINGER).await;
    let mut tally = lock(tally);
    let operations = match &played {
        Played::Unclear(at, ..) | Played::Different { at, .. } => *at,
        _ => sequence.ops.len() - sequence.closing,
    };
    match played {
        Played::Same => {}
        Played::Unclear(at, why, lines) => tally.unclear.push((seed, sequence.ops[at].text.clone(), why, lines)),
        Played::Different { at, wanted, seen } => {
            say(&written(version, &sequence, at, &wanted, &seen, "found"));
            tally.different.push((sequence.clone(), at, *wanted, *seen));
        }
        Played::Failed(failure) => tally.faults.push(format!("{} seed {seed}: {failure}", version.full)),
    }
    tally.sequences += 1;
    tally.operations += operations;
    tally.closing += sequence.closing;
    operations
}

fn tell(version: &Version, tally: &Tally, fresh: u64, began: Instant) {
    let discarded: usize = tally.discarded.values().sum();
    say(&format!(
        "differential: RabbitMQ {} against {}: {} sequences, {} operations and {} closing steps in {} s (fresh seeds from {fresh}); {} unclear, {} different; {discarded} discarded before playing {:?}",
        version.full,
        version.edition.release(),
        tally.sequences,
        tally.operations,
        tally.closing,
        began.elapsed().as_secs(),
        tally.unclear.len(),
        tally.different.len(),
        tally.discarded
    ));
    for (seed, op, why, lines) in &tally.unclear {
        say(&format!("differential: RabbitMQ {}: seed {seed} was unclear at `{op}`: {why}", version.full));
        lines.iter().for_each(|line| say(&format!("    {line}")));
    }
}

/// Writes a difference as a conformance file, what differed as comments below its last step.
fn written(version: &Version, sequence: &Sequence, at: usize, expected: &Seen, seen: &Seen, how: &str) -> String {
    let mut short = sequence.clone();
    short.ops.truncate(at + 1);
    let taken = |seen: &Seen| seen.streams.values().map(Vec::len).max().unwrap_or(0);
    let text = short.text(taken(expected).max(taken(seen)));
    let mut text = format!("==== RabbitMQ {}: {how}; RMQPLAY_SEED={}\n{text}", version.full, sequence.seed);
    for line in expected.differences(seen) {
        text.push_str(&format!("#   {line}\n"));
    }
    text
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
