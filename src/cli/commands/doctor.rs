//! `doctor`: what works with a broker, and what does not and why.

use crate::cli::arguments::DoctorOptions;
use crate::cli::brokers::one_broker;
use crate::cli::terminal::Terminal;
use crate::cli::{ExitCode, runtime};
use crate::io::examine;
use crate::report;

/// Examines a broker and shows what was found.
pub fn doctor(command: &DoctorOptions, terminal: &Terminal) -> ExitCode {
    let address = match one_broker(&command.broker, terminal) {
        Ok(address) => address,
        Err(none) => return none.emit(terminal),
    };
    let seen = match runtime::interruptible(examine(&address)) {
        Ok(seen) => seen,
        Err(code) => return code,
    };
    if command.json {
        terminal.print(&format!("{:#}", report::doctor_json(&seen)));
    } else {
        terminal.print_unless_empty(&report::doctor_text(&seen, terminal.quiet, terminal.palette));
    }
    if report::has_failed(&seen) { ExitCode::Environment } else { ExitCode::Fine }
}
