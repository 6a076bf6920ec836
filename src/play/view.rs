//! A session as a page shows it: the scene, which seldom changes, and the state, with what came to the timeline since.

use crate::model::Name;
use crate::play::log::Tone;
use crate::play::pace::PlaySpeed;
use crate::play::session::PlaySession;
use crate::player::{RunPosition, TallyView};
use crate::report::{drawing_json, page_failures, page_news, source_json};
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

/// Writes what seldom changes: the texts, the topology, what can join.
pub(crate) fn scene(session: &PlaySession) -> Json {
    let scenario = session.player.scenario();
    let setting = &session.setting;
    let names = |names: Vec<&Name>| names.into_iter().map(|name| json!(&**name)).collect::<Vec<_>>();
    json!({
        "run": session.run, "scene": session.scene, "name": setting.name, "title": scenario.title,
        "file": scenario.file, "broker": setting.edition.sim_name(), "live": false,
        "source": session.own_file().map(|file| source_json(file, &session.sources)),
        "graph": drawing_json(scenario, setting.edition),
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
    let behind = session.stage.now() - session.moment();
    let next = session.stage.next(player).map(|next| next.0 - behind.0);
    let speed = match session.clock.speed {
        PlaySpeed::Times(times) => json!(times),
        PlaySpeed::Fastest => json!("fastest"),
    };
    let queues = session.stage.queues().into_iter().map(|queue| {
        json!({"vhost": &*queue.name.vhost, "name": &*queue.name.name, "type": queue.kind.as_str(), "ready": queue.ready,
               "unacked": queue.unacked, "consumers": queue.consumers})
    });
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
        "held": session.clock.is_held(), "speed": speed, "place": place, "line": line,
        "queues": queues.collect::<Vec<_>>(), "actors": actors.collect::<Vec<_>>(),
        "judged": judged.collect::<Vec<_>>(),
        "failures": page_failures(player.failures(), timeline, &session.sources),
        "tallies": player.tallies().iter().map(tally).collect::<Vec<_>>(),
        "said": said.collect::<Vec<_>>(), "changed": session.is_changed, "watchers": session.watchers,
        "by_hand": player.rows_by_hand(), "from": has.entry, "entry": timeline.count(),
        "news": page_news(timeline, has.entry, &session.sources),
    });
    (state, PageHas { run: session.run, entry: timeline.count(), sentence: session.log.count() })
}

fn tally(tally: &TallyView) -> Json {
    json!({"consumer": tally.consumer.as_deref(), "by": tally.by, "sum": tally.sum, "partial": tally.is_partial,
           "groups": tally.groups})
}
