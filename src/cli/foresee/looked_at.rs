//! What `effective`, `access` and `route` look at: a topology from a file, or what a broker holds.
//! Reads either; complains about it. Never writes.

use crate::cli::brokers::one_broker;
use crate::cli::foresee::unread::{Unread, telling_more};
use crate::cli::load::Loader;
use crate::cli::options::LookOptions;
use crate::cli::terminal::Terminal;
use crate::cli::{ExitCode, runtime};
use crate::foresee::VersionView;
use crate::io::management::ManagementClient;
use crate::io::observe::observe;
use crate::io::{Address, BrokerFailure, meet};
use crate::model::{Name, Origins, Profile, Topology};
use crate::report::shell_word;
use crate::source::{Help, nearest_name};
use std::path::Path;

/// A topology with its places and the versions that it is judged for.
pub(crate) struct LookedAt {
    pub topology: Topology,
    pub origins: Origins,
    pub profiles: Vec<Profile>,
    /// What the command's words name beside the file.
    pub words: Vec<String>,
    /// The file, where it is not a broker.
    pub file: Option<String>,
    /// What the account may not read of a broker.
    pub unread: Option<Unread>,
}

impl LookedAt {
    /// Reads the file that the first word names, or a broker; `lacking` says what to write when there is neither.
    pub fn read(words: &[String], look: &LookOptions, lacking: &str, terminal: &Terminal) -> Result<Self, ExitCode> {
        if look.broker.broker.is_some() || look.broker.node.is_some() {
            return Self::of_broker(words, look, terminal);
        }
        let Some((file, words)) = words.split_first() else { return Err(terminal.usage(lacking)) };
        let loader = Loader::new(&look.vars, None);
        let mut loader = loader.map_err(|(code, message)| {
            terminal.usage(&message);
            code
        })?;
        loader = loader.judging_for(&look.versions).without_secrets();
        let (loaded, problems) = loader.topology(Path::new(file));
        if let Some(unknown) = loader.unknown_variable() {
            return Err(terminal.usage(&format!("--var: {unknown}")));
        }
        let stops: Vec<_> = problems.into_iter().filter(|it| it.level == crate::source::Level::Problem).collect();
        let code = terminal.problems(&stops, &loader.sources);
        let Some(loaded) = loaded.filter(|_| code == ExitCode::Fine) else {
            tell_of_check(Path::new(file), terminal);
            return Err(code.and(ExitCode::BadFile));
        };
        let profiles = if look.versions.is_empty() { Profile::ALL.to_vec() } else { sorted(&look.versions) };
        Ok(Self {
            topology: loaded.topology,
            origins: loaded.origins,
            profiles,
            words: words.to_vec(),
            file: Some(file.clone()),
            unread: None,
        })
    }

    fn of_broker(words: &[String], look: &LookOptions, terminal: &Terminal) -> Result<Self, ExitCode> {
        let address = one_broker(&look.broker, terminal).map_err(|none| none.emit(terminal))?;
        match runtime::interruptible(held_by(&address)) {
            Ok(Ok((topology, profile, unread))) => {
                let profiles = if look.versions.is_empty() { vec![profile] } else { sorted(&look.versions) };
                Ok(Self { topology, origins: Origins::new(), profiles, words: words.to_vec(), file: None, unread })
            }
            Ok(Err(failure)) => Err(terminal.failure(&failure)),
            Err(code) => Err(code),
        }
    }

    /// Writes a command about the same file or broker, as one would type it.
    pub fn command(&self, name: &str) -> String {
        command_on(name, self.file.as_deref())
    }

    /// Says that something is not there, and which command tells what is.
    pub fn missing(&self, message: &str, help: &str, terminal: &Terminal) -> ExitCode {
        terminal.error(&format!("error: {message}\n  help: {help}"));
        ExitCode::Nothing
    }

    /// Says that the topology has no vhost that was named, and which it has.
    pub fn no_vhost(&self, named: &str, terminal: &Terminal) -> Option<ExitCode> {
        let message = no_vhost(named, &self.topology.vhost_names())?;
        let help = format!("{} shows what is in each", self.command("effective"));
        Some(self.missing(&message, &help, terminal))
    }

    /// Returns the exit code where a question about users and their rights has no answer, and says why.
    pub fn lacks_users(&self, terminal: &Terminal) -> Option<ExitCode> {
        let failure = self.unread.as_ref()?.of_users()?;
        Some(terminal.failure(&failure))
    }

    /// Returns the exit code where nothing is known of a vhost, or of all, and says why.
    pub fn lacks_all(&self, vhost: Option<&str>, terminal: &Terminal) -> Option<ExitCode> {
        let unread = self.unread.as_ref().filter(|unread| unread.is_all(vhost))?;
        Some(terminal.failure(&unread.of_vhosts(vhost)?))
    }

    /// Returns the exit code where something of a vhost, or of all, was not read, and says what.
    pub fn lacks_some(&self, vhost: Option<&str>, terminal: &Terminal) -> ExitCode {
        let failure = self.unread.as_ref().and_then(|unread| unread.of_vhosts(vhost));
        failure.map_or(ExitCode::Fine, |failure| terminal.failure(&failure))
    }

    /// Compiles the policies for each version apart.
    pub fn versions(&self) -> Vec<(Profile, Vec<VersionView<'_>>)> {
        let of = |profile: &Profile| (*profile, crate::foresee::versions(&self.topology, &[*profile]));
        self.profiles.iter().map(of).collect()
    }
}

/// Names the command that tells all that is wrong with a file, where there is one.
pub(crate) fn tell_of_check(file: &Path, terminal: &Terminal) {
    if file.is_file() {
        let file = file.to_string_lossy();
        terminal.error(&format!("`rmqplay check {}` tells all that is wrong there", shell_word(&file)));
    }
}

/// Writes a command about a file, or about the broker of the arguments.
pub(crate) fn command_on(name: &str, file: Option<&str>) -> String {
    match file {
        Some(file) => format!("`rmqplay {name} {}`", shell_word(file)),
        None => format!("`rmqplay {name}` with the same --broker"),
    }
}

/// Says that a topology has no such vhost, and which it has.
pub(crate) fn no_vhost(named: &str, vhosts: &[Name]) -> Option<String> {
    if vhosts.iter().any(|vhost| vhost == named) {
        return None;
    }
    let there: Vec<String> = vhosts.iter().map(|vhost| format!("'{vhost}'")).collect();
    let near = nearest_name(named, vhosts.iter().map(Name::as_str));
    let near = near.map_or_else(String::new, |near| format!("; {}", Help::did_you_mean(near)));
    Some(match there.is_empty() {
        true => format!("no vhost '{named}': nothing is declared in any"),
        false => format!("no vhost '{named}': there are {}{near}", there.join(", ")),
    })
}

/// Names the vhost that the arguments name.
pub(crate) fn in_vhost(named: Option<&str>) -> String {
    named.map_or_else(String::new, |vhost| format!(" in vhost '{vhost}'"))
}

/// Returns which name is meant that is not there: the same in another vhost, or a near one in the vhosts that are meant.
pub(crate) fn missing_help<'a>(
    name: &str,
    vhost: Option<&str>,
    there: impl Iterator<Item = (&'a Name, &'a str)> + Clone,
) -> Option<String> {
    let elsewhere: Vec<String> =
        there.clone().filter(|(_, known)| *known == name).map(|(vhost, _)| format!("'{vhost}'")).collect();
    if !elsewhere.is_empty() {
        return Some(format!(": it is in vhost {}", elsewhere.join(", ")));
    }
    let here = there.filter(|(of, _)| vhost.is_none_or(|vhost| **of == *vhost)).map(|(_, known)| known);
    nearest_name(name, here).map(|near| format!(": did you mean `{near}`?"))
}

fn sorted(profiles: &[Profile]) -> Vec<Profile> {
    let mut profiles = profiles.to_vec();
    profiles.sort();
    profiles.dedup();
    profiles
}

/// Reads all that a broker holds, the profile that is nearest to its version, and what the account may not read.
async fn held_by(address: &Address) -> Result<(Topology, Profile, Option<Unread>), BrokerFailure> {
    let overview = meet(address).await.map_err(telling_more)?;
    let management = ManagementClient::new(address)?;
    let vhosts: Vec<Name> = management.vhosts().await?.into_iter().map(Name::from).collect();
    let observed = observe(&management, &overview, &vhosts).await?;
    let unread = Unread::of(&observed, &vhosts, &management);
    Ok((observed.topology, Profile::nearest(observed.version), unread))
}
