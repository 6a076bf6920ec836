//! What single plays of the management API on brokers of other releases showed: `serve/management/measured-once.txt`. The
//! served broker of each release must answer so; CI plays no such broker. Real brokers of the listed releases play it too.

use super::brokers;
use super::management::{Asked, Told, live, served};
use rmqplay::model::Profile;

/// A request with what each release answers: the status, and what the body holds.
struct Measured {
    asked: Asked,
    answers: Vec<(String, u16, String)>,
}

fn measured() -> Vec<Measured> {
    let mut all: Vec<Measured> = Vec::new();
    let mut login = "guest:guest".to_owned();
    for line in include_str!("management/measured-once.txt").lines().filter(|line| !line.starts_with('#')) {
        if let Some(other) = line.strip_prefix("as ") {
            login = other.to_owned();
        } else if let Some(answer) = line.strip_prefix("  ") {
            let mut words = answer.splitn(3, ' ');
            let (release, status) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let status = status.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
            let holds = words.next().unwrap_or_default().to_owned();
            all.last_mut().expect("a request").answers.push((release.to_owned(), status, holds));
        } else if !line.is_empty() {
            all.push(Measured { asked: Asked::read(line, &login), answers: Vec::new() });
        }
    }
    assert!(all.len() > 8, "requests are missing");
    all
}

/// Puts all requests to a broker of a release; returns what it answers otherwise, and how many answers were compared.
fn compared(release: &str, mut ask: impl FnMut(&Asked) -> Told) -> (Vec<String>, usize) {
    let (mut faults, mut compared) = (Vec::new(), 0);
    for Measured { asked, answers } in measured() {
        let told = ask(&asked);
        let shown = format!("{release}: {}: {} {}", asked.shown(), told.status, told.body);
        match answers.iter().find(|(of, ..)| of == release) {
            Some((_, status, holds)) => {
                compared += 1;
                if told.status != *status || !told.body.contains(holds) {
                    faults.push(format!("{shown}, not {status} {holds}"));
                }
            }
            None if answers.is_empty() && told.status >= 300 => faults.push(shown),
            None => {}
        }
    }
    (faults, compared)
}

#[test]
fn the_served_broker_answers_as_other_releases_did_once() {
    let mut faults = Vec::new();
    for profile in Profile::ALL {
        let mut broker = served(profile);
        let (differing, compared) = compared(&profile.release(), |asked| asked.answered_by(&mut broker));
        assert!(compared >= 5, "{profile}: only {compared} answers are listed for {}", profile.release());
        faults.extend(differing);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn real_brokers_answer_as_is_listed() {
    let mut faults = Vec::new();
    for broker in brokers::brokers("the management API") {
        let release = broker.version.split(['-', '+']).next().unwrap_or_default();
        faults.extend(compared(release, live::asking(&broker)).0);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
