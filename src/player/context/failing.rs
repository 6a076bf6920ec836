//! How a run fails, and what of refusals is noted.

use crate::broker::Refusal;
use crate::model::Name;
use crate::player::context::shared::Context;
use crate::player::message::bad_value::BadValue;
use crate::player::record::circumstances::Circumstances;
use crate::player::record::failure::{Failure, Finding};
use crate::player::record::outcome::RefusalRecord;
use crate::player::record::timeline::{Attempt, TimelineEvent};
use crate::source::{Code, Span};

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
