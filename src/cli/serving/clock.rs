//! `clock`: the clock of a served broker, shown and advanced by its control port.

use crate::cli::ExitCode;
use crate::cli::options::{ClockAction, ClockOptions};
use crate::cli::runtime;
use crate::cli::terminal::Terminal;
use crate::model::{Millis, by_number};
use serde_json::{Value as Json, json};
use std::time::Duration;

/// How often a job is looked at.
const POLL: Duration = Duration::from_millis(5);

/// Does what is asked, and waits until it is done.
pub(crate) fn clock(command: &ClockOptions, terminal: &Terminal) -> ExitCode {
    let Some(url) = &command.control else {
        let help = "`rmqplay serve` prints it, and sets RMQPLAY_CONTROL_URL for a command beside it";
        return terminal.usage(&format!("--control URL names the served broker: {help}"));
    };
    let control = Control { url: url.trim_end_matches('/').to_owned() };
    let done = runtime::interruptible(async {
        match &command.action {
            ClockAction::Show => control.show(terminal).await,
            ClockAction::Advance { by: Some(by), .. } => control.advance(json!({"by": by.to_string()}), terminal).await,
            ClockAction::Advance { timers, .. } => {
                control.advance(json!({"timers": timers.unwrap_or(1)}), terminal).await
            }
        }
    });
    match done {
        Err(code) | Ok(Ok(code)) => code,
        Ok(Err(why)) => {
            terminal.error(&format!("error: no served broker answers at {}: {why}", control.url));
            ExitCode::Environment
        }
    }
}

/// The control port of a served broker.
struct Control {
    url: String,
}

impl Control {
    async fn ask(&self, method: reqwest::Method, path: &str, body: Option<Json>) -> Result<(u16, Json), String> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build();
        let client = client.map_err(|error| error.to_string())?;
        let mut request = client.request(method, format!("{}{path}", self.url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
        let status = answer.status().as_u16();
        Ok((status, answer.json().await.unwrap_or(Json::Null)))
    }

    async fn show(&self, terminal: &Terminal) -> Result<ExitCode, String> {
        let (status, clock) = self.ask(reqwest::Method::GET, "/clock", None).await?;
        if status != 200 {
            return Ok(refused(status, &clock, terminal));
        }
        let moment = Millis(clock["moment_ms"].as_u64().unwrap_or(0));
        terminal.print(&format!("{} clock, {moment} after its start", clock["clock"].as_str().unwrap_or("real")));
        Ok(ExitCode::Fine)
    }

    async fn advance(&self, how: Json, terminal: &Terminal) -> Result<ExitCode, String> {
        let (status, mut job) = self.ask(reqwest::Method::POST, "/clock/advance", Some(how)).await?;
        if status != 202 {
            return Ok(refused(status, &job, terminal));
        }
        let path = format!("/clock/jobs/{}", job["job"]);
        while job["state"] == "running" {
            tokio::time::sleep(POLL).await;
            let (status, now) = self.ask(reqwest::Method::GET, &path, None).await?;
            if status != 200 {
                return Ok(refused(status, &now, terminal));
            }
            job = now;
        }
        let ms = |field: &str| job[field].as_u64().unwrap_or(0);
        let (at, passed, jumps) = (Millis(ms("at_ms")), Millis(ms("at_ms") - ms("from_ms")), ms("jumps"));
        if job["state"] == "stuck" {
            let owed = &job["owed"];
            let (what, who) = (owed["what"].as_str().unwrap_or(""), owed["connection"].as_str().unwrap_or(""));
            terminal.error(&format!("error: the clock is stuck after {passed}: {what} ({who})"));
            return Ok(ExitCode::Failed);
        }
        let noun = by_number(jumps, "jump", "jumps");
        terminal.status(&format!("advanced by {passed} in {jumps} {noun}: {at} after the broker's start"));
        Ok(ExitCode::Fine)
    }
}

/// Tells why the broker does not do it.
fn refused(status: u16, answer: &Json, terminal: &Terminal) -> ExitCode {
    let why = answer["error"].as_str().unwrap_or("it is no control port of rmqplay");
    match status {
        400 => terminal.usage(why),
        _ => {
            terminal.error(&format!("error: {why}"));
            ExitCode::Environment
        }
    }
}
