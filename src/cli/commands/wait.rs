//! `wait`: until a broker answers over AMQP and its management API.

use crate::cli::arguments::WaitOptions;
use crate::cli::brokers::one_broker;
use crate::cli::terminal::Terminal;
use crate::cli::{ExitCode, runtime};
use crate::io::wait_until_ready;
use std::time::Duration;

/// Waits, and says which version answered.
pub fn wait(command: &WaitOptions, terminal: &Terminal) -> ExitCode {
    let address = match one_broker(&command.broker, terminal) {
        Ok(address) => address,
        Err(none) => return none.emit(terminal),
    };
    let limit = Duration::from_millis(command.timeout.0);
    let ready = runtime::interruptible(wait_until_ready(&address, limit));
    match ready {
        Err(code) => code,
        Ok(Ok(overview)) => {
            terminal.status(&format!("RabbitMQ {} is ready at {}", overview.full_version, address.place()));
            ExitCode::Fine
        }
        Ok(Err(failure)) => terminal.failure(&failure),
    }
}
