//! `accept`: pending outcomes become the snapshots.

use super::ExitCode;
use super::arguments::Accept;
use super::terminal::Terminal;
use crate::io::snapshots;

/// Renames each `.snap.new` below the paths to `.snap`.
pub fn accept(command: &Accept, terminal: &Terminal) -> ExitCode {
    let pending = match snapshots::pending_below(&command.paths) {
        Ok(pending) => pending,
        Err(error) => {
            terminal.complain(&error);
            return ExitCode::BadFile;
        }
    };
    if pending.is_empty() {
        terminal.chat("nothing is pending");
        return ExitCode::Nothing;
    }
    for path in pending {
        match snapshots::accept(&path) {
            Ok(accepted) => terminal.chat(&format!("accepted {}", accepted.display())),
            Err(error) => {
                terminal.complain(&error);
                return ExitCode::Environment;
            }
        }
    }
    ExitCode::Fine
}
