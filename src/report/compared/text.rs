//! A comparison for a reader: a paragraph per cause with its rule, the cells it concerns, what differs, and what to do.

use crate::model::{by_number, counted};
use crate::report::Palette;
use crate::report::cell::duration_in_words;
use crate::report::compared::data::CauseGroup;
use crate::report::compared::words::{
    CitedRules, NO_ADVICE, cell_in_words, changed, counts, finding_head, notes, said_for, step_in_words, title,
};
use crate::report::compared::{ComparedStep, ComparedTopology, Sameness};
use crate::report::explain::{WIDTH_MAX, wrapped};
use crate::report::shell_word;

/// Of how many cells each cause tells what differs.
const CELLS_MAX: usize = 2;

/// How many differences of such a cell are told.
const LINES_MAX: usize = 3;

/// How many cells are named.
const NAMED_MAX: usize = 12;

/// Tells all that differs.
pub fn comparison_text(steps: &[ComparedStep], width: usize, palette: Palette) -> String {
    let rules = CitedRules::read();
    let page = ComparedPage { rules: &rules, width: width.min(WIDTH_MAX), palette };
    let texts = steps.iter().map(|step| page.step(step)).filter(|text| !text.is_empty());
    texts.map(|text| format!("{text}\n")).collect()
}

/// Sums up each step in a line.
pub fn comparison_summary(steps: &[ComparedStep], real: std::time::Duration, palette: Palette) -> String {
    let lines = steps.iter().map(|step| {
        let text = format!("{}: {}", step_in_words(step), counts(step));
        if step.differs() { palette.bad(&text) } else { palette.good(&text) }
    });
    let mut lines: Vec<String> = lines.collect();
    if let Some(last) = lines.last_mut() {
        last.push_str(&palette.dim(&format!(" (played in {})", duration_in_words(real))));
    }
    lines.join("\n")
}

/// Says what was compared of a topology alone.
pub fn compared_topology_text(one: &ComparedTopology) -> String {
    let file = &one.file;
    let mut text = format!(
        "{file}: compared by {}, as `rmqplay suggest {}` writes them for each version",
        counted(one.scenarios, "scenario"),
        shell_word(file)
    );
    if one.without > 0 {
        let what = by_number(
            one.without as u64,
            "way, limit, right, retry or binding has",
            "ways, limits, rights, retries and bindings have",
        );
        text.push_str(&format!("\n{file}: {} {what} none; `rmqplay suggest` tells which and why", one.without));
    }
    for (object, by) in &one.left_out {
        text.push_str(&format!("\n{file}: {object} is left out of them: {by}"));
    }
    text
}

/// How a comparison is drawn.
struct ComparedPage<'r> {
    rules: &'r CitedRules,
    width: usize,
    palette: Palette,
}

impl ComparedPage<'_> {
    fn step(&self, step: &ComparedStep) -> String {
        let mut text = String::new();
        let groups = step.groups();
        if step.differs() || step.count(|one| !matches!(one, Sameness::Same | Sameness::FailedAlike)) > 0 {
            text.push_str(&format!("{}\n", self.palette.strong(&step_in_words(step))));
        }
        groups.iter().for_each(|group| text.push_str(&format!("\n{}", self.group(group, step))));
        text.push_str(&self.findings(step));
        text.push_str(&self.unsteady(step));
        text.push_str(&self.left_out(step));
        text
    }

    fn group(&self, group: &CauseGroup<'_>, step: &ComparedStep) -> String {
        let mut text = self.palette.strong(&title(group, self.rules));
        if let Some(changed) = changed(group, step) {
            text.push_str(&self.palette.dim(&format!(", {changed}")));
        }
        text.push('\n');
        let section = self.rules.section(group.rule);
        let notes = section.map_or_else(Vec::new, |section| notes(section, step));
        let widest = notes.iter().map(|(versions, _)| versions.chars().count()).max().unwrap_or(0);
        for (versions, note) in notes {
            text.push_str(&wrapped(note, &format!("  {versions:widest$}  "), &" ".repeat(widest + 4), self.width));
        }
        text.push_str(&wrapped(&cells_in_words(group), "  in ", "    ", self.width));
        for (cell, cause) in group.cells.iter().take(CELLS_MAX) {
            let title = if cell.is_made { format!(": {}", cell.title) } else { String::new() };
            text.push_str(&format!("  {}\n", self.palette.dim(&format!("{}{title}", cell.name))));
            let names = [&step.from.name, &step.to.name];
            let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
            for line in cause.lines.iter().take(LINES_MAX) {
                text.push_str(&format!("    {}\n", line.subject));
                for (name, side) in names.iter().zip(&line.sides) {
                    text.push_str(&format!("      {name:width$}  {side}\n"));
                }
            }
            let more = cause.lines.len().saturating_sub(LINES_MAX);
            if more > 0 {
                text.push_str(&self.palette.dim(&format!("    and {more} more; --json tells all\n")));
            }
        }
        let advice = section.map_or(Some(NO_ADVICE), |section| section.upgrade.as_deref());
        if let Some(advice) = advice {
            text.push_str(&wrapped(advice, "  to do: ", "         ", self.width));
        }
        text
    }

    fn findings(&self, step: &ComparedStep) -> String {
        let mut text = String::new();
        for finding in &step.findings {
            let head = finding_head(said_for(step, finding.on_first).profile, finding.level);
            let rule = finding.rule.map_or(String::new(), |rule| format!(" [{rule}]"));
            text.push_str(&format!("\n{}: {}{rule}\n", self.palette.strong(&head), finding.message));
            text.push_str(&self.palette.dim(&format!("  {}:{}, {}\n", finding.file, finding.line, finding.code)));
            if let Some(help) = &finding.help {
                text.push_str(&wrapped(help, "  to do: ", "         ", self.width));
            }
        }
        text
    }

    /// Names what was not compared, by its reason.
    fn left_out(&self, step: &ComparedStep) -> String {
        let mut by_reason: Vec<(&str, Vec<&str>)> = Vec::new();
        for cell in &step.cells {
            let Sameness::NotCompared(reason) = &cell.sameness else { continue };
            match by_reason.iter_mut().find(|(known, _)| known == reason) {
                Some((_, cells)) => cells.push(&cell.name),
                None => by_reason.push((reason, vec![&cell.name])),
            }
        }
        let line = |(reason, cells): (&str, Vec<&str>)| {
            let more = cells.len().saturating_sub(NAMED_MAX);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let names = cells[..cells.len().min(NAMED_MAX)].join(", ");
            wrapped(&format!("{names}{more}, {reason}"), "not compared: ", "  ", self.width)
        };
        let lines: String = by_reason.into_iter().map(line).collect();
        if lines.is_empty() { lines } else { format!("\n{}", self.palette.dim(&lines)) }
    }

    fn unsteady(&self, step: &ComparedStep) -> String {
        let mut text = String::new();
        for cell in &step.cells {
            if let Sameness::Unsteady(brokers) = &cell.sameness {
                let head = self.palette.odd(&format!("unsteady: {}", cell.name));
                text.push_str(&format!(
                    "\n{head}\n  played twice on {}, it ended in two ways: no difference is told\n",
                    brokers.join(" and ")
                ));
            }
        }
        text
    }
}

/// Names the cells of a cause, with their queues.
fn cells_in_words(group: &CauseGroup<'_>) -> String {
    let names: Vec<String> = group.cells.iter().take(NAMED_MAX).copied().map(cell_in_words).collect();
    let more = group.cells.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    format!("{}: {}{more}", counted(group.cells.len(), "cell"), names.join(", "))
}
