//! Settings of queues that lose messages, or do nothing.
//! Takes what is in effect on each queue; gives findings.

use crate::foresee::lint::dead_letter_ways::DeadLetterWays;
use crate::foresee::lint::findings::LintFindings;
use crate::foresee::lint::name_words::{is_named_for_retries, names_a_delay};
use crate::foresee::lint::retries::gives_back;
use crate::foresee::topology_view::{QueueView, TopologyView};
use crate::model::{Profile, QueueKind};
use crate::rules::queue_argument;
use crate::source::{Code, Problem};

/// Looks at each queue, and at the arguments of each exchange.
pub fn check(view: &TopologyView<'_>, ways: &DeadLetterWays, found: &mut LintFindings) {
    for queue in &view.queues {
        time_to_live(queue, view, found);
        delivery_limit(queue, view, found);
        strategy(queue, view, found);
        overflow(queue, view, found);
        expiring_delay(queue, view, ways, found);
        without_effect(queue, view, found);
        not_yet_known(queue, view, found);
    }
    for exchange in &view.topology.exchanges {
        let of_queues = exchange.arguments.keys().find(|key| key.starts_with("x-") && queue_argument(key).is_some());
        if let Some(key) = of_queues {
            let message =
                format!("`{key}` is an argument of queues: exchange '{}' does nothing with it", exchange.name);
            let place = view.field(&exchange.object(), &["arguments"]);
            let note = Problem::note(Code::LintNoEffect, message).by("ER-6");
            found.add(note.help("leave it out, or set it on the queue that is meant"), place, "without effect");
        }
    }
}

fn time_to_live(queue: &QueueView<'_>, view: &TopologyView<'_>, found: &mut LintFindings) {
    let settings = &queue.settings;
    if found.is_full(Code::LintTtlDrops) {
        return;
    }
    let Some(ttl) = settings.message_ttl_ms.filter(|_| settings.dead_letter_exchange.is_none()) else { return };
    if queue.kind == QueueKind::Stream || queue.queue.exclusive || queue.queue.auto_delete {
        return;
    }
    let length = crate::model::Millis(ttl);
    let message =
        format!("messages that wait {length} in queue '{}' are dropped: it dead-letters nowhere", queue.name());
    let note = Problem::note(Code::LintTtlDrops, message).by("DL-1");
    let help = "add a dead-letter exchange to keep them, or allow this where they are worthless by then";
    found.add(note.help(help), view.place_of(queue, "message-ttl"), "dropped after this");
}

/// Tells of the limit that 4.x brings for quorum queues (CO-13).
fn delivery_limit(queue: &QueueView<'_>, view: &TopologyView<'_>, found: &mut LintFindings) {
    let default = view.versions.iter().find_map(|version| version.rules.quorum_default_limit);
    let Some(limit) = default.filter(|_| queue.kind == QueueKind::Quorum && !queue.sets("delivery-limit")) else {
        return;
    };
    if queue.settings.dead_letter_exchange.is_some() || found.is_full(Code::LintDeliveryLimitDrops) {
        return;
    }
    let message = format!(
        "a message over its delivery limit of {limit} in quorum queue '{}' is dropped on RabbitMQ 4: it dead-letters nowhere",
        queue.name()
    );
    let note = Problem::note(Code::LintDeliveryLimitDrops, message).by("CO-13");
    let help = "add a dead-letter exchange, or say `delivery_limit: -1` where a message must never be dropped";
    let key = if queue.queue.arguments.contains_key("x-queue-type") { "queue-type" } else { "" };
    let place = view.field(&queue.queue.object(), if key.is_empty() { &["name"] } else { &["type", "arguments"] });
    found.add(note.help(help), place, "a limit that nobody set");
}

/// Tells of at-least-once dead-lettering that falls back to at-most-once (DL-24).
fn strategy(queue: &QueueView<'_>, view: &TopologyView<'_>, found: &mut LintFindings) {
    let asks =
        queue.kind == QueueKind::Quorum && queue.text("dead-letter-strategy").as_deref() == Some("at-least-once");
    if !asks || queue.settings.at_least_once {
        return;
    }
    let lacks = match queue.settings.dead_letter_exchange {
        None => "a dead-letter exchange",
        Some(_) => "`overflow: reject-publish`",
    };
    let message = format!("queue '{}' dead-letters at most once: at-least-once needs {lacks}", queue.name());
    let warning = Problem::warning(Code::LintAtLeastOnce, message).by("DL-24");
    let help = format!("RabbitMQ falls back without a word; add {lacks}");
    found.add(warning.help(help), view.place_of(queue, "dead-letter-strategy"), "not in effect");
}

fn overflow(queue: &QueueView<'_>, view: &TopologyView<'_>, found: &mut LintFindings) {
    let Some(word) = queue.text("overflow") else { return };
    let settings = &queue.settings;
    if queue.kind == QueueKind::Quorum && word == "reject-publish-dlx" {
        let message =
            format!("quorum queue '{}' drops its oldest message when it is full, whatever this says", queue.name());
        let warning = Problem::warning(Code::LintOverflowIgnored, message).by("LEN-7");
        let help = "quorum queues know `drop-head` and `reject-publish`; what is dropped is dead-lettered";
        return found.add(warning.help(help), view.place_of(queue, "overflow"), "taken for drop-head");
    }
    let limited = settings.max_length.is_some() || settings.max_length_bytes.is_some();
    if !limited && word != "drop-head" && !settings.at_least_once && queue.kind != QueueKind::Stream {
        let message = format!("`{word}` has no effect on queue '{}', which has no length limit", queue.name());
        let note = Problem::note(Code::LintNoEffect, message).by("LEN-3");
        found.add(
            note.help("add `max_length` or `max_length_bytes`"),
            view.place_of(queue, "overflow"),
            "without effect",
        );
    }
}

/// Tells of wait queues that go away, with what waits in them (EXP-2).
fn expiring_delay(queue: &QueueView<'_>, view: &TopologyView<'_>, ways: &DeadLetterWays, found: &mut LintFindings) {
    let settings = &queue.settings;
    let Some(expires) = settings.expires_ms else { return };
    let way = view.position(&queue.queue.vhost, queue.name()).and_then(|at| ways.from(at));
    let Some(way) = way.filter(|_| settings.message_ttl_ms.is_some()) else { return };
    // A queue of work may have all three: its consumers keep it alive.
    let is_named = is_named_for_retries(queue.name()) || names_a_delay(queue.name());
    let gets_dead = || ways.perhaps_to(&queue.queue.vhost, queue.name()).next().is_some();
    if !is_named && !gives_back(way, queue.name()) && !gets_dead() {
        return;
    }
    let message = format!(
        "queue '{}' is deleted {} after its declaration, with what waits in it: nobody consumes from a wait queue",
        queue.name(),
        crate::model::Millis(expires)
    );
    let warning = Problem::warning(Code::LintExpiringDelay, message).by("EXP-2");
    let help =
        "publishes do not keep a queue alive, and what goes with a queue is not dead-lettered; leave `expires` out";
    found.add(warning.help(help), view.place_of(queue, "expires"), "deletes the queue");
}

/// Tells of arguments that older versions take and ignore (ER-6).
fn not_yet_known(queue: &QueueView<'_>, view: &TopologyView<'_>, found: &mut LintFindings) {
    for key in queue.queue.arguments.keys().filter(|key| key.starts_with("x-")) {
        let Some(argument) = queue_argument(key).filter(|argument| argument.types.contains(&queue.kind)) else {
            continue;
        };
        if view.versions.iter().all(|version| version.profile >= argument.since) {
            continue;
        }
        let message = format!("`{key}` does nothing before RabbitMQ {}: queue '{}'", argument.since, queue.name());
        let note = Problem::note(Code::LintNoEffect, message).by("ER-3");
        let help = format!(
            "RabbitMQ takes arguments that it does not know and ignores them; where all brokers are of the newest version, \
             `--for {}` judges for that alone",
            view.newest().profile
        );
        found.add(note.help(help), view.place_of(queue, argument.name), "without effect there");
    }
}

/// Tells of settings that versions have given up.
fn without_effect(queue: &QueueView<'_>, view: &TopologyView<'_>, found: &mut LintFindings) {
    let ignoring: Vec<Profile> =
        view.versions.iter().map(|version| version.profile).filter(|profile| *profile > Profile::V3_10).collect();
    let lazy = queue.text("queue-mode").is_some_and(|mode| mode == "lazy") && queue.kind == QueueKind::Classic;
    if lazy && let Some(first) = ignoring.first() {
        let message = format!("queue '{}' is not lazy from 3.12 on: RabbitMQ {first} ignores its mode", queue.name());
        let note = Problem::note(Code::LintNoEffect, message).by("ER-7");
        let help = "classic queues keep little in memory from 3.12 on; leave the mode out";
        found.add(note.help(help), view.place_of(queue, "queue-mode"), "without effect");
    }
    let in_memory = ["max-in-memory-length", "max-in-memory-bytes"].into_iter().find(|key| queue.sets(key));
    if let Some(key) = in_memory.filter(|_| queue.kind == QueueKind::Quorum) {
        let message = format!("`{key}` has no effect on quorum queue '{}' from 3.10 on", queue.name());
        let note = Problem::note(Code::LintNoEffect, message).by("LEN-1");
        found.add(
            note.help("quorum queues keep all messages on disk; leave it out"),
            view.place_of(queue, key),
            "without effect",
        );
    }
}
