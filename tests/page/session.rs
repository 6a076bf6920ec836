//! The session behind the page of `play`, without a socket: what is asked of it as JSON, and what it answers. Real time is a
//! number here.

use crate::harness::Checked;
use libtest_mimic::Trial;
use rmqplay::io::Disk;
use rmqplay::language::{Settings, load_scenario};
use rmqplay::model::Profile;
use rmqplay::play::{PlayAnswer, PlaySession, PlaySetting, answer_play};
use rmqplay::rules::Edition;
use rmqplay::serve::ControlRequest;
use rmqplay::simulate::rehearse;
use rmqplay::source::Sources;
use serde_json::{Value as Json, json};
use std::path::Path;

const TOKEN: &str = "token";

/// A worker that takes a second for each of two messages, the second of which waits.
const WORK: &str = "
scenario: two messages, a second for each
topology: {queues: [{name: work}]}
consumers:
  worker: {queue: work, prefetch: 1, on_message: [{do: [{delay: 1s}, ack]}]}
steps:
  - publish: {exchange: '', routing_key: work, id: job, count: 2}
  - expect: {queue: work, ready: 1, unacked: 1}
  - advance: 5s
at_end:
  - expect: {consumer: worker, acked: 2}
";

/// All sessions that are held.
pub fn trials(library: &[std::path::PathBuf]) -> Vec<Trial> {
    let test = |name: &str, check: fn() -> Checked| crate::harness::test(format!("session::{name}"), check);
    let mut all = vec![
        test("a_run_is_held_before_its_first_step", held_at_first),
        test("a_step_goes_to_the_next_event", steps),
        test("time_goes_as_fast_as_is_said", speeds),
        test("it_goes_until_a_moment_and_no_further", until),
        test("a_crash_by_hand_moves_what_was_in_hand", crashes),
        test("what_fails_by_hand_does_not_fail_the_run", fails_by_hand),
        test("an_act_in_a_vhost_that_is_none_touches_no_other", in_no_vhost),
        test("the_end_is_judged_and_the_run_begins_anew", ends),
        test("a_page_is_told_what_it_does_not_have", news),
    ];
    all.extend(library.iter().map(|path| {
        let (name, path) =
            (format!("session::plays_as_run::{}", path.file_stem().unwrap_or_default().display()), path.clone());
        crate::harness::test(name, move || plays_as_run(&path))
    }));
    all
}

fn sessions(path: &Path, text: &str) -> Result<Vec<PlaySession>, String> {
    let mut sources = Sources::default();
    let name = path.to_string_lossy();
    let (loaded, problems) = load_scenario(&mut sources, &name, text.as_bytes(), &Disk::here(), &Settings::default());
    let loaded = loaded.ok_or_else(|| format!("{problems:?}"))?;
    let edition = Edition::from(Profile::NEWEST);
    let session = |cell| {
        PlaySession::new(PlaySetting {
            cell,
            name: "s".to_owned(),
            edition,
            sources: sources.clone(),
            parts: Vec::new(),
            live: None,
        })
    };
    Ok(loaded.cells.into_iter().map(session).collect())
}

/// A session with the way to speak to it.
struct Held(PlaySession);

impl Held {
    fn work() -> Self {
        Self(sessions(Path::new("work.yaml"), WORK).expect("a scenario").remove(0))
    }

    fn request(&mut self, method: &str, path: &str, body: &Json, now_ms: u64) -> (u16, Json) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = ControlRequest {
            method: method.to_owned(),
            path: format!("/{TOKEN}/{path}"),
            query: query.to_owned(),
            body: body.to_string().into_bytes(),
            host: "127.0.0.1:1".to_owned(),
            origin: None,
        };
        match answer_play(&mut self.0, now_ms, TOKEN, &request) {
            PlayAnswer::Json(status, body) => (status, body),
            other => panic!("{other:?}"),
        }
    }

    fn ask(&mut self, what: Json, now_ms: u64) -> u16 {
        self.request("POST", "do", &what, now_ms).0
    }

    fn state(&mut self, now_ms: u64) -> Json {
        self.request("GET", "state", &Json::Null, now_ms).1
    }

    /// Returns what is ready and unacked in the first queue.
    fn counts(&mut self, now_ms: u64) -> (u64, u64) {
        let state = self.state(now_ms);
        let count = |of: &str| state["queues"][0][of].as_u64().unwrap_or(u64::MAX);
        (count("ready"), count("unacked"))
    }

    fn said(&mut self) -> String {
        let state = self.state(0);
        let said = state["said"].as_array().into_iter().flatten().filter_map(|one| one["text"].as_str());
        said.collect::<Vec<_>>().join("\n")
    }
}

fn check(holds: bool, what: impl std::fmt::Display) -> Checked {
    if holds { Ok(()) } else { Err(what.to_string()) }
}

fn held_at_first() -> Checked {
    let mut held = Held::work();
    let state = held.state(60_000);
    check(state["held"] == true && state["moment_ms"] == 0 && state["line"] == 7, &state)?;
    check(state["actors"][0]["running"] == true && state["queues"][0]["consumers"] == 1, &state)
}

fn steps() -> Checked {
    let mut held = Held::work();
    let mut shown = Vec::new();
    // The worker is busy for a second: what happens before is many events of one moment.
    for _ in 0..50 {
        check(held.ask(json!({"do": "step"}), 0) == 200, "a step is refused")?;
        let state = held.state(0);
        if state["moment_ms"] != 0 {
            break;
        }
        shown.push((state["entry"].as_u64().unwrap_or(0), state["actors"][0]["holds"].as_u64().unwrap_or(9)));
    }
    let grows = shown.windows(2).all(|two| two[0].0 < two[1].0 && two[1].0 <= two[0].0 + 5);
    check(grows && shown.len() >= 3, format!("{shown:?}"))?;
    check(held.state(0)["moment_ms"] == 1_000, "the next event is at 1s")
}

fn speeds() -> Checked {
    let mut held = Held::work();
    held.ask(json!({"do": "speed", "times": 10}), 1_000);
    held.ask(json!({"do": "run"}), 1_000);
    while held.0.turn(1_050) {}
    let state = held.state(1_050);
    check(state["moment_ms"] == 500 && held.counts(1_050) == (1, 1), &state)?;
    while held.0.turn(1_150) {}
    let state = held.state(1_150);
    check(state["actors"][0]["acked"] == 1 && state["held"] == false, &state)?;
    held.ask(json!({"do": "hold"}), 1_150);
    let at = held.state(1_150)["moment_ms"].clone();
    check(held.state(9_000)["moment_ms"] == at, "a run that is held goes on")
}

fn until() -> Checked {
    let mut held = Held::work();
    check(held.ask(json!({"do": "until", "moment": "1500ms"}), 0) == 200, "until is refused")?;
    while held.0.turn(0) {}
    let state = held.state(0);
    check(state["moment_ms"] == 1_500 && state["held"] == true && state["actors"][0]["acked"] == 1, &state)?;
    check(held.ask(json!({"do": "until", "moment": "1s"}), 0) == 409, "time goes back")
}

fn crashes() -> Checked {
    let mut held = Held::work();
    held.ask(json!({"do": "until", "moment": "500ms"}), 0);
    while held.0.turn(0) {}
    check(held.counts(0) == (1, 1), "one in hand")?;
    check(held.ask(json!({"do": "crash", "consumer": "worker"}), 0) == 200, "a crash is refused")?;
    let state = held.state(0);
    check(held.counts(0) == (2, 0) && state["actors"][0]["running"] == false, &state)?;
    check(state["moment_ms"] == 500, "time passed")?;
    check(held.ask(json!({"do": "crash", "consumer": "worker"}), 0) == 409, "crashed twice")?;
    check(held.ask(json!({"do": "start", "consumer": "worker"}), 0) == 200, "a start is refused")?;
    held.ask(json!({"do": "next"}), 0);
    check(held.state(0)["actors"][0]["running"] == true, "it does not come back")?;
    check(held.ask(json!({"do": "start", "consumer": "walker"}), 0) == 409, "a stranger starts")
}

fn in_no_vhost() -> Checked {
    let mut held = Held::work();
    held.ask(json!({"do": "publish", "exchange": "", "routing_key": "work", "id": "extra", "body": "{}"}), 0);
    held.ask(json!({"do": "until", "moment": "500ms"}), 0);
    while held.0.turn(0) {}
    let before = held.counts(0);
    let (status, said) = held.request("POST", "do", &json!({"do": "purge", "queue": "work", "vhost": "other"}), 0);
    let told = said.to_string();
    check(status == 409 && told.contains("the run has no vhost 'other': it has /"), &told)?;
    check(held.counts(0) == before && before.0 > 0, format!("{before:?}"))?;
    check(held.ask(json!({"do": "purge", "queue": "work"}), 0) == 200, "its own vhost is refused")?;
    check(held.counts(0).0 == 0, "it is not purged")
}

fn fails_by_hand() -> Checked {
    let mut held = Held::work();
    let status = held.ask(json!({"do": "publish", "exchange": "nowhere", "routing_key": "k"}), 0);
    let said = held.said();
    check(status == 200 && said.contains("no exchange 'nowhere'"), &said)?;
    held.ask(json!({"do": "publish", "exchange": "", "routing_key": "work", "id": "extra", "body": "{}"}), 0);
    held.ask(json!({"do": "set_policy", "name": "p", "pattern": "^work$", "definition": {"message-ttl": 1}}), 0);
    held.ask(json!({"do": "clear_policy", "name": "p"}), 0);
    held.ask(json!({"do": "purge", "queue": "work"}), 0);
    let state = held.state(0);
    check(state["failures"] == json!([]) && state["place"] == "step", &state)?;
    held.ask(json!({"do": "restart_broker"}), 0);
    let state = held.state(0);
    check(state["actors"][0]["running"] == false && state["failures"] == json!([]), &state)
}

fn ends() -> Checked {
    let mut held = Held::work();
    check(held.ask(json!({"do": "end"}), 0) == 200, "the end is refused")?;
    while held.0.turn(0) {}
    let state = held.state(0);
    check(state["place"] == "done" && state["held"] == true && state["failures"] == json!([]), &state)?;
    check(state["judged"].as_array().map(Vec::len) == Some(2), &state["judged"])?;
    check(held.ask(json!({"do": "step"}), 0) == 409, "what is over goes on")?;
    check(held.ask(json!({"do": "restart"}), 0) == 200, "it does not begin anew")?;
    let state = held.state(0);
    check(state["run"] == 2 && state["moment_ms"] == 0 && state["judged"] == json!([]), &state)
}

fn news() -> Checked {
    let mut held = Held::work();
    held.ask(json!({"do": "until", "moment": "500ms"}), 0);
    while held.0.turn(0) {}
    let first = held.state(0);
    let (entry, messages) = (first["entry"].clone(), first["news"]["messages"].as_array().map_or(0, Vec::len));
    check(messages == 2, &first["news"])?;
    let path = format!("state?run=1&entry={entry}");
    let same = held.request("GET", &path, &Json::Null, 0).1;
    check(same["news"].is_null(), &same["news"])?;
    held.ask(json!({"do": "next"}), 0);
    let later = held.request("GET", &path, &Json::Null, 0).1;
    check(later["from"] == entry && !later["news"].is_null(), &later["news"])?;
    let other = held.request("GET", &path.replace("run=1", "run=7"), &Json::Null, 0).1;
    check(other["from"] == 0, "what is of another run is taken for this one's")
}

/// A run that nobody touches is the run that `rmqplay run` plays, entry by entry, however it is held.
fn plays_as_run(path: &Path) -> Checked {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    for session in sessions(path, &text)? {
        let played = rehearse(session.cell(), Profile::NEWEST, true);
        let mut held = Held(session);
        for _ in 0..20 {
            if held.state(0)["place"] == "step" {
                held.ask(json!({"do": "step"}), 0);
            }
        }
        held.ask(json!({"do": "end"}), 0);
        while held.0.turn(0) {}
        let run = held.0.run();
        let apart = run.timeline().entries().zip(played.timeline.entries()).find(|(one, other)| one != other);
        if let Some((one, other)) = apart {
            return Err(format!("{one:?}\nis in a plain run\n{other:?}"));
        }
        check(run.timeline().count() == played.timeline.count(), "the run is longer or shorter")?;
        check(run.failures().len() == played.failures.len(), format!("{:?}", run.failures()))?;
    }
    Ok(())
}
