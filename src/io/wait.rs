//! Waits until a broker answers on both its sides: the AMQP handshake and the management API.
//! Gives its overview, or at the time limit a failure that says which side did not answer and why.

use crate::io::address::Address;
use crate::io::failure::{Failure, FailureKind};
use crate::io::greet::{ask, misdirected};
use crate::io::live::check_login;
use crate::io::management::{ManagementClient, Overview};
use crate::model::Millis;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// Is the pause between two tries.
const PAUSE: Duration = Duration::from_millis(250);
/// Is the limit of one try on one side.
const TRY: Duration = Duration::from_secs(5);

/// What to try when nobody answered all the time: not to wait, as the usual hint says.
const UNREACHABLE: &str =
    "is the broker running, and are host and port right? a broker that starts slowly wants a longer --timeout";

/// Returns when AMQP (with the address's login and vhost) and management both answer.
///
/// # Errors
/// At the limit, what answered and what did not. A login that both sides refuse, and a port that speaks something else,
/// fail at once.
pub async fn wait_until_ready(address: &Address, limit: Duration) -> Result<Overview, Failure> {
    let end = Instant::now() + limit;
    let management = ManagementClient::new(address)?;
    loop {
        let one = TRY.min(end.saturating_duration_since(Instant::now()).max(PAUSE));
        let (amqp, http) = tokio::join!(check_login(address, None, one), timeout(one, management.overview()));
        let http = http.unwrap_or_else(|_| {
            let doing = "asked for its overview".to_owned();
            Err(Failure::new(FailureKind::NoAnswer { doing, after: one }, management.shown()))
        });
        let (amqp, http) = match (amqp, http) {
            (Ok(()), Ok(overview)) => return Ok(overview),
            sides => sides,
        };
        if let (Err(amqp), Err(http)) = (&amqp, &http)
            && matches!((&amqp.kind, &http.kind), (FailureKind::BadLogin { .. }, FailureKind::BadLogin { .. }))
        {
            return Err(amqp.clone());
        }
        // No patience makes another port of it.
        if amqp.is_err()
            && let Some(failure) = misdirected(address, &ask(address, one).await)
        {
            return Err(failure);
        }
        if Instant::now() + PAUSE >= end {
            return Err(not_ready(address, amqp, http, limit));
        }
        sleep(PAUSE).await;
    }
}

/// Says which side did not answer within the limit.
fn not_ready(
    address: &Address,
    amqp: Result<(), Failure>,
    http: Result<Overview, Failure>,
    limit: Duration,
) -> Failure {
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
            return Failure::new(FailureKind::Unreachable { why: "it answers by now".into() }, address);
        }
    };
    let why = format!("not ready after {waited}: {why}");
    let hint = match kind {
        FailureKind::Unreachable { .. } => UNREACHABLE.to_owned(),
        _ => hint,
    };
    let kind = match kind {
        FailureKind::NoManagement { .. } => FailureKind::NoManagement { why },
        FailureKind::BadLogin { user } => FailureKind::BadLogin { user },
        _ => FailureKind::Unreachable { why },
    };
    Failure::new(kind, address).hint(hint)
}
