//! What a broker at rest stands at, as a hash of all that decides what it does from then on: explored runs that stand alike
//! go on alike. Looks at it and changes nothing.

use crate::model;
use crate::sim::broker::Sim;
use crate::sim::state::arena::{ExchangeId, SharedArena, VhostId};
use crate::sim::state::channel::{Channel, ChannelMode};
use crate::sim::state::connection::Connection;
use crate::sim::state::consumer::Consumer;
use crate::sim::state::exchange::Exchange;
use crate::sim::state::queue::{Queue, QueueContents};
use crate::sim::state::timer::TimerKey;
use crate::sim::state::vhost::Vhost;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Objects that copies of a broker share. They count by their place in memory, which is theirs for as long as this is kept.
#[expect(dead_code, reason = "they are kept, so that nothing else takes their place")]
pub(crate) struct SharedObjects {
    vhosts: SharedArena<VhostId, Vhost>,
    exchanges: SharedArena<ExchangeId, Exchange>,
    queues: Vec<Arc<model::Queue>>,
}

impl Sim {
    /// Hashes all that decides what it does from now on. `None`: it is not at rest, tells reasons, or holds what this does not
    /// look at. Users and the names of virtual hosts do not count: only commands of management change them.
    pub(crate) fn hash_at_rest(&self, state: &mut impl Hasher) -> Option<SharedObjects> {
        let Self {
            rules,
            plugins: _,
            now,
            epoch_s,
            events,
            insights,
            covered,
            users: _,
            vhosts,
            vhost_names: _,
            connections,
            isolated,
            channels,
            channel_ids,
            exchanges,
            queues,
            consumers,
            timers,
            watches,
            timeouts_from,
            turn: _,
            overtaken,
            to_serve,
            dead_letters,
            dead_letterings,
            delayed_publishes,
            own_publishes,
            down_until,
            attached,
            note,
            openings,
            names_made,
            chance,
            asks,
            known_destinations: _,
            found: _,
            targets: _,
            ways,
        } = self;
        let is_told = *insights || covered.is_some() || note.is_some() || !ways.is_empty();
        let has_more = !events.is_empty() || !overtaken.is_empty() || !to_serve.is_empty() || !dead_letters.is_empty();
        if is_told
            || has_more
            || *isolated > 0
            || !delayed_publishes.is_at_rest()
            || !own_publishes.is_at_rest()
            || down_until.is_some()
            || *asks
            || !openings.is_at_rest()
        {
            return None;
        }
        std::ptr::from_ref(*rules).hash(state);
        (now, epoch_s, openings.letters_wait, openings.unheard).hash(state);
        (timers, watches, timeouts_from, attached, names_made, chance, channel_ids).hash(state);
        vhosts.hash_places(state);
        exchanges.hash_places(state);
        for (id, connection) in connections {
            let Connection { user, vhost, channels, heartbeat, opened, isolated } = connection;
            (id, user, vhost, channels, heartbeat, opened, isolated).hash(state);
        }
        (channels.indexes(), queues.indexes(), consumers.indexes(), dead_letterings.indexes()).hash(state);
        for (id, channel) in channels.iter() {
            id.hash(state);
            hash_channel(channel, state)?;
        }
        for (id, queue) in queues.iter() {
            id.hash(state);
            hash_queue(queue, state)?;
        }
        for (id, consumer) in consumers.iter() {
            id.hash(state);
            hash_consumer(consumer, state)?;
        }
        for (id, by) in dead_letterings.iter() {
            (id, by.vhost, &by.queue, by.from_quorum, &by.exchange, &by.routing_key, by.at_least_once).hash(state);
        }
        let queues = queues.iter().map(|(_, queue)| Arc::clone(&queue.declared)).collect();
        Some(SharedObjects { vhosts: vhosts.clone(), exchanges: exchanges.clone(), queues })
    }
}

fn hash_channel(channel: &Channel, state: &mut impl Hasher) -> Option<()> {
    let Channel {
        id,
        number,
        connection,
        user,
        vhost,
        last_tag,
        unacked,
        consumers,
        prefetch,
        global_prefetch,
        volume,
        filled_by,
        unsent_left,
        last_queue,
        last_exchange,
        permissions,
        reply_consumer,
        mode,
    } = channel;
    (id, number, connection, user, vhost, last_tag, unacked, consumers).hash(state);
    (prefetch, global_prefetch, volume, filled_by, unsent_left).hash(state);
    (last_queue, last_exchange, permissions, reply_consumer).hash(state);
    match mode {
        ChannelMode::Plain => false.hash(state),
        ChannelMode::Confirms => true.hash(state),
        ChannelMode::Transaction(_) => return None,
    }
    Some(())
}

/// Settings and policy follow from the declaration and from the policies of the virtual host.
fn hash_queue(queue: &Queue, state: &mut impl Hasher) -> Option<()> {
    let Queue {
        name,
        vhost,
        declared,
        kind: _,
        owner,
        settings: _,
        dead_lettering,
        policy: _,
        contents,
        consumers,
        unacked,
        got,
        bound_from,
        ttl_timer,
        delay_timer,
        retry_timer,
        lease_timer,
        declared_at,
        used_at,
        watched,
        moved,
        ttls: _,
        sampled: _,
    } = queue;
    (name, vhost, Arc::as_ptr(declared), owner, dead_lettering, consumers, unacked, got, bound_from).hash(state);
    let set_for = |timer: &Option<TimerKey>| timer.map(|(moment, _)| moment);
    (set_for(ttl_timer), set_for(delay_timer), set_for(retry_timer), set_for(lease_timer)).hash(state);
    (declared_at, used_at, watched, moved).hash(state);
    match contents {
        QueueContents::Classic(classic) => classic.hash(state),
        QueueContents::Quorum(quorum) => quorum.hash(state),
        QueueContents::Stream(_) => return None,
    }
    Some(())
}

fn hash_consumer(consumer: &Consumer, state: &mut impl Hasher) -> Option<()> {
    let Consumer {
        tag,
        channel,
        queue,
        kind: _,
        no_ack,
        prefetch,
        priority,
        leaked_credit,
        timeout_ms,
        attached,
        unacked,
        timed_out,
        rotating,
        cancelled,
        ghost,
        why_full: _,
        reader,
    } = consumer;
    if ghost.is_some() || reader.is_some() {
        return None;
    }
    (tag, channel, queue, no_ack, prefetch, priority, leaked_credit, timeout_ms).hash(state);
    (attached, unacked, timed_out, rotating, cancelled).hash(state);
    Some(())
}
