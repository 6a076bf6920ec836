//! Watched queues and quiet: counts tell each change, quiet comes when nothing happens, unrest has a name.

use crate::stage::{Heard, Stage, answer, consume, delivered, on_each, queue, queue_name, settle};
use rmqplay::broker::{Command, Counts, Event, Method, Reply, Settlement};
use rmqplay::model::{Millis, Table, Value};
use std::time::{Duration, Instant};

fn counts(heard: &Heard, name: &str) -> Vec<Option<(u64, u64)>> {
    let counted = heard.iter().filter_map(|(_, event)| match event {
        Event::Counted { queue, counts } if &*queue.name == name => Some(counts),
        _ => None,
    });
    counted.map(|counts| counts.map(|Counts { ready, consumers }| (ready, consumers))).collect()
}

#[test]
fn watched_queues_tell_their_counts() {
    on_each("watched queues tell their counts", |stage| Box::pin(watching(stage)));
}

async fn watching(stage: &mut Stage) {
    let (_, channel) = stage.open().await;
    for (name, kind, undisturbed) in
        [("classic", "classic", false), ("quorum", "quorum", false), ("apart", "classic", true)]
    {
        let watch = Command::Watch { queue: queue_name(name), undisturbed };
        let first = stage.play(vec![watch], Box::new(|heard| !heard.is_empty())).await;
        assert_eq!(counts(&first, name), [None], "a queue that is not there");
        stage.queue(channel, name, kind).await;
        stage.await_counts(name, Some((0, 0))).await;
        stage.fill(channel, name, 5).await;
        stage.await_counts(name, Some((5, 0))).await;
        stage.consume(channel, name, 2).await;
        stage.await_counts(name, Some((3, 1))).await;
        assert!(counts(&stage.listen(Millis(300)).await, name).is_empty(), "only changes are told");
        let method = Method::DeleteQueue { queue: name.into(), if_unused: false, if_empty: false };
        assert!(stage.call(channel, method).await.is_ok());
        stage.await_counts(name, None).await;
        stage.play(vec![Command::Unwatch { queue: queue_name(name) }], Box::new(|_| true)).await;
        stage.queue(channel, name, kind).await;
        assert!(stage.listen(Millis(250)).await.is_empty(), "the watch has ended");
    }
}

#[test]
fn quiet_comes_after_the_last_change() {
    on_each("quiet comes after the last change", |stage| Box::pin(quiet(stage)));
}

/// Messages die after 20 ms into a second queue whose consumer acks them: quiet comes when all of that is over.
async fn quiet(stage: &mut Stage) {
    let (_, channel) = stage.open().await;
    let mut dying = queue("dying");
    let arguments: Table = [
        ("x-message-ttl", Value::I64(20)),
        ("x-dead-letter-exchange", "".into()),
        ("x-dead-letter-routing-key", "dead".into()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    dying.arguments = arguments;
    assert!(stage.call(channel, Method::DeclareQueue(Box::new(dying))).await.is_ok());
    stage.queue(channel, "dead", "classic").await;
    stage.consume(channel, "dead", 10).await;
    let mut commands: Vec<Command> =
        (["dying", "dead"].iter()).map(|name| Command::Watch { queue: queue_name(name), undisturbed: false }).collect();
    commands.extend((0..40).map(|n| stage.publish(channel, "", "dying", &format!("m{n}")).1));
    let request = stage.ids.request();
    commands.push(Command::AwaitQuiet { request });
    let react = move |event: &Event| match event {
        Event::Delivered { delivery, .. } => vec![settle(channel, delivery.tag.0, false, Settlement::Ack)],
        _ => Vec::new(),
    };
    let began = Instant::now();
    let enough = move |heard: &[_]| answer(heard, request).is_some();
    let heard = stage.play_reacting(commands, Box::new(react), Box::new(enough)).await;
    assert_eq!(answer(&heard, request), Some(Ok(Reply::Done)));
    assert_eq!(delivered(&heard).len(), 40, "after {:?}", began.elapsed());
    assert_eq!(counts(&heard, "dying").last(), Some(&Some((0, 0))));
    assert_eq!(counts(&heard, "dead").last(), Some(&Some((0, 1))));
    assert!(began.elapsed() > Duration::from_millis(70) && began.elapsed() < Duration::from_secs(2));
    // Times to live may end at any time: it takes the rest of classic queues that dead-letter, and little more.
    let began = Instant::now();
    assert_eq!(stage.ask(|request| Command::AwaitQuiet { request }).await, Ok(Reply::Done));
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(50) && took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn unrest_is_named() {
    on_each("unrest is named", |stage| Box::pin(unrest(stage)));
}

/// A consumer that requeues all it gets never comes to rest.
async fn unrest(stage: &mut Stage) {
    let (_, channel) = stage.open().await;
    stage.queue(channel, "q", "classic").await;
    stage.fill(channel, "q", 1).await;
    let (begin, request) = (stage.ids.request(), stage.ids.request());
    let commands =
        vec![Command::Call { request: begin, channel, method: consume("q") }, Command::AwaitQuiet { request }];
    let react = move |event: &Event| match event {
        Event::Delivered { delivery, .. } => {
            vec![settle(channel, delivery.tag.0, false, Settlement::Nack { requeue: true })]
        }
        _ => Vec::new(),
    };
    let began = Instant::now();
    let enough = move |heard: &[_]| answer(heard, request).is_some();
    let heard = stage.play_reacting(commands, Box::new(react), Box::new(enough)).await;
    let refusal = answer(&heard, request).expect("an answer").expect_err("never quiet");
    assert_eq!((refusal.code, &*refusal.text), (0, "never quiet: consumer 'c' is still sent messages"));
    assert!(began.elapsed() > Duration::from_millis(1_900) && began.elapsed() < Duration::from_secs(14));
}

#[test]
fn old_totals_are_waited_for() {
    on_each("old totals are waited for", |stage| Box::pin(old_totals(stage)));
}

/// HTTP totals of quorum queues are up to five seconds old: quiet comes when they must be true.
async fn old_totals(stage: &mut Stage) {
    let (_, channel) = stage.open().await;
    stage.queue(channel, "apart", "quorum").await;
    let watch = Command::Watch { queue: queue_name("apart"), undisturbed: true };
    stage.play(vec![watch], Box::new(|heard| !heard.is_empty())).await;
    for total in [7, 12] {
        let there = stage.ready(channel, "apart").await as usize;
        stage.fill(channel, "apart", total - there).await;
        assert_eq!(stage.ask(|request| Command::AwaitQuiet { request }).await, Ok(Reply::Done));
        assert_eq!(stage.counts.get("apart"), Some(&Some((total as u64, 0))));
    }
}

#[test]
fn a_flood_is_stopped() {
    on_each("a flood is stopped", |stage| Box::pin(flood(stage)));
}

/// Deliveries that the client does not take in time are not kept without end.
async fn flood(stage: &mut Stage) {
    let (_, channel) = stage.open().await;
    stage.queue(channel, "q", "classic").await;
    stage.fill(channel, "q", 100).await;
    stage.limits.buffered_max = 1;
    let command = Command::Call { request: stage.ids.request(), channel, method: consume("q") };
    let mut script = crate::script::Script::new(stage.live.now(), vec![command], Millis(5_000), Box::new(|_| false));
    let failure = stage.try_play(&mut script).await.expect_err("too much");
    assert!(failure.to_string().contains("consumer 'c' was sent 1 message faster"), "{failure}");
    assert_eq!(failure.hint, "give the consumer a prefetch");
}
