//! What is found while the parts of a plan compare: changes, counts of equal objects, problems at their places.

use crate::model::{Object, Origins, Topology, one_line};
use crate::plan::{Change, FieldChange, Observed, Stakes};
use crate::source::{Code, Problem};

/// Collects while the parts compare.
pub(crate) struct Findings<'a> {
    pub desired: &'a Topology,
    pub origins: &'a Origins,
    pub observed: &'a Observed,
    pub changes: Vec<Change>,
    pub unchanged: usize,
    pub problems: Vec<Problem>,
}

impl Findings<'_> {
    /// Keeps a change.
    pub fn add(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Keeps a problem, placed at the object's field if the file names it.
    pub fn problem(&mut self, object: &Object, field: &str, mut problem: Problem) {
        problem.message = one_line(&problem.message).into_owned();
        let Some(origin) = self.origins.get(object) else { return self.problems.push(problem) };
        let bare = field.strip_prefix("x-").unwrap_or(field);
        let spellings = [field.to_owned(), bare.replace('-', "_"), bare.to_owned(), "arguments".to_owned()];
        let place = spellings.iter().find_map(|name| origin.field(name)).unwrap_or(origin.whole);
        self.problems.push(problem.at(place, one_line(&format!("{object} is declared here")).into_owned()));
    }

    /// Counts an equal object, or keeps a difference that cannot be mended in place, with a problem per field.
    pub fn settle_fixed(
        &mut self,
        object: Object,
        fields: Vec<FieldChange>,
        reason: impl FnOnce(&[FieldChange]) -> String,
    ) {
        if fields.is_empty() {
            self.unchanged += 1;
            return;
        }
        let reason = reason(&fields);
        for field in &fields {
            let FieldChange { name, old, new, .. } = field;
            let text = format!("{object} cannot change {name}: the broker has {old}, the file says {new}");
            self.problem(&object, name, Problem::new(Code::PlanImmutable, text).help(reason.clone()));
        }
        let stakes = Stakes::of(&object, self.observed);
        self.add(Change::replace(object, fields, stakes, reason));
    }
}
