//! What a move of a queue does, what it counted and what hindered it, in words.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{Object, Policy, QueueName, counted};
use crate::plan::{
    Change, ChangeKind, Holding, MoveStage, MoveStop, MoveTally, Plan, ReplaceWay, named, policy_instead,
};
use crate::report::shell_word;

/// How many objects of one reason are named; the rest is counted.
const OBJECTS_MAX: usize = 5;

/// Why a move stopped or cannot begin, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedMove {
    pub why: String,
    pub help: String,
}

/// Says how an object is replaced, and what follows from it, in lines.
pub(crate) fn way_lines(change: &Change) -> Vec<String> {
    let (ChangeKind::Replace { fields, way, stakes }, Object::Queue { vhost, name }) = (&change.kind, &change.object)
    else {
        return Vec::new();
    };
    let queue = QueueName { vhost: vhost.clone(), name: name.clone() };
    let held = Holding::of(&queue).queue;
    let mut lines = match way {
        ReplaceWay::Refused => Vec::new(),
        ReplaceWay::NotEmpty => vec!["if-empty: it is not known to be empty, so it stays".to_owned()],
        ReplaceWay::CannotMove(stop) => {
            let StoppedMove { why, help } = stopped_move(&queue, stop);
            vec![format!("move: {why}"), format!("  {help}")]
        }
        ReplaceWay::Unfinished => vec![format!(
            "a move of it is unfinished, and its messages wait in queue '{held}': --replace move goes on with it"
        )],
        ReplaceWay::IfEmpty => {
            let look = if stakes.is_stream { "its first message is asked for in vain" } else { "looked at once more" };
            vec![format!("if-empty: {look}, deleted and declared anew; its bindings are made again")]
        }
        ReplaceWay::Drop => {
            vec!["drop: deleted with what it holds and declared anew; its bindings are made again".to_owned()]
        }
        ReplaceWay::Move { resumes, counts_deaths_anew, by_priority } => {
            let begun = if *resumes { "move, begun before: " } else { "move: " };
            let mut lines = vec![
                format!("{begun}its messages wait in queue '{held}', bound as it is, while it is made anew"),
                "lost is what reaches it by the default exchange or as a dead letter between its deletion and its return"
                    .to_owned(),
            ];
            let deaths = if *counts_deaths_anew { ", deaths counted in x-death (DL-22)" } else { "" };
            lines.push(format!(
                "its messages keep headers and order; anew begin time to live, deliveries counted{deaths}"
            ));
            if *by_priority {
                lines.push("messages of higher priority come first on the way, as the queue hands them out".to_owned());
            }
            lines
        }
    };
    if let Some(keys) = policy_instead(fields) {
        lines.push(format!("a policy sets this on the queue as it is, without a new one: {{{}}}", keys.join(", ")));
    }
    lines
}

/// Says of each object that cannot be replaced why, and what to do; those of the same reason together.
pub fn refused_replacements_text(plan: &Plan) -> String {
    let mut groups: Vec<(StoppedMove, Vec<String>)> = Vec::new();
    for change in plan.replaced().filter(|change| change.writes.is_empty()) {
        let why = why_refused(change);
        match groups.iter_mut().find(|(known, _)| *known == why) {
            Some((_, objects)) => objects.push(named(&change.object)),
            None => groups.push((why, vec![named(&change.object)])),
        }
    }
    let lines = groups.into_iter().map(|(StoppedMove { why, help }, objects)| {
        let more = objects.len().saturating_sub(OBJECTS_MAX);
        let objects = objects.into_iter().take(OBJECTS_MAX).collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("  {objects}{more}: {why}\n    help: {help}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What is left to do with a stream that holds messages.
const NO_MOVE: &str = "to keep them, declare the new one under another name, and read the old one to its end";

/// Says why a replacement is refused, and what to do.
fn why_refused(change: &Change) -> StoppedMove {
    let (ChangeKind::Replace { way, stakes, .. }, Object::Queue { vhost, name }) = (&change.kind, &change.object)
    else {
        return StoppedMove {
            why: "RabbitMQ never changes it".to_owned(),
            help: "delete it there first, or give the new one another name".to_owned(),
        };
    };
    let queue = QueueName { vhost: vhost.clone(), name: name.clone() };
    let (why, help) = match way {
        ReplaceWay::CannotMove(stop) => {
            let StoppedMove { why, help } = stopped_move(&queue, stop);
            (format!("it cannot be moved, since {why}"), help)
        }
        ReplaceWay::NotEmpty => (
            match stakes.messages {
                Some(count) => format!("it is not empty: {}", messages(count)),
                None => "it is not known to be empty".to_owned(),
            },
            match stakes.is_stream {
                true => format!("the same command with --replace drop loses them; {NO_MOVE}"),
                false => {
                    "the same command with --replace move keeps its messages, with --replace drop it loses them".to_owned()
                }
            },
        ),
        ReplaceWay::Unfinished => {
            ("a move of it is unfinished".to_owned(), "the same command with --replace move goes on with it".to_owned())
        }
        _ if stakes.is_stream => (
            "nothing says how it is replaced".to_owned(),
            format!(
                "the same command with --replace if-empty replaces it when it is empty, with drop it loses its messages; {NO_MOVE}"
            ),
        ),
        _ => (
            "nothing says how it is replaced".to_owned(),
            "the same command with --replace move keeps its messages, with if-empty it goes when it is empty, with drop it \
             loses them; `replace: move` at the queue in the file says it of that one"
                .to_owned(),
        ),
    };
    StoppedMove { why, help }
}

/// Says what a move does at a stage.
pub fn move_stage_text(stage: MoveStage, queue: &QueueName) -> String {
    let (name, held) = (&queue.name, Holding::of(queue).queue);
    match stage {
        MoveStage::Hold => format!("making queue '{held}', which takes over the bindings of '{name}'"),
        MoveStage::Drain => format!("carrying messages from '{name}' to '{held}'"),
        MoveStage::Replace => format!("deleting '{name}' and declaring it with the values of the file"),
        MoveStage::DrainBack => format!("carrying messages back to '{name}'"),
        MoveStage::BindBack => format!("giving '{name}' its bindings back"),
        MoveStage::Clear => format!("deleting '{held}' and its exchanges"),
    }
}

/// Says what a move came to: the counts before and after, and what may stand twice.
pub fn moved_text(queue: &QueueName, tally: &MoveTally) -> String {
    let how = if tally.resumed { "move gone on with" } else { "moved" };
    let mut text = format!(
        "{queue}: {how}; {} before, {} carried out, {} carried back, {} ready in it now",
        messages(tally.before),
        tally.out,
        tally.back,
        tally.after
    );
    let twice = tally.doubled_at_most();
    if twice > 0 {
        let mut reasons = Vec::new();
        if tally.in_hand_before > 0 {
            reasons.push(format!("{} had been handed out before without an acknowledgement", tally.in_hand_before));
        }
        if tally.while_both_bound > 0 {
            reasons.push(format!("{} came while both queues were bound", tally.while_both_bound));
        }
        text.push_str(&format!("\n  at most {} may stand twice: {}", messages(twice), reasons.join(", ")));
    }
    if tally.both_bound_unknown {
        text.push_str("\n  what was published while an earlier try had both queues bound may stand twice, too");
    }
    text
}

/// Says why a move stopped, and what to do.
pub fn stopped_move(queue: &QueueName, stop: &MoveStop) -> StoppedMove {
    let held = Holding::of(queue).queue;
    let (why, help) = match stop {
        MoveStop::Consumers { count } => (
            format!("{} consume from it", counted(*count, "consumer")),
            "stop them first: publishes by the default exchange and dead letters to this name are lost while the queue is \
             replaced, and the consumers with it; --while-publishing accepts both"
                .to_owned(),
        ),
        MoveStop::SingleActive { count } => (
            format!("{} consume from it, and it gives its messages to one of them alone", counted(*count, "consumer")),
            "stop its consumers first; --while-publishing cannot accept them".to_owned(),
        ),
        MoveStop::Unacked { count } => (
            format!("{} of it are with clients that have not acknowledged them", messages(*count)),
            "when they are settled or the clients are gone, the same command goes on".to_owned(),
        ),
        MoveStop::Stream => (
            "a stream is a log: its messages cannot be taken out, nor put in where they stood".to_owned(),
            "declare the new one under another name, and read the old one to its end".to_owned(),
        ),
        MoveStop::AutoDelete => (
            "it is auto-delete: it goes with its last consumer, and what a move had not carried yet would go with it"
                .to_owned(),
            "replace it when it is empty: if-empty".to_owned(),
        ),
        MoveStop::NameTooLong => (
            format!("the name '{held}' would be longer than the 255 bytes of AMQP"),
            "give the new queue another name".to_owned(),
        ),
        MoveStop::PolicyOnHolding { policy, operator, key } => {
            let kind = if *operator { "operator policy" } else { "policy" };
            let around = format!("^(?!.*\\.rmqplay-move$).*(?:{})", policy.pattern);
            (
                format!("{kind} '{}' catches '{held}', too, and its {key} could lose messages there", policy.name),
                format!(
                    "let it pass over holding queues meanwhile: {}; then move, and put it back: {}",
                    set_policy(policy, *operator, &around),
                    set_policy(policy, *operator, &policy.pattern)
                ),
            )
        }
        MoveStop::ForeignHolding => (
            format!("there is a queue '{held}' that no move made: it has limits or goes by itself"),
            "see what it is for, and delete it or move by hand".to_owned(),
        ),
        MoveStop::Nothing => {
            (format!("neither it nor '{held}' is there any more"), "apply again to declare it".to_owned())
        }
        MoveStop::Refused { refusal, .. } => (
            format!("the broker refused: {refusal}"),
            format!(
                "nothing is lost: what was carried waits in '{held}', and the same command goes on. Where the text is about \
                 user_id, a message names its publisher: the account needs the tag `impersonator` to carry it"
            ),
        ),
        MoveStop::Unroutable { text } => (
            format!("a message found no queue ({text})"),
            "somebody took a binding of the move away; the same command goes on".to_owned(),
        ),
        MoveStop::NotTaken => (
            "a message was not taken: the queue that it was carried to is full".to_owned(),
            format!("nothing is lost: the rest waits where it was, in the queue or in '{held}'; raise the limit and apply again"),
        ),
        MoveStop::Stalled { ready } => (
            format!("{} stand ready, and none is delivered", messages(*ready)),
            "another consumer may hold the queue (single active consumer, or exclusive); the same command goes on".to_owned(),
        ),
        MoveStop::Endless { moved } => (
            format!("it fills as fast as it is emptied: {} were carried", messages(*moved)),
            "stop who publishes to its name by the default exchange; the same command goes on".to_owned(),
        ),
        MoveStop::TooManyActs => (
            "somebody changes the queue or its bindings at the same time".to_owned(),
            "when that is over, the same command goes on".to_owned(),
        ),
    };
    StoppedMove { why, help }
}

/// Writes the command that sets a policy with a pattern.
fn set_policy(policy: &Policy, operator: bool, pattern: &str) -> String {
    let verb = if operator { "set_operator_policy" } else { "set_policy" };
    let definition = serde_json::to_string(&policy.definition).unwrap_or_default();
    let words = [&*policy.vhost, &*policy.name, pattern, &definition].map(shell_word);
    let [vhost, name, pattern, definition] = words;
    let (apply_to, priority) = (policy.apply_to.as_str(), policy.priority);
    format!("rabbitmqctl {verb} -p {vhost} --apply-to {apply_to} --priority {priority} {name} {pattern} {definition}")
}

fn messages(count: u64) -> String {
    counted(count, "message")
}
