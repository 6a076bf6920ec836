//! Waits until a broker answers on both its sides: the AMQP handshake and the management API.
//! Gives its overview, or at the time limit a failure that says which side did not answer and why.

use crate::io::address::Address;
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::greet::{ask, misdirected};
use crate::io::live::check_login;
use crate::io::management::{ManagementClient, Overview};
use crate::io::meet::other_service;
use crate::model::Millis;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(250);
/// The limit of one try on one side.
const TRY: Duration = Duration::from_secs(5);

/// What to try when nobody answered all the time: not to wait, as the usual hint says.
const UNREACHABLE: &str =
    "is the broker running, and are host and port right? a broker that starts slowly wants a longer --timeout";

/// Returns when AMQP (with the address's login and vhost) and management both answer.
///
/// # Errors
/// At the limit, what answered and what did not. A login that both sides refuse, a certificate that is not good, and a
/// port that speaks something else, fail at once.
pub async fn wait_until_ready(address: &Address, limit: Duration) -> Result<Overview, BrokerFailure> {
    let end = Instant::now() + limit;
    let management = ManagementClient::new(address)?;
    let (mut amqp_before, mut http_before) = (None, None);
    loop {
        let one = TRY.min(end.saturating_duration_since(Instant::now()));
        let (amqp, http) = tokio::select! {
            sides = try_both(address, &management, one) => match sides {
                (Ok(()), Ok(overview)) => return Ok(overview),
                sides => sides,
            },
            failure = other_service(address, one) => return Err(failure),
        };
        let cut_short = one < PAUSE;
        let amqp = amqp.map_err(|failure| reason_known(failure, cut_short, &mut amqp_before));
        let http = http.map_err(|failure| reason_known(failure, cut_short, &mut http_before));
        if let (Err(amqp), Err(http)) = (&amqp, &http)
            && matches!(
                (&amqp.kind, &http.kind),
                (BrokerFailureKind::BadLogin { .. }, BrokerFailureKind::BadLogin { .. })
            )
        {
            return Err(amqp.clone());
        }
        // No patience makes another certificate of it.
        for failure in [amqp.as_ref().err(), http.as_ref().err()].into_iter().flatten() {
            if matches!(failure.kind, BrokerFailureKind::NoTls { .. }) {
                let speaks = ask(address, TRY.min(end.saturating_duration_since(Instant::now()))).await;
                return Err(misdirected(address, &speaks).unwrap_or_else(|| failure.clone()));
            }
        }
        // Nor another port.
        if amqp.is_err()
            && let Some(failure) =
                misdirected(address, &ask(address, end.saturating_duration_since(Instant::now())).await)
        {
            return Err(failure);
        }
        if Instant::now() + PAUSE >= end {
            return Err(not_ready(address, amqp, http, limit));
        }
        sleep(PAUSE).await;
    }
}

/// Returns the reason that is known of a side: an attempt that was cut short by the end knows less than the one before.
fn reason_known(failure: BrokerFailure, cut_short: bool, before: &mut Option<BrokerFailure>) -> BrokerFailure {
    match before {
        Some(before) if cut_short || matches!(failure.kind, BrokerFailureKind::NoAnswer { .. }) => before.clone(),
        _ => before.insert(failure).clone(),
    }
}

/// Asks both sides once, each within the limit.
async fn try_both(
    address: &Address,
    management: &ManagementClient,
    limit: Duration,
) -> (Result<(), BrokerFailure>, Result<Overview, BrokerFailure>) {
    let late = |doing: &str, at: &dyn std::fmt::Display| {
        BrokerFailure::new(BrokerFailureKind::NoAnswer { doing: doing.to_owned(), after: limit }, at)
    };
    let (amqp, http) =
        tokio::join!(timeout(limit, check_login(address, None, limit)), timeout(limit, management.overview()));
    let amqp = amqp.unwrap_or_else(|_| Err(late("asked to log in", address)));
    (amqp, http.unwrap_or_else(|_| Err(late("asked for its overview", &management.shown()))))
}

/// Returns which side did not answer within the limit.
fn not_ready(
    address: &Address,
    amqp: Result<(), BrokerFailure>,
    http: Result<Overview, BrokerFailure>,
    limit: Duration,
) -> BrokerFailure {
    let waited = Millis(limit.as_millis() as u64);
    let (kind, hint, why) = match (amqp, http) {
        (Err(amqp), Ok(_)) => {
            (amqp.kind.clone(), amqp.hint.clone(), format!("management answers, AMQP does not: {amqp}"))
        }
        (Ok(()), Err(http)) => {
            (http.kind.clone(), http.hint.clone(), format!("AMQP answers, management does not: {http}"))
        }
        (Err(amqp), Err(http)) => {
            let why = format!("AMQP: {}; management at {}: {}", amqp.why(), http.address, http.why());
            (amqp.kind, amqp.hint, why)
        }
        (Ok(()), Ok(_)) => {
            return BrokerFailure::new(BrokerFailureKind::Unreachable { why: "it answers by now".into() }, address);
        }
    };
    let why = format!("not ready after {waited}: {why}");
    let hint = match kind {
        BrokerFailureKind::Unreachable { .. } => UNREACHABLE.to_owned(),
        _ => hint,
    };
    let kind = match kind {
        BrokerFailureKind::NoManagement { .. } => BrokerFailureKind::NoManagement { why },
        BrokerFailureKind::BadLogin { user } => BrokerFailureKind::BadLogin { user },
        _ => BrokerFailureKind::Unreachable { why },
    };
    BrokerFailure::new(kind, address).hint(hint)
}
