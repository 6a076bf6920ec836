//! What follows a step on a release that is another patch than the one its profile imitates: where rules changed within a
//! minor version, the sim says it by the rules of that patch. `PATCHES.md` lists where that differs from the files.

use super::harness::Checked;
use super::script::{Expected, Step, parse};
use super::transcript::Line;
use super::{files, folder, golden, name_of, play};
use rmqplay::model::Profile;
use rmqplay::rules::{Edition, Permits, changed_rules, differences_of};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Releases on the other side of each change within a minor version.
const RELEASES: [&str; 9] = ["3.12.6", "3.13.2", "4.0.2", "4.1.1", "4.2.0", "4.2.5", "4.2.7", "4.3.0", "4.3.4"];

/// Returns the steps with what must follow them on a release.
pub fn by_release(path: &Path, steps: Vec<Step>, edition: Edition) -> Vec<Step> {
    let changed = changed_steps(path, &steps, edition);
    let with_its_own = |mut step: Step| {
        if let Some((_, _, own)) = changed.iter().find(|(line, ..)| *line == step.line) {
            let unordered = step.expected.iter().any(|line| line.unordered);
            let expected = |line: &Line| Expected { profiles: vec![edition.profile], text: line.shown(), unordered };
            step.expected = own.iter().map(expected).collect();
        }
        step
    };
    steps.into_iter().map(with_its_own).collect()
}

/// A step's line, what follows it by the profile, and what by the release.
type ChangedStep = (usize, Vec<Line>, Vec<Line>);

fn changed_steps(path: &Path, steps: &[Step], edition: Edition) -> Vec<ChangedStep> {
    let of_profile = Edition { patch: edition.profile.patch(), ..edition };
    if std::ptr::eq(differences_of(edition), differences_of(of_profile)) {
        return Vec::new();
    }
    let of = |edition: Edition| play(path, steps, edition);
    let lines = steps.iter().filter(|step| step.profiles.contains(&edition.profile)).map(|step| step.line);
    let both = lines.zip(of(of_profile).into_iter().zip(of(edition)));
    both.filter(|(_, (one, other))| one != other).map(|(line, (one, other))| (line, one, other)).collect()
}

/// Returns whether the entries of x-death lie in a map without order (DL-19, read in the source).
pub fn leaves_deaths_in_no_order(edition: Edition) -> bool {
    edition.profile == Profile::V3_13 && edition.patch < 3
}

/// Sorts the entries of x-death in a line.
pub fn with_sorted_deaths(line: &str) -> String {
    let parts = line.split_once("x-death=[").and_then(|(before, rest)| Some((before, rest.split_once(']')?)));
    let Some((before, (deaths, after))) = parts else { return line.to_owned() };
    let mut deaths: Vec<&str> = deaths.split(", ").collect();
    deaths.sort_unstable();
    format!("{before}x-death=[{}]{after}", deaths.join(", "))
}

/// Compares what each such release does otherwise with `PATCHES.md`; each does something, by a rule that the file cites.
pub fn are_as_kept() -> Checked {
    let mut text = String::from(
        "# Steps that follow the patch of a broker\n\nWritten by `UPDATE_GOLDEN=1 cargo test --test conformance each_patch`; do not edit. Where a rule changed within\na minor \
         version, a broker of the patch that is named here is compared with its own lines (`+`), not those of the file (`-`).\n",
    );
    for release in RELEASES {
        let profile = Profile::nearest(release.parse()?);
        let edition = Edition::of_release(profile, release, Permits::NONE);
        let rules: Vec<&str> = changed_rules(edition, profile.into()).into_iter().map(|rule| rule.id()).collect();
        let _ = write!(text, "\n## {release}, not as {}: {}\n\n```text\n", profile.release(), rules.join(", "));
        let mut shown = Vec::new();
        for path in files() {
            let file = fs::read_to_string(&path).map_err(|error| error.to_string())?;
            let steps = parse(&file)?;
            for (line, old, own) in changed_steps(&path, &steps, edition) {
                let words = steps.iter().find(|step| step.line == line).map(|step| step.words.join(" "));
                let _ = writeln!(text, "{}:{line} {}", name_of(&path), words.unwrap_or_default());
                for (mark, lines) in [("-", old), ("+", own)] {
                    lines.iter().for_each(|line| text.push_str(&format!("  {mark} {}\n", line.shown())));
                }
                shown.extend(rules.iter().filter(|rule| file.contains(**rule)));
            }
        }
        text.push_str("```\n");
        if let Some(rule) = rules.iter().find(|rule| !shown.contains(rule)) {
            return Err(format!("{release}: no step of a file about {rule} shows that it changed"));
        }
    }
    golden::check(&folder().join("PATCHES.md"), &text)
}
