//! What a client's first answer says of who it is, by mechanism: PLAIN, AMQPLAIN, and ANONYMOUS, which is `guest`.

use crate::model::{Name, Profile};
use crate::wire::{read_table, text};

/// Whom RabbitMQ takes a client for that does not say who it is, and the password that this user must have.
const ANONYMOUS: (&str, &str) = ("guest", "guest");

/// Returns the mechanisms that are offered, as connection.start lists them: EXTERNAL where clients show certificates.
pub(crate) fn mechanisms(profile: Profile, shows_certificates: bool) -> String {
    let mut offered = vec!["PLAIN", "AMQPLAIN"];
    offered.extend(knows_anonymous(profile).then_some("ANONYMOUS"));
    offered.extend(shows_certificates.then_some("EXTERNAL"));
    offered.join(" ")
}

fn knows_anonymous(profile: Profile) -> bool {
    profile >= Profile::V4_0
}

/// Who a client is by its certificate, over a connection that asks for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateUser {
    /// It shows none, or one that names nobody.
    Nobody,
    /// The user that it names.
    Named(Name),
}

/// A user's name and password, as sent.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SaslLogin {
    pub user: String,
    pub password: String,
}

/// Why no login can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoLogin {
    /// The mechanism is not offered.
    UnknownMechanism,
    /// The answer is not one of its mechanism.
    Malformed,
}

/// Reads the answer of a mechanism.
pub(crate) fn read_login(profile: Profile, mechanism: &str, response: &[u8]) -> Result<SaslLogin, NoLogin> {
    match mechanism {
        "ANONYMOUS" if knows_anonymous(profile) => {
            Ok(SaslLogin { user: ANONYMOUS.0.to_owned(), password: ANONYMOUS.1.to_owned() })
        }
        "PLAIN" => plain(response).ok_or(NoLogin::Malformed),
        "AMQPLAIN" => amqplain(response).ok_or(NoLogin::Malformed),
        _ => Err(NoLogin::UnknownMechanism),
    }
}

/// Reads `[authorization] NUL user NUL password`; RabbitMQ looks at the last two.
fn plain(response: &[u8]) -> Option<SaslLogin> {
    let mut parts = response.split(|byte| *byte == 0);
    let (_, user, password) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    Some(SaslLogin { user: text::from_bytes(user).into(), password: text::from_bytes(password).into() })
}

/// Reads a table without its length, with LOGIN and PASSWORD.
fn amqplain(response: &[u8]) -> Option<SaslLogin> {
    let table = read_table(response).ok()?;
    let entry = |name: &str| table.get(name)?.as_text().map(str::to_owned);
    Some(SaslLogin { user: entry("LOGIN")?, password: entry("PASSWORD")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_both_mechanisms_are_read() {
        let guest = |mechanism, response: &[u8]| {
            read_login(Profile::NEWEST, mechanism, response).map(|login| (login.user, login.password))
        };
        let login = Ok(("guest".to_owned(), "a b".to_owned()));
        assert_eq!(guest("PLAIN", b"\0guest\0a b"), login);
        assert_eq!(guest("AMQPLAIN", b"\x05LOGINS\0\0\0\x05guest\x08PASSWORDS\0\0\0\x03a b"), login);
        assert_eq!(guest("PLAIN", b"guest"), Err(NoLogin::Malformed));
        assert_eq!(guest("AMQPLAIN", b"\x05LOGINS\0\0\0\x05guest"), Err(NoLogin::Malformed));
        assert_eq!(guest("SCRAM", b""), Err(NoLogin::UnknownMechanism));
    }
    #[test]
    fn whoever_does_not_say_who_it_is_is_guest_since_4_0() {
        let offered = |profile| mechanisms(profile, true);
        assert_eq!(offered(Profile::V3_13), "PLAIN AMQPLAIN EXTERNAL");
        assert_eq!(offered(Profile::V4_0), "PLAIN AMQPLAIN ANONYMOUS EXTERNAL");
        let login = read_login(Profile::V4_0, "ANONYMOUS", b"whatever").map(|login| login.user);
        assert_eq!(login, Ok("guest".to_owned()));
        assert!(matches!(read_login(Profile::V3_13, "ANONYMOUS", b""), Err(NoLogin::UnknownMechanism)));
    }
}
