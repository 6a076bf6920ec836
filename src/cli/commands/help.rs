//! `help`: the help of a command, as its `--help` prints it, or the reference of the language; and what is said of arguments
//! that are none.

use crate::cli::ExitCode;
use crate::cli::arguments::{CommandLine, HelpOptions};
use crate::cli::terminal::{Terminal, note_unwritten};
use crate::language::{reference, reference_of};
use crate::source::Help;
use clap::Parser;
use clap::error::{ContextKind, ContextValue};
use std::io::Write;

/// What `help` knows beside the commands.
const LANGUAGE: &str = "language";

/// Prints help of a command, the reference, or what it has about some words.
pub fn help(command: &HelpOptions, terminal: &Terminal) -> ExitCode {
    match command.topic.split_first() {
        Some((topic, words)) if topic == LANGUAGE => language(words, terminal),
        _ => of_commands(&command.topic),
    }
}

fn language(words: &[String], terminal: &Terminal) -> ExitCode {
    if words.is_empty() {
        terminal.print(&reference());
        return ExitCode::Fine;
    }
    let mut found = Vec::new();
    for word in words {
        match reference_of(word) {
            Ok(text) => found.push(text),
            Err(Some(near)) => {
                return terminal.usage(&format!("the language has no word `{word}`: {}", Help::did_you_mean(near)));
            }
            Err(None) => {
                let help = "`rmqplay help language` prints all of it";
                return terminal.usage(&format!("the language has no word `{word}`: {help}"));
            }
        }
    }
    terminal.print(&found.join("\n"));
    ExitCode::Fine
}

/// Prints what `rmqplay TOPIC --help` does, and for an unknown one the same error.
fn of_commands(topic: &[String]) -> ExitCode {
    let arguments = ["rmqplay"].into_iter().chain(topic.iter().map(String::as_str)).chain(["--help"]);
    match CommandLine::try_parse_from(arguments) {
        Err(error) => unparsed(&error),
        Ok(_) => ExitCode::Usage,
    }
}

/// Writes what clap has to say: help, version, or what is wrong with the arguments.
pub(crate) fn unparsed(error: &clap::Error) -> ExitCode {
    if let (clap::error::ErrorKind::InvalidSubcommand, Some(ContextValue::String(word))) =
        (error.kind(), error.get(ContextKind::InvalidSubcommand))
        && let Some((_, command)) = OTHER_WORDS.iter().find(|(words, _)| words.contains(&&**word))
    {
        // An error that cannot be written is told by its exit code.
        let _ = writeln!(anstream::stderr(), "error: there is no command `{word}`\n  help: {command}");
        return ExitCode::Usage;
    }
    let written = error.print();
    // clap draws help and version as errors too: only those are fine.
    if error.use_stderr() {
        return ExitCode::Usage;
    }
    note_unwritten(written);
    ExitCode::Fine
}

/// Words of other tools, and the command here that does what they do.
const OTHER_WORDS: [(&[&str], &str); 7] = [
    (&["test", "exec", "execute", "start", "rehearse"], "`rmqplay run` plays scenarios"),
    (&["validate", "verify", "lint"], "`rmqplay check` reports all problems of files and plays nothing"),
    (&["deploy", "declare", "create", "import", "sync", "up"], "`rmqplay apply` declares a topology on a broker"),
    (&["delete", "remove", "undeploy", "teardown", "down"], "`rmqplay destroy` deletes what a topology names"),
    (&["prune"], "`rmqplay apply --prune` deletes what the files do not name"),
    (&["format"], "`rmqplay fmt` lays YAML files out"),
    (&["ls", "show"], "`rmqplay list` lists cells with their tags and snapshots"),
];
