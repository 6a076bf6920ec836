//! `help`: the help of a command, as its `--help` prints it, or the reference of the language.

use crate::cli::ExitCode;
use crate::cli::arguments::{CommandLine, HelpOptions};
use crate::cli::terminal::Terminal;
use crate::cli::unparsed::unparsed;
use crate::language::{reference, reference_of};
use crate::source::Help;
use clap::Parser;

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
        Err(error) => unparsed(error, topic.iter().cloned()),
        Ok(_) => ExitCode::Usage,
    }
}
