//! `fault`: what goes wrong at a served broker.

use crate::cli::ExitCode;
use crate::cli::options::{FaultAction, FaultOptions};
use crate::cli::serving::control_port::with_control_port;
use crate::cli::terminal::Terminal;
use crate::model::{Millis, by_number, counted};
use reqwest::Method;
use serde_json::{Value as Json, json};

/// Makes a fault, or tells which wait to happen.
pub(crate) fn fault(command: &FaultOptions, terminal: &Terminal) -> ExitCode {
    let (method, body) = request_of(&command.action);
    with_control_port(&command.broker, terminal, async |port| {
        let answer = port.ask(method, "/faults", body).await?;
        told(&command.action, &answer).iter().for_each(|line| terminal.status(line));
        Ok(ExitCode::Fine)
    })
}

fn request_of(action: &FaultAction) -> (Method, Option<Json>) {
    let body = match action {
        FaultAction::Show => return (Method::GET, None),
        FaultAction::Clear => return (Method::DELETE, None),
        FaultAction::Close { connection } => json!({"fault": "close", "connection": connection}),
        FaultAction::Drop { connection } => json!({"fault": "drop", "connection": connection}),
        FaultAction::Alarm { of, off } => json!({"fault": "alarm", "of": of, "on": !off}),
        FaultAction::Nack { publishes } => json!({"fault": "nack", "publishes": publishes}),
        FaultAction::Refuse { method, code, text, times } => {
            let mut body = json!({"fault": "refuse", "method": method, "code": code, "times": times});
            if let Some(text) = text {
                body["text"] = json!(text);
            }
            body
        }
        FaultAction::Delay { by, queue, deliveries } => {
            let mut body = json!({"fault": "delay", "by": by.to_string()});
            if let Some(queue) = queue {
                body["queue"] = json!(queue);
            }
            if let Some(deliveries) = deliveries {
                body["deliveries"] = json!(deliveries);
            }
            body
        }
        FaultAction::Restart { without_disk, down_for } => {
            json!({"fault": "restart", "disk": !without_disk, "down_for": down_for.to_string()})
        }
    };
    (Method::POST, Some(body))
}

/// Tells what was done, or what waits to happen.
fn told(action: &FaultAction, answer: &Json) -> Vec<String> {
    let met = || counted(answer["connections"].as_u64().unwrap_or(0), "connection");
    match action {
        FaultAction::Clear => vec!["no fault waits to happen".to_owned()],
        FaultAction::Close { .. } => vec![format!("{} closed", met())],
        FaultAction::Drop { .. } => vec![format!("{} dropped", met())],
        FaultAction::Restart { down_for, .. } => vec![format!("the broker restarts, and is down for {down_for}")],
        _ => waiting(answer),
    }
}

/// Lists the faults that wait to happen, a line each.
fn waiting(answer: &Json) -> Vec<String> {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let number = |value: &Json| value.as_u64().unwrap_or(0);
    let list = |key: &str| answer[key].as_array().cloned().unwrap_or_default();
    let mut lines: Vec<String> = list("alarms").iter().map(|alarm| format!("alarm: low on {}", text(alarm))).collect();
    if number(&answer["nack"]) > 0 {
        let count = number(&answer["nack"]);
        lines.push(format!("nack: the next {count} {}", by_number(count, "publish", "publishes")));
    }
    lines.extend(list("refuse").iter().map(|one| {
        let times = counted(number(&one["times"]), "time");
        format!("refuse: {} with {}, {times}", text(&one["method"]), one["code"])
    }));
    if answer["delay"].is_object() {
        let delay = &answer["delay"];
        let of = delay["queue"].as_str().map_or_else(String::new, |queue| format!(" of {queue}"));
        let which = match delay["deliveries"].as_u64() {
            Some(count) => format!("the next {count} {}", by_number(count, "delivery", "deliveries")),
            None => "all deliveries".to_owned(),
        };
        lines.push(format!("delay: {which}{of} by {}", Millis(number(&delay["by_ms"]))));
    }
    if lines.is_empty() {
        lines.push("no fault waits to happen".to_owned());
    }
    lines
}
