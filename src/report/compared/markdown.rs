//! A comparison as Markdown, for a comment on a pull request.

use crate::report::compared::data::CauseGroup;
use crate::report::compared::words::{
    CitedRules, NO_ADVICE, cell_in_words, changed, counts, finding_head, notes, said_for, step_in_words, title,
};
use crate::report::compared::{ComparedStep, Sameness};
use std::fmt::Write as _;

/// How many lines of a cause are told: a comment has a largest size.
const ROWS_MAX: usize = 8;

/// How many cells of a cause are named.
const NAMED_MAX: usize = 30;

/// Writes the whole comparison.
pub fn comparison_markdown(steps: &[ComparedStep]) -> String {
    let rules = CitedRules::read();
    steps.iter().map(|step| step_markdown(step, &rules)).collect::<Vec<_>>().join("\n")
}

fn step_markdown(step: &ComparedStep, rules: &CitedRules) -> String {
    let mut text = format!("## {}\n\n{}\n", escaped(&step_in_words(step)), escaped(&counts(step)));
    for group in step.groups() {
        text.push_str(&group_markdown(&group, step, rules));
    }
    if !step.findings.is_empty() {
        text.push_str("\n### What `check` says for one of the two versions\n\n");
    }
    for finding in &step.findings {
        let head = finding_head(said_for(step, finding.on_first).profile, finding.level);
        let rule = finding.rule.map_or(String::new(), |rule| format!(" ({rule})"));
        let _ = writeln!(
            text,
            "- **{head}**: {}{rule}, {}:{}",
            escaped(&finding.message),
            escaped(&finding.file),
            finding.line
        );
        if let Some(help) = &finding.help {
            let _ = writeln!(text, "  **To do:** {}", escaped(help));
        }
    }
    let unsteady: Vec<String> = step
        .cells
        .iter()
        .filter(|cell| matches!(cell.sameness, Sameness::Unsteady(_)))
        .map(|cell| code(&cell.name))
        .collect();
    if !unsteady.is_empty() {
        let _ = writeln!(text, "\nUnsteady, so that nothing can be told: {}", unsteady.join(", "));
    }
    text
}

fn group_markdown(group: &CauseGroup<'_>, step: &ComparedStep, rules: &CitedRules) -> String {
    let mut text = format!("\n### {}\n", title(group, rules));
    if let Some(changed) = changed(group, step) {
        let _ = writeln!(text, "\n{}{}.", changed[..1].to_uppercase(), escaped(&changed[1..]));
    }
    let section = rules.section(group.rule);
    let notes = section.map_or_else(Vec::new, |section| notes(section, step));
    if !notes.is_empty() {
        text.push('\n');
    }
    for (versions, note) in notes {
        let _ = writeln!(text, "- {versions}: {note}");
    }
    let cells: Vec<String> =
        group.cells.iter().take(NAMED_MAX).copied().map(|it| escaped(&cell_in_words(it))).collect();
    let more = group.cells.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let _ = writeln!(text, "\n**Here:** {}{more}", cells.join(", "));
    let lines: Vec<_> =
        group.cells.iter().flat_map(|(cell, cause)| cause.lines.iter().map(move |line| (cell, line))).collect();
    if !lines.is_empty() {
        let _ = writeln!(text, "\n| | {} | {} |\n|---|---|---|", escaped(&step.from.name), escaped(&step.to.name));
    }
    for (cell, line) in lines.iter().take(ROWS_MAX) {
        let [from, to] = &line.sides;
        let subject = format!("{}: {}", cell.name, line.subject);
        let _ = writeln!(text, "| {} | {} | {} |", escaped(&subject), escaped(from), escaped(to));
    }
    if lines.len() > ROWS_MAX {
        let _ = writeln!(text, "\nand {} more.", lines.len() - ROWS_MAX);
    }
    if let Some(advice) = section.map_or(Some(NO_ADVICE), |section| section.upgrade.as_deref()) {
        let _ = writeln!(text, "\n**To do:** {advice}");
    }
    text
}

/// Writes names of users as they are: neither markup nor a mention of somebody.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' => shown.push(' '),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            '@' => shown.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '|' | '[' | ']' | '~' | '#' => {
                shown.push('\\');
                shown.push(letter);
            }
            _ => shown.push(letter),
        }
    }
    shown
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'"))
}
