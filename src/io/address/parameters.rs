//! What the query of an AMQP URL sets, in RabbitMQ's own words: TLS, the login's mechanism, heartbeat and limits.
//! Takes names and values, changes an address; all that is wrong is told at once. Reads no file.

use crate::io::address::options::LoginMechanism;
use crate::io::address::url::{Address, BadAddress, bad, encoded};
use crate::language::nearest;
use crate::model::Millis;
use crate::source::Help;
use std::borrow::Cow;

/// The parameters, as RabbitMQ names them.
pub(crate) const PARAMETERS: [&str; 9] = [
    "cacertfile",
    "certfile",
    "keyfile",
    "verify",
    "server_name_indication",
    "auth_mechanism",
    "heartbeat",
    "connection_timeout",
    "channel_max",
];

/// Parameters of RabbitMQ's URIs that change nothing here: ours is chosen by how the adapter works.
const WITHOUT_EFFECT: [&str; 1] = ["frame_max"];

/// What is wrong with one parameter, and what to write.
type BadParameter = (String, String);

impl Address {
    /// Takes parameters.
    ///
    /// # Errors
    /// All that are unknown, given twice, or have a value that cannot be.
    pub(crate) fn set_all<'p>(
        &mut self,
        pairs: impl Iterator<Item = (Cow<'p, str>, Cow<'p, str>)>,
    ) -> Result<(), BadAddress> {
        let mut given: Vec<Cow<str>> = Vec::new();
        let mut wrong: Vec<BadParameter> = Vec::new();
        for (key, value) in pairs {
            if key != "auth_mechanism" && given.contains(&key) {
                wrong.push((format!("`{}` is given twice", shown(&key)), "give it once".to_owned()));
            } else if let Err(bad) = self.set(&key, &value) {
                wrong.push(bad);
            }
            given.push(key);
        }
        if self.tls_options.key_file.is_some() && self.tls_options.cert_file.is_none() {
            wrong.push(("`keyfile` without `certfile`".into(), "give the certificate too: certfile=PATH".into()));
        }
        let mut helps: Vec<&str> = wrong.iter().map(|(_, help)| &**help).collect();
        helps.dedup();
        match wrong.is_empty() {
            true => Ok(()),
            false => {
                let messages: Vec<&str> = wrong.iter().map(|(message, _)| &**message).collect();
                Err(bad(messages.join("; "), helps.join("; ")))
            }
        }
    }

    /// Takes one parameter.
    fn set(&mut self, key: &str, value: &str) -> Result<(), BadParameter> {
        let path = || match value {
            "" => Err((format!("`{key}` is empty"), format!("write {key}=PATH"))),
            path => Ok(Some(path.to_owned())),
        };
        match key {
            "cacertfile" => self.tls_options.ca_file = path()?,
            "certfile" => self.tls_options.cert_file = path()?,
            "keyfile" => self.tls_options.key_file = path()?,
            "verify" => self.tls_options.unchecked = one_of(key, value, &["verify_peer", "verify_none"])? == 1,
            "server_name_indication" => self.tls_options.server_name = server_name(value)?,
            "auth_mechanism" => self.mechanisms.push(match one_of(key, value, &["plain", "external"])? {
                0 => LoginMechanism::Plain,
                _ => LoginMechanism::External,
            }),
            "heartbeat" => self.heartbeat = Some(number(key, value, "seconds, 0 for none")?),
            "channel_max" => {
                self.channel_max = Some(number(key, value, "channels, 0 for as many as the broker allows")?)
            }
            "connection_timeout" => match number(key, value, "milliseconds")? {
                0_u32 => return Err((format!("`{key}=0` leaves no time"), format!("write {key}=5000"))),
                millis => self.connection_timeout = Some(Millis(millis.into())),
            },
            known if WITHOUT_EFFECT.contains(&known) => {}
            other => return Err(unknown(other)),
        }
        Ok(())
    }

    /// Writes the parameters that are set, as a URL has them.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = String> {
        let path = |key: &str, path: &Option<String>| {
            path.as_ref().map(|path| format!("{key}={}", encoded(path).replace("%2F", "/")))
        };
        let tls = &self.tls_options;
        let mut set = vec![
            path("cacertfile", &tls.ca_file),
            path("certfile", &tls.cert_file),
            path("keyfile", &tls.key_file),
            tls.unchecked.then(|| "verify=verify_none".to_owned()),
            path("server_name_indication", &tls.server_name),
        ];
        set.extend(self.mechanisms.iter().map(|mechanism| {
            let name = if *mechanism == LoginMechanism::External { "external" } else { "plain" };
            Some(format!("auth_mechanism={name}"))
        }));
        set.push(self.heartbeat.map(|seconds| format!("heartbeat={seconds}")));
        set.push(self.connection_timeout.map(|limit| format!("connection_timeout={}", limit.0)));
        set.push(self.channel_max.map(|channels| format!("channel_max={channels}")));
        set.into_iter().flatten()
    }

    /// Returns what is set for TLS where none is spoken: it would do nothing, and whoever wrote it believes in it.
    pub fn tls_in_vain(&self) -> Option<BadAddress> {
        let speaks_tls = self.tls || self.has_management_tls();
        let external = self.mechanisms == [LoginMechanism::External];
        match () {
            () if !self.tls && external => Some(bad(
                "EXTERNAL logs in by the client's certificate, and amqp:// has none",
                "write amqps://, or leave auth_mechanism out",
            )),
            () if !speaks_tls && !self.tls_options.is_default() => {
                Some(bad("certificates are given, and amqp:// has no TLS", "write amqps://, or leave them out"))
            }
            () => None,
        }
    }
}

/// Shows a key; what is no word may be part of a password.
fn shown(key: &str) -> &str {
    let is_word = key.len() <= 40 && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_word { key } else { "?" }
}

fn unknown(key: &str) -> BadParameter {
    let message = format!("the parameter `{}` is not supported here", shown(key));
    match nearest(key, PARAMETERS.iter().copied()) {
        Some(near) => (message, Help::did_you_mean(near).to_string()),
        None => (message, format!("there are {}", PARAMETERS.join(", "))),
    }
}

fn one_of(key: &str, value: &str, words: &[&str]) -> Result<usize, BadParameter> {
    let at = words.iter().position(|word| value.eq_ignore_ascii_case(word));
    at.ok_or_else(|| {
        (format!("`{key}` has no such value"), format!("write {key}={}", words.join(&format!(" or {key}="))))
    })
}

fn number<N: std::str::FromStr>(key: &str, value: &str, of: &str) -> Result<N, BadParameter> {
    value.parse().map_err(|_| (format!("`{key}` is not a number, or too large"), format!("write {key}=N: {of}")))
}

fn server_name(value: &str) -> Result<Option<String>, BadParameter> {
    match rustls::pki_types::ServerName::try_from(value) {
        Ok(_) => Ok(Some(value.to_owned())),
        Err(_) => Err((
            "`server_name_indication` is not the name of a host".to_owned(),
            "write the name that the broker's certificate has: server_name_indication=rabbit.example".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line is a query, and what becomes of it: the parameters again, or what is wrong and what to write.
    const TABLE: &str = "\
cacertfile=/a%20b/ca.pem&verify=verify_peer | cacertfile=/a%20b/ca.pem
certfile=c.pem&keyfile=k.pem | certfile=c.pem&keyfile=k.pem
certfile=both.pem | certfile=both.pem
verify=verify_none&server_name_indication=rabbit.example | verify=verify_none&server_name_indication=rabbit.example
auth_mechanism=EXTERNAL&auth_mechanism=plain | auth_mechanism=external&auth_mechanism=plain
heartbeat=0&connection_timeout=2500&channel_max=2047&frame_max=1 | heartbeat=0&connection_timeout=2500&channel_max=2047
keyfile=k.pem | ! `keyfile` without `certfile`: give the certificate too: certfile=PATH
cacertfile= | ! `cacertfile` is empty: write cacertfile=PATH
verify=none | ! `verify` has no such value: write verify=verify_peer or verify=verify_none
auth_mechanism=amqplain | ! `auth_mechanism` has no such value: write auth_mechanism=plain or auth_mechanism=external
heartbeat=70000 | ! `heartbeat` is not a number, or too large: write heartbeat=N: seconds, 0 for none
connection_timeout=0 | ! `connection_timeout=0` leaves no time: write connection_timeout=5000
heartbeat=1&heartbeat=2 | ! `heartbeat` is given twice: give it once
cacert_file=x | ! the parameter `cacert_file` is not supported here: did you mean `cacertfile`?
server_name_indication=a%20b | ! `server_name_indication` is not the name of a host: write the name that the broker's certificate has: server_name_indication=rabbit.example
hartbeat=1&verify=no | ! the parameter `hartbeat` is not supported here; `verify` has no such value: did you mean `heartbeat`?; write verify=verify_peer or verify=verify_none";

    #[test]
    fn parameters_are_taken_or_told() {
        for line in TABLE.lines() {
            let (query, wanted) = line.split_once(" | ").expect("two columns");
            let read: Result<Address, BadAddress> = format!("amqps://h?{query}").parse();
            let said = match read {
                Ok(address) => address.parameters().collect::<Vec<_>>().join("&"),
                Err(bad) => format!("! {bad}"),
            };
            assert_eq!(said, wanted, "{query}");
        }
    }

    #[test]
    fn what_does_nothing_without_tls_is_told() {
        let read = |text: &str| -> Address { text.parse().unwrap_or_else(|bad| panic!("{text}: {bad}")) };
        assert!(read("amqp://h?cacertfile=x").tls_in_vain().is_some());
        assert!(read("amqp://h?auth_mechanism=external").tls_in_vain().is_some());
        assert!(read("amqps://h?cacertfile=x&auth_mechanism=external&certfile=c").tls_in_vain().is_none());
        let with_https = read("amqp://h?cacertfile=x").with_management("https://h:15671").expect("a URL");
        assert!(with_https.tls_in_vain().is_none());
    }
}
