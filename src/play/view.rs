//! A session as a page shows it: the scene, which seldom changes, and the state, with what came to the timeline since.

use crate::model::{Name, QueueName};
use crate::play::log::Tone;
use crate::play::pace::PlaySpeed;
use crate::play::session::PlaySession;
use crate::play::setting::PlayStage;
use crate::player::{Player, RunPosition, TallyView};
use crate::report::{drawing_json, page_failures, page_news, source_json};
use crate::sim::QueueStatus;
use serde_json::{Value as Json, json};

/// What a page has of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageHas {
    /// Of which run.
    pub run: u64,
    /// The last entry of its timeline.
    pub entry: u64,
    /// The last sentence.
    pub sentence: u64,
}

impl PageHas {
    /// Reads it from a query: `run=1&entry=20&sentence=3`.
    ///
    /// # Errors
    /// A part is no number.
    pub(super) fn read(query: &str) -> Result<Self, String> {
        let mut has = Self::default();
        for (name, value) in query.split('&').filter_map(|part| part.split_once('=')) {
            let number = value.parse().map_err(|_| format!("`{name}` is a number"))?;
            match name {
                "run" => has.run = number,
                "entry" => has.entry = number,
                "sentence" => has.sentence = number,
                _ => {}
            }
        }
        Ok(has)
    }
}

/// Writes what seldom changes: the texts, the topology, what can join.
pub(crate) fn scene(session: &PlaySession) -> Json {
    let scenario = session.player.scenario();
    let setting = &session.setting;
    let names = |names: Vec<&Name>| names.into_iter().map(|name| json!(&**name)).collect::<Vec<_>>();
    json!({
        "run": session.run, "scene": session.scene, "name": setting.name, "title": scenario.title,
        "file": scenario.file, "live": setting.live.is_some(),
        "broker": setting.live.as_ref().map_or_else(|| setting.edition.sim_name(), |live| live.shown.clone()),
        "source": session.own_file().map(|file| source_json(file, &session.sources)),
        "graph": drawing_json(&scenario.topology, &scenario.origins, setting.edition),
        "vhosts": names(scenario.vhosts().iter().collect()),
        "exchanges": scenario.topology.exchanges.iter().map(|one| json!([&*one.vhost, &*one.name])).collect::<Vec<_>>(),
        "policies": scenario.topology.policies.iter().map(|one| json!([&*one.vhost, &*one.name])).collect::<Vec<_>>(),
        "parts": setting.parts.iter().map(|part| part.json()).collect::<Vec<_>>(),
    })
}

/// Writes the state, with what a page does not have yet; returns it with what the page has then.
pub(crate) fn state(session: &PlaySession, has: PageHas) -> (Json, PageHas) {
    let has = if has.run == session.run { has } else { PageHas { run: session.run, entry: 0, ..has } };
    let player = &session.player;
    let timeline = player.timeline();
    let (place, line) = match player.position() {
        RunPosition::Preparing => ("preparing", None),
        RunPosition::Step(span) if Some(span.file) == session.own_file() => {
            ("step", Some(session.sources.position(span).line))
        }
        RunPosition::Step(_) => ("step", None),
        RunPosition::Through => ("through", None),
        RunPosition::Ending => ("ending", None),
        RunPosition::Done => ("done", None),
    };
    let is_live = matches!(session.stage, PlayStage::Live(_));
    let behind = session.now() - session.moment();
    let next = session.next().map(|next| next.0 - behind.0);
    let speed = match session.clock.speed {
        PlaySpeed::Times(times) => json!(times),
        PlaySpeed::Fastest => json!("fastest"),
    };
    let queues = match &session.stage {
        PlayStage::Simulated(stage) => stage.queues().iter().map(queue_json).collect(),
        PlayStage::Live(_) => live_queues(player),
    };
    let actors = player.actors().into_iter().map(|actor| {
        let in_hand: Vec<&str> = actor.in_hand.iter().map(|name| &**name).take(3).collect();
        json!({"name": &*actor.name, "queue": &*actor.queue.name, "running": actor.running,
               "back_ms": actor.back_at.map(|at| at.0), "in_hand": in_hand, "holds": actor.in_hand.len(),
               "received": actor.received, "acked": actor.acked, "refused": actor.refused})
    });
    let said = session.log.after(has.sentence).map(
        |one| json!({"number": one.number, "at_ms": one.at.0, "fault": one.tone == Tone::Fault, "text": one.text}),
    );
    let judged = session.judged.iter().map(|(line, it)| json!([line, it.holds, it.fails, it.last.0]));
    let state = json!({
        "run": session.run, "scene": session.scene, "moment_ms": session.moment().0, "next_ms": next,
        "held": !is_live && session.clock.is_held(), "speed": speed, "place": place, "line": line,
        "queues": queues, "actors": actors.collect::<Vec<_>>(),
        "judged": judged.collect::<Vec<_>>(),
        "failures": page_failures(player.failures(), timeline, &session.sources),
        "tallies": player.tallies().iter().map(tally).collect::<Vec<_>>(),
        "said": said.collect::<Vec<_>>(), "changed": session.is_changed, "watchers": session.watchers,
        "by_hand": player.rows_by_hand(), "from": has.entry, "entry": timeline.count(),
        "news": page_news(timeline, has.entry, &session.sources),
    });
    (state, PageHas { run: session.run, entry: timeline.count(), sentence: session.log.count() })
}

/// Writes a queue.
pub(super) fn queue_json(queue: &QueueStatus) -> Json {
    json!({"vhost": &*queue.name.vhost, "name": &*queue.name.name, "type": queue.kind.as_str(), "ready": queue.ready,
           "unacked": queue.unacked, "consumers": queue.consumers})
}

/// Lists the queues of a live broker: what it counts as ready, and what the run's own consumers have in hand.
fn live_queues(player: &Player) -> Vec<Json> {
    let actors = player.actors();
    let of = |name: &QueueName| actors.iter().filter(|actor| actor.running && actor.queue == *name).count();
    let queues = player.counted_queues().filter_map(|(name, ready, unacked)| {
        Some(json!({"vhost": &*name.vhost, "name": &*name.name, "ready": ready?, "unacked": unacked, "consumers": of(name)}))
    });
    queues.collect()
}

fn tally(tally: &TallyView) -> Json {
    json!({"consumer": tally.consumer.as_deref(), "by": tally.by, "sum": tally.sum, "partial": tally.is_partial,
           "groups": tally.groups})
}
