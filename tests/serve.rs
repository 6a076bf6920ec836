//! The served broker: what it says on the wire is what RabbitMQ says, real clients work with it, and no client brings it
//! down. Transcripts are kept in `serve/NAME.txt`; live brokers must say the same.

#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

#[path = "serve/beside.rs"]
mod beside;
#[path = "support/brokers.rs"]
mod brokers;
#[path = "serve/clients.rs"]
mod clients;
#[path = "serve/clocks.rs"]
mod clocks;
#[path = "serve/control.rs"]
mod control;
#[path = "serve/faults.rs"]
mod faults;
#[path = "support/golden.rs"]
mod golden;
#[path = "serve/management.rs"]
mod management;
#[path = "serve/measured_once.rs"]
mod measured_once;
#[path = "support/program.rs"]
mod program;
#[path = "support/random.rs"]
mod random;
#[path = "serve/recording.rs"]
mod recording;
#[path = "wire/samples.rs"]
mod samples;
#[path = "serve/scripts.rs"]
mod scripts;
#[path = "serve/talk.rs"]
mod talk;
#[path = "serve/wrong_types.rs"]
mod wrong_types;

use rmqplay::model::Profile;
use scripts::SCRIPTS;
use std::path::PathBuf;
use talk::{Link, Served, Talk};

fn kept(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/serve").join(format!("{name}.txt"))
}

fn transcript(link: &mut dyn Link, script: fn(&mut Talk<'_>)) -> String {
    let mut talk = Talk::new(link);
    script(&mut talk);
    talk.transcript.trim_start().to_owned()
}

#[test]
fn every_version_says_what_is_kept() {
    for profile in Profile::ALL {
        for (name, script) in SCRIPTS {
            let said = transcript(&mut Served::new(profile.into()), script);
            golden::check(&kept(name), &said).unwrap_or_else(|difference| panic!("{profile}: {difference}"));
        }
    }
}

/// Logs in without saying as whom.
fn anonymous(talk: &mut Talk<'_>) {
    talk.connect();
    talk.bytes("header", &rmqplay::wire::PROTOCOL_HEADER);
    talk.start_ok("ANONYMOUS", b"", true);
}

#[test]
fn whoever_does_not_say_who_it_is_may_come_in_since_4_0() {
    for profile in Profile::ALL {
        let said = transcript(&mut Served::new(profile.into()), anonymous);
        assert_eq!(said.contains("ConnectionTune"), profile >= Profile::V4_0, "{profile}: {said}");
    }
}

mod live {
    use super::*;

    #[test]
    fn real_brokers_let_the_same_come_in() {
        for broker in brokers::brokers("anonymous logins") {
            let place = broker.url.rsplit('@').next().expect("a place").trim_end_matches('/').to_owned();
            let said = transcript(&mut talk::Live::new(&place), anonymous);
            let since = !broker.version.starts_with("3.");
            assert_eq!(said.contains("ConnectionTune"), since, "{}: {said}", broker.version);
        }
    }

    #[test]
    fn real_brokers_say_what_is_kept() {
        let play = |broker: &brokers::Broker| {
            let place = broker.url.rsplit('@').next().expect("a place").trim_end_matches('/').to_owned();
            for (name, script) in SCRIPTS {
                let said = transcript(&mut talk::Live::new(&place), script);
                golden::check(&kept(name), &said)
                    .unwrap_or_else(|difference| panic!("{}: {difference}", broker.version));
            }
        };
        // Beside each other: a conversation is mostly waiting for a broker to have said all.
        let brokers = brokers::brokers("transcripts of the wire");
        std::thread::scope(|scope| {
            brokers.iter().for_each(|broker| drop(scope.spawn(|| play(broker))));
        });
    }
}
