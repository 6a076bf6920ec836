//! What a plan brings about: the findings of what it writes, and those that what it leaves alone gets by it, each with the
//! change that causes it. Takes a plan with both topologies; gives findings. Those of before are not told again.

use crate::foresee::lint::findings::LintFindings;
use crate::foresee::lint::{lint_view, plugins};
use crate::foresee::topology_view::{TopologyView, versions};
use crate::model::{Object, Origin, Origins, Profile, Topology};
use crate::plan::{Change, ChangeKind, Observed, Plan, all_objects, held_after, named};
use crate::source::{Code, Level, Problem, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// How many findings of one code are compared.
const OF_A_CODE_MAX: usize = 1_000;

/// How many stages of a plan are looked at to find which change causes what.
const STAGES_MAX: usize = 64;

/// A plan with what it was made of.
#[derive(Clone, Copy)]
pub struct PlannedTopology<'a> {
    /// What the plan declares.
    pub desired: &'a Topology,
    /// The places of what files name.
    pub origins: &'a Origins,
    /// What the broker holds.
    pub observed: &'a Observed,
    /// What separates them.
    pub plan: &'a Plan,
}

/// Lists the findings of what a plan writes, and those about all else that come of it; only those that matter.
pub fn lint_plan(
    planned: PlannedTopology<'_>,
    profiles: &[Profile],
    matters: impl Fn(&Problem) -> bool,
) -> Vec<Problem> {
    let changes = &planned.plan.changes;
    if changes.is_empty() {
        return Vec::new();
    }
    let is_deletion = |change: &Change| matches!(change.kind, ChangeKind::Delete { .. });
    let all = 0..changes.len();
    let deletions = changes.iter().position(is_deletion).unwrap_or(all.end)..all.end;
    let written = changes.iter().filter(|change| !is_deletion(change));
    let written: Vec<Span> = written.filter_map(|one| planned.origins.get(&one.object)).map(|it| it.whole).collect();
    let is_written = |at: Span| written.iter().any(|of| of.file == at.file && of.start <= at.start && at.end <= of.end);
    let mut stages = PlanStages::of(planned, profiles);
    let mut found = Vec::new();
    for problem in stages.findings(all.end).into_iter().filter(matters) {
        let Some(key) = key_of(&problem) else { continue };
        // A tie concerns both policies, whichever of them is new.
        let is_of_written = problem.labels.iter().any(|label| is_written(label.span));
        let is_missing = MISSING.contains(&problem.code);
        if is_of_written && !is_missing {
            found.push(match stages.cause(key, &deletions) {
                BroughtBy::Change(at) => brought_by(problem, &changes[at]),
                BroughtBy::Earlier | BroughtBy::Unknown => without_numbers(problem),
            });
            continue;
        }
        match stages.cause(key, &all) {
            BroughtBy::Earlier => {}
            BroughtBy::Change(at) if is_harmless(&changes[at]) => {}
            // What a file names and nothing declares is told where the file is read.
            BroughtBy::Change(at) if is_of_written && !is_deletion(&changes[at]) => {}
            BroughtBy::Change(at) => found.push(brought_by(problem, &changes[at])),
            BroughtBy::Unknown => found.push(without_numbers(problem)),
        }
    }
    found
}

/// Returns whether a change takes nothing from what stays: what is made anew does not, but for a policy, which may win.
fn is_harmless(change: &Change) -> bool {
    let is_policy = matches!(change.object, Object::Policy { .. } | Object::OperatorPolicy { .. });
    matches!(change.kind, ChangeKind::Create { .. }) && !is_policy
}

/// Names the change that causes a finding.
fn brought_by(mut problem: Problem, change: &Change) -> Problem {
    let does = match change.kind {
        ChangeKind::Create { .. } => "makes",
        ChangeKind::Update { .. } => "changes",
        ChangeKind::Replace { .. } => "replaces",
        ChangeKind::Delete { .. } => "deletes",
    };
    problem.message = format!("{}, once this plan {does} {}", problem.message, named(&change.object));
    without_numbers(problem)
}

/// Takes away the numbers of what stands in no file.
fn without_numbers(mut problem: Problem) -> Problem {
    problem.labels.retain(|label| !label.span.is_in_no_file());
    problem
}

/// What makes two findings the same one.
type FindingKey = (Code, Level, Span);

fn key_of(problem: &Problem) -> Option<FindingKey> {
    Some((problem.code, problem.level, problem.span()?))
}

/// Which change causes a finding.
enum BroughtBy {
    /// None of those that are asked about.
    Earlier,
    /// The one at that place of the plan.
    Change(usize),
    /// One of very many.
    Unknown,
}

/// The findings after each of the changes, as far as they were looked for.
struct PlanStages<'a> {
    planned: PlannedTopology<'a>,
    profiles: &'a [Profile],
    /// Those of the files, and numbers for what stands in none.
    origins: Origins,
    known: BTreeMap<usize, BTreeSet<FindingKey>>,
}

impl<'a> PlanStages<'a> {
    fn of(planned: PlannedTopology<'a>, profiles: &'a [Profile]) -> Self {
        let mut origins = planned.origins.clone();
        for (number, object) in all_objects(&planned.observed.topology).into_iter().enumerate() {
            origins.entry(object).or_insert_with(|| Origin::new(Span::in_no_file(number), []));
        }
        Self { planned, profiles, origins, known: BTreeMap::new() }
    }

    /// Lists the findings once the first changes are made.
    fn findings(&self, made: usize) -> Vec<Problem> {
        let PlannedTopology { desired, observed, plan, .. } = self.planned;
        let held = held_after(desired, observed, plan, made);
        let versions = versions(&held, self.profiles);
        let Some(view) = TopologyView::new(&held, &self.origins, &versions) else { return Vec::new() };
        let mut found = LintFindings::of_at_most(OF_A_CODE_MAX);
        lint_view(&view, &mut found);
        plugins::check(&view, &[], &mut found);
        missing_targets(&view, &mut found);
        found.sorted()
    }

    /// Returns whether a finding is there once the first changes are made; `None` when too much was looked at already.
    fn has(&mut self, key: FindingKey, made: usize) -> Option<bool> {
        if !self.known.contains_key(&made) {
            if self.known.len() >= STAGES_MAX {
                return None;
            }
            let keys = self.findings(made).iter().filter_map(key_of).collect();
            self.known.insert(made, keys);
        }
        self.known.get(&made).map(|keys| keys.contains(&key))
    }

    /// Finds the change, one of some in a row, that a finding of the whole plan comes with.
    fn cause(&mut self, key: FindingKey, among: &Range<usize>) -> BroughtBy {
        if among.is_empty() {
            return BroughtBy::Earlier;
        }
        let (mut without, mut with) = (among.start, among.end);
        match self.has(key, without) {
            Some(true) => return BroughtBy::Earlier,
            Some(false) => {}
            None => return BroughtBy::Unknown,
        }
        while with - without > 1 {
            let middle = without.midpoint(with);
            match self.has(key, middle) {
                Some(true) => with = middle,
                Some(false) => without = middle,
                None => return BroughtBy::Unknown,
            }
        }
        BroughtBy::Change(without)
    }
}

/// What tells of a target that is not there.
const MISSING: [Code; 3] =
    [Code::TopologyDeadLetterExchange, Code::TopologyDeadLetterNowhere, Code::TopologyAlternateExchange];

/// Tells of dead-letter and alternate exchanges that are not there, and of queues that dead letters are sent to by name. Of a
/// file alone `language` tells as much.
fn missing_targets(view: &TopologyView<'_>, found: &mut LintFindings) {
    for queue in &view.queues {
        let (name, vhost) = (queue.name(), &*queue.queue.vhost);
        let Some(exchange) = &queue.settings.dead_letter_exchange else { continue };
        let help = match queue.settings.at_least_once {
            true => "RabbitMQ keeps what dies there in the queue, and tries again (DL-30)",
            false => "RabbitMQ drops what dies there without a word",
        };
        if view.exchange_kind(vhost, exchange).is_none() {
            let message = format!("queue '{name}' dead-letters to exchange '{exchange}', which is not there");
            let warning = Problem::warning(Code::TopologyDeadLetterExchange, message).by("DL-3").help(help);
            found.add(warning, view.place_of(queue, "dead-letter-exchange"), "not there");
            continue;
        }
        let Some(key) = queue.settings.dead_letter_routing_key.as_ref().filter(|_| exchange.is_empty()) else {
            continue;
        };
        if view.queue(vhost, key).is_none() && !key.starts_with("amq.") {
            let message = format!("queue '{name}' dead-letters to the queue '{key}', which is not there");
            let warning = Problem::warning(Code::TopologyDeadLetterNowhere, message).by("DL-5").help(help);
            found.add(warning, view.place_of(queue, "dead-letter-routing-key"), "not there");
        }
    }
    for exchange in view.exchanges.values() {
        let (name, vhost) = (&exchange.name, &exchange.vhost);
        let Some(alternate) = view.alternate_of(exchange) else { continue };
        if view.exchange_kind(vhost, &alternate).is_none() {
            let message = format!("exchange '{name}' has the alternate exchange '{alternate}', which is not there");
            let warning = Problem::warning(Code::TopologyAlternateExchange, message).by("RT-10");
            let help =
                "RabbitMQ drops what it cannot route without a word, or returns it where a publisher asks for that";
            let place = view.field(&exchange.object(), &["alternate_exchange", "arguments"]);
            found.add(warning.help(help), place, "not there");
        }
    }
}
