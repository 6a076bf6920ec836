//! `schema` and `completions`: what editors and shells read.

use crate::cli::ExitCode;
use crate::cli::arguments::{CompletionsOptions, SchemaKind, SchemaOptions};
use crate::cli::completion::ASKED_BY;
use crate::cli::terminal::Terminal;
use crate::report::{SchemaOf, schema};

/// Writes the JSON Schema of a kind of file.
pub fn write_schema(command: &SchemaOptions, terminal: &Terminal) -> ExitCode {
    let of = match command.kind {
        SchemaKind::Topology => SchemaOf::Topology,
        SchemaKind::Scenario => SchemaOf::Scenario,
        SchemaKind::Config => SchemaOf::Config,
    };
    terminal.print(&format!("{:#}", schema(of)));
    ExitCode::Fine
}

/// Writes the completions of a shell.
pub fn write_completions(command: &CompletionsOptions, terminal: &Terminal) -> ExitCode {
    let mut text = Vec::new();
    let shells = clap_complete::env::Shells::builtins();
    let shell = shells.completer(&command.shell.to_string());
    match shell.map(|shell| shell.write_registration(ASKED_BY, "rmqplay", "rmqplay", "rmqplay", &mut text)) {
        Some(Ok(())) => {
            terminal.print(&String::from_utf8_lossy(&text));
            ExitCode::Fine
        }
        _ => terminal.usage("this shell has no completions"),
    }
}
