//! Where a converted file goes: standard output, or a file that is not overwritten unless that is said.

use crate::cli::ExitCode;
use crate::cli::terminal::Terminal;
use crate::io::{make_atomically, make_private, write_atomically};
use std::path::Path;

/// Where to, and how careful.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output<'p> {
    /// Absent: standard output.
    pub path: Option<&'p Path>,
    /// A file that is there may be overwritten.
    pub force: bool,
    /// Nobody but its owner may read it.
    pub is_private: bool,
}

/// Writes a text whole or not at all.
pub(crate) fn write_output(output: &Output<'_>, text: &str, terminal: &Terminal) -> ExitCode {
    let Some(path) = output.path else {
        terminal.print(text);
        return ExitCode::Fine;
    };
    let written = match (output.is_private, output.force) {
        (true, force) => make_private(path, text, force),
        (false, true) => write_atomically(path, text).map(|()| true),
        (false, false) => make_atomically(path, text),
    };
    match written {
        Ok(true) => ExitCode::Fine,
        Ok(false) => {
            terminal.error(&format!("error: {} is there already, and was left as it is", path.display()));
            ExitCode::Unsafe
        }
        Err(error) => {
            terminal.error(&format!("error: {error}"));
            ExitCode::Environment
        }
    }
}
