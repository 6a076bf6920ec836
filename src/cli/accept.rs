//! `accept`: pending outcomes become the snapshots.

use super::ExitCode;
use super::arguments::Accept;
use super::terminal::Terminal;
use crate::io::files;

/// Renames each `.snap.new` below the paths to `.snap`.
pub fn accept(command: &Accept, terminal: &Terminal) -> ExitCode {
    let pending = match files::pending_snapshots(&command.paths) {
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
        match files::accept_snapshot(&path) {
            Ok(accepted) => terminal.chat(&format!("accepted {}", accepted.display())),
            Err(error) => {
                terminal.complain(&error);
                return ExitCode::Environment;
            }
        }
    }
    ExitCode::Fine
}
