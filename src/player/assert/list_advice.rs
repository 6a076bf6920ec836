//! What to do where a consumer's list holds others than it names: lists are whole, and there are ways to ask for less.
//! Takes an expectation and what does not fit; gives a help, or none where no other form of the list would hold.

use crate::model::{Action, ConsumerExpectation, Entries, MessagePattern, Order, Received, Scenario, Subject};
use crate::player::consumer::matching::is_of;
use crate::player::record::failure::{Difference, Finding};

/// Says what a list means, and how to ask for less, where all that it names is there.
pub(crate) fn list_advice(subject: &Subject, findings: &[Finding], scenario: &Scenario) -> Option<String> {
    let Subject::Consumer(wanted) = subject else { return None };
    findings.iter().find_map(|finding| {
        let list = list_of(wanted, &finding.field).filter(|list| !list.includes)?;
        let Difference::Messages { missing, surplus } = &finding.difference else { return None };
        let field = &finding.field;
        let order = if list.order == Order::Any { "in any order" } else { "in this order" };
        let instead = match (missing.is_empty(), surplus.is_empty()) {
            (false, _) => return None,
            (true, true) => "`order: any` beside it does not look at the order".to_owned(),
            (true, false) => format!("`{field}: {{includes: […]}}` asks for at least these"),
        };
        let retries =
            if field == "acked" && retries(wanted, scenario) { "; a `retry` acks its message too" } else { "" };
        Some(format!("`{field}: […]` means exactly these, {order}; {instead}{retries}"))
    })
}

fn list_of<'w>(wanted: &'w ConsumerExpectation, field: &str) -> Option<&'w Entries<MessagePattern>> {
    let received = match field {
        "received" => &wanted.received,
        "acked" => &wanted.acked,
        "nacked" => &wanted.nacked,
        "rejected" => &wanted.rejected,
        _ => return None,
    };
    match received {
        Some(Received::Messages(list)) => Some(list),
        _ => None,
    }
}

fn retries(wanted: &ConsumerExpectation, scenario: &Scenario) -> bool {
    let named = scenario.consumers.iter().filter(|consumer| is_of(&wanted.consumer, &consumer.name));
    named.flat_map(|consumer| consumer.actions()).any(|action| *action == Action::Retry)
}
