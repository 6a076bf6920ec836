//! The beginning of a connection: protocol header, start, tune, open; who the client is and what is agreed.
//! Takes methods of channel 0 before connection.open-ok; answers as RabbitMQ does, or stays silent where it does.

use crate::broker::code;
use crate::model::{Name, Profile, Table, Value};
use crate::serve::accounts::Accounts;
use crate::serve::hard_error::HardError;
use crate::serve::sasl::{CertificateUser, NoLogin, mechanisms, read_login};
use crate::serve::server_properties::{
    CHANNEL_MAX, HEARTBEAT_S, INITIAL_FRAME_MAX, SUGGESTED_FRAME_MAX, server_properties,
};
use crate::wire::{AmqpMethod, FRAME_MIN_SIZE};

/// What a client said of itself, and what was agreed with it.
#[derive(Debug, Clone)]
pub(crate) struct Agreement {
    pub user: Name,
    /// As connection.start-ok has them.
    pub client_properties: Table,
    pub mechanism: Name,
    pub frame_max: u32,
    pub channel_max: u16,
    pub heartbeat_s: u16,
}

impl Default for Agreement {
    fn default() -> Self {
        Self {
            user: Name::default(),
            client_properties: Table::new(),
            mechanism: Name::default(),
            frame_max: INITIAL_FRAME_MAX,
            channel_max: CHANNEL_MAX,
            heartbeat_s: 0,
        }
    }
}

impl Agreement {
    /// Returns whether the client announced that it can do something.
    pub(crate) fn can(&self, capability: &str) -> bool {
        let capabilities = self.client_properties.get("capabilities").and_then(Value::as_table);
        capabilities.is_some_and(|table| table.get(capability) == Some(&Value::Bool(true)))
    }
}

/// What comes of a step of the handshake that fails.
#[derive(Debug, Clone)]
pub(crate) enum Stopped {
    /// The client is told, and may answer.
    Told(HardError),
    /// The client is told, and the socket is closed a while later, whatever it answers.
    Refused(HardError),
    /// Nothing is said; the socket is closed a while later.
    Silent,
}

/// Returns connection.start; EXTERNAL is offered where clients show certificates, whether this one did or not.
pub(crate) fn start(profile: Profile, is_09: bool, shows_certificates: bool) -> AmqpMethod {
    AmqpMethod::ConnectionStart {
        version_major: 0,
        version_minor: 9,
        server_properties: server_properties(profile),
        mechanisms: mechanisms(profile, shows_certificates).into_bytes(),
        locales: if is_09 { b"en_US ".to_vec() } else { b"en_US".to_vec() },
    }
}

/// Takes connection.start-ok: who the client is; returns connection.tune.
pub(crate) fn log_in(
    agreement: &mut Agreement,
    accounts: &Accounts,
    certificate: Option<&CertificateUser>,
    profile: Profile,
    (client_properties, mechanism, response): (Table, Name, Vec<u8>),
) -> Result<AmqpMethod, Stopped> {
    agreement.client_properties = client_properties;
    agreement.mechanism = mechanism.clone();
    let user = match (certificate, &*mechanism) {
        (Some(CertificateUser::Named(user)), "EXTERNAL") => accounts.knows(user).then(|| user.clone()),
        (Some(CertificateUser::Nobody), "EXTERNAL") => None,
        _ => match read_login(profile, &mechanism, &response) {
            Ok(login) => accounts.fits(&login.user, &login.password).then(|| login.user.into()),
            // RabbitMQ does not trust such a client: it says nothing, and closes the socket after three seconds.
            Err(NoLogin::UnknownMechanism | NoLogin::Malformed) => return Err(Stopped::Silent),
        },
    };
    let Some(user) = user else {
        if !agreement.can("authentication_failure_close") {
            return Err(Stopped::Silent);
        }
        let text = format!(
            "Login was refused using authentication mechanism {mechanism}. For details see the broker logfile."
        );
        return Err(Stopped::Refused(HardError::plain(code::ACCESS_REFUSED, text)));
    };
    agreement.user = user;
    Ok(AmqpMethod::ConnectionTune { channel_max: CHANNEL_MAX, frame_max: SUGGESTED_FRAME_MAX, heartbeat: HEARTBEAT_S })
}

/// Takes connection.tune-ok: what the client agrees to.
pub(crate) fn tune(
    agreement: &mut Agreement,
    (channel_max, frame_max, heartbeat): (u16, u32, u16),
    profile: Profile,
) -> Result<(), Stopped> {
    check_agreed("frame_max", frame_max, frame_min(profile), SUGGESTED_FRAME_MAX)?;
    check_agreed("channel_max", channel_max.into(), 1, CHANNEL_MAX.into())?;
    agreement.frame_max = frame_max;
    agreement.channel_max = channel_max;
    agreement.heartbeat_s = heartbeat;
    Ok(())
}

/// Returns the smallest frame that a client may ask for, in bytes: from 4.1 on RabbitMQ's own is larger than AMQP's.
fn frame_min(profile: Profile) -> u32 {
    if profile >= Profile::V4_1 { 8_192 } else { FRAME_MIN_SIZE }
}

/// Checks a number against what RabbitMQ allows; 0 asks for no limit.
fn check_agreed(field: &str, asked: u32, min: u32, max: u32) -> Result<(), Stopped> {
    let (than, word, bound) = match asked {
        _ if asked != 0 && asked < min => ("lower", "minimum", min),
        _ if asked == 0 || asked > max => ("higher", "maximum", max),
        _ => return Ok(()),
    };
    let detail = if asked == 0 { " (no limit)" } else { "" };
    let text = format!("negotiated {field} = {asked}{detail} is {than} than the {word} allowed value ({bound})");
    let tune = AmqpMethod::ConnectionTune { channel_max: 0, frame_max: 0, heartbeat: 0 };
    Err(Stopped::Told(HardError::plain(code::NOT_ALLOWED, text).by(&tune)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_may_be_smaller_before_4_1() {
        let agreed = |profile, frame_max| tune(&mut Agreement::default(), (100, frame_max, 0), profile);
        for (profile, least) in [(Profile::V3_10, 4_096), (Profile::V4_0, 4_096), (Profile::V4_1, 8_192)] {
            assert!(agreed(profile, least).is_ok(), "{profile}");
            let Err(Stopped::Told(refused)) = agreed(profile, least - 1) else { panic!("{profile} takes less") };
            let expected = format!(
                "NOT_ALLOWED - negotiated frame_max = {} is lower than the minimum allowed value ({least})",
                least - 1
            );
            assert_eq!(refused.text, expected);
        }
    }
}
