//! `man`: the manual pages, for packages.

use crate::cli::ExitCode;
use crate::cli::arguments::{CommandLine, ManOptions};
use crate::cli::terminal::Terminal;
use clap::CommandFactory;

/// Writes `rmqplay.1`, and `rmqplay-COMMAND.1` for each command.
pub fn man(options: &ManOptions, terminal: &Terminal) -> ExitCode {
    let written = std::fs::create_dir_all(&options.folder)
        .and_then(|()| clap_mangen::generate_to(CommandLine::command(), &options.folder));
    match written {
        Ok(()) => ExitCode::Fine,
        Err(error) => {
            let folder = options.folder.display();
            terminal.error(&format!(
                "error: cannot write to {folder}: {error}\n  help: give a folder that can be written to"
            ));
            ExitCode::Environment
        }
    }
}
