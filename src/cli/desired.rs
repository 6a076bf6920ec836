//! What the commands `plan` and `apply` work on: the files that say what a broker should hold, and the broker.
//! Reads files and arguments; complains about both. Never connects.

use crate::cli::ExitCode;
use crate::cli::arguments::{OneBroker, Vars};
use crate::cli::brokers::{broker_for_a_file, one_broker};
use crate::cli::load::Loader;
use crate::cli::terminal::Terminal;
use crate::io::Address;
use crate::language::LoadedTopology;
use crate::model::{Name, Object, Origins, Topology, Vhost};
use crate::plan::{Observed, fill_unset};
use crate::report::PlannedFor;
use crate::source::{Code, Level, Problem, Span};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The files of a command, and where it goes.
pub(crate) struct Desired {
    pub loader: Loader,
    pub loaded: LoadedTopology,
    pub address: Address,
    /// The vhost that only the arguments name.
    named_vhost: Option<String>,
    files: Vec<PathBuf>,
    /// Objects of which a secret is not set in the environment.
    unset: BTreeSet<Object>,
}

impl Desired {
    /// Loads the files; complains and returns the exit code where they are wrong or disagree with the arguments.
    pub fn load(
        files: &[PathBuf],
        broker: &OneBroker,
        vhost: Option<&String>,
        vars: &Vars,
        terminal: &Terminal,
    ) -> Result<Self, ExitCode> {
        Self::load_for_a_look(files, broker, vhost, vars, true, terminal)
    }

    /// Loads the files; for a look alone their secrets need not be set, unless they are needed for something else.
    pub fn load_for_a_look(
        files: &[PathBuf],
        broker: &OneBroker,
        vhost: Option<&String>,
        vars: &Vars,
        needs_secrets: bool,
        terminal: &Terminal,
    ) -> Result<Self, ExitCode> {
        if let Some(held) = files.iter().find_map(|file| broker_for_a_file(file)) {
            return Err(terminal.usage(&format!(
                "`{held}` is a broker, and a file is asked for\n  help: name the broker by --broker {held}, and the files that say \
                 what it should hold"
            )));
        }
        let address = one_broker(broker, terminal).map_err(|none| none.emit(terminal))?;
        let named_vhost = vhost.cloned().or_else(|| address.vhost.clone());
        let mut loader = Loader::new(vars, named_vhost.clone()).map_err(|(code, message)| {
            terminal.usage(&message);
            code
        })?;
        if !needs_secrets {
            loader = loader.without_secrets();
        }
        let (loaded, problems) = loader.topologies(files);
        if let Some(unknown) = loader.unknown_variable() {
            return Err(terminal.usage(&format!("--var: {unknown}")));
        }
        let code = terminal.problems_of_files(&problems, &loader.sources);
        let Some(loaded) = loaded.filter(|_| code == ExitCode::Fine) else { return Err(code.and(ExitCode::BadFile)) };
        if let (None, Some(of_file), Some(of_url)) = (vhost, &loaded.file_vhost, &address.vhost)
            && **of_file != **of_url
        {
            let file = files.first().map(|file| file.display().to_string()).unwrap_or_default();
            return Err(terminal.usage(&format!(
                "{file} is for vhost '{of_file}', the URL names vhost '{of_url}'\n  help: settle it with --vhost '{of_file}', or drop the vhost from the URL"
            )));
        }
        let unset = if needs_secrets { BTreeSet::new() } else { objects_at(&problems, &loaded.origins) };
        Ok(Self { loader, loaded, address, named_vhost, files: files.to_vec(), unset })
    }

    /// Returns what the files declare, where a secret is not set with what the broker has.
    pub fn topology_beside(&self, observed: &Observed) -> Cow<'_, Topology> {
        let mut topology = Cow::Borrowed(&self.loaded.topology);
        if !self.unset.is_empty() {
            fill_unset(topology.to_mut(), &self.unset, &observed.topology);
        }
        topology
    }

    /// Lists the vhosts that the files put objects into.
    pub fn vhosts(&self) -> Vec<Name> {
        self.loaded.topology.vhost_names()
    }

    /// Lists the files as they were named.
    fn file_names(&self) -> Vec<String> {
        self.files.iter().map(|file| file.to_string_lossy().into_owned()).collect()
    }

    /// Says what a plan of these files was made for.
    pub fn planned_for(&self, against: &str, kind: &'static str, version: Option<String>) -> PlannedFor {
        PlannedFor { files: self.file_names(), against: against.to_owned(), kind, version }
    }

    /// Finds a vhost that only the arguments name and the broker does not have: a slip, not a wish for a new vhost.
    pub fn missing_vhost(&self, observed: &Observed) -> Option<String> {
        let named = self.named_vhost.as_ref()?;
        let loaded = &self.loaded;
        let is = |vhost: &Vhost| *vhost.name == **named;
        let used = loaded.topology.vhost_names().iter().any(|vhost| **vhost == **named);
        // The limits of an export make a vhost known, and declare none.
        let is_declared = |vhost: &Vhost| is(vhost) && loaded.origins.contains_key(&vhost.object());
        if !used || loaded.topology.vhosts.iter().any(is_declared) || observed.topology.vhosts.iter().any(is) {
            return None;
        }
        let there: Vec<String> = observed.topology.vhosts.iter().map(|vhost| format!("'{}'", vhost.name)).collect();
        Some(format!(
            "error: there is no vhost '{named}' at {} (there are {})\n  help: name another one, or declare it in the file: vhosts: [{{name: {named}}}]",
            self.address.place(),
            there.join(", ")
        ))
    }
}

/// Lists the objects in which a secret that is not set was noted.
pub(crate) fn objects_at(problems: &[Problem], origins: &Origins) -> BTreeSet<Object> {
    let unset = problems.iter().filter(|one| one.code == Code::TemplateUndefined && one.level == Level::Note);
    let places: Vec<Span> = unset.filter_map(Problem::span).collect();
    if places.is_empty() {
        return BTreeSet::new();
    }
    let holds = |of: Span| places.iter().any(|at| of.file == at.file && of.start <= at.start && at.end <= of.end);
    origins.iter().filter(|(_, origin)| holds(origin.whole)).map(|(object, _)| object.clone()).collect()
}
