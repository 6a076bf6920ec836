//! Differential runs: random sequences played on live brokers and on their profiles of the sim, compared at each step.
//! RMQPLAY_TEST_BROKERS names the brokers; RMQPLAY_SEED=N plays one seed (RMQPLAY_SEEDS=N so many from it on); RMQPLAY_SCRIPT=FILE plays
//! a file; RMQPLAY_DIFFERENTIAL=N plays N operations per version
//! (for RMQPLAY_MINUTES at most). A difference is shrunk and printed in the words of the conformance files.
//! Without a broker the versions of the sim are compared with each other (RMQPLAY_VERSIONS=N plays N seeds, RMQPLAY_SEED=N from there on).

#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

#[path = "differential/acting.rs"]
mod acting;
#[path = "support/brokers.rs"]
mod brokers;
#[path = "differential/chance.rs"]
mod chance;
#[path = "conformance/commands.rs"]
mod commands;
#[path = "differential/following.rs"]
mod following;
#[path = "differential/further_words.rs"]
mod further_words;
#[path = "differential/generator.rs"]
mod generator;
#[path = "support/golden.rs"]
mod golden;
#[path = "differential/held.rs"]
mod held;
#[path = "differential/known.rs"]
mod known;
#[path = "differential/live_side.rs"]
mod live_side;
#[path = "differential/operations.rs"]
mod operations;
#[path = "differential/player.rs"]
mod player;
#[path = "support/program.rs"]
mod program;
#[path = "support/random.rs"]
mod random;
#[path = "differential/rehearsal.rs"]
mod rehearsal;
#[path = "differential/run.rs"]
mod run;
#[expect(dead_code, reason = "the program conformance uses the rest")]
#[path = "conformance/script.rs"]
mod script;
#[path = "differential/seen.rs"]
mod seen;
#[path = "differential/sequence.rs"]
mod sequence;
#[path = "differential/shrinking.rs"]
mod shrinking;
#[path = "differential/streams.rs"]
mod streams;
#[path = "differential/transactions.rs"]
mod transactions;
#[path = "differential/versions.rs"]
mod versions;
#[path = "differential/words.rs"]
mod words;

use brokers::{brokers, say};
use rmqplay::io::Address;
use rmqplay::model::{Millis, Profile};
use rmqplay::rules::differences_of;
use sequence::Op;
use std::path::Path;
use std::time::{Duration, Instant};

#[test]
fn live_brokers_do_what_the_sim_does() {
    let parse = |url: &str| url.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
    let brokers: Vec<Address> = brokers("differential").iter().map(|broker| parse(&broker.url)).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let faults = runtime.expect("a runtime").block_on(run::all(brokers));
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_seed_gives_one_sequence() {
    for profile in Profile::ALL {
        let known = run::known(profile);
        let mut made = 0;
        for seed in 181..=220 {
            let (one, other) = (generator::sequence(seed, profile, &known), generator::sequence(seed, profile, &known));
            made += usize::from(one.is_ok());
            assert_eq!(one.map(|made| made.ops), other.map(|made| made.ops), "seed {seed} on {profile}");
        }
        say(&format!("differential: {made} of 40 seeds give a sequence on {profile}"));
        assert!(made >= 20, "most seeds are discarded on {profile}");
    }
}

/// The first seed of those that versions are compared by, and how many a plain run plays.
const VERSIONS_SEED: u64 = 1_000;
const VERSIONS_SEEDS: u64 = 14;

#[test]
fn versions_differ_by_the_rules_that_changed() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/versions.txt");
    let text = std::fs::read_to_string(&kept).expect("versions.txt");
    let said = versions::read(&text).unwrap_or_else(|fault| panic!("versions.txt: {fault}"));
    let mut faults = versions::table_faults(&said);
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let until = number("RMQPLAY_MINUTES").map(|minutes| Instant::now() + Duration::from_secs(60 * minutes));
    let first = number("RMQPLAY_SEED").unwrap_or(VERSIONS_SEED);
    let seeds = first..first + number("RMQPLAY_VERSIONS").unwrap_or(VERSIONS_SEEDS);
    let began = Instant::now();
    let shown = versions::play(seeds, || until.is_some_and(|until| Instant::now() > until));
    say(&format!(
        "differential: {} sequences, {} operations on each of {} versions in {} s; {} rules seen to differ between neighbours",
        shown.sequences,
        shown.operations,
        Profile::ALL.len(),
        began.elapsed().as_secs(),
        shown.rules.len()
    ));
    for ((older, newer), rule) in said.keys().map(|(pair, rule)| (*pair, rule)) {
        let found = shown.rules.iter().find(|((pair, id), _)| *pair == (older, newer) && id == rule);
        let what = found.map_or("not seen".into(), |(_, (times, seed))| format!("seen {times}, first at seed {seed}"));
        if number("RMQPLAY_VERSIONS").is_some() {
            say(&format!("{rule} | {older} to {newer} | {what}"));
        }
    }
    faults.extend(shown.faults.iter().cloned());
    if golden::is_updating() && faults.is_empty() {
        faults.extend(golden::check(&kept, &versions::rewritten(&text, &said, &shown)).err());
    } else {
        faults.extend(said.iter().filter_map(|(key, said)| not_as_said(key, said, &shown)));
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Returns what is wrong with a line of `versions.txt`, if anything.
fn not_as_said(
    (pair, rule): &(versions::Pair, String),
    said: &versions::Said,
    shown: &versions::Shown,
) -> Option<String> {
    let (older, newer) = pair;
    let shows = |shown: &versions::Shown| shown.rules.keys().any(|(of, id)| of == pair && id == rule);
    let again =
        "UPDATE_GOLDEN=1 RMQPLAY_VERSIONS=5000 cargo test --profile ci --test differential versions_ looks for seeds";
    match said {
        versions::Said::Seed { seed, .. } if !shows(&versions::play_seed(*seed, &[*pair])) => Some(format!(
            "versions.txt: {rule} does not make {older} and {newer} differ in the sequence of seed {seed} (any more): {again}"
        )),
        versions::Said::NotReached(_) => {
            let ((_, id), (_, seed)) = shown.rules.iter().find(|((of, id), _)| of == pair && id == rule)?;
            let example = versions::example(*seed, *pair, id);
            Some(format!("versions.txt: {rule} is reached between {older} and {newer}: {again}\n{example}"))
        }
        versions::Said::Seed { .. } => None,
    }
}

#[test]
fn a_live_broker_is_compared_by_its_patch() {
    let own = |release: &str| differences_of(live_side::edition_of(release));
    assert!(std::ptr::eq(own("4.2.6"), differences_of(Profile::V4_2.into())));
    assert!(own("4.2.6").passive_access != own("4.2.5").passive_access, "PE-2");
    assert!(own("4.1.8").returns_elect_nobody != own("4.1.1-1").returns_elect_nobody, "CO-6");
    assert!(own("3.13.7").unknown_type_closes_connection != own("3.13.2").unknown_type_closes_connection, "RT-17");
    let known = |release: &str| run::known(live_side::edition_of(release));
    assert!(known("3.13.2").accepts("DL-19/order") && !known("3.13.7").accepts("DL-19/order"));
    // The sequences are played by these rules: one that looks at what it may not configure is refused from 4.2.6 on.
    let ops = [
        "user alice",
        "permission alice ^$ .* .*",
        "connect alice as=alice",
        "channel a1 on=alice",
        "a1: check exchange amq.topic",
    ];
    let ops: Vec<Op> = ops.iter().map(|text| Op { gap: Millis(0), text: (*text).to_owned() }).collect();
    let shown =
        |release: &str| rehearsal::expected(own(release), &ops, None).expect("it ends").pop().expect("a last step");
    assert_ne!(shown("4.2.5"), shown("4.2.6"));
    assert_eq!(shown("4.2.5"), shown("4.1.8"));
    assert_eq!(shown("4.2.7"), shown("4.3.6"));
}
