//! What a cell came to then and now, as sentences.

use crate::report::difference;
use crate::report::recorded::RecordedCell;

/// Lists what differs; what happened on a real broker varies in its times and is not compared.
pub fn record_differences(then: &RecordedCell, now: &RecordedCell) -> Vec<String> {
    match (&then.skipped, &now.skipped) {
        (Some(_), Some(_)) => return Vec::new(),
        (Some(reason), None) => return vec![format!("it was skipped ({reason}), and is played now")],
        (None, Some(reason)) => return vec![format!("it was played, and is skipped now: {reason}")],
        (None, None) => {}
    }
    let mut all = Vec::new();
    match (then.failures.as_slice(), now.failures.as_slice()) {
        (then, now) if then == now => {}
        ([], now) => all.push(format!("it fails now: {}", now.join("; "))),
        (then, []) => all.push(format!("it failed, and passes now; then: {}", then.join("; "))),
        (then, now) => all.push(format!("it fails otherwise\n  then: {}\n  now:  {}", then.join("; "), now.join("; "))),
    }
    if let (Some(then), Some(now)) = (&then.outcome, &now.outcome)
        && then != now
    {
        all.push(format!("the outcome differs:\n{}", difference(then, now)));
    }
    if !then.live && !now.live && (then.digest != now.digest || then.events != now.events) {
        all.push(first_difference(then, now));
    }
    all
}

fn first_difference(then: &RecordedCell, now: &RecordedCell) -> String {
    let places = then.entries.len().max(now.entries.len());
    let at = (0..places).find(|at| then.entries.get(*at) != now.entries.get(*at));
    let shown =
        |cell: &RecordedCell, at: usize| cell.entries.get(at).cloned().unwrap_or_else(|| "nothing more".to_owned());
    match at {
        Some(at) => format!(
            "what happens differs from entry {} on\n  then: {}\n  now:  {}",
            at + 1,
            shown(then, at),
            shown(now, at)
        ),
        None => format!("what happens differs after the first {places} entries, which are all that a record keeps"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn cell() -> RecordedCell {
        RecordedCell {
            file: String::new(),
            name: String::new(),
            axes: BTreeMap::new(),
            broker: String::new(),
            release: String::new(),
            live: false,
            permits: Vec::new(),
            plugins: Vec::new(),
            skipped: None,
            failures: Vec::new(),
            outcome: Some("a: 1\n".to_owned()),
            events: 2,
            entries: vec!["0s one".to_owned(), "1s two".to_owned()],
            digest: "1".to_owned(),
        }
    }

    #[test]
    fn the_first_entry_that_differs_is_told() {
        assert_eq!(record_differences(&cell(), &cell()), Vec::<String>::new());
        let now = RecordedCell { entries: vec!["0s one".to_owned()], events: 1, digest: "2".to_owned(), ..cell() };
        let told = record_differences(&cell(), &now);
        assert_eq!(told, ["what happens differs from entry 2 on\n  then: 1s two\n  now:  nothing more"]);
        let live = RecordedCell { live: true, ..cell() };
        assert_eq!(record_differences(&live, &now), Vec::<String>::new());
        let later = RecordedCell { digest: "3".to_owned(), ..cell() };
        assert!(record_differences(&cell(), &later)[0].contains("after the first 2 entries"));
    }

    #[test]
    fn failures_skips_and_outcomes_are_told() {
        let failed = RecordedCell { failures: vec!["one".to_owned()], outcome: None, ..cell() };
        assert_eq!(record_differences(&cell(), &failed), ["it fails now: one"]);
        assert_eq!(record_differences(&failed, &cell()), ["it failed, and passes now; then: one"]);
        let skipped = RecordedCell { skipped: Some("a plugin".to_owned()), ..cell() };
        assert_eq!(record_differences(&cell(), &skipped), ["it was played, and is skipped now: a plugin"]);
        assert_eq!(record_differences(&skipped, &cell()), ["it was skipped (a plugin), and is played now"]);
        let other = RecordedCell { outcome: Some("a: 2\n".to_owned()), ..cell() };
        let told = record_differences(&cell(), &other);
        assert!(told.len() == 1 && told[0].contains("a: 1") && told[0].contains("a: 2"), "{told:?}");
    }
}
