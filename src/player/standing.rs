//! What a run at rest has come to, as a hash of all that decides how it goes on and how it is judged. Asked by whoever explores
//! schedules: runs that stand alike, as their brokers do, go on alike.

use crate::player::client::Player;
use crate::player::consumer::instance::ConsumerInstance;
use crate::player::context::Context;
use crate::player::context::held::HeldMessages;
use crate::player::driver::state::{Driver, DriverState};
use std::hash::{Hash, Hasher};

impl Player {
    /// Hashes all that decides how it goes on. `None`: something failed, somebody is at work, or there is something that this
    /// does not look at. How many entries the timeline has does not count, nor what numbers publishes have.
    pub(crate) fn hash_at_rest(&self, state: &mut impl Hasher) -> Option<()> {
        let Self {
            scenario: _,
            context,
            driver,
            hands,
            consumers,
            deliveries,
            acted,
            hesitates: _,
            held_request,
            waiting_consumers,
        } = self;
        if held_request.is_some() || waiting_consumers.is_some() || !hands.rows.is_empty() || !hands.failures.is_empty()
        {
            return None;
        }
        (deliveries, acted).hash(state);
        hash_context(context, state)?;
        hash_driver(driver, state)?;
        consumers.all().iter().try_for_each(|instance| hash_instance(instance, state))
    }
}

fn hash_context(context: &Context, state: &mut impl Hasher) -> Option<()> {
    let Context {
        broker: _,
        clock,
        ids,
        outbox,
        channels,
        in_flight,
        adrift,
        drifting,
        names,
        memories,
        ledger,
        timeline,
        failures,
        begun,
        steps_done,
        notes,
        took,
        counts_unroutable: _,
        waits_until_quiet: _,
        hand,
    } = context;
    let is_under_way =
        !outbox.is_empty() || !in_flight.is_empty() || !adrift.is_empty() || drifting.is_some() || hand.is_some();
    // What expectations may ask of it has no hash.
    let is_counted = timeline.counts().is_some();
    if is_counted || is_under_way || !failures.is_empty() || !ledger.refusals.is_empty() {
        return None;
    }
    (clock, ids, outbox.waiting(), channels, names.ids()?, memories).hash(state);
    (ledger, begun, steps_done, notes, took).hash(state);
    Some(())
}

fn hash_driver(driver: &Driver, state: &mut impl Hasher) -> Option<()> {
    let Driver {
        stage,
        doing,
        request,
        connections,
        transactions,
        held,
        described,
        letters_counted,
        look_at,
        contents,
        outcome,
        points,
        shift,
        pace,
        news,
        vhosts: _,
        began,
        stretch,
        confirmed,
        lingered,
        unrest,
        repetition_began,
        restarting,
        frozen,
        limit,
        timed_out,
        failures_before,
        tidied,
        is_kept_open,
    } = driver;
    let HeldMessages { channels, by_name, ended } = held;
    let holds = !channels.is_empty() || !by_name.is_empty() || ended.is_some() || !transactions.is_empty();
    let is_shifted = shift.is_some() || !pace.is_empty() || unrest.is_some();
    if holds || is_shifted || request.is_some() || outcome.is_some() {
        return None;
    }
    match doing {
        DriverState::Quieting => false.hash(state),
        // With the quiet that is about to be answered the step ends, whatever came before.
        DriverState::EndingInstant(_) => true.hash(state),
        _ => return None,
    }
    (stage, connections, described, letters_counted, look_at, contents, points, news).hash(state);
    (began, stretch, confirmed, lingered, repetition_began, restarting).hash(state);
    (frozen, limit, timed_out, failures_before, tidied, is_kept_open).hash(state);
    Some(())
}

fn hash_instance(instance: &ConsumerInstance, state: &mut impl Hasher) -> Option<()> {
    let ConsumerInstance {
        number: _,
        consumer: _,
        instance: _,
        name: _,
        running,
        connection,
        channel,
        publishing,
        inbox,
        jobs,
        in_hand,
        absence,
    } = instance;
    if !inbox.is_empty() || !jobs.is_empty() || absence.is_some() {
        return None;
    }
    (running, connection, channel, publishing, in_hand).hash(state);
    Some(())
}
