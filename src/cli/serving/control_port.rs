//! The control port of a served broker, as commands reach it: requests, answers, and what is wrong with them.

use crate::cli::ExitCode;
use crate::cli::options::ControlOptions;
use crate::cli::runtime;
use crate::cli::terminal::Terminal;
use crate::io::management::innermost;
use reqwest::{Method, Response, Url};
use serde_json::Value as Json;
use std::time::Duration;

/// How long an answer may take.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// Where the URL comes from.
const WHENCE: &str = "`rmqplay serve` prints it, and sets RMQPLAY_CONTROL_URL for a command beside it";

/// The control port of a served broker.
pub(crate) struct ControlPort {
    url: String,
    /// The URL without its token.
    place: String,
}

/// Why there is no answer, or it is a no.
pub(crate) enum ControlFailure {
    /// Nothing answers there; why.
    Away(String),
    /// What answers there is something else; its status.
    Foreign(u16),
    /// The token in the URL is another one.
    Token,
    /// The control port says no, with its status.
    Refused(u16, String),
}

/// Does something with the control port that is named; a broker that does not answer is an error of the environment.
pub(crate) fn with_control_port(
    options: &ControlOptions,
    terminal: &Terminal,
    work: impl AsyncFnOnce(&ControlPort) -> Result<ExitCode, ControlFailure>,
) -> ExitCode {
    let Some(url) = &options.control else {
        return terminal.usage(&format!("--control URL names the served broker: {WHENCE}"));
    };
    let Some(port) = ControlPort::at(url) else {
        let what = format!("`{url}` is no URL of a control port, as http://127.0.0.1:PORT/TOKEN");
        return terminal.usage(&format!("{what}\n  help: {WHENCE}"));
    };
    match runtime::interruptible(work(&port)) {
        Err(code) | Ok(Ok(code)) => code,
        Ok(Err(failure)) => port.tell(&failure, terminal),
    }
}

impl ControlPort {
    /// Takes a URL as `serve` prints it.
    fn at(url: &str) -> Option<Self> {
        let parsed = Url::parse(url).ok().filter(|parsed| parsed.scheme() == "http")?;
        let (host, port) = (parsed.host_str()?, parsed.port_or_known_default()?);
        Some(Self { url: url.trim_end_matches('/').to_owned(), place: format!("http://{host}:{port}") })
    }

    /// Says what is wrong, and what to try.
    fn tell(&self, failure: &ControlFailure, terminal: &Terminal) -> ExitCode {
        let place = &self.place;
        let (what, help) = match failure {
            ControlFailure::Refused(400, why) => return terminal.usage(why),
            ControlFailure::Refused(status, why) => {
                terminal.error(&format!("error: {why}"));
                return if *status == 404 { ExitCode::Nothing } else { ExitCode::Environment };
            }
            ControlFailure::Away(why) => (
                format!("no served broker answers at {place}: {why}"),
                "start it again if it has ended, and take the control URL that it prints: each start has another",
            ),
            ControlFailure::Foreign(status) => (
                format!("what answers at {place} is no control port of rmqplay: status {status}"),
                "the line that `rmqplay serve` prints names its control URL last, behind those for clients and tools",
            ),
            ControlFailure::Token => (
                format!("the served broker at {place} has another token than the URL"),
                "each start has another: take the control URL that this `rmqplay serve` printed",
            ),
        };
        terminal.error(&format!("error: {what}\n  help: {help}"));
        ExitCode::Environment
    }

    /// Asks, and returns what is answered.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Json>) -> Result<Json, ControlFailure> {
        let response = self.send(method, path, body, Some(ANSWER_TIME)).await?;
        // Where there is nothing to say, there is no body.
        Ok(response.json().await.unwrap_or(Json::Null))
    }

    /// Asks, and returns the answer as it comes.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Json>,
        time: Option<Duration>,
    ) -> Result<Response, ControlFailure> {
        let away = |error: reqwest::Error| ControlFailure::Away(innermost(&error));
        let client = reqwest::Client::builder().no_proxy().build().map_err(away)?;
        let mut request = client.request(method, format!("{}{path}", self.url));
        if let Some(time) = time {
            request = request.timeout(time);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.map_err(away)?;
        let status = response.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(response);
        }
        let said: Json = response.json().await.unwrap_or(Json::Null);
        // The management API gives a reason beside its error.
        Err(match said["error"].as_str().filter(|_| said["reason"].is_null()) {
            None => ControlFailure::Foreign(status),
            Some(_) if said["unknown"] == "token" => ControlFailure::Token,
            Some(why) => ControlFailure::Refused(status, why.to_owned()),
        })
    }
}
