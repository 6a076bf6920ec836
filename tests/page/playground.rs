//! The playground: its answers on the whole library natively, the same from WebAssembly to the byte, and its page in a browser.
//! What needs the built site takes its folder from `RMQPLAY_SITE` (`site/build --quick --for FOLDER`); else that is not run.

use crate::harness::Checked;
use crate::{files, program, without};
use libtest_mimic::{Completion, Failed, Trial};
use rmqplay::io::snapshots::names_in;
use rmqplay::model::Profile;
use rmqplay::playground::answer;
use rmqplay::report;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// All tests of it.
pub fn trials(library: &[PathBuf]) -> Vec<Trial> {
    let mut all: Vec<Trial> = library
        .iter()
        .map(|path| {
            let (name, path) = (format!("playground::snapshots::{}", path_in(path).replace('/', ".")), path.clone());
            crate::harness::test(name, move || ends_as_its_snapshots(&path))
        })
        .collect();
    all.push(crate::harness::test("playground::words", takes_any_request));
    all.push(Trial::ignorable_test("playground::wasm", wasm_answers_the_same));
    all.push(Trial::ignorable_test("tour::playground", its_page_works));
    all
}

/// Names a file of the repository from its root.
fn path_in(path: &Path) -> String {
    path.strip_prefix(files::root("")).unwrap_or(path).to_string_lossy().into_owned()
}

/// Reads all scenarios and topologies that are shipped.
fn library() -> BTreeMap<String, String> {
    let paths = [files::below("scenarios", "yaml", 20), files::below("topologies", "yaml", 15)].concat();
    let read = |path: &PathBuf| (path_in(path), std::fs::read_to_string(path).expect("a text"));
    paths.iter().map(read).collect()
}

fn asked(what: &str, request: &Json) -> Json {
    serde_json::from_str(&answer(what, &request.to_string())).expect("JSON")
}

/// Takes a scenario with what it names, and no more.
fn request(path: &str, all: &BTreeMap<String, String>) -> Json {
    let read = asked("read", &json!({ "files": all, "play": path }));
    let named = read["reads"].as_array().into_iter().flatten().filter_map(Json::as_str);
    let files: BTreeMap<&str, &String> = named.map(|path| (path, &all[path])).collect();
    json!({ "files": files, "play": path })
}

fn on(request: &Json, profiles: &[Profile]) -> Json {
    let mut request = request.clone();
    request["profiles"] = profiles.iter().map(ToString::to_string).collect();
    request
}

/// Plays a scenario on the oldest profile and on the newest, and compares each outcome with the snapshot that is kept; on all it is
/// played by `scenarios`, by the same functions.
fn ends_as_its_snapshots(path: &Path) -> Checked {
    let profiles = [Profile::ALL[0], Profile::NEWEST];
    let played = asked("run", &on(&request(&path_in(path), &library()), &profiles));
    let folder = path.parent().expect("a folder").join("snapshots");
    let names = names_in(&folder)?;
    let outcomes = played["outcomes"].as_array().ok_or_else(|| played.to_string())?;
    if outcomes.len() < profiles.len() {
        return Err(format!("{} outcomes", outcomes.len()));
    }
    for outcome in outcomes {
        let text = |key: &str| outcome[key].as_str().unwrap_or_default();
        let profile: Profile = text("profile").parse()?;
        let (stem, body, verdict) = (text("stem"), text("body"), text("verdict"));
        if verdict == "skipped" || verdict == "passed" && body.is_empty() {
            continue;
        }
        let on = format!("{stem} on {profile}");
        let name = report::snapshot_for(stem, profile.version(), names.iter().map(String::as_str));
        let kept = std::fs::read_to_string(folder.join(name.ok_or(format!("{on}: no snapshot"))?));
        let kept = report::read_snapshot(&kept.map_err(|error| error.to_string())?).map_err(|broken| broken.message)?;
        if verdict != "passed" || kept.body != body {
            return Err(format!("{on}: {verdict}\n{}", report::difference(&kept.body, body)));
        }
    }
    Ok(())
}

/// Requests that no page makes are answered with an error, and files that cannot be read with problems.
fn takes_any_request() -> Checked {
    let broken = json!({ "files": { "s.yaml": "scenario: s\nsteps: [{publish: {exchnage: x}}]\n" }, "play": "s.yaml" });
    let said = asked("check", &broken);
    let unknown =
        said["problems"].as_array().into_iter().flatten().find(|problem| problem["code"] == "yaml::unknown_key");
    let label = &unknown.ok_or_else(|| said.to_string())?["labels"][0];
    if (label["line"].as_u64(), label["from"].as_u64(), label["to"].as_u64()) != (Some(2), Some(31), Some(39)) {
        return Err(said.to_string());
    }
    let played = asked("run", &on(&broken, &[Profile::NEWEST]));
    if !played["page"].is_null() || played["problems"].as_array().is_none_or(Vec::is_empty) {
        return Err(played.to_string());
    }
    let wrong = [
        ("run", json!({ "profiles": ["4.3"] }), "there is no file ``"),
        ("run", broken.clone(), "no profile is named"),
        (
            "run",
            json!({ "files": broken["files"], "play": "s.yaml", "profiles": ["5.0"] }),
            "the simulator knows no RabbitMQ `5.0`",
        ),
        ("compare", on(&broken, &[Profile::NEWEST]), "two profiles are compared"),
        ("complete", json!({ "file": "t.yaml" }), "there is no file `t.yaml`"),
        ("explain", json!({ "name": "TTL-2x" }), "did you mean `TTL-2`?"),
        ("check", json!("files"), "the request cannot be read"),
        ("check", json!({ "flies": {} }), "unknown field `flies`"),
    ];
    for (what, request, told) in wrong {
        let error = asked(what, &request)["error"].as_str().unwrap_or_default().to_owned();
        if !error.contains(told) {
            return Err(format!("{what} {request}: {error:?}, not {told:?}"));
        }
    }
    Ok(())
}

/// Returns the built site, or how a test ends that needs it.
fn site() -> Result<PathBuf, Result<Completion, Failed>> {
    let folder = std::env::var_os("RMQPLAY_SITE").map(PathBuf::from);
    match folder.filter(|folder| folder.join("rmqplay.wasm").exists()) {
        Some(folder) => Ok(folder),
        None if std::env::var("RMQPLAY_REQUIRE_SITE").is_ok_and(|value| value == "1") => {
            Err(Err(Failed::from("RMQPLAY_REQUIRE_SITE is set, and RMQPLAY_SITE names no built site")))
        }
        None => Err(Ok(Completion::ignored_with("NOT RUN: RMQPLAY_SITE names no folder that site/build wrote"))),
    }
}

/// All that the page asks of the library: each scenario on all profiles, compared, checked, and completed at some places.
fn requests() -> Vec<(&'static str, Json)> {
    let all = library();
    let mut requests = vec![("about", json!({})), ("explain", json!({ "name": "TTL-2" }))];
    for path in all.keys().filter(|path| path.starts_with("scenarios/")) {
        let request = request(path, &all);
        requests.push(("run", on(&request, &Profile::ALL)));
        requests.push(("compare", on(&request, &[Profile::ALL[0], Profile::NEWEST])));
        for at in (0..all[path].len()).step_by(211) {
            let mut request = request.clone();
            (request["file"], request["at"]) = (json!(path), json!(at));
            requests.push(("complete", request));
        }
        requests.push(("check", request));
    }
    requests
}

/// Asks the module in Node, and compares each answer with the native one.
fn wasm_answers_the_same() -> Result<Completion, Failed> {
    let site = match site() {
        Ok(site) => site,
        Err(ended) => return ended,
    };
    if let Some(ended) = without("node") {
        return ended;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let began = Instant::now();
    let requests = requests();
    let digest = |text: &str| Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let lines = requests.iter().map(|(what, request)| {
        let native = answer(what, &request.to_string());
        format!("{}\n", json!({ "what": what, "request": request, "digest": digest(&native) }))
    });
    std::fs::write(folder.path().join("requests"), lines.collect::<String>()).expect("a file");
    eprintln!("playground::wasm: {} answers natively in {} s", requests.len(), began.elapsed().as_secs());
    let mut node = Command::new("timeout");
    node.args(["300", "node"])
        .arg(files::root("tests/page/playground/answers.mjs"))
        .args([&site, &folder.path().to_path_buf()]);
    let (held, said) = program::finish(&mut node);
    if held && said.contains(&format!("{} answers are the same", requests.len())) {
        eprintln!("playground::wasm: {}", said.trim());
        return Ok(Completion::Completed);
    }
    // The first that differs was written.
    let other = std::fs::read_to_string(folder.path().join("answer")).unwrap_or_default();
    let which =
        std::fs::read_to_string(folder.path().join("which")).ok().and_then(|which| which.trim().parse::<usize>().ok());
    let told = which.and_then(|which| requests.get(which)).map(|(what, request)| {
        let native = answer(what, &request.to_string());
        let at = native.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
        let around = |text: &str| {
            String::from_utf8_lossy(
                &text.as_bytes()[at.saturating_sub(200).min(text.len())..(at + 200).min(text.len())],
            )
            .into_owned()
        };
        format!("{what} {}\nnative: {}\nwasm:   {}", request["play"], around(&native), around(&other))
    });
    Err(Failed::from(format!("{said}\n{}", told.unwrap_or_default())))
}

/// Uses the page by mouse and keys, from a server of this machine.
fn its_page_works() -> Result<Completion, Failed> {
    let site = match site() {
        Ok(site) => site,
        Err(ended) => return ended,
    };
    if let Some(ended) = without("chromium").or_else(|| without("node")) {
        return ended;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut node = Command::new("timeout");
    node.args(["240", "node"])
        .arg(files::root("tests/page/tour/playground.mjs"))
        .args([&site, &folder.path().join("profile")]);
    let (held, said) = program::finish(&mut node);
    if held && said.contains("checks hold") { Ok(Completion::Completed) } else { Err(Failed::from(said)) }
}
