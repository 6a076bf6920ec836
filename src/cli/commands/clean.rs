//! `clean`: sweeps what a killed run left on a broker.

use crate::cli::arguments::CleanOptions;
use crate::cli::brokers::one_broker;
use crate::cli::terminal::Terminal;
use crate::cli::{ExitCode, runtime};
use crate::io::meet;
use crate::model::{by_number, counted};
use std::time::Duration;

/// Deletes throw-away vhosts and users of that age, and lists them.
pub fn clean(command: &CleanOptions, terminal: &Terminal) -> ExitCode {
    let address = match one_broker(&command.broker, terminal) {
        Ok(address) => address,
        Err(none) => return none.emit(terminal),
    };
    let older_than = Duration::from_millis(command.older_than.0);
    let swept = async {
        meet(&address).await?;
        crate::io::clean(&address, older_than, command.force).await
    };
    match runtime::interruptible(swept) {
        Err(code) => code,
        Ok(Err(failure)) => terminal.failure(&failure),
        Ok(Ok(cleaned)) => {
            cleaned.vhosts.iter().for_each(|name| terminal.status(&format!("deleted vhost {name}")));
            cleaned.users.iter().for_each(|name| terminal.status(&format!("deleted user {name}")));
            cleaned.spared.iter().for_each(|(name, open)| terminal.status(&spared_text(name, *open)));
            let (vhosts, users) = (cleaned.vhosts.len(), cleaned.users.len());
            terminal.status(&match (vhosts, users) {
                (0, 0) if !cleaned.spared.is_empty() => format!("nothing was deleted at {}", address.place()),
                (0, 0) => format!("nothing older than {} is left at {}", command.older_than, address.place()),
                (0, n) | (n, 0) => {
                    let noun = if users == 0 { "vhost" } else { "user" };
                    format!("{} {} gone from {}", counted(n, noun), by_number(n, "is", "are"), address.place())
                }
                _ => {
                    let (vhosts, users) = (counted(vhosts, "vhost"), counted(users, "user"));
                    format!("{vhosts} and {users} are gone from {}", address.place())
                }
            });
            ExitCode::Fine
        }
    }
}

/// Returns why a vhost is still there.
fn spared_text(vhost: &str, open: usize) -> String {
    let verb = by_number(open, "is", "are");
    format!(
        "left vhost {vhost}: {} {verb} open in it, its run may be under way; --force deletes it",
        counted(open, "connection")
    )
}
