//! The control port of a served broker, as commands reach it: requests, answers, and what is wrong with them.

use crate::cli::ExitCode;
use crate::cli::options::ControlOptions;
use crate::cli::runtime;
use crate::cli::terminal::Terminal;
use serde_json::Value as Json;
use std::time::Duration;

/// How long an answer may take.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// The control port of a served broker.
pub(crate) struct ControlPort {
    url: String,
}

/// An answer that is one.
pub(crate) enum Answered {
    /// What was asked for.
    Yes(Json),
    /// The exit code of a no, which is told already.
    No(ExitCode),
}

/// Does something with the control port that is named; a broker that does not answer is an error of the environment.
pub(crate) fn with_control_port(
    options: &ControlOptions,
    terminal: &Terminal,
    work: impl AsyncFnOnce(&ControlPort) -> Result<ExitCode, String>,
) -> ExitCode {
    let Some(url) = &options.control else {
        let help = "`rmqplay serve` prints it, and sets RMQPLAY_CONTROL_URL for a command beside it";
        return terminal.usage(&format!("--control URL names the served broker: {help}"));
    };
    let port = ControlPort { url: url.trim_end_matches('/').to_owned() };
    match runtime::interruptible(work(&port)) {
        Err(code) | Ok(Ok(code)) => code,
        Ok(Err(why)) => {
            terminal.error(&format!("error: no served broker answers at {}: {why}", port.url));
            ExitCode::Environment
        }
    }
}

impl ControlPort {
    /// Asks, and tells why where the answer is no.
    pub(crate) async fn ask(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<Json>,
        terminal: &Terminal,
    ) -> Result<Answered, String> {
        let response = self.send(method, path, body, Some(ANSWER_TIME)).await?;
        let status = response.status().as_u16();
        let body = response.json().await.unwrap_or(Json::Null);
        if (200..300).contains(&status) {
            return Ok(Answered::Yes(body));
        }
        let why = body["error"].as_str().unwrap_or("it is no control port of rmqplay");
        Ok(Answered::No(match status {
            400 => terminal.usage(why),
            404 => {
                terminal.error(&format!("error: {why}"));
                ExitCode::Nothing
            }
            _ => {
                terminal.error(&format!("error: {why}"));
                ExitCode::Environment
            }
        }))
    }

    /// Asks, and returns the answer as it comes.
    pub(crate) async fn send(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<Json>,
        time: Option<Duration>,
    ) -> Result<reqwest::Response, String> {
        let client = reqwest::Client::builder().no_proxy().build().map_err(|error| error.to_string())?;
        let mut request = client.request(method, format!("{}{path}", self.url));
        if let Some(time) = time {
            request = request.timeout(time);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.map_err(|error| error.without_url().to_string())
    }
}
