//! From the process's arguments to its exit code.

use crate::cli::ExitCode;
use crate::cli::arguments::{CliCommand, CommandLine};
use crate::cli::commands::{apply, check, clean, explain, fmt, init, list, review, run, schema, wait};
use crate::cli::terminal::{Terminal, note_unwritten};
use clap::Parser;
use clap::error::{ContextKind, ContextValue};
use std::io::Write;

/// Runs the program; the code is of the documented ones.
pub fn main() -> std::process::ExitCode {
    let arguments = match CommandLine::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return Terminal::finish(unparsed(&error)).into(),
    };
    let terminal = Terminal::new(&arguments);
    terminal.log_if_asked();
    let ended = std::panic::catch_unwind(|| command(arguments.command, terminal));
    let code = ended.unwrap_or_else(|_| {
        terminal.complain("this is a bug of rmqplay: please report the files and the lines above");
        ExitCode::Bug
    });
    Terminal::finish(code).into()
}

/// Writes what clap has to say: help, version, or what is wrong with the arguments.
fn unparsed(error: &clap::Error) -> ExitCode {
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
const OTHER_WORDS: [(&[&str], &str); 6] = [
    (&["test", "exec", "execute", "start", "rehearse"], "`rmqplay run` plays scenarios"),
    (&["validate", "verify", "lint"], "`rmqplay check` reports all problems of files and plays nothing"),
    (&["plan", "diff"], "`rmqplay apply --dry-run` shows what would change on a broker and writes nothing"),
    (&["deploy", "declare", "create", "import", "sync", "up"], "`rmqplay apply` declares a topology on a broker"),
    (&["format"], "`rmqplay fmt` lays YAML files out"),
    (&["ls", "show"], "`rmqplay list` lists cells with their tags and snapshots"),
];

fn command(command: CliCommand, terminal: Terminal) -> ExitCode {
    let terminal = &terminal;
    match command {
        CliCommand::Run(command) => run::run(&command, terminal),
        CliCommand::Apply(command) => apply::apply(&command, terminal),
        CliCommand::Check(command) => check::check(&command, terminal),
        CliCommand::Explain(command) => explain::explain(&command, terminal),
        CliCommand::Init(command) => init::init(&command, terminal),
        CliCommand::Fmt(command) => fmt::fmt(&command, terminal),
        CliCommand::Schema(command) => schema::write_schema(&command, terminal),
        CliCommand::Completions(command) => schema::write_completions(&command, terminal),
        CliCommand::Wait(command) => wait::wait(&command, terminal),
        CliCommand::Clean(command) => clean::clean(&command, terminal),
        CliCommand::List(command) => list::list(&command, terminal),
        CliCommand::Review(command) => review::review(&command, terminal),
        CliCommand::Accept(command) => review::accept(&command, terminal),
        CliCommand::Reject(command) => review::reject(&command, terminal),
    }
}
