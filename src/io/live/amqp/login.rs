//! The login of a connection: of the wanted mechanisms the first that the broker offers.
//! RabbitMQ closes the socket without a word on one that it does not offer, so what it offers is read from its greeting.

use crate::io::address::LoginMechanism;
use crate::io::live::amqp::close_frame_tap::CloseFrameTap;
use crate::model::Secret;
use lapin::auth::AuthProvider;
use lapin::types::{LongString, ShortString};
use std::sync::Arc;
use tokio::sync::Notify;

/// What logs a connection in.
pub(crate) struct Login {
    pub(crate) wanted: Vec<LoginMechanism>,
    pub(crate) user: String,
    pub(crate) password: Secret,
    /// What came over the connection.
    pub(crate) heard: CloseFrameTap,
    /// Told when the broker offers none of the wanted: lapin itself would wait for ever.
    pub(crate) in_vain: Arc<Notify>,
}

impl Login {
    /// Returns the mechanism to use; `None` when the broker offers none of the wanted ones.
    fn chosen(&self) -> Option<LoginMechanism> {
        let offered = self.heard.offered();
        let is_offered = |wanted: &&LoginMechanism| offered.iter().any(|name| name == wanted.name());
        match offered.is_empty() {
            // A greeting that cannot be read offers all.
            true => self.wanted.first().copied(),
            false => self.wanted.iter().find(is_offered).copied(),
        }
    }
}

impl AuthProvider for Login {
    fn mechanism(&self) -> ShortString {
        self.chosen().unwrap_or(LoginMechanism::Plain).name().into()
    }

    fn auth_starter(&self) -> Result<LongString, String> {
        match self.chosen() {
            None => {
                self.in_vain.notify_one();
                Err("no mechanism in common".to_owned())
            }
            Some(LoginMechanism::External) => Ok(LongString::default()),
            Some(LoginMechanism::Plain) => {
                let answer = format!("\0{}\0{}", self.user, self.password.expose());
                Ok(LongString::from(answer.as_bytes()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::live::amqp::greeting::greeting;

    #[test]
    fn the_first_that_is_offered_is_chosen() {
        let chosen = |offered: &str, wanted: &[LoginMechanism]| {
            let heard = CloseFrameTap::default();
            greeting(offered).chunks(7).for_each(|part| heard.note(part));
            let login = Login {
                wanted: wanted.to_vec(),
                user: "u".into(),
                password: Secret::new("p"),
                heard,
                in_vain: Arc::default(),
            };
            (login.mechanism().to_string(), login.auth_starter().map(|answer| answer.to_string()))
        };
        let both = [LoginMechanism::External, LoginMechanism::Plain];
        assert_eq!(chosen("PLAIN AMQPLAIN EXTERNAL", &both), ("EXTERNAL".into(), Ok(String::new())));
        assert_eq!(chosen("PLAIN AMQPLAIN", &both), ("PLAIN".into(), Ok("\0u\0p".into())));
        assert!(chosen("PLAIN AMQPLAIN", &both[..1]).1.is_err());
        assert!(chosen("EXTERNAL", &both[1..]).1.is_err());
    }
}
