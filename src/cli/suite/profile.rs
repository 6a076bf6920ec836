//! `run --profile NAME`: the flags that `rmqplay.yaml` gives under a name, put behind those of the command line.
//! Takes the words of the command line, gives the arguments.

use crate::cli::ExitCode;
use crate::cli::arguments::CommandLine;
use crate::cli::brokers::why_no_broker;
use crate::io::{BROKERS_FILE, Disk, KnownBrokers, ProfileSetting, RunProfiles};
use crate::model::Profile;
use crate::source::{Help, nearest_name};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches};
use std::ffi::OsString;

/// The commands that play by a profile.
const COMMANDS: [&str; 2] = ["run", "watch"];

/// Why there are no arguments.
pub(crate) enum NotRead {
    /// clap says what is wrong, or prints help.
    Clap(Box<clap::Error>),
    /// The profile: what was read without it, the sentence, and the exit code.
    Profile(Box<CommandLine>, String, ExitCode),
}

impl From<clap::Error> for NotRead {
    fn from(error: clap::Error) -> Self {
        Self::Clap(Box::new(error))
    }
}

/// Reads the command line, with the flags of its profile.
///
/// # Errors
/// Words that are no arguments, or a profile that is none.
pub(crate) fn command_line(words: Vec<OsString>) -> Result<CommandLine, NotRead> {
    let matches = CommandLine::command().try_get_matches_from(&words)?;
    let plain = CommandLine::from_arg_matches(&matches)?;
    let Some((command, given)) = matches.subcommand().filter(|(name, _)| COMMANDS.contains(name)) else {
        return Ok(plain);
    };
    let Some(name) = given.get_one::<String>("profile") else { return Ok(plain) };
    match settings_of(name) {
        Err((message, code)) => Err(NotRead::Profile(Box::new(plain), message, code)),
        Ok(settings) => with_profile(&words, command, given, name, settings)
            .map_err(|message| NotRead::Profile(Box::new(plain), message, ExitCode::BadFile)),
    }
}

fn settings_of(name: &str) -> Result<Vec<ProfileSetting>, (String, ExitCode)> {
    let disk = Disk::here();
    let known = KnownBrokers::read(&disk).map_err(|why| (why, ExitCode::BadFile))?;
    match known.profiles().read(name, &disk) {
        Some(read) => read.map_err(|why| (why, ExitCode::BadFile)),
        None => Err((unknown(name, known.profiles(), &disk), ExitCode::Usage)),
    }
}

/// Returns what there is in the place of a profile that is not there.
fn unknown(name: &str, known: &RunProfiles, disk: &Disk) -> String {
    if name.trim_start_matches("sim:").parse::<Profile>().is_ok() {
        let version = name.trim_start_matches("sim:");
        return format!(
            "--profile names a profile of {BROKERS_FILE}; `--broker sim:{version}` plays by the rules of a version"
        );
    }
    let names: Vec<&str> = known.names().collect();
    match nearest_name(name, names.iter().copied()) {
        Some(near) => format!("{BROKERS_FILE} has no profile `{name}`; {}", Help::did_you_mean(near)),
        None if !names.is_empty() => format!("{BROKERS_FILE} has no profile `{name}`; there are: {}", names.join(", ")),
        None => {
            let what = if disk.has(BROKERS_FILE) { "has no profile" } else { "is not in this folder" };
            format!("{BROKERS_FILE} {what}: it names them, as in `profiles: {{{name}: {{brokers: [sim]}}}}`")
        }
    }
}

/// Reads the words again with what the profile adds: what the command line gives itself comes first.
///
/// # Errors
/// In words: settings that no flag takes, each at its line.
fn with_profile(
    words: &[OsString],
    command: &str,
    given: &ArgMatches,
    name: &str,
    settings: Vec<ProfileSetting>,
) -> Result<CommandLine, String> {
    let is_given = |setting: &ProfileSetting| {
        // Variables of both count, those of the command line last.
        let id = id_of(&setting.key);
        id != "vars" && given.value_source(id) == Some(ValueSource::CommandLine)
    };
    let settings: Vec<ProfileSetting> = settings.into_iter().filter(|setting| !is_given(setting)).collect();
    let at = words.iter().skip(1).position(|word| word == command).map_or(words.len(), |at| at + 2);
    let (before, behind) = words.split_at(at);
    let read = |settings: &[&ProfileSetting]| {
        let added = settings.iter().flat_map(|setting| words_of(setting));
        let all: Vec<OsString> = before.iter().cloned().chain(added).chain(behind.iter().cloned()).collect();
        let matches = CommandLine::command().try_get_matches_from(all)?;
        CommandLine::from_arg_matches(&matches)
    };
    let wrong: Vec<String> = settings
        .iter()
        .flat_map(|one| {
            let reasons = match read(&[one]) {
                Err(error) => vec![sentence(&error)],
                Ok(_) => of_brokers(one),
            };
            reasons
                .into_iter()
                .map(move |why| format!("{BROKERS_FILE}:{}: profile `{name}`: `{}`: {why}", one.line, one.key))
        })
        .collect();
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    let all: Vec<&ProfileSetting> = settings.iter().collect();
    read(&all).map_err(|error| format!("{BROKERS_FILE}: profile `{name}`: {}", sentence(&error)))
}

/// Returns why the brokers of a setting are none.
fn of_brokers(setting: &ProfileSetting) -> Vec<String> {
    let words = setting.values.iter().flatten().filter(|_| id_of(&setting.key) == "broker");
    words.filter_map(|word| why_no_broker(word)).collect()
}

/// Returns the name by which the arguments know what a key sets.
fn id_of(key: &str) -> &str {
    match key {
        "brokers" => "broker",
        other => other,
    }
}

fn words_of(setting: &ProfileSetting) -> Vec<OsString> {
    let word = |value: &Option<String>| match (&setting.flag, value) {
        (Some(flag), Some(value)) => format!("--{flag}={value}"),
        (Some(flag), None) => format!("--{flag}"),
        (None, value) => value.clone().unwrap_or_default(),
    };
    setting.values.iter().map(|value| word(value).into()).collect()
}

/// Returns clap's sentence alone.
fn sentence(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let first = text.lines().next().unwrap_or_default();
    first.trim_start_matches("error: ").trim_end_matches(':').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::WordGroup;

    #[test]
    fn each_key_of_a_profile_is_a_flag_of_run() {
        let own = CommandLine::command();
        let run = own.find_subcommand("run").expect("run");
        let group = WordGroup::named("profile").expect("the group");
        for key in group.keys() {
            let found = run.get_arguments().find(|argument| argument.get_id() == id_of(key));
            let argument = found.unwrap_or_else(|| panic!("no argument of run for `{key}`"));
            assert_eq!(argument.get_long().is_none(), key == "paths", "{key}");
        }
    }
}
