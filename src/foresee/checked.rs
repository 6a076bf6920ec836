//! A file as `check` sees it: what is wrong with it, and what its author would regret.
//! Takes its text and the world; returns problems.

use crate::foresee::lint::{lint_scenario, lint_topology, unused_allowances, without_allowed};
use crate::language::{FileKind, Settings, World, judged_profiles, kind_of, load_scenario, load_topology};
use crate::model::Allowance;
use crate::source::{Problem, Sources, Span};

/// Reads a text as what it is, a scenario or a topology, and returns all that is to be said of it, in the order of its places.
pub fn check_file(
    sources: &mut Sources,
    name: &str,
    text: &[u8],
    world: &dyn World,
    settings: &Settings,
) -> Vec<Problem> {
    match kind_of(text) {
        Some(FileKind::Scenario) => check_scenario(sources, name, text, world, settings),
        Some(FileKind::Topology) | None => check_topology(sources, name, text, world, settings),
    }
}

fn check_topology(
    sources: &mut Sources,
    name: &str,
    text: &[u8],
    world: &dyn World,
    settings: &Settings,
) -> Vec<Problem> {
    // Nothing is applied here: whoever checks in CI does not hold the secrets.
    let settings = Settings { without_secrets: true, ..settings.clone() };
    let (loaded, mut problems) = load_topology(sources, name, text, world, &settings);
    if let Some(loaded) = loaded {
        let needed: Vec<&str> = loaded.handling.plugins.iter().map(|(plugin, _)| plugin.as_str()).collect();
        let found = lint_topology(&loaded.topology, &loaded.origins, &settings.judged_for, &needed);
        problems.extend(unused(&found, &loaded.allowed, name, sources, &settings));
        problems.extend(without_allowed(found, &loaded.allowed));
        problems.sort_by_key(Problem::span);
    }
    problems
}

fn check_scenario(
    sources: &mut Sources,
    name: &str,
    text: &[u8],
    world: &dyn World,
    settings: &Settings,
) -> Vec<Problem> {
    let (loaded, mut problems) = load_scenario(sources, name, text, world, settings);
    let allowed = loaded.as_ref().map_or(&[][..], |loaded| &loaded.allowed);
    let mut all = Vec::new();
    for cell in loaded.iter().flat_map(|loaded| &loaded.cells) {
        let profiles = judged_profiles(&cell.scenario, settings);
        // On none of the versions that are asked for it is played.
        let asked = &settings.judged_for;
        if !asked.is_empty() && !profiles.iter().any(|profile| asked.contains(profile)) {
            continue;
        }
        let own = |span: Span| sources.get(span.file).name == cell.scenario.file;
        let found = lint_scenario(&cell.scenario, &profiles, own);
        if !allowed.is_empty() {
            all.extend(found.told.iter().chain(&found.untold).cloned());
        }
        problems.extend(without_allowed(found.told, allowed));
    }
    problems.extend(unused(&all, allowed, name, sources, settings));
    problems.sort_by_key(Problem::span);
    problems
}

/// Notes entries of `allow` that silence nothing. Where only some versions are asked for, another may need them.
fn unused(
    found: &[Problem],
    allowed: &[Allowance],
    name: &str,
    sources: &Sources,
    settings: &Settings,
) -> Vec<Problem> {
    if !settings.judged_for.is_empty() {
        return Vec::new();
    }
    let own = |span: Span| sources.get(span.file).name == name;
    without_allowed(unused_allowances(found, allowed, own), allowed)
}
