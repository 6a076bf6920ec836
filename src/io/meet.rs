//! The first word with a broker: which version it is, or why nothing can be done with it.
//! Tells a broker that is not there from one without the management plugin.

use crate::io::greet::{Speaks, ask, misdirected};
use crate::io::management::{ManagementClient, Overview};
use crate::io::{Address, Failure, FailureKind};
use std::time::Duration;

/// Is how long the AMQP port is asked for a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(3);

/// Asks a broker for its version.
///
/// # Errors
/// Where nobody listens on AMQP either, the failure is about the AMQP address and says what to start.
pub async fn meet(address: &Address) -> Result<Overview, Failure> {
    let failure = match ManagementClient::new(address)?.overview().await {
        Ok(overview) => return Ok(overview),
        Err(failure) => failure,
    };
    let may_be_another_port = matches!(
        failure.kind,
        FailureKind::NoManagement { .. }
            | FailureKind::Unreachable { .. }
            | FailureKind::Broken { .. }
            | FailureKind::NoAnswer { .. }
    );
    if !may_be_another_port {
        return Err(failure);
    }
    let speaks = ask(address, SIGN_OF_LIFE).await;
    if let Some(misdirected) = misdirected(address, &speaks) {
        return Err(misdirected);
    }
    match speaks {
        Speaks::Closed(why) => Err(Failure::new(FailureKind::Unreachable { why }, address).hint(
            "start a broker there, give another address with --broker, or play on the simulated one (--broker sim); \
             `docker compose up -d` starts three versions, `rmqplay wait` waits until one is ready",
        )),
        _ => Err(failure),
    }
}
