//! Checks the transactions of steps: each end has its beginning, and the last one an end.
//! Takes a decoded scenario; gives notes at steps.

use crate::language::decode::map_decoder::Diagnostics;
use crate::model::{Act, Consumer, Name, Scenario, Step, TransactionAct};
use crate::source::{Code, Problem};
use std::collections::BTreeMap;

/// Checks the steps in their order.
pub fn check(scenario: &Scenario, desk: &mut Diagnostics) {
    scenario
        .consumers
        .iter()
        .filter(|consumer| consumer.transactional)
        .for_each(|consumer| of_consumer(consumer, desk));
    // By user and vhost: what its open transaction did last, if anything.
    let mut selected: BTreeMap<(Option<&Name>, &Name), Option<&Step>> = BTreeMap::new();
    for step in scenario.steps.iter().chain(&scenario.finally) {
        let user = (step.actor.as_ref(), &step.vhost);
        match &step.act {
            Act::Transaction(TransactionAct::Select) => _ = selected.entry(user).or_insert(None),
            Act::Transaction(act) => match selected.get_mut(&user) {
                Some(open) => *open = None,
                None if step.refused.is_none() => not_selected(*act, step, desk),
                None => {}
            },
            Act::Publish(publish) if publish.channel.is_none() && step.refused.is_none() => {
                selected.entry(user).and_modify(|open| *open = Some(step));
            }
            // Transactions go with their connection.
            Act::CloseConnection { .. } | Act::RestartBroker => selected.clear(),
            _ => {}
        }
    }
    for step in selected.into_values().flatten() {
        let message = "this publish is held by a transaction that no step commits";
        let note = Problem::note(Code::ScenarioTransaction, message).at(step.span, "lost when the run ends");
        desk.add(note.help("put `tx: commit` or `tx: rollback` after it"));
    }
}

/// A transaction is of one rule at a time, over a channel that nobody else has.
fn of_consumer(consumer: &Consumer, desk: &mut Diagnostics) {
    let lines = consumer.rules.iter().flat_map(|rule| &rule.done.lines);
    let beside = [
        (consumer.channel.is_some(), "`channel`", "give it a channel of its own"),
        (consumer.concurrency > 1, "`concurrency` above 1", "one rule at a time: for more hands write `instances`"),
        (
            lines.clone().any(|line| line.refused.is_some()),
            "`refused` beside an action",
            "a refusal ends the transaction",
        ),
        (lines.clone().any(|line| line.on_return.is_some()), "`on_return`", "what comes back comes with the commit"),
    ];
    for (_, what, help) in beside.into_iter().filter(|(is_there, ..)| *is_there) {
        let message = format!("consumer `{}` has `tx: true`, and {what}", consumer.name);
        let problem = Problem::new(Code::ScenarioTransaction, message).at(consumer.span, "not in a transaction");
        desk.add(problem.help(format!("{help}; or leave `tx` out")));
    }
}

fn not_selected(act: TransactionAct, step: &Step, desk: &mut Diagnostics) {
    let who = step.actor.as_ref().map_or_else(|| "the runner".to_owned(), |user| format!("user `{user}`"));
    let message = format!("`tx: {}` without a transaction: {who} has not selected any before", act.as_str());
    let note = Problem::note(Code::ScenarioTransaction, message).at(step.span, "RabbitMQ refuses it with 406");
    desk.add(note.help("put `tx: select` before what it is to hold, or say that this is `refused: {code: 406}`"));
}
