//! Streams that keep more, or get less, than their author thinks (ST-4, ST-8, ST-10); what a stream refuses is `language`'s.
//! Takes what is in effect on each queue, the ways of dead letters and a scenario's consumers; gives findings.

use crate::foresee::lint::dead_letter_ways::DeadLetterWays;
use crate::foresee::lint::findings::{LintFindings, and_more};
use crate::foresee::topology_view::{QueueView, TopologyView};
use crate::model::{Action, Consumer, Profile, QueueKind, by_number};
use crate::rules::{STREAM_SEGMENT_BYTES_MAX, differences};
use crate::source::{Code, Problem};

/// Looks at each stream.
pub fn check(view: &TopologyView<'_>, ways: &DeadLetterWays, found: &mut LintFindings) {
    for stream in view.queues.iter().filter(|queue| queue.kind == QueueKind::Stream) {
        keeps_all(stream, view, found);
        segment_over_limit(stream, view, found);
        lost_dead_letters(stream, view, ways, found);
    }
}

/// Looks at a consumer of a queue.
pub fn of_consumer(consumer: &Consumer, queue: &QueueView<'_>, view: &TopologyView<'_>, found: &mut LintFindings) {
    if queue.kind == QueueKind::Stream {
        returns(consumer, view, found);
        exclusive(consumer, found);
    }
}

/// Tells of a stream without a limit.
fn keeps_all(stream: &QueueView<'_>, view: &TopologyView<'_>, found: &mut LintFindings) {
    let retention = &stream.settings.retention;
    if retention.bytes_max.is_some() || retention.age_max_ms.is_some() || found.is_full(Code::LintStreamKeepsAll) {
        return;
    }
    let message = format!("stream '{}' keeps every message until the disk is full", stream.name());
    let note = Problem::note(Code::LintStreamKeepsAll, message).by("ST-10");
    let help = "nothing takes a message out of a stream but its limits: set `max_length_bytes` or `max_age`, here or by a policy";
    let place = view.field(&stream.queue.object(), &["type", "arguments"]);
    found.add(note.help(help), place, "without a limit");
}

/// Tells of a limit of bytes that is less than one segment.
fn segment_over_limit(stream: &QueueView<'_>, view: &TopologyView<'_>, found: &mut LintFindings) {
    let retention = &stream.settings.retention;
    let segment = retention.segment_bytes_max.unwrap_or(STREAM_SEGMENT_BYTES_MAX);
    let Some(limit) = retention.bytes_max.filter(|limit| *limit < segment) else { return };
    let message = format!(
        "stream '{}' keeps up to {segment} bytes and not {limit}: the newest segment always stays",
        stream.name()
    );
    let note = Problem::note(Code::LintSegmentOverLimit, message).by("ST-10");
    let help = "a stream forgets whole segments, when a new one begins: set `stream_max_segment_size_bytes` to a part of the limit";
    found.add(note.help(help), view.place_of(stream, "max-length-bytes"), "less than a segment");
}

/// Tells of dead letters that 3.10 loses.
fn lost_dead_letters(stream: &QueueView<'_>, view: &TopologyView<'_>, ways: &DeadLetterWays, found: &mut LintFindings) {
    let is_losing = |profile: &Profile| differences(*profile).streams.loses_dead_letters;
    let losing: Vec<Profile> = view.versions.iter().map(|version| version.profile).filter(is_losing).collect();
    if losing.is_empty() {
        return;
    }
    let senders = ways.to(&stream.queue.vhost, stream.name()).map(|way| &view.queues[way.from]);
    let mut senders: Vec<&str> = senders.filter(|it| !it.settings.at_least_once).map(QueueView::name).collect();
    senders.sort_unstable();
    senders.dedup();
    if senders.is_empty() {
        return;
    }
    let message = format!(
        "RabbitMQ {} {} the dead letters of {} on their way into stream '{}'",
        Profile::listed(&losing, " and "),
        by_number(losing.len(), "loses", "lose"),
        and_more(&senders),
        stream.name()
    );
    let problem = match losing.len() == view.versions.len() {
        true => Problem::warning(Code::LintStreamDeadLetters, message),
        false => Problem::note(Code::LintStreamDeadLetters, message),
    };
    let help = "nobody is told of the loss; dead-letter into a queue there, or from a quorum queue with `strategy: at-least-once`";
    let place = view.field(&stream.queue.object(), &["type", "arguments"]);
    found.add(problem.by("ST-8").help(help), place, "gets them from 3.12 on");
}

/// Tells of returns that bring nothing back, and that old versions end the connection for.
fn returns(consumer: &Consumer, view: &TopologyView<'_>, found: &mut LintFindings) {
    let returned = consumer.actions().any(|action| matches!(action, Action::Nack { .. } | Action::Reject { .. }));
    if !returned {
        return;
    }
    let refuses = |profile: &Profile| differences(*profile).streams.refuses_returns;
    let refusing: Vec<Profile> = view.versions.iter().map(|version| version.profile).filter(refuses).collect();
    let message = format!("a nack or a reject brings no message of a stream back: consumer `{}`", consumer.name);
    let ends = match refusing.is_empty() {
        true => String::new(),
        false => format!(
            ", and RabbitMQ {} {} the connection (540)",
            Profile::listed(&refusing, " and "),
            by_number(refusing.len(), "ends", "end")
        ),
    };
    let help = format!(
        "it only makes room, as an ack does, and nothing is dead-lettered{ends}: publish what failed to a queue of its own, \
         and ack it"
    );
    let warning = Problem::warning(Code::LintStreamNack, message).by("ST-4");
    found.add(warning.help(help), Some(consumer.span), "of a stream");
}

/// Tells of a consumer that is not alone, though it asks for it.
fn exclusive(consumer: &Consumer, found: &mut LintFindings) {
    if consumer.exclusive {
        let message = format!("`exclusive` means nothing to a stream: consumer `{}` is not alone", consumer.name);
        let note = Problem::note(Code::LintNoEffect, message).by("ST-1");
        let help = "each consumer of a stream gets all messages, however many there are; leave it out";
        found.add(note.help(help), Some(consumer.span), "without effect");
    }
}
