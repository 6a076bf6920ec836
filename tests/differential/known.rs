//! The differences that are accepted, each a line of known-differences.txt: `RULE | versions | reason`.
//! A line must name a check that exists; one that nothing used is reported.

use rmqplay::rules::Edition;
use std::collections::BTreeSet;
use std::sync::Mutex;

/// The checks by name: what the generator leaves out, or the comparison does not ask, when the file says so.
pub const CHECKS: [&str; 16] = [
    "CO-4/resume-before-requeue",
    "CO-6/crash",
    "CO-14/channels-of-one-connection",
    "SIM-1/two-sources",
    "SIM-1/settlements-in-a-row",
    "SIM-1/numbers-of-two-queues",
    "PO-8/several-queues",
    "TX-3/settles-beside-publishes",
    "QQ-43-5/hang",
    "EXP-3/tick",
    "CO-2/prefetch-without-acks",
    "DL-19/order",
    "PO-1/ties",
    "RT-17/plugins",
    "ER-13/node-name",
    "MG-2/bad-default-type",
];

/// Holds the accepted differences of one version.
pub struct Known {
    lines: Vec<String>,
    used: Mutex<BTreeSet<String>>,
}

impl Known {
    /// Accepts no difference: where no live broker plays, nothing is left to chance.
    pub fn none() -> Self {
        Self { lines: Vec::new(), used: Mutex::default() }
    }

    /// Reads the file for a release: a line may name it (`3.13.2`), or its minor version (`3.13`).
    ///
    /// # Errors
    /// A line of another form, or one that names no check.
    pub fn read(text: &str, edition: Edition) -> Result<Self, String> {
        let names = [edition.profile.to_string(), edition.release()];
        let mut lines = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let parts: Vec<&str> = line.split('|').map(str::trim).collect();
            let [rule, versions, reason] = parts.as_slice() else {
                return Err(format!("not `RULE | versions | reason`: {line}"));
            };
            if !CHECKS.contains(rule) || reason.is_empty() {
                return Err(format!("no check `{rule}`, or no reason: {line}"));
            }
            if *versions == "all" || versions.split_whitespace().any(|version| names.iter().any(|name| name == version))
            {
                lines.push((*rule).to_owned());
            }
        }
        Ok(Self { lines, used: Mutex::default() })
    }

    /// Returns whether a difference is accepted, and notes that the line was needed.
    pub fn accepts(&self, rule: &str) -> bool {
        let accepted = self.lines.iter().any(|line| line == rule);
        if accepted && let Ok(mut used) = self.used.lock() {
            used.insert(rule.to_owned());
        }
        accepted
    }

    /// Lists lines that nothing used.
    pub fn unused(&self) -> Vec<String> {
        let used = self.used.lock().map(|used| used.clone()).unwrap_or_default();
        self.lines.iter().filter(|line| !used.contains(*line)).cloned().collect()
    }
}
