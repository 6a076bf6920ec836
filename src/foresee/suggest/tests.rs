//! A play on the part of a topology that a draft can come to has the outcome of a play on the whole.

use crate::broker::Exercised;
use crate::foresee::suggest::concerned::DraftCell;
use crate::foresee::suggest::{Suggested, suggest};
use crate::foresee::topology_view::{TopologyView, versions};
use crate::language::{ReadError, Settings, World, load_scenario, load_scenario_on, load_topology, share_topology};
use crate::model::{Act, Cell, Profile};
use crate::player::{Outcome, RunResult};
use crate::simulate::rehearse_once;
use crate::source::Sources;
use std::cell::Cell as Counter;
use std::collections::BTreeSet;

/// One topology file, and no environment.
struct OneTopologyFile<'t>(&'t str);

impl World for OneTopologyFile<'_> {
    fn read(&self, _: &str) -> Result<Vec<u8>, ReadError> {
        Ok(self.0.as_bytes().to_vec())
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }
}

/// What was compared: plays, those that a part sufficed for, and suggestions.
#[derive(Debug, Default)]
struct ComparedPlays {
    plays: Counter<usize>,
    parts: Counter<usize>,
    suggested: usize,
}

impl ComparedPlays {
    /// Suggests scenarios, and plays each draft on the way to them on the part and on the whole; false where RabbitMQ does not
    /// take the topology.
    fn compare(&mut self, text: &str, profile: Profile) -> bool {
        let (world, settings) = (OneTopologyFile(text), Settings::default());
        let mut sources = Sources::default();
        let (loaded, _) = load_topology(&mut sources, "topology.yaml", text.as_bytes(), &world, &settings);
        let Some(loaded) = loaded else { return false };
        let views = versions(&loaded.topology, &[profile]);
        let view = TopologyView::new(&loaded.topology, &loaded.origins, &views).expect("a version");
        let load = |name: &str, scenario: &str| {
            let (read, _) = load_scenario(&mut Sources::default(), name, scenario.as_bytes(), &world, &settings);
            let cell = read?.cells.pop()?;
            if name != "probe" {
                self.look_at(&cell, &view, profile, scenario);
            }
            Some(cell)
        };
        let Suggested { scenarios, not_played, .. } = suggest(&loaded.topology, &loaded.origins, profile, &load);
        self.suggested += scenarios.len();
        not_played.is_empty()
    }

    fn look_at(&self, cell: &Cell, view: &TopologyView<'_>, profile: Profile, text: &str) {
        let draft = DraftCell::new(cell.clone());
        let part = draft.part(view);
        assert_eq!(draft.whole(), *cell, "nothing is lost of the whole");
        let topology = &part.scenario.topology;
        let kept: BTreeSet<_> = topology.queues.iter().map(crate::model::Queue::id).collect();
        let declared = cell.scenario.all_steps().filter_map(|step| match &step.act {
            Act::DeclareQueue(queue) => Some(queue.id()),
            _ => None,
        });
        let own: BTreeSet<_> = declared.collect();
        let (whole, of_whole) = play(cell, profile);
        let (part_played, of_part) = play(&part, profile);
        let failed = |run: &RunResult| run.failures.iter().map(|it| it.message.clone()).collect::<Vec<_>>();
        assert_eq!(failed(&whole), failed(&part_played), "{profile}\n{text}");
        let (mut all, few) = match (whole.outcome, part_played.outcome) {
            (Some(all), Some(few)) => (all, few),
            // What goes round without end is given up in both.
            (None, None) => return,
            (all, few) => panic!("{profile}: one ends: {:?}\n{text}", (all.is_some(), few.is_some())),
        };
        for (queue, held) in all.queues.iter().filter(|(queue, _)| !kept.contains(queue) && !own.contains(queue)) {
            assert_eq!((held.ready, held.unacked), (0, 0), "{profile}: {queue:?} is not concerned\n{text}");
        }
        all.queues.retain(|queue, _| kept.contains(queue) || own.contains(queue));
        assert_eq!(all.queues, few.queues, "{profile}\n{text}");
        let told = |it: &Outcome| (it.publishes.clone(), it.consumers.clone(), it.refusals.clone());
        assert_eq!(told(&all), told(&few), "{profile}\n{text}");
        let of_whole = Exercised { rules: of_part.rules.clone(), ..of_whole };
        let expired = of_whole.expired_queues.iter().filter(|queue| kept.contains(queue)).cloned().collect();
        assert_eq!(Exercised { expired_queues: expired, ..of_whole }, of_part, "{profile}\n{text}");
        self.plays.set(self.plays.get() + 1);
        let is_part = topology.queues.len() < cell.scenario.topology.queues.len();
        self.parts.set(self.parts.get() + usize::from(is_part));
    }
}

fn play(cell: &Cell, profile: Profile) -> (RunResult, Exercised) {
    let mut run = Exercised::default();
    let played = rehearse_once(cell, profile, &mut run);
    (played, run)
}

/// All that decides on the way of a message: types, alternates, bindings of exchanges, policies, keys that are kept.
const ALL_WAYS: &str = "
exchanges:
  - {name: in, type: topic, alternate_exchange: unrouted}
  - {name: unrouted, type: fanout}
  - {name: by-headers, type: headers}
  - {name: dlx, type: direct}
  - {name: dlx2, type: topic}
queues:
  - {name: a, message_ttl: 1s, dead_letter: {exchange: dlx}, bindings: [{source: in, routing_key: a.one}]}
  - {name: b, max_length: 1, bindings: [{source: in, routing_key: 'b.*'}]}
  - {name: c, type: quorum, delivery_limit: 1, dead_letter: {exchange: by-headers}, bindings: [{source: in, routing_key: c}]}
  - {name: h, bindings: [{source: by-headers, arguments: {kind: x}}]}
  - {name: h2, message_ttl: 2s, dead_letter: {exchange: '', routing_key: a}, bindings: [{source: by-headers, arguments: {x-match: any, kind: y}}]}
  - {name: caught, bindings: [{source: unrouted}]}
  - {name: dead-a, bindings: [{source: dlx, routing_key: a.one}]}
  - {name: dead-b, expires: 1h, bindings: [{source: dlx2, routing_key: 'b.#'}]}
  - {name: work, retry: {delays: [1s, 5s], then: work.parked}}
  - {name: other, message_ttl: 3s}
bindings:
  - {source: by-headers, exchange: in, routing_key: x, arguments: {kind: x}}
  - {source: in, exchange: dlx2, routing_key: 'b.#'}
policies:
  - {name: p, pattern: '^b$', apply_to: queues, definition: {dead-letter-exchange: dlx2}}
users: [{name: u, password: p, permissions: {configure: '^u\\.', write: '^(in|a)$', read: '^(a|in|dlx)$'}}]
topic_permissions: [{user: u, exchange: in, write: '^a', read: '^b'}]
";

#[test]
fn a_part_is_played_as_the_whole() {
    let mut compared = ComparedPlays::default();
    for profile in Profile::ALL {
        assert!(compared.compare(ALL_WAYS, profile), "{profile} takes it");
    }
    let ComparedPlays { plays, parts, suggested } = compared;
    assert!(plays.get() > 150 && parts.get() > 100 && suggested > 50, "{plays:?}, {parts:?}, {suggested}");
}

#[test]
fn parts_of_random_topologies_are_played_as_the_whole() {
    let mut compared = ComparedPlays::default();
    let mut taken = 0;
    for seed in 1..=7 {
        let text = random_topology(seed);
        let profile = Profile::ALL[seed as usize % Profile::ALL.len()];
        taken += u32::from(compared.compare(&text, profile));
    }
    let ComparedPlays { plays, parts, suggested } = compared;
    assert!(taken > 3 && plays.get() > 40 && parts.get() > 20, "{taken}, {plays:?}, {parts:?}, {suggested}");
}

/// Chooses by a number that each choice changes.
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn of<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        choices[self.below(choices.len() as u64) as usize]
    }
}

fn random_topology(seed: u64) -> String {
    const KEYS: [&str; 6] = ["a", "a.b", "'*.b'", "'#'", "b", "'a.#'"];
    let mut choices = Choices(seed);
    let mut text = String::from("exchanges:\n");
    let alternates = ["", "", ", alternate_exchange: e0", ", alternate_exchange: e3"];
    for n in 0..5 {
        let kind = choices.of(&[
            "direct",
            "topic",
            "topic",
            "fanout",
            if seed.is_multiple_of(3) { "headers" } else { "direct" },
        ]);
        text.push_str(&format!("  - {{name: e{n}, type: {kind}{}}}\n", choices.of(&alternates)));
    }
    text.push_str("queues:\n");
    for n in 0..9 {
        let kind = choices.of(&["", ", type: quorum"]);
        let ttl = choices.of(&["", ", message_ttl: 2s", ", message_ttl: 1m"]);
        let limit = choices.of(&["", "", ", max_length: 2", ", max_length: 1, overflow: reject-publish"]);
        let expires = choices.of(&["", "", "", ", expires: 30s"]);
        let dead = match choices.below(4) {
            0 => String::new(),
            // Forward alone: what goes round without end is given up late.
            1 if n < 8 => format!(", dead_letter: {{exchange: '', routing_key: q{}}}", n + 1 + choices.below(8 - n)),
            1 => String::new(),
            2 => format!(", dead_letter: {{exchange: e{}}}", choices.below(5)),
            _ => format!(
                ", dead_letter: {{exchange: e{}, routing_key: {}}}",
                choices.below(5),
                choices.of(&["a", "a.b"])
            ),
        };
        text.push_str(&format!("  - {{name: q{n}{kind}{ttl}{limit}{expires}{dead}}}\n"));
    }
    text.push_str("bindings:\n");
    for n in 0..12 {
        let (from, key) = (choices.below(5), choices.of(&KEYS));
        let end =
            if n < 3 { format!("exchange: e{}", choices.below(5)) } else { format!("queue: q{}", choices.below(9)) };
        text.push_str(&format!("  - {{source: e{from}, {end}, routing_key: {key}}}\n"));
    }
    let target = choices.below(5);
    text.push_str(&format!(
        "policies:\n  - {{name: p, pattern: '^q[0-3]$', apply_to: queues, definition: {{dead-letter-exchange: e{target}}}}}\n"
    ));
    text.push_str(
        "users: [{name: u, password: p, permissions: {configure: '^u', write: '^(e1|q2)$', read: '^(q1|e0)$'}}]\n",
    );
    text
}

#[test]
fn a_shared_topology_makes_the_same_cell() {
    let (world, settings) = (OneTopologyFile(ALL_WAYS), Settings::default());
    let mut sources = Sources::default();
    let probe = "scenario: probe\ntopology: shop.yaml\nsteps:\n  - advance: 1s\n";
    let shared = share_topology(&mut sources, "probe.yaml", probe.as_bytes(), &world, &settings).expect("no problem");
    let text = "scenario: s\ntopology: shop.yaml\nconsumers:\n  c: {queue: work, on_message: {do: retry}}\n\
                steps:\n  - publish: {exchange: in, routing_key: a.one, id: m}\n  - expect: {queue: a, ready: 1}\n";
    let mut read = |on: bool, text: &str| {
        let (name, text, sources) = ("s.yaml", text.as_bytes(), &mut sources);
        let (read, problems) = match on {
            true => load_scenario_on(&shared, sources, name, text, &world, &settings),
            false => load_scenario(sources, name, text, &world, &settings),
        };
        let told: Vec<String> = problems.into_iter().map(|problem| problem.message).collect();
        (read.map(|mut read| read.cells.remove(0).scenario), told)
    };
    let (on, off) = (read(true, text), read(false, text));
    let (on, off) = (on.0.expect("a cell"), off.0.expect("a cell"));
    assert_eq!(on.topology, off.topology);
    assert_eq!(on.consumers[0].ladder, off.consumers[0].ladder);
    assert_eq!((on.steps.len(), on.title), (off.steps.len(), off.title));
    let wrong = text.replace("queue: a,", "queue: nowhere,");
    let (on, off) = (read(true, &wrong), read(false, &wrong));
    assert!(on.0.is_none() && !on.1.is_empty());
    assert_eq!(on.1, off.1);
    // A scenario with words of its own, or of another file, has the topology read for it.
    for other in [text.replace("shop.yaml", "other.yaml"), text.replace("steps:", "vars: {x: 1}\nsteps:")] {
        assert!(read(true, &other).0.is_some());
    }
}
