//! Plays the conformance files on real brokers: `RMQPLAY_TEST_BROKERS=url,url cargo test --test conformance live`.
//! Reports the versions it ran on; without the variable it reports that it did not run.
//! Takes the profile nearest to each broker's version. Compares order per channel and consumer, without moments.

use super::brokers::brokers;
use super::driver::Driver;
use super::script::{Step, parse};
use super::table::{self, Outcome, Outcomes, sim_only};
use super::transcript::Line;
use super::{files, is_picked, name_of, played};
use futures_util::StreamExt;
use rmqplay::io::Address;
use rmqplay::io::live::{Live, LiveEnded, LiveLimits, TestVhosts, run_live};
use rmqplay::model::{Name, Profile};
use std::collections::BTreeSet;
use std::path::Path;

/// Is a file that a broker of a profile has played, with what was otherwise than it says.
type Check = (String, Option<Profile>, Vec<String>);

/// How many files are played at once on a broker.
const AT_ONCE: usize = 8;

#[test]
fn live_brokers_do_what_the_files_say() {
    let listed = brokers("conformance");
    if listed.is_empty() {
        return;
    }
    let only = std::env::var("ONLY").unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let checks: Vec<Check> = runtime.expect("a runtime").block_on(async {
        let brokers = listed.iter().map(|broker| broker.url.parse().expect("a broker's address"));
        let runs = brokers.map(|broker| check_broker(broker, &only));
        futures_util::future::join_all(runs).await.concat()
    });
    let mut outcomes = Outcomes::new();
    for (name, profile, faults) in &checks {
        let outcome = if faults.is_empty() { Outcome::Passed } else { Outcome::Failed };
        if let Some(profile) = profile {
            let kept = outcomes.entry((name.clone(), (true, *profile))).or_insert(outcome);
            *kept = if *kept == Outcome::Failed { Outcome::Failed } else { outcome };
        }
    }
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut faults: Vec<String> = checks.into_iter().flat_map(|(_, _, faults)| faults).collect();
    if update || only.is_empty() {
        faults.extend(table::keep(&outcomes, update).err());
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

async fn check_broker(broker: Address, only: &str) -> Vec<Check> {
    let paths = files().into_iter().filter(|path| is_picked(path, only));
    let checks = paths.map(|path| {
        let broker = broker.clone();
        async move { check_file(&broker, &path).await }
    });
    futures_util::stream::iter(checks).buffered(AT_ONCE).filter_map(|check| async { check }).collect().await
}

async fn check_file(broker: &Address, path: &Path) -> Option<Check> {
    let text = std::fs::read_to_string(path).expect("a readable file");
    let steps = parse(&text).expect("a script");
    // It would stop the broker for the others, take too long, or is told differently by a live broker.
    if sim_only(&text, &steps).is_some() {
        return None;
    }
    let name = name_of(path);
    let named = |verb: &str| -> BTreeSet<Name> {
        steps.iter().filter(|step| step.word(0) == verb).map(|step| step.word(1).into()).collect()
    };
    let mut vhosts: Vec<Name> = vec!["/".into()];
    vhosts.extend(named("vhost"));
    let users: Vec<Name> = named("user").into_iter().collect();
    let guard = match TestVhosts::set_up(broker, &vhosts, &users).await {
        Ok(guard) => guard,
        Err(failure) => return Some((name.clone(), None, vec![format!("{name}: {failure}")])),
    };
    let (profile, mut faults) = play(broker, &guard, &name, &steps).await;
    faults.extend(guard.sweep().await.err().map(|failure| format!("{name}: {failure}")));
    Some((name, profile, faults))
}

async fn play(broker: &Address, guard: &TestVhosts, name: &str, steps: &[Step]) -> (Option<Profile>, Vec<String>) {
    let limits = LiveLimits::default();
    let mut live = match Live::open(broker, guard.names(), &limits).await {
        Ok(live) => live,
        Err(failure) => return (None, vec![format!("{name}: {failure}")]),
    };
    let profile = Profile::nearest(live.overview().full_version.parse().expect("a version"));
    let mut driver = Driver::new(played(steps, profile)).patient(profile, fits);
    match run_live(&mut driver, &mut live, &limits).await {
        Ok((_, LiveEnded::Done)) => {}
        other => {
            let at = driver.transcript.len();
            let step = played(steps, profile).get(at).map(|step| step.words.join(" ")).unwrap_or_default();
            return (Some(profile), vec![format!("{name} on {profile}: ended at `{step}`: {other:?}")]);
        }
    }
    let played = played(steps, profile);
    let pairs = played.iter().zip(&driver.transcript);
    (Some(profile), pairs.filter_map(|(step, lines)| compare(name, step, lines, profile)).collect())
}

fn fits(step: &Step, lines: &[Line], profile: Profile) -> bool {
    let (wanted, found) = sides(step, lines, profile);
    wanted == found
}

/// Gives what a step should show and what it did, in comparable order.
fn sides(step: &Step, lines: &[Line], profile: Profile) -> (Vec<String>, Vec<String>) {
    let expected = step.expected.iter().filter(|line| line.profiles.contains(&profile));
    let mut wanted: Vec<String> = expected.map(|line| without_moment(&line.text).to_owned()).collect();
    let mut found: Vec<String> = lines.iter().map(|line| without_moment(&line.shown()).to_owned()).collect();
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

fn compare(name: &str, step: &Step, lines: &[Line], profile: Profile) -> Option<String> {
    let (wanted, found) = sides(step, lines, profile);
    (wanted != found).then(|| {
        let show = |what: &str, lines: &[String]| -> String {
            lines.iter().map(|line| format!("\n    {what} {line}")).collect()
        };
        let words = step.words.join(" ");
        format!("{name}:{} on live {profile}: {words}{}{}", step.line, show("wanted", &wanted), show("found ", &found))
    })
}

fn without_moment(line: &str) -> &str {
    if line.starts_with('@') { line.split_once(' ').map_or(line, |(_, rest)| rest) } else { line }
}

/// Gives what a line belongs to; between these no order is promised: a channel's consumers, confirms, the rest.
fn stream(line: &str) -> String {
    let (channel, rest) = line.split_once(": ").filter(|(name, _)| !name.contains(' ')).unwrap_or(("", line));
    let words: Vec<&str> = rest.split(' ').collect();
    match words.as_slice() {
        [consumer, "gets", ..] => format!("{channel}/{consumer}"),
        ["acked" | "nacked" | "returned", ..] => format!("{channel}/publishes"),
        _ => format!("{channel}/~"),
    }
}
