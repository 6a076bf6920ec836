//! Whether an expectation holds, by what the ledger knows at this moment.
//! Gives the findings that do not fit; none means that it holds. Never waits and never asks the broker.

use crate::model::{
    Entries, MessageExpectation, Millis, Name, PublishExpectation, QueueExpectation, QueueName, Scope, Subject,
    TallySource, Tolerance,
};
use crate::player::assert::evidence::Evidence;
use crate::player::assert::evidence::count;
use crate::player::assert::evidence::list_in_words;
use crate::player::assert::judge_consumer::judge_consumer;
use crate::player::assert::judge_messages::message_list;
use crate::player::assert::judge_metric::judge_metric;
use crate::player::record::failure::Finding;
use crate::player::record::ledger::queues_seen;
use std::collections::BTreeSet;

/// Lists what does not fit.
pub(crate) fn judge(subject: &Subject, evidence: &Evidence) -> Vec<Finding> {
    let mut findings = Vec::new();
    match subject {
        Subject::Queue(wanted) => judge_queue(wanted, evidence, &mut findings),
        Subject::Consumer(wanted) => judge_consumer(wanted, evidence, &mut findings),
        Subject::Message(wanted) => judge_message(wanted, evidence, &mut findings),
        Subject::Publishes(wanted) => judge_publishes(wanted, evidence, &mut findings),
        Subject::Tally(wanted) => {
            let contents = match &wanted.source {
                TallySource::Queue(queue) => {
                    if let Some(part) = evidence.part_read(queue) {
                        findings.push(Finding::new("tally", "all messages of the queue", part));
                        return findings;
                    }
                    evidence.contents.of(queue)
                }
                _ => None,
            };
            evidence.ledger.tallies.judge(wanted, contents, &mut findings);
        }
        Subject::Connections(wanted) => {
            let meant = |names: &&Vec<Name>| match &wanted.of {
                Some(of) => names.contains(of),
                None => !names.iter().any(|name| &**name == "driver"),
            };
            let open = evidence.connections.iter().filter(meant).count() as u64;
            count("connections", Some(wanted.count), open, &mut findings);
        }
        Subject::Metric(wanted) if evidence.live && wanted.metric.is_of_reasons() => {}
        Subject::Metric(wanted) => judge_metric(wanted, evidence.counts, &mut findings),
        Subject::Unroutable(wanted) => count("unroutable", Some(*wanted), evidence.ledger.unroutable, &mut findings),
        // The reason of a loss is not observable live: the fact shows in other expectations, the report says so.
        Subject::Dropped(_) if evidence.live => {}
        Subject::Dropped(wanted) => count("dropped", Some(*wanted), evidence.ledger.dropped, &mut findings),
    }
    findings
}

fn judge_queue(wanted: &QueueExpectation, evidence: &Evidence, findings: &mut Vec<Finding>) {
    let Some(tally) = evidence.ledger.queues.get(&wanted.queue).filter(|tally| tally.counts.is_some()) else {
        findings.push(Finding::new("queue", format!("{} to be there", wanted.queue.name), "no such queue"));
        return;
    };
    if let Some(wanted) = wanted.kind.filter(|wanted| tally.kind != Some(*wanted)) {
        let found = tally.kind.map_or("another", |kind| kind.as_str());
        findings.push(Finding::new("type", wanted.as_str(), found));
    }
    let consumers = tally.counts.map_or(0, |counts| counts.consumers);
    count("ready", wanted.ready, tally.ready(), findings);
    count("unacked", wanted.unacked, tally.unacked, findings);
    count("total", wanted.total, tally.total(), findings);
    count("consumers", wanted.consumers, consumers, findings);
    count("dead_lettering", wanted.dead_lettering, tally.dead_lettering, findings);
    if let Some(peak) = &wanted.peak {
        count("peak.ready", peak.ready, tally.peak_ready, findings);
        count("peak.unacked", peak.unacked, tally.peak_unacked, findings);
        count("peak.total", peak.total, tally.peak_total, findings);
    }
    if let Some(messages) = &wanted.messages {
        match evidence.contents.of(&wanted.queue) {
            Some(found) => {
                let before = findings.len();
                message_list("messages", messages, found, &Scope::new(), findings);
                if let Some(part) = evidence.part_read(&wanted.queue)
                    && (findings.len() > before || !messages.includes)
                {
                    findings.truncate(before);
                    findings.push(Finding::new("messages", "all messages of the queue", part));
                }
            }
            None => findings.push(Finding::new("messages", "contents", "this queue cannot be read")),
        }
    }
}

fn judge_message(wanted: &MessageExpectation, evidence: &Evidence, findings: &mut Vec<Finding>) {
    let Ok(id) = wanted.id.render(&Scope::new()) else { return };
    let none = Vec::new();
    let moments = evidence.ledger.deliveries_of.get(&id).unwrap_or(&none);
    count("attempts", wanted.attempts, moments.len() as u64, findings);
    if let Some(queues) = &wanted.routed_to {
        judge_route(&id, queues, evidence, findings);
    }
    let Some(gaps) = &wanted.gaps else { return };
    let found: Vec<Millis> = moments.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let fits = gaps.len() == found.len()
        && gaps.iter().zip(&found).all(|(wanted_gap, gap)| {
            let allowed = allowance(wanted.tolerance, *wanted_gap).max(evidence.tolerance_floor);
            wanted_gap.0.abs_diff(gap.0) <= allowed.0
        });
    if !fits {
        findings.push(Finding::new("gaps", list_in_words(gaps), list_in_words(&found)));
    }
}

/// Compares the queues that a message was seen in: delivered from, held by, or named among its deaths.
fn judge_route(id: &Name, wanted: &Entries<Name>, evidence: &Evidence, findings: &mut Vec<Finding>) {
    let mut seen: BTreeSet<QueueName> = evidence.ledger.seen_in.get(id).cloned().unwrap_or_default();
    for (queue, messages) in evidence.contents.all() {
        for record in messages.iter().filter(|record| record.name == *id) {
            seen.extend(queues_seen(queue, &record.message));
        }
    }
    let found: Vec<&Name> = seen.iter().map(|queue| &queue.name).collect();
    let all = wanted.entries.iter().all(|name| found.contains(&name));
    let unread = evidence.contents.all().find_map(|(queue, _)| {
        let part = evidence.part_read(queue)?;
        Some(format!("{} of '{}'", part, queue.name))
    });
    if let Some(part) = unread.filter(|_| !all || !wanted.includes) {
        findings.push(Finding::new("routed_to", "all messages of all queues", part));
        return;
    }
    if !all || !wanted.includes && found.len() != wanted.entries.len() {
        let listed = list_in_words(&wanted.entries);
        let listed = if wanted.includes { format!("at least {listed}") } else { listed };
        findings.push(Finding::new("routed_to", listed, list_in_words(&found)));
    }
}

/// Returns how far off a time may be.
fn allowance(tolerance: Tolerance, of: Millis) -> Millis {
    match tolerance {
        Tolerance::Percent(percent) => Millis((of.0 as f64 * percent / 100.0) as u64),
        Tolerance::Within(length) => length,
    }
}

fn judge_publishes(wanted: &PublishExpectation, evidence: &Evidence, findings: &mut Vec<Finding>) {
    let ledger = evidence.ledger;
    let found = match &wanted.of {
        None => ledger.ended.get(&wanted.outcome).copied(),
        Some(id) => {
            let id = id.render(&Scope::new()).unwrap_or_default();
            ledger.ended_of.get(&(id, wanted.outcome)).copied()
        }
    };
    count(wanted.outcome.as_str(), Some(wanted.count), found.unwrap_or(0), findings);
}
