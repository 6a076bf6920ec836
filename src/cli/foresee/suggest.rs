//! `suggest`: scenarios for what nothing exercises, printed or written beside others; overwrites nothing.

use crate::broker::Exercised;
use crate::cli::ExitCode;
use crate::cli::foresee::looked_at::tell_of_check;
use crate::cli::live_settings;
use crate::cli::load::Loader;
use crate::cli::options::SuggestOptions;
use crate::cli::terminal::Terminal;
use crate::foresee::{
    Coverable, SuggestRequest, Suggested, Suggestion, inventory, is_exercised, is_suggested, probe_of, suggest_missing,
    versions,
};
use crate::io::{make_atomically, snapshots};
use crate::language::{LoadedScenario, LoadedTopology};
use crate::model::{Cell, Profile, counted};
use crate::report;
use crate::simulate::rehearse_once;
use crate::source::{Level, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// Where scenarios lie when nobody says otherwise.
const SCENARIOS: &str = "scenarios";

/// Writes scenarios for what those at hand do not exercise.
pub fn suggest(command: &SuggestOptions, terminal: &Terminal) -> ExitCode {
    let mut loader = match Loader::new(&command.vars, None) {
        Ok(loader) => loader.judging_for(&command.versions).without_secrets(),
        Err((code, message)) => {
            terminal.usage(&message);
            return code;
        }
    };
    let (loaded, problems) = loader.topology(&command.file);
    let stops = problems.iter().any(|problem| problem.level == Level::Problem);
    let Some(loaded) = loaded.filter(|_| !stops) else {
        let code = terminal.problems(&problems, &loader.sources);
        tell_of_check(&command.file, terminal);
        return if code == ExitCode::Fine { ExitCode::BadFile } else { code };
    };
    let profiles = if command.versions.is_empty() { Profile::ALL.to_vec() } else { sorted(&command.versions) };
    let cells = match cells_of(command, &mut loader, terminal) {
        Ok(cells) => cells,
        Err(code) => return code,
    };
    let (all, missing) = missing(&loaded, &cells, &profiles);
    let used: BTreeSet<&str> = cells.iter().map(|cell| &*cell.scenario.file).collect();
    terminal.status(&format!(
        "{} of {} ways, limits, rights, retries and bindings of {} are exercised by {}",
        all.len() - missing.len(),
        all.len(),
        command.file.display(),
        counted(used.len(), "scenario")
    ));
    let folder = command.write.clone().unwrap_or_else(|| SCENARIOS.into());
    let path = relative(&command.file, &folder);
    let shared = loader.shared_topology(&folder.join("probe.yaml"), &probe_of(&path));
    let load = |name: &str, text: &str| {
        loader.clone().one_cell_on(shared.as_ref(), &folder.join(format!("{name}.yaml")), text)
    };
    let request = SuggestRequest {
        topology: &loaded.topology,
        origins: &loaded.origins,
        profiles: &profiles,
        path: &path,
        expecting: true,
        load: &load,
    };
    let suggested = suggest_missing(&request, &missing);
    tell_lacking(&suggested, &all, &loader, terminal);
    match &command.write {
        Some(folder) => write_all(&suggested, folder, terminal),
        None => {
            let texts: Vec<String> = suggested.scenarios.iter().map(shown).collect();
            terminal.print_unless_empty(texts.join("\n").trim_end());
            if !texts.is_empty() {
                let file = command.file.to_string_lossy();
                let file = report::shell_word(&file);
                terminal.status(&format!("\n# one file each: rmqplay suggest {file} --write {SCENARIOS}"));
            }
            ExitCode::Fine
        }
    }
}

fn shown(one: &Suggestion) -> String {
    format!("# {}.yaml\n{}", one.name, one.text)
}

fn sorted(profiles: &[Profile]) -> Vec<Profile> {
    let all: BTreeSet<Profile> = profiles.iter().copied().collect();
    all.into_iter().collect()
}

/// Lists the cells that use the topology: of the files named, or of all below scenarios/.
fn cells_of(command: &SuggestOptions, loader: &mut Loader, terminal: &Terminal) -> Result<Vec<Cell>, ExitCode> {
    let (paths, asked) = match command.scenarios.as_slice() {
        [] if Path::new(SCENARIOS).is_dir() => (vec![PathBuf::from(SCENARIOS)], false),
        [] => return Ok(Vec::new()),
        given => (given.to_vec(), true),
    };
    let files = snapshots::yaml_files(&paths).map_err(|error| {
        terminal.error(&format!("error: {error}\n  help: --scenarios takes scenario files and folders of them"));
        ExitCode::BadFile
    })?;
    let topology = command.file.canonicalize().ok();
    let mut cells = Vec::new();
    for (file, (loaded, problems)) in std::iter::zip(&files, loader.each(&files, Loader::scenario)) {
        let stops = problems.iter().any(|problem| problem.level == Level::Problem);
        match loaded.filter(|_| !stops) {
            Some(LoadedScenario { cells: found, .. }) => {
                cells.extend(found.into_iter().filter(|cell| uses(cell, &topology, loader)));
            }
            None if asked => return Err(terminal.problems(&problems, &loader.sources)),
            None => terminal
                .status(&format!("note: {0} is not counted, it has problems: rmqplay check {0}", file.display())),
        }
    }
    Ok(cells)
}

/// Returns whether an object of a cell stands in the topology's file.
fn uses(cell: &Cell, topology: &Option<PathBuf>, loader: &Loader) -> bool {
    let name = |span: Span| loader.sources.get(span.file).name.as_str();
    let files: BTreeSet<&str> = cell.scenario.origins.values().map(|origin| name(origin.whole)).collect();
    files.into_iter().any(|file| topology.is_some() && Path::new(file).canonicalize().ok() == *topology)
}

type Places = BTreeMap<Coverable, Span>;

/// Plays the cells, and returns all that there are scenarios for with what none exercised.
fn missing(loaded: &LoadedTopology, cells: &[Cell], profiles: &[Profile]) -> (Places, BTreeSet<Coverable>) {
    let (mut all, mut left) = (Places::new(), BTreeSet::new());
    for profile in profiles {
        let views = versions(&loaded.topology, &[*profile]);
        let Some(view) = views.last() else { continue };
        let items = inventory(&loaded.topology, &loaded.origins, view);
        for (item, span) in items.into_iter().filter(|(item, _)| is_suggested(item)) {
            if all.insert(item.clone(), span).is_none() {
                left.insert(item);
            }
        }
    }
    for profile in profiles {
        for cell in cells.iter().filter(|cell| live_settings::why_not_on_sim(cell, *profile).is_none()) {
            let mut run = Exercised::default();
            rehearse_once(cell, *profile, &mut run);
            let views = versions(&cell.scenario.topology, &[*profile]);
            let Some(view) = views.last() else { continue };
            left.retain(|item| !is_exercised(item, &cell.scenario.topology, view, &run));
        }
    }
    (all, left)
}

fn tell_lacking(suggested: &Suggested, places: &Places, loader: &Loader, terminal: &Terminal) {
    for (profile, why) in &suggested.not_played {
        let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
        terminal.status(&format!("note: sim {profile} does not play the topology, so no scenario is for it: {why}"));
    }
    for lacking in &suggested.without {
        let line = places.get(&lacking.item).map_or(0, |span| loader.sources.position(*span).line);
        terminal.status(&format!("note: line {line}: {}", report::no_suggestion(lacking)));
    }
    let told = !suggested.without.is_empty() || !suggested.not_played.is_empty();
    if told && !suggested.scenarios.is_empty() {
        terminal.status("");
    }
}

fn write_all(suggested: &Suggested, folder: &Path, terminal: &Terminal) -> ExitCode {
    let mut written = 0;
    for one in &suggested.scenarios {
        let path = folder.join(format!("{}.yaml", one.name));
        match make_atomically(&path, &one.text) {
            Ok(true) => {
                written += 1;
                terminal.status(&format!("wrote {}: {}", path.display(), one.cell.scenario.title));
            }
            Ok(false) => terminal.status(&format!("kept {}, as it was there", path.display())),
            Err(error) => {
                terminal
                    .error(&format!("error: {error}\n  help: give a folder that can be written to: --write FOLDER"));
                return ExitCode::Environment;
            }
        }
    }
    if written > 0 {
        let folder = folder.to_string_lossy();
        let folder = report::shell_word(&folder);
        // Where the version that plays unasked does not take the topology, the newest one that does.
        let refused = |profile: &Profile| suggested.not_played.iter().any(|(other, _)| other == profile);
        let takes = Profile::ALL.into_iter().rev().find(|profile| !refused(profile));
        let broker =
            takes.filter(|_| refused(&Profile::NEWEST)).map_or(String::new(), |it| format!(" --broker sim:{it}"));
        terminal.status(&format!("\nnow: rmqplay run {folder}{broker}, then rmqplay review {folder}"));
    }
    ExitCode::Fine
}

/// Writes a path as a file of a folder names it.
pub(crate) fn relative(file: &Path, folder: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let whole = |path: &Path| tidy(&here.join(path));
    let (file, folder) = (whole(file), whole(folder));
    let (from, to): (Vec<_>, Vec<_>) = (folder.components().collect(), file.components().collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - common);
    let down = to[common..].iter().map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// Removes `.` and `..` from an absolute path.
fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => _ = out.pop(),
            part => out.push(part),
        }
    }
    out
}
