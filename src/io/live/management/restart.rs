//! Restarts a broker by the command that its owner gave, and waits until it answers again.
//! Only where a command was given: nothing here knows how brokers are started.

use crate::io::address::Address;
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::live::management::shell::run;
use crate::io::wait::wait_until_ready;
use std::time::Duration;

/// How long a broker may take to answer after its command has ended.
const READY: Duration = Duration::from_secs(120);

/// Runs the command and waits for the broker.
///
/// # Errors
/// The command failed, with its last words; or the broker did not come back.
pub(crate) async fn restart(address: &Address, command: String) -> Result<(), BrokerFailure> {
    if let Err(why) = run(&command, &[]).await {
        let kind = BrokerFailureKind::Broken { doing: format!("restarting by `{command}`"), why };
        return Err(BrokerFailure::new(kind, address)
            .hint("try the command by hand: it must stop the broker and start it again"));
    }
    wait_until_ready(address, READY).await.map(|_| ())
}
