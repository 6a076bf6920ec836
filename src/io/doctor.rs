//! Asks a broker all that `doctor` shows: TLS, login, management, rights, alarms, what is deprecated.
//! Takes an address, gives the answers; a question that fails is an answer too. Changes nothing.

use crate::io::address::{Address, LoginMechanism};
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::greet::{ask, misdirected};
use crate::io::live::check_login;
use crate::io::management::ManagementClient;
use crate::io::tls::certificate::common_name_in;
use crate::io::tls::session::greet_by_tls;
use crate::report::{Asked, BrokerIdentity, Examination, Unanswered};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The limit of each side.
const LIMIT: Duration = Duration::from_secs(10);

/// Examines a broker.
pub async fn examine(address: &Address) -> Examination {
    let vhost = address.vhost.clone().unwrap_or_else(|| "/".to_owned());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut seen = Examination {
        address: address.to_string(),
        management: address.management_url().unwrap_or_default(),
        user: address.user.clone(),
        vhost: vhost.clone(),
        by_certificate: address.mechanisms.first() == Some(&LoginMechanism::External),
        client_name: address.tls_options.cert_file.as_deref().and_then(common_name_in),
        unchecked: address.tls_options.unchecked,
        now: i64::try_from(now).unwrap_or(i64::MAX),
        ..Examination::default()
    };
    let (tls, login, management) = tokio::join!(
        async {
            match address.tls {
                true => Some(answer(greet_by_tls(address, LIMIT).await)),
                false => None,
            }
        },
        login(address),
        ask_management(address, &vhost)
    );
    (seen.tls, seen.login) = (tls, login);
    Examination {
        broker: management.broker,
        tags: management.tags,
        permission: management.permission,
        nodes: management.nodes,
        deprecated: management.deprecated,
        flags_disabled: management.flags_disabled,
        ..seen
    }
}

async fn login(address: &Address) -> Asked<()> {
    match check_login(address, None, LIMIT).await {
        Ok(()) => Asked::Told(()),
        // A port that speaks something else is told as such.
        Err(failure)
            if matches!(failure.kind, BrokerFailureKind::Unreachable { .. } | BrokerFailureKind::NoTls { .. }) =>
        {
            answer(Err(misdirected(address, &ask(address, LIMIT).await).unwrap_or(failure)))
        }
        Err(failure) => answer(Err(failure)),
    }
}

async fn ask_management(address: &Address, vhost: &str) -> Examination {
    let mut seen = Examination::default();
    let management = match ManagementClient::new(address) {
        Ok(management) => management,
        Err(failure) => {
            seen.broker = answer(Err(failure));
            return seen;
        }
    };
    seen.broker = answer(
        management
            .overview()
            .await
            .map(|overview| BrokerIdentity { full_version: overview.full_version, version: overview.version }),
    );
    if seen.broker.told().is_none() {
        return seen;
    }
    let (tags, permission, nodes, deprecated, flags) = tokio::join!(
        management.whoami(),
        management.permission(&address.user, vhost),
        management.nodes(),
        management.deprecated_in_use(),
        management.flags_disabled(),
    );
    seen.tags = answer(tags.map(|who| who.tags));
    seen.permission = answer(permission);
    seen.nodes = answer(nodes);
    seen.deprecated = answer(deprecated);
    seen.flags_disabled = answer(flags);
    seen
}

fn answer<T>(asked: Result<T, BrokerFailure>) -> Asked<T> {
    match asked {
        Ok(answer) => Asked::Told(answer),
        Err(failure) => Asked::Not(Unanswered { why: failure.to_string(), help: failure.hint }),
    }
}
