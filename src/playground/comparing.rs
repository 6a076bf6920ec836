//! `compare`: plays all cells of a scenario on two profiles, and tells what differs and by which rule, as the command
//! `compare` does.

use crate::foresee::check_file;
use crate::language::{FileKind, Settings, World, kind_of};
use crate::model::Cell;
use crate::player::why_not_on_sim;
use crate::playground::project::Request;
use crate::playground::running::Loaded;
use crate::report::{
    ComparedBroker, ComparedCell, ComparedScenario, ComparedStep, Palette, Sameness, VersionFindings, causes_between,
    cell_name, comparison_text, ending, unexplained,
};
use crate::rules::{ChangedRule, Edition, differences_of};
use crate::simulate::rehearse_by;
use crate::source::Sources;
use serde_json::json;

/// Plays the scenario on two profiles, and compares.
pub(super) fn compare(request: &Request) -> Result<String, String> {
    let editions = request.editions()?;
    let [from, to] = editions[..] else { return Err("two profiles are compared".to_owned()) };
    let loaded = Loaded::read(request)?;
    let [page, outcomes] = loaded.played_json(&editions)?;
    let mut comparison = json!(null);
    if !loaded.cells.is_empty() {
        let step = step(request, &loaded, [from, to]);
        let text = comparison_text(std::slice::from_ref(&step), request.columns(), Palette { colour: false });
        comparison = json!({ "differs": step.differs(), "text": text.trim_end() });
    }
    let problems = loaded.problems_json();
    Ok(format!("{{\"problems\":{problems},\"page\":{page},\"outcomes\":{outcomes},\"comparison\":{comparison}}}"))
}

fn step(request: &Request, loaded: &Loaded, editions: [Edition; 2]) -> ComparedStep {
    let mut known = Vec::new();
    let cells = loaded.cells.iter().map(|cell| ComparedCell {
        name: cell_name(&cell.scenario, &cell.axes),
        file: cell.scenario.file.clone(),
        title: cell.scenario.title.clone(),
        is_made: false,
        axes: cell.axes.clone(),
        sameness: sameness(cell, editions, &mut known, &loaded.sources),
    });
    let cells: Vec<ComparedCell> = cells.collect();
    let [from, to] = editions.map(|edition| ComparedBroker { name: edition.sim_name(), profile: edition.profile });
    let is_left_out = cells.iter().all(|cell| matches!(cell.sameness, Sameness::NotCompared(_)));
    let findings = match editions[0].profile == editions[1].profile || is_left_out {
        true => Vec::new(),
        false => {
            let [first, second] = editions.map(|edition| findings(request, loaded, edition));
            first.apart(&second, |_| false)
        }
    };
    ComparedStep { from, to, cells, findings }
}

fn sameness(cell: &Cell, editions: [Edition; 2], known: &mut Vec<ChangedRule>, sources: &Sources) -> Sameness {
    for edition in editions {
        if let Some(reason) = why_not_on_sim(&cell.scenario, edition.profile) {
            return Sameness::NotCompared(format!("not on {}: {reason}", edition.sim_name()));
        }
    }
    let played = editions.map(|edition| rehearse_by(differences_of(edition), cell, edition, false));
    let [from, to] = played.each_ref().map(|played| ending(played, &cell.scenario));
    if from == to {
        return if from.failures.is_empty() { Sameness::Same } else { Sameness::FailedAlike };
    }
    let of = ComparedScenario { scenario: &cell.scenario, is_made: false, sources };
    let mut causes = causes_between(cell, editions, known, of);
    if causes.is_empty() {
        causes.push(unexplained(played.each_ref(), of));
    }
    Sameness::Differs(causes)
}

/// Checks the scenario and the topologies that it read for one version.
fn findings(request: &Request, loaded: &Loaded, edition: Edition) -> VersionFindings {
    let settings = Settings { judged_for: vec![edition.profile], ..request.settings() };
    let mut sources = Sources::default();
    let world: &dyn World = request;
    let read = loaded.sources.ids().map(|id| loaded.sources.get(id));
    let is_meant =
        |text: &str, name: &str| name == request.play || kind_of(text.as_bytes()) == Some(FileKind::Topology);
    let meant = read.filter(|source| is_meant(&source.text, &source.name));
    let problems: Vec<_> = meant
        .flat_map(|source| check_file(&mut sources, &source.name, source.text.as_bytes(), world, &settings))
        .collect();
    VersionFindings::new(&problems, &sources)
}
