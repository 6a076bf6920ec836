//! `clock`: the clock of a served broker, shown and advanced by its control port.

use crate::cli::ExitCode;
use crate::cli::options::{AdvanceOptions, ClockAction, ClockOptions};
use crate::cli::serving::control_port::{ControlFailure, ControlPort, with_control_port};
use crate::cli::terminal::Terminal;
use crate::model::{Millis, by_number};
use reqwest::Method;
use serde_json::{Map, Value as Json, json};
use std::time::Duration;

/// How often a job is looked at.
const POLL: Duration = Duration::from_millis(5);

/// Does what is asked, and waits until it is done.
pub(crate) fn clock(command: &ClockOptions, terminal: &Terminal) -> ExitCode {
    let how = match &command.action {
        ClockAction::Show => None,
        ClockAction::Advance(options) => match how_far(options) {
            Ok(how) => Some(how),
            Err(why) => return terminal.usage(&why),
        },
    };
    with_control_port(&command.broker, terminal, async |port| match how {
        None => show(port, terminal).await,
        Some(how) => advance(port, how, terminal).await,
    })
}

/// Writes how far the clock goes as the control port takes it.
fn how_far(options: &AdvanceOptions) -> Result<Json, String> {
    if let Some(by) = options.by {
        return Ok(json!({"by": by.to_string()}));
    }
    let Some(queue) = &options.until else { return Ok(json!({"timers": options.timers.unwrap_or(1)})) };
    let mut until = json!({"queue": queue, "vhost": options.vhost, "messages": options.messages});
    if let Some(message) = &options.message {
        until["message"] = json!(message);
    }
    if !options.properties.is_empty() {
        let pair = |text: &String| {
            let pair = text.split_once('=').ok_or_else(|| format!("--where takes NAME=VALUE, not `{text}`"))?;
            Ok::<_, String>((pair.0.to_owned(), json!(pair.1)))
        };
        until["where"] = Json::Object(options.properties.iter().map(pair).collect::<Result<Map<_, _>, _>>()?);
    }
    Ok(json!({"until": until}))
}

async fn show(port: &ControlPort, terminal: &Terminal) -> Result<ExitCode, ControlFailure> {
    let clock = port.ask(Method::GET, "/clock", None).await?;
    let moment = Millis(clock["moment_ms"].as_u64().unwrap_or(0));
    terminal.print(&format!("{} clock, {moment} after its start", clock["clock"].as_str().unwrap_or("real")));
    if let Some(rests) = clock["rests"].as_str() {
        terminal.warning(rests);
    }
    Ok(ExitCode::Fine)
}

async fn advance(port: &ControlPort, how: Json, terminal: &Terminal) -> Result<ExitCode, ControlFailure> {
    let mut job = port.ask(Method::POST, "/clock/advance", Some(how)).await?;
    let path = format!("/clock/jobs/{}", job["job"]);
    while job["state"] == "running" {
        tokio::time::sleep(POLL).await;
        job = port.ask(Method::GET, &path, None).await?;
    }
    let ms = |field: &str| job[field].as_u64().unwrap_or(0);
    let (at, passed, jumps) = (Millis(ms("at_ms")), Millis(ms("at_ms") - ms("from_ms")), ms("jumps"));
    let text = |field: &str| job[field].as_str().unwrap_or_default();
    match text("state") {
        "stuck" => {
            let owed = &job["owed"];
            let (what, who) = (owed["what"].as_str().unwrap_or(""), owed["connection"].as_str().unwrap_or(""));
            terminal.error(&format!("error: the clock is stuck after {passed}: {what} ({who})"));
            Ok(ExitCode::Failed)
        }
        "missed" => {
            terminal.error(&format!("error: advanced by {passed} in vain: {}", text("why")));
            Ok(ExitCode::Failed)
        }
        _ => {
            let noun = by_number(jumps, "jump", "jumps");
            terminal.status(&format!("advanced by {passed} in {jumps} {noun}: {at} after the broker's start"));
            Ok(ExitCode::Fine)
        }
    }
}
