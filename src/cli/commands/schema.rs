//! `schema` and `completions`: what editors and shells read.

use crate::cli::ExitCode;
use crate::cli::arguments::{CommandLine, CompletionsOptions, SchemaKind, SchemaOptions};
use crate::cli::terminal::Terminal;
use crate::report::{SchemaOf, schema};
use clap::CommandFactory;

/// Writes the JSON Schema of a kind of file.
pub fn write_schema(command: &SchemaOptions, terminal: &Terminal) -> ExitCode {
    let of = match command.kind {
        SchemaKind::Topology => SchemaOf::Topology,
        SchemaKind::Scenario => SchemaOf::Scenario,
    };
    terminal.print(&format!("{:#}", schema(of)));
    ExitCode::Fine
}

/// Writes the completions of a shell.
pub fn write_completions(command: &CompletionsOptions, terminal: &Terminal) -> ExitCode {
    let mut text = Vec::new();
    clap_complete::generate(command.shell, &mut CommandLine::command(), "rmqplay", &mut text);
    terminal.print(&String::from_utf8_lossy(&text));
    ExitCode::Fine
}
