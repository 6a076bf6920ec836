//! The broker that the environment names: `RABBITMQ_URL`, or else the variables of its parts, or else those of rabbitmqadmin.
//! Takes the environment, gives an address; says which variable is wrong, and never its value.

use crate::io::address::rabbitmqadmin::of_variables;
use crate::io::address::url::{Address, BadAddress, bad};
use crate::io::files::Disk;
use crate::model::Secret;

/// The variable with the whole address.
const URL: &str = "RABBITMQ_URL";

/// The variables of its parts.
const PARTS: [&str; 5] = ["RABBITMQ_HOST", "RABBITMQ_PORT", "RABBITMQ_USER", "RABBITMQ_PASSWORD", "RABBITMQ_VHOST"];

/// Returns the address that the environment tells; `None` where no variable is set. An empty one is not set.
pub fn of_environment(disk: &Disk) -> Option<Result<Address, BadAddress>> {
    let set = |name: &str| disk.variable(name).filter(|value| !value.trim().is_empty());
    if let Some(url) = set(URL) {
        let named = |bad: BadAddress| BadAddress { message: format!("{URL}: {}", bad.message), ..bad };
        return Some(url.parse().map_err(named));
    }
    if PARTS.iter().any(|name| set(name).is_some()) {
        return Some(of_parts(PARTS.map(set)));
    }
    let told = of_variables(disk)?;
    Some(told.map_err(|node| {
        let help =
            node.help.map_or_else(|| "correct it, or set RABBITMQ_URL instead".to_owned(), |help| help.to_string());
        bad(node.message, help)
    }))
}

fn of_parts([host, port, user, password, vhost]: [Option<String>; 5]) -> Result<Address, BadAddress> {
    let default = Address::default();
    if host.as_ref().is_some_and(|host| host.contains(['/', '@', ' '])) {
        return Err(bad("RABBITMQ_HOST is not the name of a host", "a whole URL goes to RABBITMQ_URL"));
    }
    let (linked, port) = match port.as_deref().map(str::trim) {
        None => (None, default.port),
        Some(text) => port_of(text).ok_or_else(|| bad("RABBITMQ_PORT is not a port", "write RABBITMQ_PORT=5672"))?,
    };
    let host = host.or(linked).unwrap_or(default.host);
    Ok(Address {
        host: host.trim().trim_matches(['[', ']']).to_owned(),
        port,
        user: user.unwrap_or(default.user),
        password: password.map_or(default.password, Secret::new),
        vhost,
        ..Address::default()
    })
}

/// Reads a port: a number, or `tcp://HOST:PORT`, which Kubernetes sets for a service of the name `rabbitmq`.
fn port_of(text: &str) -> Option<(Option<String>, u16)> {
    let Some(place) = text.strip_prefix("tcp://") else { return Some((None, text.parse().ok()?)) };
    let (host, port) = place.rsplit_once(':')?;
    Some((Some(host.to_owned()), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line is an environment, and the address that it means.
    const TABLE: &str = "\
none | nothing
RABBITMQ_URL= | nothing
RABBITMQ_URL=amqps://u:p@h/v RABBITMQ_HOST=other | amqps://u@h:5671/v p
RABBITMQ_HOST=h | amqp://guest@h:5672 guest
RABBITMQ_HOST=h RABBITMQ_PORT=5400 RABBITMQ_USER=al@x RABBITMQ_PASSWORD=p/w RABBITMQ_VHOST=a/b | amqp://al%40x@h:5400/a%2Fb p/w
RABBITMQ_HOST=::1 RABBITMQ_VHOST=/ | amqp://guest@[::1]:5672/%2F guest
RABBITMQ_PORT=tcp://10.0.0.7:5672 | amqp://guest@10.0.0.7:5672 guest
RABBITMQ_HOST=h RABBITMQ_PORT=tcp://10.0.0.7:5673 | amqp://guest@h:5673 guest
RABBITMQ_HOST=h RABBITMQADMIN_TARGET_HOST=other | amqp://guest@h:5672 guest
RABBITMQADMIN_TARGET_HOST=h RABBITMQADMIN_USERNAME=u RABBITMQADMIN_PASSWORD=p RABBITMQADMIN_USE_TLS=true | amqps://u@h:5671 p
RABBITMQ_HOST=amqp://h | ! RABBITMQ_HOST is not the name of a host: a whole URL goes to RABBITMQ_URL
RABBITMQ_PORT=x | ! RABBITMQ_PORT is not a port: write RABBITMQ_PORT=5672
RABBITMQ_URL=http://u:p@h | ! RABBITMQ_URL: `http://` is not an AMQP URL: write amqp://USER:PASSWORD@HOST:PORT/VHOST, the vhost `/` as %2F (amqps:// for TLS)
RABBITMQADMIN_TARGET_PORT=x | ! RABBITMQADMIN_…: `port` is not a port: correct it, or set RABBITMQ_URL instead";

    #[test]
    fn the_first_that_is_set_counts() {
        for line in TABLE.lines() {
            let (variables, wanted) = line.split_once(" | ").expect("two columns");
            let variables = variables.split_whitespace().filter_map(|set| set.split_once('='));
            let set = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let said = match of_environment(&Disk::at("", set)) {
                None => "nothing".to_owned(),
                Some(Ok(address)) => format!("{address} {}", address.password.expose()),
                Some(Err(bad)) => format!("! {bad}"),
            };
            assert_eq!(said, wanted, "{line}");
        }
    }
}
