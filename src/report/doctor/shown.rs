//! How findings are shown: a line each with what to try below it, or JSON.

use crate::model::by_number;
use crate::report::Palette;
use crate::report::doctor::facts::Examination;
use crate::report::doctor::findings::{CheckVerdict, DoctorCheck, findings};
use crate::report::doctor::fitness::{CommandFitness, fitness};
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
    for (limits, commands) in grouped(&fit, |one| one.limits.filter(|_| !quiet)) {
        let verb = by_number(commands.len(), "works", "work");
        let names = commands.join(", ");
        let _ = writeln!(text, "{} {:WIDTH$}{names} {verb} in part: {limits}", palette.odd("part"), "commands");
    }
    for (why, commands) in grouped(&unfit, |one| one.why_not.as_deref()) {
        let verb = by_number(commands.len(), "does", "do");
        let names = commands.join(", ");
        let _ = writeln!(text, "{} {:WIDTH$}{names} {verb} not work: {why}", palette.odd("no  "), "commands");
    }
    text
}

/// Puts commands of one reason together, in the order of the first of each.
fn grouped<'f>(
    commands: &[&'f CommandFitness],
    reason: impl Fn(&'f CommandFitness) -> Option<&'f str>,
) -> Vec<(&'f str, Vec<&'static str>)> {
    let mut groups: Vec<(&str, Vec<&'static str>)> = Vec::new();
    for one in commands {
        let Some(why) = reason(one) else { continue };
        match groups.iter_mut().find(|(known, _)| *known == why) {
            Some((_, of_it)) => of_it.push(one.command),
            None => groups.push((why, vec![one.command])),
        }
    }
    groups
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
        |CommandFitness { command, why_not, limits }| json!({"command": command, "works": why_not.is_none(), "why_not": why_not, "limits": limits}),
    );
    json!({
        "broker": seen.address,
        "management": seen.management,
        "version": seen.broker.told().map(|broker| broker.full_version.clone()),
        "checks": checks.collect::<Vec<_>>(),
        "commands": commands.collect::<Vec<_>>(),
    })
}
