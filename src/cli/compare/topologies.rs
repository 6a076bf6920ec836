//! Topologies that are compared alone: by scenarios in memory, those that `suggest` writes for each version, and one that
//! only declares. What a version refuses is a difference of that one, and left out of the others. Writes no file.

use crate::broker::RefusalKind;
use crate::cli::ExitCode;
use crate::cli::foresee::suggest::relative;
use crate::cli::load::Loader;
use crate::cli::select::ToPlay;
use crate::cli::terminal::Terminal;
use crate::foresee::{SuggestRequest, Suggestion, inventory, is_suggested, probe_of, suggest_missing, versions};
use crate::language::LoadedTopology;
use crate::model::{Object, Profile, Topology};
use crate::report::ComparedTopology;
use crate::rules::{Edition, Plugins, RefusalMeaning, meaning_of_refusal};
use crate::simulate::refused_objects;
use crate::source::Level;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How often it is looked what is refused once something was left out: what it held up may be.
const ROUNDS_MAX: usize = 5;

/// The scenario that shows whether a version takes the topology.
const DECLARED: &str = "declared";

/// Makes the scenarios by which a topology is compared.
///
/// # Errors
/// The file has problems, which were told.
pub(crate) fn cells_of(
    file: &Path,
    editions: &[Edition],
    loader: &mut Loader,
    terminal: &Terminal,
) -> Result<(Vec<ToPlay>, ComparedTopology), ExitCode> {
    let (loaded, problems) = loader.topology(file);
    let stops = problems.iter().any(|problem| problem.level == Level::Problem);
    let Some(loaded) = loaded.filter(|_| !stops) else {
        return Err(match terminal.problems_of_files(&problems, &loader.sources) {
            ExitCode::Fine => ExitCode::BadFile,
            code => code,
        });
    };
    let left_out = refused(&loaded, editions);
    let mut maker = CellMaker { file, loader, gone: left_out.keys().cloned().collect() };
    let topology = without(&loaded.topology, &maker.gone);
    let declared = format!(
        "scenario: all that {} declares is there\ntopology: {}\nsteps:\n  - advance: 1s\n",
        file.display(),
        maker.own_name()
    );
    let mut cells: Vec<ToPlay> = maker.cell(DECLARED, &declared, &BTreeSet::new()).into_iter().collect();
    let (made, lacking) = maker.suggested(&loaded, &topology, editions);
    let gone = maker.gone.clone();
    cells.extend(made.iter().filter_map(|(name, text)| maker.cell(name, text, &gone)));
    let told = left_out.into_iter().filter_map(|(object, by)| Some((object.to_string(), by?)));
    let compared = ComparedTopology {
        file: file.display().to_string(),
        scenarios: cells.len(),
        without: lacking,
        left_out: told.collect(),
    };
    Ok((cells, compared))
}

fn without(topology: &Topology, gone: &BTreeSet<Object>) -> Topology {
    let mut topology = topology.clone();
    topology.remove(gone);
    topology
}

/// Lists what some version refuses, or the simulator does not play, with the words for who; `None` for what only lacks
/// something that is refused.
fn refused(loaded: &LoadedTopology, editions: &[Edition]) -> BTreeMap<Object, Option<String>> {
    let mut by: BTreeMap<Object, BTreeSet<Profile>> = BTreeMap::new();
    let mut told: BTreeMap<Object, Option<String>> = BTreeMap::new();
    for _ in 0..ROUNDS_MAX {
        let topology = without(&loaded.topology, &told.keys().cloned().collect());
        let known = told.len();
        for edition in editions {
            for (object, refusal) in refused_objects(&topology, &loaded.origins, edition.with_plugins(Plugins::ALL)) {
                let words = match &refusal.kind {
                    RefusalKind::NotSimulated(what) => Some(format!("the simulated broker does not play {what}")),
                    RefusalKind::Broker => {
                        let profiles = by.entry(object.clone()).or_default();
                        profiles.insert(edition.profile);
                        let profiles: Vec<Profile> = profiles.iter().copied().collect();
                        let lacks = meaning_of_refusal(refusal.code, &refusal.text) == RefusalMeaning::NotFound;
                        let verb = if profiles.len() > 1 { "refuse" } else { "refuses" };
                        (!lacks).then(|| format!("RabbitMQ {} {verb} it", Profile::listed(&profiles, " and ")))
                    }
                };
                told.insert(object, words);
            }
        }
        if told.len() == known {
            break;
        }
    }
    told
}

struct CellMaker<'m> {
    file: &'m Path,
    loader: &'m mut Loader,
    gone: BTreeSet<Object>,
}

impl CellMaker<'_> {
    fn folder(&self) -> PathBuf {
        self.file.parent().map(Path::to_path_buf).unwrap_or_default()
    }

    /// Names the topology as a scenario beside it does.
    fn own_name(&self) -> String {
        let name = relative(self.file, &self.folder());
        serde_json::Value::from(name).to_string()
    }

    /// Reads a scenario of memory, and leaves objects out of its topology.
    fn cell(&mut self, name: &str, text: &str, gone: &BTreeSet<Object>) -> Option<ToPlay> {
        let path = self.folder().join(format!("{name}.yaml"));
        let mut cell = self.loader.one_cell(&path, text)?;
        cell.scenario.topology.remove(gone);
        Some(ToPlay { path, title: cell.scenario.title.clone(), cell, made_of: Some(self.file.to_path_buf()) })
    }

    /// Lists the scenarios of all versions, name and text, each once; and how many things have none.
    fn suggested(
        &self,
        loaded: &LoadedTopology,
        topology: &Topology,
        editions: &[Edition],
    ) -> (Vec<(String, String)>, usize) {
        let profiles: BTreeSet<Profile> = editions.iter().map(|edition| edition.profile).collect();
        let (mut all, mut lacking) = (Vec::<(String, String)>::new(), BTreeSet::new());
        let mut covered = BTreeSet::new();
        let (folder, path) = (self.folder(), relative(self.file, &self.folder()));
        let mut loader = self.loader.clone();
        let shared = loader.shared_topology(&folder.join("probe.yaml"), &probe_of(&path));
        for profile in profiles {
            let load = |name: &str, text: &str| {
                let path = folder.join(format!("{name}.yaml"));
                let mut cell = loader.clone().one_cell_on(shared.as_ref(), &path, text)?;
                cell.scenario.topology.remove(&self.gone);
                Some(cell)
            };
            let request = SuggestRequest {
                topology,
                origins: &loaded.origins,
                profiles: &[profile],
                path: &path,
                expecting: false,
                load: &load,
            };
            let views = versions(topology, &[profile]);
            let Some(view) = views.last() else { continue };
            let missing = inventory(topology, &loaded.origins, view).into_keys().filter(is_suggested).collect();
            let suggested = suggest_missing(&request, &missing);
            lacking.extend(suggested.without.into_iter().map(|one| one.item));
            for Suggestion { name, text, covers, .. } in suggested.scenarios {
                covered.extend(covers);
                if all.iter().any(|(_, known)| *known == text) {
                    continue;
                }
                let is_taken = all.iter().any(|(known, _)| *known == name);
                all.push((if is_taken { format!("{name}-{profile}") } else { name }, text));
            }
        }
        let lacking = lacking.difference(&covered).count();
        (all, lacking)
    }
}
