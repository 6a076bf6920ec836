//! `story`, `queues` and `timeline`: what a served broker tells of itself.

use crate::cli::ExitCode;
use crate::cli::options::{QueuesOptions, StoryOptions, TimelineOptions};
use crate::cli::serving::control_port::{ControlFailure, ControlPort, with_control_port};
use crate::cli::terminal::Terminal;
use crate::model::Moment;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::Value as Json;

/// Tells what became of a message.
pub(crate) fn story(command: &StoryOptions, terminal: &Terminal) -> ExitCode {
    with_control_port(&command.broker, terminal, async |port| {
        let id = utf8_percent_encode(&command.message, NON_ALPHANUMERIC);
        let story = port.ask(Method::GET, &format!("/messages/{id}/story"), None).await?;
        if command.json {
            terminal.print(&story.to_string());
            return Ok(ExitCode::Fine);
        }
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        terminal.print(&format!("{} {}", text(&story["message"]), text(&story["fate"])));
        story["hops"].as_array().into_iter().flatten().for_each(|hop| print_entry(hop, terminal));
        Ok(ExitCode::Fine)
    })
}

/// Lists all queues.
pub(crate) fn queues(command: &QueuesOptions, terminal: &Terminal) -> ExitCode {
    with_control_port(&command.broker, terminal, async |port| {
        let queues = port.ask(Method::GET, "/queues", None).await?;
        if command.json {
            terminal.print(&queues.to_string());
            return Ok(ExitCode::Fine);
        }
        let rows: Vec<[String; 6]> = queues.as_array().into_iter().flatten().map(row).collect();
        if rows.is_empty() {
            terminal.print("no queue");
            return Ok(ExitCode::Fine);
        }
        let head = ["queue", "type", "ready", "unacked", "consumers", "next at"].map(str::to_owned);
        let width =
            |column: usize| rows.iter().chain([&head]).map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        for row in [&head].into_iter().chain(&rows) {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
            terminal.print(cells.join("  ").trim_end());
        }
        Ok(ExitCode::Fine)
    })
}

fn row(queue: &Json) -> [String; 6] {
    let text = |key: &str| queue[key].as_str().unwrap_or_default().to_owned();
    let number = |key: &str| queue[key].as_u64().map_or_else(String::new, |number| number.to_string());
    let name = match text("vhost").as_str() {
        "/" => text("name"),
        vhost => format!("{} in {vhost}", text("name")),
    };
    let next = queue["next_ms"].as_u64().map_or_else(String::new, |at| Moment(at).to_string());
    [name, text("type"), number("ready"), number("unacked"), number("consumers"), next]
}

/// Prints what happens, as it happens.
pub(crate) fn timeline(command: &TimelineOptions, terminal: &Terminal) -> ExitCode {
    with_control_port(&command.broker, terminal, async |port| {
        if !command.no_follow {
            return follow(port, command.since, terminal).await;
        }
        let path = format!("/timeline?follow=no&since={}", command.since);
        let kept = port.ask(Method::GET, &path, None).await?;
        kept["entries"].as_array().into_iter().flatten().for_each(|entry| print_entry(entry, terminal));
        Ok(ExitCode::Fine)
    })
}

async fn follow(port: &ControlPort, since: u64, terminal: &Terminal) -> Result<ExitCode, ControlFailure> {
    let mut response = port.send(Method::GET, &format!("/timeline?since={since}"), None, None).await?;
    let mut unread: Vec<u8> = Vec::new();
    // The stream ends with the broker.
    while let Ok(Some(bytes)) = response.chunk().await {
        unread.extend_from_slice(&bytes);
        while let Some(end) = unread.windows(2).position(|two| two == b"\n\n") {
            let event: Vec<u8> = unread.drain(..end + 2).collect();
            print_event(&String::from_utf8_lossy(&event), terminal);
        }
    }
    Ok(ExitCode::Fine)
}

fn print_event(event: &str, terminal: &Terminal) {
    let data = event.lines().find_map(|line| line.strip_prefix("data: "));
    let Some(entry) = data.and_then(|data| serde_json::from_str::<Json>(data).ok()) else { return };
    match entry["missed"].as_u64() {
        Some(missed) => {
            terminal.warning(&format!("{missed} entries were missed: they came faster than they were read"))
        }
        None => print_entry(&entry, terminal),
    }
}

fn print_entry(entry: &Json, terminal: &Terminal) {
    let at = Moment(entry["at_ms"].as_u64().unwrap_or(0)).to_string();
    terminal.print(&format!("{at:>8}  {}", entry["text"].as_str().unwrap_or_default()));
}
