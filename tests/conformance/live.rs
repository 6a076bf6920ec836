//! Plays the conformance files on real brokers: `RMQPLAY_TEST_BROKERS=url,url cargo test --test conformance live`.
//! Takes the profile nearest to each broker's version, by the broker's own patch. Compares order per channel and consumer, without moments.

use super::driver::Driver;
use super::harness::{Checked, stem, test};
use super::live_tests;
use super::patches::{self, by_release};
use super::script::{Part, Step, in_parts, parse};
use super::table::{self, Outcome, sim_only};
use super::transcript::Line;
use super::{golden, name_of, played};
use libtest_mimic::Trial;
use rmqplay::io::Address;
use rmqplay::io::live::{Live, LiveEnded, LiveLimits, TestVhosts, run_live};
use rmqplay::model::{Name, Profile};
use rmqplay::rules::{DeprecatedFeature, Edition, Permits, Plugin, Plugins};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many files are played at once, on all brokers together.
pub const AT_ONCE: usize = 24;

/// Returns a test per broker and file.
pub fn tests(files: &[PathBuf]) -> Vec<Trial> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = Arc::new(runtime.expect("a runtime"));
    live_tests::per_broker("conformance", |broker| {
        let address: Address = broker.url.parse().expect("a broker's address");
        let profile = Profile::nearest(broker.version.parse().expect("a version"));
        let edition = Edition::of_release(profile, &broker.version, Permits::NONE);
        let playable = files.iter().filter(|path| is_for(path, profile));
        let one = |path: &PathBuf| {
            let (runtime, address, path) = (runtime.clone(), address.clone(), path.clone());
            test(format!("live::{}::{}", broker.version, stem(&path)), move || {
                runtime.block_on(check_file(&address, &path, edition))
            })
        };
        playable.map(one).collect()
    })
}

/// Returns whether a live broker of a profile plays a file: it would not stop the broker for the others, take too long, or
/// be told differently by a live broker.
fn is_for(path: &Path, profile: Profile) -> bool {
    let text = std::fs::read_to_string(path).expect("a readable file");
    let steps = parse(&text).expect("a script");
    sim_only(&text, &steps).is_none() && steps.iter().any(|step| step.profiles.contains(&profile))
}

/// Files in which a step races with the broker: on a busy machine a delivery may still come before the cancel that is
/// sent in the same breath. One play must be as written.
const RACES: [&str; 1] = ["CO-3-settle-then-cancel.txt"];
const PLAYS_OF_A_RACE_MAX: usize = 3;
/// A machine that stalls for a second moves what a broker does from one step to the next. So any file that differs is
/// played once more, aloud, but only so many in one run: what differs by its rules differs twice.
const SECOND_PLAYS_MAX: usize = 6;
static SECOND_PLAYS: AtomicUsize = AtomicUsize::new(0);

async fn check_file(broker: &Address, path: &Path, edition: Edition) -> Checked {
    let text = std::fs::read_to_string(path).expect("a readable file");
    let profile = edition.profile;
    let steps = by_release(path, parse(&text)?, edition);
    let name = name_of(path);
    let named = |verb: &str| -> BTreeSet<Name> {
        steps.iter().filter(|step| step.word(0) == verb).map(|step| step.word(1).into()).collect()
    };
    let mut vhosts: Vec<Name> = vec!["/".into()];
    vhosts.extend(named("vhost"));
    let users: Vec<Name> = named("user").into_iter().collect();
    let mut faults = Vec::new();
    let is_race = RACES.contains(&&*name);
    for left in (0..if is_race { PLAYS_OF_A_RACE_MAX } else { 2 }).rev() {
        let guard = TestVhosts::set_up(broker, &vhosts, &users).await.map_err(|failure| failure.to_string())?;
        faults = play(broker, &guard, &name, &steps, edition).await;
        faults.extend(guard.sweep().await.err().map(|failure| failure.to_string()));
        if faults.is_empty() {
            break;
        }
        println!("{name} on {profile}: not as written; plays that are left: {left}: {}", faults.join("; "));
        if !is_race && left > 0 && SECOND_PLAYS.fetch_add(1, Ordering::Relaxed) >= SECOND_PLAYS_MAX {
            break;
        }
    }
    table::record(&name, profile, if faults.is_empty() { Outcome::Passed } else { Outcome::Failed });
    if faults.is_empty() && !golden::is_updating() && table::is_played(profile) && !table::says_passed(path, profile) {
        faults.push("it passed, which TABLE.md does not say: UPDATE_GOLDEN=1 notes it".into());
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// Plays the parts of a file that the broker is set for.
async fn play(broker: &Address, guard: &TestVhosts, name: &str, steps: &[Step], edition: Edition) -> Vec<String> {
    let parts = in_parts(steps);
    let asked: BTreeSet<DeprecatedFeature> = parts.iter().flat_map(|part| part.permits.iter()).collect();
    let mut faults = Vec::new();
    for Part { permits, plugins, steps } in parts {
        let mut live = match Live::open(broker, guard.names(), &LiveLimits::default()).await {
            Ok(live) => live,
            Err(failure) => return vec![failure.to_string()],
        };
        if plugins != Plugins::NONE {
            match live.management().enabled_plugins().await {
                Ok(enabled) => {
                    let lacks = |plugin: &Plugin| !enabled.iter().any(|one| one == plugin.as_str());
                    if let Some(plugin) = plugins.iter().find(lacks) {
                        return vec![format!("{name}: the broker has no {plugin}: rabbitmq-plugins enable {plugin}")];
                    }
                }
                Err(failure) => return vec![failure.to_string()],
            }
        }
        if !asked.is_empty() {
            let denied = match live.management().denied_features().await {
                Ok(denied) => denied,
                Err(failure) => return vec![failure.to_string()],
            };
            let is_set_so =
                |feature: &DeprecatedFeature| permits.contains(*feature) != denied.contains(&feature.to_string());
            if !asked.iter().all(is_set_so) {
                continue;
            }
        }
        faults.extend(play_part(&mut live, name, played(&steps, edition.profile), edition).await);
    }
    faults
}

async fn play_part(live: &mut Live, name: &str, played: Vec<Step>, edition: Edition) -> Vec<String> {
    let mut driver = Driver::new(played.clone()).patient(edition, fits);
    match run_live(&mut driver, live, &LiveLimits::default()).await {
        Ok((_, LiveEnded::Done)) => {}
        other => {
            let step = played.get(driver.transcript.len()).map(|step| step.words.join(" ")).unwrap_or_default();
            return vec![format!("{name} on {}: ended at `{step}`: {other:?}", edition.release())];
        }
    }
    let pairs = played.iter().zip(&driver.transcript);
    pairs.filter_map(|(step, lines)| compare(name, step, lines, edition)).collect()
}

fn fits(step: &Step, lines: &[Line], edition: Edition) -> bool {
    let (wanted, found) = sides(step, lines, edition);
    wanted == found
}

/// Returns what a step should show and what it did, in comparable order.
fn sides(step: &Step, lines: &[Line], edition: Edition) -> (Vec<String>, Vec<String>) {
    let expected = step.expected.iter().filter(|line| line.profiles.contains(&edition.profile));
    let mut wanted: Vec<String> = expected.map(|line| without_moment(&line.text).to_owned()).collect();
    let mut found: Vec<String> = lines.iter().map(|line| without_moment(&line.shown()).to_owned()).collect();
    if patches::leaves_deaths_in_no_order(edition) {
        wanted.iter_mut().chain(&mut found).for_each(|line| *line = patches::with_sorted_deaths(line));
    }
    let unordered = step.expected.iter().any(|line| line.unordered);
    for lines in [&mut wanted, &mut found] {
        if unordered {
            lines.sort();
        } else {
            lines.sort_by_key(|line| stream(line));
        }
    }
    (wanted, found)
}

fn compare(name: &str, step: &Step, lines: &[Line], edition: Edition) -> Option<String> {
    let (wanted, found) = sides(step, lines, edition);
    (wanted != found).then(|| {
        let show = |what: &str, lines: &[String]| -> String {
            lines.iter().map(|line| format!("\n    {what} {line}")).collect()
        };
        let words = step.words.join(" ");
        format!(
            "{name}:{} on live {}: {words}{}{}",
            step.line,
            edition.release(),
            show("wanted", &wanted),
            show("found ", &found)
        )
    })
}

fn without_moment(line: &str) -> &str {
    if line.starts_with('@') { line.split_once(' ').map_or(line, |(_, rest)| rest) } else { line }
}

/// Returns what a line belongs to; between these no order is promised: a channel's consumers, confirms, the rest.
fn stream(line: &str) -> String {
    let (channel, rest) = line.split_once(": ").filter(|(name, _)| !name.contains(' ')).unwrap_or(("", line));
    let words: Vec<&str> = rest.split(' ').collect();
    match words.as_slice() {
        [consumer, "gets", ..] => format!("{channel}/{consumer}"),
        ["acked" | "nacked" | "returned", ..] => format!("{channel}/publishes"),
        _ => format!("{channel}/~"),
    }
}
