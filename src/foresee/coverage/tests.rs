//! What is listed of a small topology, and what a run exercises of it.

use crate::foresee::coverage::{Coverable, inventory};
use crate::foresee::{CoverageRecord, versions};
use crate::language::{ReadError, Settings, World, load_scenario};
use crate::model::{Cell, Profile};
use crate::source::Sources;

/// One topology file, and no environment.
struct OneFile(&'static str);

impl World for OneFile {
    fn read(&self, _: &str) -> Result<Vec<u8>, ReadError> {
        Ok(self.0.as_bytes().to_vec())
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }
}

const TOPOLOGY: &str = "
queues:
  - {name: work, type: quorum, delivery_limit: 2, message_ttl: 1m, dead_letter: {exchange: '', routing_key: wait}}
  - {name: wait, message_ttl: 5s, dead_letter: {exchange: '', routing_key: work}}
  - {name: jobs, retry: {delays: [5s], then: jobs.parked}}
  - {name: full, max_length: 1, overflow: reject-publish, dead_letter: {exchange: '', routing_key: work}}
  - {name: plain, type: quorum, dead_letter: {exchange: '', routing_key: work}}
";

fn cell(sources: &mut Sources, steps: &str) -> Cell {
    let text = format!("scenario: s\ntopology: shop.yaml\nsteps: {steps}\n");
    let (loaded, problems) =
        load_scenario(sources, "s.yaml", text.as_bytes(), &OneFile(TOPOLOGY), &Settings::default());
    loaded.unwrap_or_else(|| panic!("{problems:?}")).cells.remove(0)
}

#[test]
fn ways_limits_and_rungs_are_listed_by_what_settings_allow() {
    let scenario = cell(&mut Sources::default(), "[]").scenario;
    let views = versions(&scenario.topology, &[Profile::V4_3]);
    let all = inventory(&scenario.topology, &scenario.origins, &views[0]);
    let words: Vec<String> = all
        .keys()
        .filter_map(|item| match item {
            Coverable::DeadLetter(queue, death) => Some(format!("{} {}", queue.name, death.as_str())),
            Coverable::Limit(queue, limit) => Some(format!("{} {}", queue.name, limit.as_str())),
            Coverable::Retry { queue, by, parks } => Some(format!("{} by {by} {parks}", queue.name)),
            _ => None,
        })
        .collect();
    // Nothing is rejected from `wait`, the newest is refused by `full`, and 4.x's own limit of `plain` does not count.
    assert_eq!(
        words,
        [
            "full rejected",
            "plain rejected",
            "wait expired",
            "work rejected",
            "work expired",
            "work delivery_limit",
            "jobs by jobs.parked true",
            "jobs by jobs.retry.5s false",
            "full max-length",
            "wait message-ttl",
            "work delivery-limit",
            "work message-ttl",
        ]
    );
}

#[test]
fn what_runs_exercise_adds_up() {
    let mut sources = Sources::default();
    let mut record = CoverageRecord::default();
    let mut counts = Vec::new();
    for steps in
        ["[{publish: {routing_key: work, body: x}}, {advance: 2m}]", "[{publish: {routing_key: jobs, body: x}}]"]
    {
        let cell = cell(&mut sources, steps);
        let mut run = crate::broker::Exercised::default();
        crate::simulate::rehearse_covering(&cell, Profile::V4_3, false, Some(&mut run));
        record.add(&cell.scenario, Profile::V4_3, &run, |file| &sources.get(file).name);
        counts.push(record.total().exercised);
    }
    // Two queues, both expiries with their limits; then one queue more.
    assert_eq!(counts, [6, 7]);
    assert_eq!(record.files.keys().collect::<Vec<_>>(), ["shop.yaml"]);
}
