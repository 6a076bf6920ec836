//! How findings are shown: a line each with what to try below it, or JSON.

use crate::model::by_number;
use crate::report::Palette;
use crate::report::doctor::facts::Examination;
use crate::report::doctor::findings::{CheckVerdict, CommandFitness, DoctorCheck, findings, fitness};
use serde_json::{Value as Json, json};
use std::fmt::Write as _;

/// The width of the names of checks.
const WIDTH: usize = 14;

/// Returns whether something that rmqplay needs is not there.
pub fn has_failed(seen: &Examination) -> bool {
    findings(seen).iter().any(|finding| finding.verdict == CheckVerdict::Failed)
}

/// Writes the findings for people; with `quiet` only what is not fine.
pub fn doctor_text(seen: &Examination, quiet: bool, palette: Palette) -> String {
    let mut text = String::new();
    for finding in findings(seen).iter().filter(|finding| !quiet || finding.verdict != CheckVerdict::Fine) {
        line(&mut text, finding, palette);
    }
    let fitness = fitness(seen);
    let (fit, unfit): (Vec<_>, Vec<_>) = fitness.iter().partition(|one| one.why_not.is_none());
    if !quiet && !fit.is_empty() {
        let names: Vec<&str> = fit.iter().map(|one| one.command).collect();
        let _ = writeln!(text, "{} {:WIDTH$}{} work", palette.good("ok  "), "commands", names.join(", "));
    }
    let mut by_reason: Vec<(&str, Vec<&str>)> = Vec::new();
    for CommandFitness { command, why_not } in unfit {
        let why = why_not.as_deref().unwrap_or_default();
        match by_reason.iter_mut().find(|(reason, _)| *reason == why) {
            Some((_, commands)) => commands.push(command),
            None => by_reason.push((why, vec![command])),
        }
    }
    for (why, commands) in by_reason {
        let verb = by_number(commands.len(), "does", "do");
        let names = commands.join(", ");
        let _ = writeln!(text, "{} {:WIDTH$}{names} {verb} not work: {why}", palette.odd("no  "), "commands");
    }
    text
}

fn line(text: &mut String, finding: &DoctorCheck, palette: Palette) {
    let mark = match finding.verdict {
        CheckVerdict::Fine => palette.good("ok  "),
        CheckVerdict::Warning => palette.odd("warn"),
        CheckVerdict::Failed => palette.bad("FAIL"),
        CheckVerdict::Unknown => palette.dim("?   "),
    };
    let _ = writeln!(text, "{mark} {:WIDTH$}{}", finding.check, finding.says);
    if let Some(help) = &finding.help {
        let _ = writeln!(text, "{:1$}help: {help}", "", WIDTH + 5);
    }
}

/// Writes the findings as JSON.
pub fn doctor_json(seen: &Examination) -> Json {
    let verdict = |verdict: CheckVerdict| match verdict {
        CheckVerdict::Fine => "fine",
        CheckVerdict::Warning => "warning",
        CheckVerdict::Failed => "failed",
        CheckVerdict::Unknown => "unknown",
    };
    let checks = findings(seen).into_iter().map(|finding| {
        json!({"check": finding.check, "verdict": verdict(finding.verdict), "says": finding.says, "help": finding.help})
    });
    let commands = fitness(seen).into_iter().map(
        |CommandFitness { command, why_not }| json!({"command": command, "works": why_not.is_none(), "why_not": why_not}),
    );
    json!({
        "broker": seen.address,
        "management": seen.management,
        "version": seen.broker.told().map(|broker| broker.full_version.clone()),
        "checks": checks.collect::<Vec<_>>(),
        "commands": commands.collect::<Vec<_>>(),
    })
}
