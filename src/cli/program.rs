//! From the process's arguments to its exit code.

use crate::cli::ExitCode;
use crate::cli::arguments::{Arguments, Command};
use crate::cli::commands::{apply, check, clean, explain, fmt, init, list, review, run, schema, wait};
use crate::cli::terminal::Terminal;
use clap::Parser;

/// Runs the program; the code is of the documented ones.
pub fn main() -> std::process::ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap draws help and version as errors too: only those are fine.
            let code = if error.use_stderr() { ExitCode::Usage } else { ExitCode::Fine };
            return if error.print().is_ok() { code.into() } else { ExitCode::Usage.into() };
        }
    };
    let terminal = Terminal::new(&arguments);
    terminal.log_if_asked();
    let ended = std::panic::catch_unwind(|| command(arguments.command, terminal));
    let code = ended.unwrap_or_else(|_| {
        terminal.complain("this is a bug of rmqplay: please report the files and the lines above");
        ExitCode::Bug
    });
    code.into()
}

fn command(command: Command, terminal: Terminal) -> ExitCode {
    let terminal = &terminal;
    match command {
        Command::Run(command) => run::run(&command, terminal),
        Command::Apply(command) => apply::apply(&command, terminal),
        Command::Check(command) => check::check(&command, terminal),
        Command::Explain(command) => explain::explain(&command, terminal),
        Command::Init(command) => init::init(&command, terminal),
        Command::Fmt(command) => fmt::fmt(&command, terminal),
        Command::Schema(command) => schema::write_schema(&command, terminal),
        Command::Completions(command) => schema::write_completions(&command, terminal),
        Command::Wait(command) => wait::wait(&command, terminal),
        Command::Clean(command) => clean::clean(&command, terminal),
        Command::List(command) => list::list(&command, terminal),
        Command::Review(command) => review::review(&command, terminal),
        Command::Accept(command) => review::accept(&command, terminal),
        Command::Reject(command) => review::reject(&command, terminal),
    }
}
