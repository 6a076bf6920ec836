//! What `run --explore` plays: how many schedules there are, that each can be repeated byte for byte, whatever N is, and that
//! every kind of choice is met and every known race found. Scenarios are those of `tests/commands/explore/`.
#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

#[path = "support/files.rs"]
mod files;

use rmqplay::io::Disk;
use rmqplay::language::{Settings, load_scenario};
use rmqplay::model::{Cell, Profile};
use rmqplay::player::RunResult;
use rmqplay::rules::rule_chapters;
use rmqplay::simulate::{
    ChoiceKind, Exploration, Fact, FactValue, Total, Uncounted, explore, explore_closing, list_schedules,
    play_schedule, rehearse_counting,
};
use rmqplay::source::Sources;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn load(path: &Path) -> Cell {
    let text = std::fs::read(path).expect("a readable file");
    let (world, settings) = (Disk::at("", Default::default()), Settings::default());
    let (loaded, _) = load_scenario(&mut Sources::default(), &path.to_string_lossy(), &text, &world, &settings);
    loaded.expect("a scenario").cells.remove(0)
}

fn cell(name: &str) -> Cell {
    load(&files::root(&format!("tests/commands/explore/{name}.yaml")))
}

fn explored(name: &str, profile: Profile) -> Exploration {
    explore(&cell(name), profile, 1_000, 0)
}

/// Checks how many schedules there are in all, and how many facts vary.
#[track_caller]
fn counts(name: &str, schedules: u64, varied: usize) {
    let found = explored(name, Profile::NEWEST);
    assert!(found.is_whole(), "{name}: there are more than {} schedules", found.schedules);
    assert_eq!((found.schedules, found.varied.len()), (schedules, varied), "{name}: {:#?}", found.varied);
}

#[test]
fn one_worker_has_one_order_that_matters() {
    assert_eq!(explored("certain", Profile::NEWEST).varied, []);
}

#[test]
fn schedule_one_is_a_plain_run() {
    for path in files::below("tests/commands/explore", "yaml", 13) {
        let cell = load(&path);
        let first = play_schedule(&cell, Profile::NEWEST, 0, 1).expect("a first schedule");
        let plain = rehearse_counting(&cell, Profile::NEWEST, None);
        assert_eq!(first.played.timeline, plain.timeline, "{}", path.display());
        assert_eq!(first.played.outcome, plain.outcome, "{}", path.display());
    }
}

#[test]
fn a_schedule_repeats_byte_for_byte_whatever_n_is() {
    for name in ["turn", "worker", "series"] {
        let (cell, n) = (cell(name), 40.min(explored(name, Profile::V3_10).schedules));
        for number in [1, n / 2, n] {
            let play = || play_schedule(&cell, Profile::V3_10, 3, number).expect("a schedule of that number");
            let (one, other) = (play(), play());
            assert_eq!(one.schedule, other.schedule);
            assert_eq!(format!("{:?}", one.played), format!("{:?}", other.played), "{name} {number}");
            assert_eq!(one.schedule.number, number);
        }
        if let Some(failed) = explore(&cell, Profile::V3_10, 1_000, 3).first_failed {
            let again = play_schedule(&cell, Profile::V3_10, 3, failed.number).expect("the one that failed");
            assert_eq!(again.schedule, failed, "{name}: its number depends on N");
            assert!(!again.played.failures.is_empty(), "{name}: schedule {} passes when repeated", failed.number);
        }
    }
}

/// Each scenario fails under some schedule, or varies, by this kind of choice.
#[test]
fn every_kind_of_choice_is_met() {
    let races = [
        ("arrival", Profile::NEWEST, ChoiceKind::Arrival),
        ("dead-letter", Profile::NEWEST, ChoiceKind::DeadLetter),
        ("full-signal", Profile::NEWEST, ChoiceKind::FullSignal),
        ("last-work", Profile::NEWEST, ChoiceKind::LastWork),
        ("leave", Profile::NEWEST, ChoiceKind::Leave),
        ("look", Profile::NEWEST, ChoiceKind::Look),
        ("policy-tie", Profile::V4_0, ChoiceKind::PolicyTie),
        ("return-order", Profile::V3_10, ChoiceKind::ReturnOrder),
        ("timer", Profile::NEWEST, ChoiceKind::Timer),
        ("timer-or-client", Profile::NEWEST, ChoiceKind::TimerOrClient),
        ("turn", Profile::NEWEST, ChoiceKind::Turn),
        ("worker", Profile::NEWEST, ChoiceKind::Worker),
        ("shared-limit", Profile::V4_0, ChoiceKind::SharedLimit),
        ("unsent", Profile::NEWEST, ChoiceKind::Unsent),
        ("policy-effect", Profile::NEWEST, ChoiceKind::PolicyEffect),
        ("late-act", Profile::NEWEST, ChoiceKind::LateAct),
    ];
    let mut met = BTreeSet::new();
    for (name, profile, kind) in races {
        let found = explored(name, profile);
        assert!(found.kinds.contains_key(&kind), "{name}: {kind:?} is not among {:?}", found.kinds);
        assert!(!found.varied.is_empty(), "{name}: nothing varies by {kind:?}");
        met.insert(kind);
    }
    assert_eq!(met, ChoiceKind::ALL.into_iter().collect(), "kinds without a scenario");
}

#[test]
fn every_kind_of_choice_has_a_rule_in_the_book_and_a_line_in_the_reference() {
    let rules: BTreeSet<String> =
        rule_chapters().into_iter().flat_map(|chapter| chapter.rules).map(|rule| rule.id).collect();
    let reference = std::fs::read_to_string(files::root("src/language/reference.md")).expect("the reference");
    for kind in ChoiceKind::ALL {
        assert!(rules.contains(kind.rule()), "{kind:?} cites {}", kind.rule());
        let line = format!("| `{}` | {} | {} | {} |", kind.as_str(), kind.sentence(), kind.rule(), kind.seen());
        assert!(reference.contains(&line), "the reference lacks {line}");
    }
}

/// A series into a full quorum queue: sent without waiting, any number gets in before the signal is heard.
#[test]
fn a_series_into_a_full_quorum_queue_may_be_taken_whole() {
    let found = explored("full-signal", Profile::NEWEST);
    let (_, values) = found.varied.iter().find(|(fact, _)| matches!(fact, Fact::Publishes(_))).expect("publishes");
    let all: BTreeSet<&str> = values.iter().filter_map(|value| value.shown.split(" confirmed").next()).collect();
    assert_eq!(all, BTreeSet::from(["3", "4", "5"]));
}

#[test]
fn two_workers_and_three_jobs_have_thirteen_schedules() {
    counts("turn", 13, 2);
}

/// What each consumer received and did, in words of the test's own.
fn of_consumers(played: &RunResult) -> BTreeMap<String, String> {
    let outcome = played.outcome.as_ref().expect("an outcome");
    let told = outcome.consumers.iter().map(|consumer| {
        let each = consumer.received.iter().map(|receipt| {
            let record = &receipt.record;
            let deaths = (record.message.deaths().count(), record.message.deaths_counted());
            format!("{} {} {deaths:?} {:?}", record.name, record.redelivered, receipt.did)
        });
        (consumer.name.to_string(), each.collect::<Vec<_>>().join("; "))
    });
    told.collect()
}

/// Schedules that stand alike at rest share what comes behind: each of them, played in full, must come to what was counted.
#[test]
fn each_schedule_played_in_full_comes_to_what_was_counted() {
    let explored = |path: &str| load(&files::root(path));
    for path in [
        "tests/commands/explore/turn.yaml",
        "tests/commands/explore/leave.yaml",
        "scenarios/game-queue/dlq-policy.yaml",
    ] {
        let cell = explored(path);
        let found = explore(&cell, Profile::NEWEST, 1_000, 0);
        let (listed, _) = list_schedules(&cell, Profile::NEWEST, 1_000, 0, 2_000);
        assert_eq!(listed.len() as u64, found.schedules, "{path}");
        let mut counted: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        let mut failed = 0;
        for schedule in &listed {
            let played = schedule.replay(&cell, Profile::NEWEST);
            assert_eq!(!played.failures.is_empty(), schedule.failed, "{path}: schedule {}", schedule.number);
            failed += u64::from(schedule.failed);
            if played.outcome.is_some() {
                for (name, told) in of_consumers(&played) {
                    *counted.entry(name).or_default().entry(told).or_default() += 1;
                }
            }
        }
        assert_eq!(failed, found.failed, "{path}");
        for (name, values) in counted {
            let mut by_replay: Vec<u64> = values.into_values().collect();
            by_replay.sort_unstable();
            let varied = found.varied.iter().find(|(fact, _)| matches!(fact, Fact::Consumer(of) if **of == *name));
            let mut by_search: Vec<u64> = match varied {
                Some((_, values)) => values.iter().map(|value| value.schedules).collect(),
                None => vec![by_replay.iter().sum()],
            };
            by_search.sort_unstable();
            assert_eq!(by_search, by_replay, "{path}: {name}");
        }
    }
}

/// The paths of up to so many schedules, where levels of more than so many are drawn from, and whether there are no others.
fn paths(name: &str, schedules: u64, seed: u64, drawn_from: usize) -> (Vec<Vec<(u32, u16)>>, bool) {
    let (listed, is_whole) = list_schedules(&cell(name), Profile::NEWEST, schedules, seed, drawn_from);
    (listed.iter().map(|schedule| schedule.path().to_vec()).collect(), is_whole)
}

/// Returns how many of these come before the first that was drawn: those that choose otherwise at most once.
fn systematic(paths: &[Vec<(u32, u16)>]) -> usize {
    paths.iter().take_while(|path| path.len() <= 1).count()
}

#[test]
fn what_is_drawn_comes_after_all_that_choose_otherwise_once() {
    let (all, _) = paths("crowd", 320, 0, 40);
    let (ordered, _) = paths("crowd", 320, 0, 1_000_000);
    let once = systematic(&all);
    assert!((2..300).contains(&once), "{once} choose otherwise at most once");
    assert_eq!(all[..once], ordered[..once]);
    assert_ne!(all[once..], ordered[once..]);
    assert!(all[once..].iter().all(|path| path.len() > 1));
}

#[test]
fn draws_follow_the_seed_and_not_how_many_are_wanted() {
    let (all, _) = paths("crowd", 320, 7, 40);
    assert_eq!(all, paths("crowd", 320, 7, 40).0);
    assert_eq!(all[..310], paths("crowd", 310, 7, 40).0);
    let (others, _) = paths("crowd", 320, 8, 40);
    let once = systematic(&all);
    assert_eq!(all[..once], others[..once]);
    assert_ne!(all[once..], others[once..]);
}

#[test]
fn no_schedule_comes_twice() {
    for (name, drawn_from) in [("crowd", 40), ("crowd", 1_000_000), ("turn", 2)] {
        let (all, _) = paths(name, 320, 3, drawn_from);
        let different: BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len(), "{name}");
    }
}

#[test]
fn draws_end_when_all_are_played_and_say_so() {
    let (ordered, all_ordered) = paths("turn", 1_000, 0, 1_000_000);
    let (drawn, all_drawn) = paths("turn", 1_000, 0, 2);
    assert!(all_ordered && all_drawn);
    assert_ne!(ordered, drawn);
    assert_eq!(ordered.iter().collect::<BTreeSet<_>>(), drawn.iter().collect());
}

#[test]
fn whether_there_are_more_schedules_than_wanted_is_told() {
    let whole = explored("turn", Profile::NEWEST).schedules;
    let exactly = explore(&cell("turn"), Profile::NEWEST, whole, 0);
    assert_eq!((exactly.schedules, exactly.is_whole()), (whole, true));
    let fewer = explore(&cell("turn"), Profile::NEWEST, whole - 1, 0);
    assert_eq!((fewer.schedules, fewer.is_whole()), (whole - 1, false));
}

#[test]
fn all_schedules_are_counted_where_few_are_left() {
    let total = |name: &str, schedules: u64| explore(&cell(name), Profile::NEWEST, schedules, 0).total;
    assert_eq!(total("turn", 3), Total::Exactly(13));
    assert_eq!(total("turn", 13), Total::Exactly(13));
    assert_eq!(total("crowd", 3), Total::AtLeast(103, Uncounted::Left(100)));
    assert_eq!(total("certain", 1), Total::Exactly(explored("certain", Profile::NEWEST).schedules));
}

/// What shows in reports of a finished exploration, whatever the schedules are called.
fn ends(found: &Exploration) -> (bool, BTreeSet<(Fact, BTreeSet<String>)>) {
    let values = |all: &[FactValue]| all.iter().map(|value| value.shown.clone()).collect();
    (found.failed > 0, found.varied.iter().map(|(fact, all)| (fact.clone(), values(all))).collect())
}

/// Once all is judged, the connections are closed: what is open then changes nothing that is told. Shown for each schedule,
/// and by all that there are where both ways play all.
#[test]
fn what_only_closes_up_changes_nothing() {
    let own = files::below("tests/commands/explore", "yaml", 13).into_iter().map(|path| (path, 60));
    let library = files::below("scenarios", "yaml", 40).into_iter().map(|path| (path, 6));
    let (mut chose, mut whole) = (0, 0);
    for (path, schedules) in own.chain(library) {
        let text = std::fs::read(&path).expect("a readable file");
        let (world, settings) = (Disk::at("", Default::default()), Settings::default());
        let (loaded, _) = load_scenario(&mut Sources::default(), &path.to_string_lossy(), &text, &world, &settings);
        for cell in loaded.expect("a scenario").cells {
            if cell.scenario.publishes_at_most() > 1_000 {
                continue;
            }
            let closing = explore_closing(&cell, Profile::NEWEST, schedules, 0);
            assert_eq!(closing.changed, [], "{}: facts change while it closes up", path.display());
            chose += closing.chose;
            let pruned = explore(&cell, Profile::NEWEST, schedules, 0);
            if closing.exploration.is_whole() && pruned.is_whole() {
                assert_eq!(ends(&closing.exploration), ends(&pruned), "{}", path.display());
                whole += 1;
            }
        }
    }
    assert!(chose > 0, "no schedule could choose anything while it closed up");
    assert!(whole > 20, "{whole} cells were played whole");
}

/// Names a fact as the table of races does.
fn named(fact: &Fact) -> String {
    match fact {
        Fact::Expectation(_) => "expectation".to_owned(),
        Fact::Publishes(by) => format!("publishes of {by}"),
        Fact::Queue(queue) => format!("queue {queue}"),
        Fact::Consumer(consumer) => format!("consumer {consumer}"),
        Fact::Refusals => "refusals".to_owned(),
        Fact::Replies => "replies".to_owned(),
    }
}

#[test]
fn the_known_races_are_found() {
    let table = std::fs::read_to_string(files::root("tests/explore/races.txt")).expect("a table");
    let mut races = 0;
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let row: Vec<&str> = line.split('|').map(str::trim).collect();
        let [path, version, kind, fact] = row[..] else { panic!("not four columns: {line}") };
        let profile = Profile::ALL.into_iter().find(|profile| profile.to_string() == version).expect("a version");
        let found = explore(&load(&files::root(path)), profile, 30, 0);
        assert!(found.kinds.keys().any(|met| met.as_str() == kind), "{line}: chosen were {:?}", found.kinds);
        let varied: Vec<String> = found.varied.iter().map(|(fact, _)| named(fact)).collect();
        assert!(varied.iter().any(|varied| varied == fact), "{line}: {varied:?} vary");
        races += 1;
    }
    assert!(races >= 10, "{races} races");
}
