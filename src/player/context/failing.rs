//! How a run fails, and what of refusals is noted.

use crate::broker::Refusal;
use crate::model::{Name, Refused};
use crate::player::context::shared::Context;
use crate::player::message::bad_value::BadValue;
use crate::player::record::circumstances::Circumstances;
use crate::player::record::failure::{Failure, Finding};
use crate::player::record::outcome::RefusalRecord;
use crate::player::record::timeline::{Attempt, TimelineEvent};
use crate::source::{Code, Span};
use std::fmt;

impl Context {
    /// Fails the run now; subjects and help are added to what is given back.
    pub fn failed(&mut self, code: Code, message: String, span: Span, findings: Vec<Finding>) -> &mut Failure {
        let (moment, sequence) = (self.now(), self.timeline.count());
        self.took = moment;
        let at = self.failures.len();
        let (subjects, help) = (Vec::new(), None);
        let circumstances = Circumstances { steps_done: self.steps_done, ..Circumstances::default() };
        self.failures.push(Failure { code, message, span, moment, sequence, subjects, findings, help, circumstances });
        &mut self.failures[at]
    }

    /// Fails the run because of a value; what several messages share is said once.
    pub fn bad_value(&mut self, bad: &BadValue, otherwise: Span) {
        let (code, message, findings, help) = bad.in_words();
        let span = bad.span.unwrap_or(otherwise);
        if !self.failures.iter().any(|failure| failure.code == code && failure.span == span) {
            self.failed(code, message, span, findings).help = help;
        }
    }

    /// Compares how something ended with a refusal that must come; gives the failure where it is none, or another one.
    pub fn judge_refusal(
        &mut self,
        what: impl fmt::Display,
        wanted: &Refused,
        refusal: Option<&Refusal>,
    ) -> Option<&mut Failure> {
        let Some(refusal) = refusal else {
            let code = wanted.code.map_or(String::new(), |code| format!(" with {code}"));
            let findings = vec![Finding::new("refused", format!("refused{code}"), "done")];
            return Some(self.failed(Code::StepNotRefused, format!("{what} was not refused"), wanted.span, findings));
        };
        let mut findings = Vec::new();
        if let Some(code) = wanted.code.filter(|code| *code != refusal.code) {
            findings.push(Finding::new("code", code, refusal.code));
        }
        if let Some(text) = wanted.text.as_ref().filter(|text| !refusal.text.contains(text.as_str())) {
            findings.push(Finding::new("text", text, &refusal.text));
        }
        let message = format!("{what} is refused, but otherwise than expected");
        (!findings.is_empty()).then(|| self.failed(Code::StepRefused, message, wanted.span, findings))
    }

    /// Notes a refusal for timeline and outcome.
    pub fn refused(&mut self, who: Name, what: Attempt, refusal: &Refusal) {
        self.record(TimelineEvent::Refused {
            who: who.clone(),
            what: what.clone(),
            refusal: Box::new(refusal.clone()),
        });
        self.ledger.refusals.push(RefusalRecord { who, what, code: refusal.code, text: refusal.text.clone() });
    }
}
