//! Whether an expectation of a consumer holds: what its instances received and settled, in which shares and batches.
//! Gives the findings that do not fit. Never waits and never asks the broker.

use crate::model::{Batches, ConsumerExpectation, Entries, MessagePattern, Name, Received, Scope};
use crate::player::BoundedLog;
use crate::player::assert::evidence::{Evidence, count, list_in_words};
use crate::player::assert::judge_messages::{message_list, name_list};
use crate::player::consumer::matching::is_of;
use crate::player::record::failure::Finding;
use crate::player::record::ledger::SettledMessage;
use crate::player::record::outcome::MessageRecord;

/// Lists what does not fit of a consumer, over all its instances.
pub(crate) fn judge_consumer(wanted: &ConsumerExpectation, evidence: &Evidence, findings: &mut Vec<Finding>) {
    let ledger = evidence.ledger;
    let named = ledger.consumers.iter().enumerate().filter(|(_, one)| is_of(&one.name, &wanted.consumer));
    let instances: Vec<usize> = named.map(|(index, _)| index).collect();
    let received =
        || instances.iter().flat_map(|&i| ledger.consumers[i].received.iter().map(|receipt| &receipt.record));
    let total: u64 = instances.iter().map(|&i| ledger.consumers[i].received.count()).sum();
    match &wanted.received {
        Some(Received::Count(range)) => count("received", Some(*range), total, findings),
        Some(Received::Messages(_)) if received().count() as u64 != total => {
            findings.push(Finding::new("received", "a list", format!("{total} messages, too many to list")));
        }
        Some(Received::Messages(list)) => {
            message_list("received", list, &received().collect::<Vec<&MessageRecord>>(), &Scope::new(), findings);
        }
        None => {}
    }
    let kinds = [("acked", &wanted.acked), ("nacked", &wanted.nacked), ("rejected", &wanted.rejected)];
    let mut settled_in_all = 0;
    for (which, (field, wanted)) in kinds.into_iter().enumerate() {
        let total: u64 = instances.iter().map(|&i| ledger.settled[i][which].count()).sum();
        settled_in_all += total;
        match wanted {
            Some(Received::Count(range)) => count(field, Some(*range), total, findings),
            Some(Received::Messages(list)) => {
                let settled = || instances.iter().flat_map(|&i| ledger.settled[i][which].iter().map(move |it| (i, it)));
                judge_settled(field, list, total, settled().collect(), evidence, findings);
            }
            None => {}
        }
    }
    if wanted.unacked.is_some() {
        count("unacked", wanted.unacked, total.saturating_sub(settled_in_all), findings);
    }
    judge_batches(wanted.batches.as_ref(), &instances, evidence, findings);
    for (name, range, _) in &wanted.shares {
        let share = ledger.consumers.iter().find(|one| one.name == *name).map_or(0, |one| one.received.count());
        count(&format!("shares.{name}"), Some(*range), share, findings);
    }
}

/// Compares settled messages with a list: by name alone where it asks for no more, else by what was delivered.
fn judge_settled(
    field: &str,
    wanted: &Entries<MessagePattern>,
    total: u64,
    settled: Vec<(usize, &SettledMessage)>,
    evidence: &Evidence,
    findings: &mut Vec<Finding>,
) {
    if settled.len() as u64 != total {
        findings.push(Finding::new(field, "a list", format!("{total} messages, too many to list")));
        return;
    }
    if wanted.entries.iter().all(MessagePattern::is_name_only) {
        let names: Vec<Name> = settled.iter().map(|(_, message)| message.name.clone()).collect();
        return name_list(field, wanted, &names, &Scope::new(), findings);
    }
    let received = &evidence.ledger.consumers;
    let record = |(instance, message): &(usize, &SettledMessage)| received[*instance].received.get(message.receipt);
    let records: Option<Vec<&MessageRecord>> =
        settled.iter().map(|one| record(one).map(|receipt| &receipt.record)).collect();
    match records {
        Some(records) => message_list(field, wanted, &records, &Scope::new(), findings),
        None => findings.push(Finding::new(field, "a list", "messages among too many to keep them all")),
    }
}

fn judge_batches(wanted: Option<&Batches>, instances: &[usize], evidence: &Evidence, findings: &mut Vec<Finding>) {
    let batches = || instances.iter().map(|&i| &evidence.ledger.batches[i]);
    let total: u64 = batches().map(BoundedLog::count).sum();
    let sizes: Vec<u64> = batches().flat_map(BoundedLog::iter).copied().collect();
    match wanted {
        Some(Batches::Count(range)) => count("batches", Some(*range), total, findings),
        Some(Batches::Sizes(_)) if sizes.len() as u64 != total => {
            findings.push(Finding::new("batches", "a list", format!("{total} batches, too many to list")));
        }
        Some(Batches::Sizes(wanted)) => {
            let fits = wanted.len() == sizes.len() && wanted.iter().zip(&sizes).all(|(range, size)| range.holds(*size));
            if !fits {
                findings.push(Finding::new("batches", list_in_words(wanted), list_in_words(&sizes)));
            }
        }
        None => {}
    }
}
