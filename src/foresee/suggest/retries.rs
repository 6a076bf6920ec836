//! Drafts for retries: a consumer that fails climbs the ladder and parks, or the broker brings messages back by itself.

use crate::foresee::coverage::{Coverable, RetryRung, retry_rungs};
use crate::foresee::suggest::drafts::{Draft, DraftTitle, Workshop};
use crate::foresee::suggest::queues::{Drafted, later};
use crate::foresee::suggest::suggestion::WhyNoSuggestion;
use crate::foresee::suggest::yaml::{duration, scalar, stem};
use crate::model::{Millis, QueueName, Value, counted};

impl Workshop<'_> {
    /// Drafts all retries of a queue; the first way that passes is taken.
    pub(crate) fn retried(&self, work: &QueueName, covers: &[Coverable]) -> Vec<Drafted> {
        let all = retry_rungs(self.view.topology);
        let of_work: Vec<RetryRung<'_>> = all.into_iter().filter(|rung| rung.work.id() == *work).collect();
        let climbs = of_work.iter().any(|rung| rung.through.is_some());
        match climbs {
            true => vec![self.climbing(work, &of_work, covers), self.by_hand(work, &of_work, covers)],
            false => vec![self.going_round(work, &of_work, covers)],
        }
    }

    /// The action `retry` of a consumer, as far as the topology declares the ladder.
    fn climbing(&self, work: &QueueName, rungs: &[RetryRung<'_>], covers: &[Coverable]) -> Drafted {
        let delays: Vec<u64> = rungs.iter().filter(|rung| !rung.parks).filter_map(ttl_of).collect();
        let publish = self.publish(work, "id: failing, body: x").ok_or(WhyNoSuggestion::NotReadable)?;
        let gaps: Vec<String> = delays.iter().map(|delay| duration(Millis(*delay))).collect();
        let (gaps, within) = (gaps.join(", "), duration(later(delays.iter().sum())));
        let attempts = delays.len() + 1;
        let tried = format!(
            "expect: {{message: failing, attempts: {attempts}, gaps: [{gaps}], tolerance: 10%, within: {within}}}"
        );
        let parked = rungs.iter().find(|rung| rung.parks);
        let at_end = parked.map(|rung| {
            let headers = format!("headers: {{x-retry: {}}}", delays.len());
            let name = scalar(&rung.waiting.name);
            self.step(&work.vhost, &format!("expect: {{queue: {name}, messages: [{{id: failing, {headers}}}]}}"))
        });
        let tries = counted(delays.len(), "retry").replace("retrys", "retries");
        let end = parked.map_or_else(String::new, |rung| format!(", then waits in {}", rung.waiting.name));
        Ok(Draft {
            name: stem(&[&work.name, "retry"]),
            why: format!(
                "What keeps failing in {} is tried again with its pauses, and then does not stand in the way.",
                work.name
            ),
            title: DraftTitle::Known(format!("a message that keeps failing in {} gets {tries}{end}", work.name)),
            consumers: vec![self.consumer("failing", work, "on_message: {do: retry}")],
            steps: vec![publish, self.step(&work.vhost, &tried)],
            of: None,
            published: Vec::new(),
            at_end: at_end.into_iter().collect(),
            covers: covers.to_vec(),
        })
    }

    /// A message put into each rung, where no file declares the ladder: an export.
    fn by_hand(&self, work: &QueueName, rungs: &[RetryRung<'_>], covers: &[Coverable]) -> Drafted {
        let mut steps = Vec::new();
        let mut at_end = Vec::new();
        let (mut longest, mut waiting) = (0, 0);
        for rung in rungs {
            let Some((exchange, key)) = &rung.through else { continue };
            let message = format!("exchange: {}, routing_key: {}", scalar(exchange), scalar(key));
            let id = if rung.parks { "parked".to_owned() } else { format!("after-{key}") };
            steps.push(self.step(&work.vhost, &format!("publish: {{{message}, id: {}, body: x}}", scalar(&id))));
            if rung.parks {
                let name = scalar(&rung.waiting.name);
                at_end.push(self.step(&work.vhost, &format!("expect: {{queue: {name}, messages: [parked]}}")));
            } else {
                longest = longest.max(ttl_of(rung).unwrap_or_default());
                waiting += 1;
            }
        }
        let within = duration(later(longest));
        let name = scalar(&work.name);
        steps.push(self.step(&work.vhost, &format!("expect: {{queue: {name}, ready: {waiting}, within: {within}}}")));
        Ok(Draft {
            name: stem(&[&work.name, "retry"]),
            why: format!("What waits for its retry comes back to {} by itself.", work.name),
            title: DraftTitle::Known(format!("what waits in a delay of {} comes back", work.name)),
            consumers: Vec::new(),
            steps,
            of: None,
            published: Vec::new(),
            at_end,
            covers: covers.to_vec(),
        })
    }

    /// The broker's own loop: rejected, kept waiting, back.
    fn going_round(&self, work: &QueueName, rungs: &[RetryRung<'_>], covers: &[Coverable]) -> Drafted {
        let delay = rungs.iter().filter_map(ttl_of).max().ok_or(WhyNoSuggestion::NotInForce)?;
        let publish = self.publish(work, "id: shaky, body: x").ok_or(WhyNoSuggestion::NotReadable)?;
        let rules = format!(
            "on_message: [{{match: {{x_death: {{queue: {}, count: \">=1\"}}}}, do: ack}}, {{do: [{{reject: {{requeue: false}}}}]}}]",
            scalar(&work.name)
        );
        let (gap, within) = (duration(Millis(delay)), duration(later(delay)));
        let tried = format!("expect: {{message: shaky, attempts: 2, gaps: [{gap}], tolerance: 10%, within: {within}}}");
        Ok(Draft {
            name: stem(&[&work.name, "retry"]),
            why: format!(
                "What is rejected in {} waits and comes back; consumers count x-death to end that.",
                work.name
            ),
            title: DraftTitle::Known(format!("what a consumer of {} rejects comes back after {gap}", work.name)),
            consumers: vec![self.consumer("worker", work, &rules)],
            steps: vec![publish, self.step(&work.vhost, &tried)],
            of: None,
            published: Vec::new(),
            at_end: vec![self.is_empty(work)],
            covers: covers.to_vec(),
        })
    }
}

fn ttl_of(rung: &RetryRung<'_>) -> Option<u64> {
    let ttl = rung.waiting.arguments.get("x-message-ttl").and_then(Value::as_integer);
    ttl.filter(|_| !rung.parks).and_then(|ttl| u64::try_from(ttl).ok())
}
