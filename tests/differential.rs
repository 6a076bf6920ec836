//! Differential runs: random sequences played on live brokers and on their profiles of the sim, compared at each step.
//! RMQPLAY_TEST_BROKERS names the brokers; RMQPLAY_SEED=N plays one seed (RMQPLAY_SEEDS=N so many from it on); RMQPLAY_SCRIPT=FILE plays
//! a file; RMQPLAY_DIFFERENTIAL=N plays N operations per version
//! (for RMQPLAY_MINUTES at most). A difference is shrunk and printed in the words of the conformance files.

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
#[path = "differential/generator.rs"]
mod generator;
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
#[path = "differential/words.rs"]
mod words;

use brokers::{brokers, say};
use rmqplay::io::Address;
use rmqplay::model::Profile;

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
        for seed in 1..=40 {
            let (one, other) = (generator::sequence(seed, profile, &known), generator::sequence(seed, profile, &known));
            made += usize::from(one.is_ok());
            assert_eq!(one.map(|made| made.ops), other.map(|made| made.ops), "seed {seed} on {profile}");
        }
        say(&format!("differential: {made} of 40 seeds give a sequence on {profile}"));
        assert!(made >= 20, "most seeds are discarded on {profile}");
    }
}
