//! Reads files and hands them to `language`, with the variables of the command line.

use crate::cli::ExitCode;
use crate::cli::arguments::Vars;
use crate::foresee;
use crate::io::{Disk, ReadDigest, near_path, read_file};
use crate::language;
use crate::language::{FileKind, LoadedScenario, LoadedTopology, Settings, SharedTopology, TopologyFile};
use crate::model::{Cell, Profile};
use crate::source::{Code, Help, Level, Problem, Sources, without_passwords_in_urls};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What to do about a path that leads nowhere.
pub(crate) const MISSING: &str = "give the path of a file that is there, seen from the folder you are in";

/// Returns what to do about a path that cannot be read: the near one, or what it is instead of a file.
pub(crate) fn unread_path_help(path: &Path) -> Help {
    let shown = path.display();
    let word = path.to_string_lossy();
    if path.is_dir() {
        return format!("it is a folder, and this command takes files: `{}/NAME.yaml`", word.trim_end_matches('/'))
            .into();
    }
    if word.contains("://") || word == "sim" || word.starts_with("sim:") {
        return format!("a broker stands behind a flag: `--broker {}`", without_passwords_in_urls(&word)).into();
    }
    match near_path(path).filter(|_| !path.exists()) {
        Some(near) => Help::did_you_mean(near.display().to_string()),
        None if path.is_absolute() => format!("there is no {shown}: give the path of a file that is there").into(),
        None => MISSING.into(),
    }
}

/// Returns what to do where one of some paths, files or folders, is not there.
pub(crate) fn missing_path_help(paths: &[PathBuf]) -> Help {
    paths.iter().find(|path| !path.exists()).map_or_else(|| MISSING.into(), |path| unread_path_help(path))
}

/// Fewer files than this are not worth a thread.
const FILES_OF_A_THREAD_MIN: usize = 16;

/// Loads files of one run; keeps their texts for drawing problems.
#[derive(Clone)]
pub struct Loader {
    pub sources: Sources,
    settings: Settings,
    world: Disk,
    /// The names of `--var`.
    given: Vec<String>,
}

impl Loader {
    /// Takes the variables; an unreadable one is a usage error.
    pub fn new(vars: &Vars, default_vhost: Option<String>) -> Result<Self, (ExitCode, String)> {
        let mut settings = Settings { default_vhost, ..Settings::default() };
        for file in &vars.vars_files {
            settings.vars.extend(read_vars(file).map_err(|message| (ExitCode::BadFile, message))?);
        }
        let mut given = Vec::new();
        for text in &vars.vars {
            let Some((name, value)) = text.split_once('=') else {
                return Err((ExitCode::Usage, format!("--var takes NAME=VALUE, not `{text}`")));
            };
            let value = serde_yaml::from_str(value).unwrap_or_else(|_| serde_json::Value::String(value.to_owned()));
            given.push(name.trim().to_owned());
            settings.vars.push((name.trim().to_owned(), value));
        }
        Ok(Self { sources: Sources::default(), settings, world: Disk::here(), given })
    }

    /// Returns which `--var` no file that was loaded knows; those of `--vars-file` may be for others.
    pub fn unknown_variable(&self) -> Option<String> {
        let given = self.given.iter().map(String::as_str);
        if self.given.is_empty() { None } else { language::unknown_variable(&self.sources, given) }
    }

    /// Loads many files on all cores; what comes of them stands in the order of the paths.
    pub fn each<T: Send>(&mut self, paths: &[PathBuf], load: impl Fn(&mut Loader, &Path) -> T + Sync) -> Vec<T> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let share = paths.len().div_ceil(cores).max(FILES_OF_A_THREAD_MIN);
        if paths.len() <= share {
            return paths.iter().map(|path| load(self, path)).collect();
        }
        let chunks: Vec<&[PathBuf]> = paths.chunks(share).collect();
        let mut loaders = self.split(chunks.len() as u16);
        let load = &load;
        let loaded = std::thread::scope(|scope| {
            let threads: Vec<_> = std::iter::zip(&mut loaders, chunks)
                .map(|(loader, chunk)| scope.spawn(|| chunk.iter().map(|path| load(loader, path)).collect::<Vec<T>>()))
                .collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, Vec<T>>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            threads.into_iter().flat_map(join).collect()
        });
        self.join(loaders);
        loaded
    }

    /// Makes so many loaders of the same settings, which are joined again in this order.
    pub fn split(&self, parts: u16) -> Vec<Loader> {
        let of = |sources| Loader {
            sources,
            settings: self.settings.clone(),
            world: self.world.clone(),
            given: self.given.clone(),
        };
        self.sources.split(parts).into_iter().map(of).collect()
    }

    /// Takes the texts of loaders that [`Loader::split`] made.
    pub fn join(&mut self, parts: Vec<Loader>) {
        parts.into_iter().for_each(|loader| self.sources.join(loader.sources));
    }

    fn read(&mut self, path: &Path) -> Result<Vec<u8>, Vec<Problem>> {
        self.world.read(&path.to_string_lossy()).map_err(|error| {
            let shown = without_passwords_in_urls(&path.to_string_lossy());
            let message = format!("cannot read {shown}: {error}");
            vec![Problem::new(Code::FileMissing, message).help(unread_path_help(path))]
        })
    }

    /// Loads a scenario with all cells of its matrix.
    pub fn scenario(&mut self, path: &Path) -> (Option<LoadedScenario>, Vec<Problem>) {
        match self.read(path) {
            Ok(text) => {
                let name = path.to_string_lossy();
                language::load_scenario(&mut self.sources, &name, &text, &self.world, &self.settings)
            }
            Err(problems) => (None, problems),
        }
    }

    /// Loads a scenario with variables beside those of the command line.
    pub fn scenario_with(
        &mut self,
        path: &Path,
        vars: &[(String, serde_json::Value)],
    ) -> (Option<LoadedScenario>, Vec<Problem>) {
        let own = self.settings.vars.clone();
        self.settings.vars.extend_from_slice(vars);
        let loaded = self.scenario(path);
        self.settings.vars = own;
        loaded
    }

    /// Loads the one cell of a scenario that lies in no file; `None` where it has problems.
    pub fn one_cell(&mut self, path: &Path, text: &str) -> Option<Cell> {
        let name = path.to_string_lossy();
        let text = text.as_bytes();
        let (loaded, problems) = language::load_scenario(&mut self.sources, &name, text, &self.world, &self.settings);
        let stops = problems.iter().any(|problem| problem.level == Level::Problem);
        loaded.filter(|_| !stops)?.cells.pop()
    }

    /// Reads the topology of a scenario that lies in no file, for others that name the same; `None` where they cannot share it.
    pub fn shared_topology(&mut self, path: &Path, text: &str) -> Option<SharedTopology> {
        let name = path.to_string_lossy();
        language::share_topology(&mut self.sources, &name, text.as_bytes(), &self.world, &self.settings)
    }

    /// Loads the one cell of a scenario that lies in no file, on a topology that is read; `None` where it has problems.
    pub fn one_cell_on(&mut self, shared: Option<&SharedTopology>, path: &Path, text: &str) -> Option<Cell> {
        let Some(shared) = shared else { return self.one_cell(path, text) };
        let name = path.to_string_lossy();
        let text = text.as_bytes();
        let (loaded, problems) =
            language::load_scenario_on(shared, &mut self.sources, &name, text, &self.world, &self.settings);
        let stops = problems.iter().any(|problem| problem.level == Level::Problem);
        loaded.filter(|_| !stops)?.cells.pop()
    }

    /// Loads a topology or an export.
    pub fn topology(&mut self, path: &Path) -> (Option<LoadedTopology>, Vec<Problem>) {
        match self.read(path) {
            Ok(text) => {
                let name = path.to_string_lossy();
                language::load_topology(&mut self.sources, &name, &text, &self.world, &self.settings)
            }
            Err(problems) => (None, problems),
        }
    }

    /// Loads topologies and exports that together declare one topology.
    pub fn topologies(&mut self, paths: &[PathBuf]) -> (Option<LoadedTopology>, Vec<Problem>) {
        let (mut read, mut problems) = (Vec::new(), Vec::new());
        for path in paths {
            match self.read(path) {
                Ok(text) => read.push((path.to_string_lossy().into_owned(), text)),
                Err(missing) => problems.extend(missing),
            }
        }
        let files: Vec<TopologyFile<'_>> = read.iter().map(|(name, text)| TopologyFile { name, text }).collect();
        let (loaded, more) = language::load_topologies(&mut self.sources, &files, &self.world, &self.settings);
        let loaded = loaded.filter(|_| problems.is_empty());
        problems.extend(more);
        (loaded, problems)
    }

    /// Returns the version that the last file names as the broker that wrote it.
    pub fn version_of_export(&self) -> Option<String> {
        let text = &self.sources.get(self.sources.ids().last()?).text;
        let json: serde_json::Map<String, serde_json::Value> = serde_yaml::from_str(text).ok()?;
        let version = json.get("rabbitmq_version").or_else(|| json.get("rabbit_version"))?;
        version.as_str().map(str::to_owned)
    }

    /// Loads a file as what it is and gives its problems.
    pub fn check(&mut self, path: &Path) -> Vec<Problem> {
        let text = match self.read(path) {
            Ok(text) => text,
            Err(problems) => return problems,
        };
        foresee::check_file(&mut self.sources, &path.to_string_lossy(), &text, &self.world, &self.settings)
    }

    /// Returns whether a path is a file that declares a topology and plays nothing.
    pub fn is_topology(&self, path: &Path) -> bool {
        let text = if path.is_file() { self.world.read(&path.to_string_lossy()).ok() } else { None };
        text.is_some_and(|text| language::kind_of(&text) == Some(FileKind::Topology))
    }

    /// Lists the files that were read.
    pub fn files(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.sources.ids().map(|id| PathBuf::from(&self.sources.get(id).name))
    }

    /// Notes which files are read from now on.
    pub fn noting_reads(self) -> Self {
        Self { world: self.world.noting_reads(), ..self }
    }

    /// Returns which files were asked for since this was asked last, there or not.
    pub fn take_reads(&self) -> BTreeSet<PathBuf> {
        self.world.take_reads()
    }

    /// Takes a digest of all that is read from now on.
    pub fn noting_digest(self) -> Self {
        Self { world: self.world.noting_digest(), ..self }
    }

    /// Returns the digest of what was read since this was asked last.
    pub fn take_digest(&self) -> ReadDigest {
        self.world.take_digest()
    }

    /// Takes files whose secrets are not in the environment: who only looks needs none.
    pub fn without_secrets(mut self) -> Self {
        self.settings.without_secrets = true;
        self
    }

    /// Judges files for some versions only.
    pub fn judging_for(mut self, profiles: &[Profile]) -> Self {
        self.settings.judged_for = profiles.to_vec();
        self
    }
}

fn read_vars(file: &Path) -> Result<Vec<(String, serde_json::Value)>, String> {
    let text = read_file(file).map_err(|error| format!("{error}\n  help: {}", unread_path_help(file)))?;
    let map: serde_json::Map<String, serde_json::Value> = serde_yaml::from_str(&text)
        .map_err(|error| format!("{} is not a YAML map of variables: {error}", file.display()))?;
    Ok(map.into_iter().collect())
}
