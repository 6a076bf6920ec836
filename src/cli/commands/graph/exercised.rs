//! `graph --scenario`: the picture of a topology with what scenarios exercised on the simulated broker.

use crate::broker::Exercised;
use crate::cli::commands::graph::{check_vhost, lacking_of, note};
use crate::cli::foresee::looked_at::LookedAt;
use crate::cli::load::Loader;
use crate::cli::options::GraphOptions;
use crate::cli::select::{ToPlay, load_all};
use crate::cli::terminal::Terminal;
use crate::cli::{ExitCode, live_settings};
use crate::foresee::{TopologyGraph, TopologyView, joined, mark_exercised, topology_graph, versions};
use crate::model::{Origins, Profile, Topology};
use crate::simulate::rehearse_covering;

/// Plays all cells of the scenarios, and draws what they came through.
pub(super) fn graph_of_scenarios(
    command: &GraphOptions,
    terminal: &Terminal,
) -> Result<(TopologyGraph, ExitCode), ExitCode> {
    let loader = Loader::new(&command.look.vars, None);
    let mut loader = loader.map_err(|(code, message)| {
        terminal.usage(&message);
        code
    })?;
    let cells = load_all(&command.scenarios, &mut loader, terminal)?;
    let is_of_broker = command.look.broker.broker.is_some() || command.look.broker.node.is_some();
    let (topology, lacking) = match command.words.is_empty() && !is_of_broker {
        // What the scenarios themselves declare.
        true => {
            let all = cells.iter().fold(Topology::default(), |all, one| joined(&all, &one.cell.scenario.topology));
            (all, ExitCode::Fine)
        }
        false => {
            let seen = LookedAt::read(&command.words, &command.look, super::LACKING, terminal)?;
            let lacking = lacking_of(&seen, command, terminal)?;
            (seen.topology, lacking)
        }
    };
    check_vhost(&topology, command, terminal)?;
    let profile = command.look.versions.iter().max().copied().unwrap_or(Profile::NEWEST);
    let exercised = play(&cells, profile, terminal)?;
    let (origins, versions) = (Origins::new(), versions(&topology, &[profile]));
    let Some(view) = TopologyView::new(&topology, &origins, &versions) else { return Err(ExitCode::Nothing) };
    let mut graph = topology_graph(&view, command.vhost.as_deref());
    mark_exercised(&mut graph, &exercised);
    Ok((graph, lacking))
}

/// Plays the cells that fit a version; says which do not, and which failed.
fn play(cells: &[ToPlay], profile: Profile, terminal: &Terminal) -> Result<Exercised, ExitCode> {
    let mut exercised = Exercised::default();
    let mut played = 0;
    for one in cells {
        if let Some(why) = live_settings::why_not_on_sim(&one.cell, profile) {
            note(&format!("note: {} was not played: {why}", one.name()), terminal);
            continue;
        }
        played += 1;
        let run = rehearse_covering(&one.cell, profile, false, Some(&mut exercised));
        if !run.failures.is_empty() {
            let failed = format!(
                "note: {0} failed: only what came before is drawn as used; `rmqplay run {1} --trace` tells why",
                one.name(),
                one.path.display()
            );
            note(&failed, terminal);
        }
    }
    if exercised.cut {
        note("note: a run had more routing keys than are looked at: some bindings may be drawn as not used", terminal);
    }
    if played == 0 {
        terminal.error("no scenario was played: nothing can be told of what they use");
        return Err(ExitCode::Nothing);
    }
    Ok(exercised)
}
