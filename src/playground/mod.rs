//! The simulator as a page without a server uses it: a request as JSON in, an answer as JSON out.
//! Takes files as texts with their names; plays, checks, completes, compares and explains with what the other rooms know. Never
//! reads a file, a clock or the network, and never panics on a request.
//!
//! | request | takes | answers |
//! |---|---|---|
//! | `about` | | the version of rmqplay, the profiles, the style sheet of graphs |
//! | `read` | `files`, `play` | the title of a scenario, and `reads`: the files that it names, itself first |
//! | `check` | `files` | `problems` of all files |
//! | `complete` | `files`, `file`, `at` | what can be written there: `from`, `candidates` |
//! | `run` | `files`, `play`, `profiles` | `problems`, `page` (the data of the page of a run), `outcomes` as snapshots hold them |
//! | `compare` | the same with two profiles | the same, and `comparison` |
//! | `explain` | `name` | a rule of the book or the code of a problem, as text |
//!
//! `width` says how many columns texts have. An answer `{"error": …}` says what is wrong with the request itself. Places in texts are counted as browsers count: in UTF-16
//! units.

mod checking;
mod comparing;
mod completing;
mod explaining;
mod project;
mod running;
#[cfg(target_arch = "wasm32")]
mod shell;

use crate::model::Profile;
use crate::report::graph_style_sheet;
use project::Request;
use serde_json::{Value as Json, json};

/// Answers a request, both as JSON.
///
/// ```
/// use rmqplay::playground::answer;
/// let request = r#"{"files": {"t.yaml": "queuse: []"}}"#;
/// assert!(answer("check", request).contains("did you mean `queues`?"));
/// assert_eq!(answer("dance", "{}"), r#"{"error":"no request `dance`: about, read, check, complete, run, compare or explain"}"#);
/// ```
pub fn answer(what: &str, request: &str) -> String {
    let answered = Request::read(request).and_then(|request| match what {
        "about" => Ok(about().to_string()),
        "read" => running::read(&request).map(|answer| answer.to_string()),
        "check" => Ok(checking::check(&request).to_string()),
        "complete" => completing::complete(&request).map(|answer| answer.to_string()),
        "run" => running::run(&request),
        "compare" => comparing::compare(&request),
        "explain" => explaining::explain(&request).map(|answer| answer.to_string()),
        _ => Err(format!("no request `{what}`: about, read, check, complete, run, compare or explain")),
    });
    answered.unwrap_or_else(|error| json!({ "error": error }).to_string())
}

fn about() -> Json {
    let profiles: Vec<String> = Profile::ALL.iter().map(ToString::to_string).collect();
    json!({
        "rmqplay": env!("CARGO_PKG_VERSION"),
        "profiles": profiles,
        "newest": Profile::NEWEST.to_string(),
        "style": graph_style_sheet(),
    })
}
