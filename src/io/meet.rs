//! The first word with a broker: which version it is, or why nothing can be done with it.
//! Tells a broker that is not there from one without the management plugin, and from a port of another service.

use crate::io::greet::{Speaks, ask, misdirected};
use crate::io::management::{ManagementClient, Overview};
use crate::io::{Address, BrokerFailure, BrokerFailureKind};
use std::time::Duration;
use tokio::time::sleep;

/// How long the AMQP port is asked for a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(3);

/// How long a broker may take before its AMQP port is asked what it speaks: it logs whoever asks and goes.
const HEAD_START: Duration = Duration::from_millis(300);

/// Asks a broker for its version.
///
/// # Errors
/// Where nobody listens on AMQP either, the failure is about the AMQP address and says what to start. An AMQP port that
/// speaks something else is told at once.
pub async fn meet(address: &Address) -> Result<Overview, BrokerFailure> {
    let management = ManagementClient::new(address)?;
    // A management API at the usual distance vouches for its AMQP port; one that was named for itself does not.
    if address.management.is_some()
        && let Some(failure) = misdirected(address, &ask(address, SIGN_OF_LIFE).await)
    {
        return Err(failure);
    }
    let failure = tokio::select! {
        overview = management.overview() => match overview {
            Ok(overview) => return Ok(overview),
            Err(failure) => failure,
        },
        failure = other_service(address, SIGN_OF_LIFE) => return Err(failure),
    };
    let may_be_another_port = matches!(
        failure.kind,
        BrokerFailureKind::NoManagement { .. }
            | BrokerFailureKind::Unreachable { .. }
            | BrokerFailureKind::Broken { .. }
            | BrokerFailureKind::NoAnswer { .. }
    );
    let is_tls_at_fault = matches!(failure.kind, BrokerFailureKind::NoTls { .. });
    if !may_be_another_port && !is_tls_at_fault {
        return Err(failure);
    }
    let speaks = ask(address, SIGN_OF_LIFE).await;
    if let Some(misdirected) = misdirected(address, &speaks) {
        return Err(misdirected);
    }
    match speaks {
        Speaks::Closed(_) if is_tls_at_fault => Err(failure),
        Speaks::Closed(why) => Err(BrokerFailure::new(BrokerFailureKind::Unreachable { why }, address).hint(
            "start a broker there, or give another address with --broker; `docker compose up -d` starts three versions, \
             `rmqplay wait` waits until one is ready",
        )),
        _ => Err(failure),
    }
}

/// Waits for the failure of an AMQP port that speaks something else; one that speaks AMQP, or nothing, is waited for
/// without end.
pub(crate) async fn other_service(address: &Address, limit: Duration) -> BrokerFailure {
    sleep(HEAD_START).await;
    match misdirected(address, &ask(address, limit).await) {
        Some(failure) => failure,
        None => std::future::pending().await,
    }
}
